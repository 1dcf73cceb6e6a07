"""Print the statistics of a pair of files over the whole sample, for people or as JSON; write series and report."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.commands.shared import HelpFormatter, UsageError
from quantdesk.config import ConfigError

if TYPE_CHECKING:
    from quantdesk.analytics.analysis import PairAnalysis

#: A line, its residual variance and one row to judge: below this nothing can be said.
_FEWEST_ROWS = 3
_SHORTEST_WINDOW = 3
#: As ``quantdesk.analytics.zscore`` has them, which the parser need not load.
_Z_KINDS = ("walk-forward", "regression", "rolling", "expanding", "ewm", "full-sample")


_EPILOG = """examples:
  quantdesk analyze btc.csv eth.csv
  quantdesk analyze pair.csv --log --window 120 --json
  quantdesk analyze btc.csv eth.csv --log --series bars.csv --report report.html

exit codes: 0 done, 1 failed, 2 wrong use"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command to the command line."""
    parser = subparsers.add_parser(
        "analyze",
        help="print the statistics of a pair of files",
        description="Read two files (or one that holds a pair), join them on time and print hedge ratio, spread, "
        "z-score, correlation, half-life, the tests and their verdict over the whole sample.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "y", type=Path, metavar="Y", help="file of the dependent leg (Y = a + b X), or one file with both"
    )
    parser.add_argument("x", type=Path, metavar="X", nargs="?", help="file of the hedge leg")
    parser.add_argument("--log", action="store_true", help="take natural logarithms of the prices first")
    parser.add_argument(
        "--window",
        type=int,
        default=60,
        metavar="N",
        help="rows of the z-score's window (ewm: its half-life), 3 or more, 20 for rolling and expanding (default: 60)",
    )
    parser.add_argument(
        "--z-kind",
        choices=_Z_KINDS,
        default="walk-forward",
        metavar="KIND",
        help=f"kind of the z-score: {', '.join(_Z_KINDS)}; full-sample looks ahead (default: walk-forward)",
    )
    parser.add_argument(
        "--kalman-delta",
        type=float,
        metavar="D",
        help="how fast the Kalman hedge ratio may move, above 0 and below 1 (default: the likeliest)",
    )
    lags = parser.add_mutually_exclusive_group()
    lags.add_argument(
        "--lag",
        type=int,
        metavar="N",
        help="use N lags in every test but KPSS, 0 or more (default: chosen by --autolag)",
    )
    lags.add_argument(
        "--autolag",
        type=str.upper,
        choices=("AIC", "BIC"),
        default="BIC",
        help="choose the lags by this criterion (default: BIC)",
    )
    parser.add_argument(
        "--skip-bad-rows", action="store_true", help="leave out rows that cannot be read (default: refuse the file)"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object with unrounded numbers (default: a text to read)"
    )
    _add_files(parser)
    parser.set_defaults(run=run)


def _add_files(parser: argparse.ArgumentParser) -> None:
    """Add what is written beside the text or the JSON."""
    parser.add_argument(
        "--series",
        type=Path,
        metavar="CSV",
        help="write time, y, x, beta, alpha, spread and z of each bar, as they were known at the bar; "
        "replaces a file that is there",
    )
    parser.add_argument(
        "--report", type=Path, metavar="HTML", help="write a page that stands alone; replaces a file that is there"
    )


def run(args: argparse.Namespace) -> int:
    """Analyse the files that the arguments name; return the exit code."""
    from quantdesk.analytics.analysis import AnalysisOptions, analyse
    from quantdesk.analytics.zscore import ZKind
    from quantdesk.commands.analysis_json import as_json
    from quantdesk.commands.analysis_text import as_text
    from quantdesk.commands.pair_files import read_pair

    _check(args)
    try:
        options = AnalysisOptions(args.log, args.window, args.lag, args.autolag, ZKind(args.z_kind), args.kalman_delta)
    except ValueError as error:
        raise UsageError(f"--window {error}") from error
    pair = read_pair(args.y, args.x, skip_bad_rows=args.skip_bad_rows)
    analysis = analyse(pair, options)
    if len(analysis.times) < _FEWEST_ROWS:
        raise ConfigError(f"{len(analysis.times)} rows are common to both legs; at least {_FEWEST_ROWS} are needed")
    _write(args, analysis)
    if args.json:
        print(json.dumps(as_json(analysis), indent=2, allow_nan=False))
    else:
        print(as_text(analysis))
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raise UsageError for arguments that cannot be meant, before anything is read or written."""
    if args.window < _SHORTEST_WINDOW:
        raise UsageError(f"--window must be at least {_SHORTEST_WINDOW}, not {args.window}")
    if args.lag is not None and args.lag < 0:
        raise UsageError(f"--lag must not be negative, but is {args.lag}")
    if args.kalman_delta is not None and not 0 < args.kalman_delta < 1:
        raise UsageError(f"--kalman-delta takes a number above 0 and below 1, not {args.kalman_delta}")
    if args.series is not None and args.z_kind == "full-sample":
        raise UsageError(
            "--series writes what was known at each bar, which a full-sample z is not: choose another kind"
        )
    taken = {file.resolve(): file.name for file in (args.y, args.x) if file is not None}
    for option in ("series", "report"):
        path = getattr(args, option)
        if path is None:
            continue
        if str(path) == "-":
            raise UsageError(f"--{option} needs a file: standard output is taken")
        if path.resolve() in taken:
            raise UsageError(f"--{option} would replace {taken[path.resolve()]}: name another file")
        taken[path.resolve()] = path.name


def _write(args: argparse.Namespace, analysis: PairAnalysis) -> None:
    """Write the files that were asked for; each replaces the one there only when it is whole."""
    if args.series is not None:
        from quantdesk.commands.analysis_series import write_series

        rows = write_series(args.series, analysis)
        print(f"{rows} bars written to {args.series}", file=sys.stderr)
    if args.report is not None:
        from quantdesk.reports.page import write_report

        write_report(args.report, analysis)
        print(f"report written to {args.report}", file=sys.stderr)
