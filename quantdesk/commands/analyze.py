"""Print the statistics of a pair of files over the whole sample, for people or as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from quantdesk.commands.shared import UsageError
from quantdesk.config import ConfigError

if TYPE_CHECKING:
    from quantdesk.analytics.stationarity import Autolag, TestResult
    from quantdesk.bars.arrays import FloatArray, IntArray
    from quantdesk.store.files import LoadedLeg

#: A line, its residual variance and one row to judge: below this nothing can be said.
_FEWEST_ROWS = 3
_SHORTEST_WINDOW = 3


@dataclass(frozen=True, slots=True)
class _Pair:
    """Hold two legs joined on time: n rows, closes as statistics use them."""

    name_y: str
    name_x: str
    interval: str
    times: IntArray
    closes_y: FloatArray
    closes_x: FloatArray
    notes: tuple[str, ...]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command to the command line."""
    parser = subparsers.add_parser(
        "analyze",
        help="statistics of a pair of files",
        description="Read two files (or one that holds a pair), join them on time and print hedge ratio, spread, "
        "z-score, correlation and tests over the whole sample. Y is the dependent leg.",
    )
    parser.add_argument("y", type=Path, metavar="Y", help="file of the dependent leg, or a file with both legs")
    parser.add_argument("x", type=Path, metavar="X", nargs="?", help="file of the hedge leg")
    parser.add_argument("--log", action="store_true", help="use natural logarithms of the prices")
    parser.add_argument("--window", type=int, default=60, metavar="N", help="rows of the z-score's window (60)")
    lags = parser.add_mutually_exclusive_group()
    lags.add_argument("--lag", type=int, metavar="N", help="lag of both tests, used as given")
    lags.add_argument(
        "--autolag", type=str.upper, choices=("AIC", "BIC"), default="BIC", help="choose the lag by this (BIC)"
    )
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave out rows that cannot be read")
    parser.add_argument("--json", action="store_true", help="print one JSON object, numbers not rounded")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Analyse the files that the arguments name; return the exit code."""
    if args.window < _SHORTEST_WINDOW:
        raise UsageError(f"--window must be at least {_SHORTEST_WINDOW}, not {args.window}")
    if args.lag is not None and args.lag < 0:
        raise UsageError(f"--lag must not be negative, but is {args.lag}")
    pair = _read_pair(args.y, args.x, skip_bad_rows=args.skip_bad_rows)
    if len(pair.times) < _FEWEST_ROWS:
        raise ConfigError(f"{len(pair.times)} rows are common to both legs; at least {_FEWEST_ROWS} are needed")
    result = analyse(pair, window=args.window, lag=args.lag, autolag=args.autolag, log=args.log)
    if args.json:
        print(json.dumps(result, indent=2, allow_nan=False))
    else:
        print(_as_text(result))
    return 0


def analyse(pair: _Pair, *, window: int, lag: int | None, autolag: Autolag, log: bool) -> dict[str, Any]:
    """Return the object that ``--json`` prints: plain numbers, None for what does not exist."""
    from quantdesk.analytics.correlation import logs_of, returns_correlation
    from quantdesk.analytics.hedge import ols
    from quantdesk.analytics.spread import spread_of, walk_forward_z
    from quantdesk.analytics.stationarity import adf, engle_granger, half_life

    y, x = pair.closes_y, pair.closes_x
    if log:
        y, x = logs_of(y), logs_of(x)
    fit = ols(y, x)
    spread = spread_of(y, x, fit.beta)
    notes = list(pair.notes)
    if not np.isfinite(fit.beta):
        notes.append(f"hedge: {pair.name_x} does not vary, there is no line through it")
    z = float(walk_forward_z(y, x, window).z[-1])
    if not np.isfinite(z):
        why = (
            f"needs {window + 1} rows"
            if len(y) <= window
            else "the window before the last row has no spread to judge by"
        )
        notes.append(f"z: {why}")
    numbers: dict[str, Any] = {
        "sample": "whole sample",
        "y": pair.name_y,
        "x": pair.name_x,
        "interval": pair.interval,
        "start_ms": int(pair.times[0]),
        "end_ms": int(pair.times[-1]),
        "log": log,
        "observations": len(y),
        "hedge": {"ols": {"alpha": fit.alpha, "beta": fit.beta, "r_squared": fit.r_squared, "stderr": fit.stderr_beta}},
        "spread": {
            "mean": spread.mean(),
            "std": spread.std(ddof=1),
            "last": spread[-1],
            "half_life": half_life(spread),
        },
        "z": {"window": window, "last": z, "kind": "walk-forward regression"},
        "correlation": {"returns": returns_correlation(pair.closes_y, pair.closes_x)},
        "tests": {
            "engle_granger": _test("engle_granger", lambda: engle_granger(y, x, lag, autolag), notes),
            "adf": _test("adf", lambda: adf(spread, lag, autolag, fitted_beta=True), notes),
        },
    }
    numbers["notes"] = notes
    plain: dict[str, Any] = _plain(numbers)
    return plain


def _test(name: str, run_test: Callable[[], TestResult], notes: list[str]) -> dict[str, Any] | None:
    """Run one test; None and a note where it does not exist."""
    from quantdesk.analytics.stationarity import NoValueError

    try:
        result = run_test()
    except NoValueError as error:
        notes.append(f"{name}: {error}")
        return None
    shown: dict[str, Any] = {
        "statistic": result.statistic,
        "p_value": result.p_value,
        "lags": result.lags,
        "lag_method": result.lag_method,
        "critical_values": dict(result.critical_values),
        "label": result.label,
    }
    if name == "adf":
        shown["fitted_beta"] = result.fitted_beta
    return shown


def _read_pair(path_y: Path, path_x: Path | None, *, skip_bad_rows: bool) -> _Pair:
    """Read one or two files and join their legs on time."""
    from quantdesk.store.files import interval_name

    notes: list[str] = []
    if path_x is None:
        legs = _read(path_y, skip_bad_rows, None, notes)
        if len(legs) != 2:
            raise UsageError(f"{path_y.name} holds one leg: name the file of the hedge leg, too")
        leg_y, leg_x = legs
    else:
        leg_y = _one_leg(path_y, skip_bad_rows, None, notes)
        leg_x = _one_leg(path_x, skip_bad_rows, None, notes)
        if leg_y.interval_ms != leg_x.interval_ms:
            # Trades can be built into any longer bars: into those of the other leg.
            longest = max(leg_y.interval_ms, leg_x.interval_ms)
            if leg_y.ticks is not None and leg_y.interval_ms < longest:
                leg_y = _one_leg(path_y, skip_bad_rows, longest, [])
            if leg_x.ticks is not None and leg_x.interval_ms < longest:
                leg_x = _one_leg(path_x, skip_bad_rows, longest, [])
        if leg_y.interval_ms != leg_x.interval_ms:
            found = f"{interval_name(leg_y.interval_ms)} and {interval_name(leg_x.interval_ms)}"
            notes.append(f"the legs have different intervals ({found}): only common times are used")
    return _join(leg_y, leg_x, notes)


def _join(leg_y: LoadedLeg, leg_x: LoadedLeg, notes: list[str]) -> _Pair:
    """Return the rows at which both legs have a close; ConfigError where there is none."""
    from quantdesk.analytics.align import inner_join
    from quantdesk.store.files import interval_name

    times_y, times_x = leg_y.bars.open_time, leg_x.bars.open_time
    rows_y, rows_x = inner_join(times_y, times_x)
    good = np.isfinite(leg_y.statistic_closes[rows_y]) & np.isfinite(leg_x.statistic_closes[rows_x])
    rows_y, rows_x = rows_y[good], rows_x[good]
    if len(rows_y) == 0:
        spans = " and ".join(f"{leg.name} {_span(leg.bars.open_time)}" for leg in (leg_y, leg_x))
        raise ConfigError(f"the legs have no time in common: {spans}")
    name_y, name_x = leg_y.name, leg_x.name
    interval = interval_name(max(leg_y.interval_ms, leg_x.interval_ms))
    closes_y, closes_x = leg_y.statistic_closes[rows_y], leg_x.statistic_closes[rows_x]
    return _Pair(name_y, name_x, interval, times_y[rows_y], closes_y, closes_x, tuple(notes))


def _one_leg(path: Path, skip_bad_rows: bool, interval_ms: int | None, notes: list[str]) -> LoadedLeg:
    """Read a file that must hold one leg."""
    legs = _read(path, skip_bad_rows, interval_ms, notes)
    if len(legs) != 1:
        raise UsageError(f"{path.name} holds a pair of its own ({', '.join(leg.name for leg in legs)}): name it alone")
    return legs[0]


def _read(path: Path, skip_bad_rows: bool, interval_ms: int | None, notes: list[str]) -> tuple[LoadedLeg, ...]:
    """Read a file; what it held, and what was left out, goes to the notes."""
    from quantdesk.store.files import read_file

    loaded = read_file(path, skip_bad_rows=skip_bad_rows, bar_interval_ms=interval_ms)
    notes.append(loaded.report.summary())
    return loaded.legs


def _moment(ms: int) -> str:
    moment = datetime.fromtimestamp(int(ms) / 1000, UTC)
    return f"{moment:%Y-%m-%d}" if ms % 86_400_000 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def _span(times: IntArray) -> str:
    return f"{_moment(times[0])} to {_moment(times[-1])}" if len(times) else "(empty)"


def _plain(value: Any) -> Any:
    """Return a value that JSON knows: no NumPy number, no NaN or infinity."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if np.isfinite(value) else None
    return value


def _as_text(result: dict[str, Any]) -> str:
    """Return the same numbers as a table for people."""
    unit = "ln prices" if result["log"] else "prices"
    span = f"{_moment(result['start_ms'])} to {_moment(result['end_ms'])}"
    ols, spread, tests = result["hedge"]["ols"], result["spread"], result["tests"]
    lines = [
        f"{result['y']} on {result['x']}, {unit}, {result['interval']}, {span} UTC, {result['sample']}",
        _line("observations", result["observations"]),
        _line("hedge ratio beta (OLS)", ols["beta"], f"standard error {_number(ols['stderr'])}"),
        _line("alpha", ols["alpha"]),
        _line("R squared", ols["r_squared"]),
        _line("spread last", spread["last"], "y - beta x"),
        _line("spread mean", spread["mean"]),
        _line("spread deviation", spread["std"], "ddof 1"),
        _line("half-life", spread["half_life"], "bars" if spread["half_life"] is not None else "does not revert"),
        _line("z last", result["z"]["last"], f"walk-forward regression, window {result['z']['window']}"),
        _line("correlation of returns", result["correlation"]["returns"], "log returns"),
    ]
    for name in ("engle_granger", "adf"):
        test = tests[name]
        if test is None:
            lines.append(_line(name, None))
            continue
        critical = ", ".join(f"{level} {value:.3f}" for level, value in test["critical_values"].items())
        lines += [test["label"], _line("  statistic", test["statistic"], critical), _line("  p", test["p_value"])]
    if tests["adf"] is not None:
        lines.append(
            "Caution: beta was fitted on this sample, so the p of the ADF is too small; Engle-Granger's is not."
        )
    return "\n".join(lines + [f"note: {note}" for note in result["notes"]])


def _line(name: str, value: float | None, remark: str = "") -> str:
    return f"{name:<24}{_number(value):>16}  {remark}".rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
