"""Read the command line, run the desk or a sub-command, and turn errors into one clear line."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from quantdesk import __version__
from quantdesk.commands.shared import UsageError, add_store_arguments, store_address
from quantdesk.config import ConfigError

#: Process start as near as Python can tell; ``record --seconds`` counts from here.
STARTED_AT = time.monotonic()

COMMANDS = {
    "record": "quantdesk.commands.record",
    "simulate": "quantdesk.commands.simulate",
    "analyze": "quantdesk.commands.analyze",
    "export": "quantdesk.commands.export",
    "import": "quantdesk.commands.import_",
    "ledger": "quantdesk.commands.ledger",
    "store": "quantdesk.commands.store",
}

EPILOG = """sub-commands (each with its own --help):
  record     keep trades without a screen
  simulate   serve a local exchange
  analyze    print the statistics of a pair of files
  export     write stored trades or bars to a file
  import     put files into the store
  ledger     account for every trade id, name the holes
  store      copy a store into another, tell what it holds, keep a server's password

exit codes: 0 success, 1 a failure with one line on stderr, 2 wrong use, 3 done but holes remain"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with the given arguments; return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a reader that has left is understood, not at the interpreter's end
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output is gone (``| head``): nothing is wrong and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _run(arguments: list[str]) -> int:
    try:
        if arguments and arguments[0] in COMMANDS:
            return _run_command(arguments)
        return _run_desk(arguments)
    except SystemExit as stop:  # argparse: 0 for --help and --version, 2 for wrong use
        return stop.code if isinstance(stop.code, int) else 2


def _run_command(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="quantdesk", allow_abbrev=False)
    module = importlib.import_module(COMMANDS[arguments[0]])
    module.add_parser(parser.add_subparsers(dest="command", required=True))
    args = parser.parse_args(arguments)
    args.started_at = STARTED_AT
    return _guarded(lambda: int(module.run(args)))


def _run_desk(arguments: list[str]) -> int:
    args = desk_parser().parse_args(arguments)

    def start() -> int:
        check_desk_arguments(args)
        store_address(args)  # a database that cannot be meant is wrong use, said before a window opens
        from quantdesk.app import run

        return run(args)

    return _guarded(start)


def desk_parser() -> argparse.ArgumentParser:
    """Return the parser of the desk itself."""
    parser = argparse.ArgumentParser(
        prog="quantdesk",
        description="Show a pair of instruments live, keep every trade, and say whether to believe the statistics.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="CSV or zip files to open as a pair")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--simulate", action="store_true", help="run on a simulated exchange, marked SIMULATED")
    mode.add_argument(
        "--replay", type=Path, metavar="PATH", help="play recorded frames, NDJSON ticks or a ticks export"
    )
    parser.add_argument("--speed", type=float, default=1.0, metavar="N", help="replay at N times the recorded speed")
    parser.add_argument("--skip-bad-rows", action="store_true", help="open FILE although some rows cannot be read")
    parser.add_argument("--theme", choices=("dark", "light", "system"), help="colours (kept for the next start)")
    add_store_arguments(parser)
    parser.add_argument("--screenshot", type=Path, metavar="OUT.png", help="draw the desk into a picture and leave")
    parser.add_argument("--after", type=float, default=None, metavar="SECONDS", help="take the picture after so long")
    parser.add_argument("--version", action="version", version=f"quantdesk {__version__}")
    return parser


def check_desk_arguments(args: argparse.Namespace) -> None:
    """Raise UsageError for arguments that contradict each other or make no sense."""
    if not args.speed > 0:
        raise UsageError("--speed takes a number above 0")
    if args.after is not None and not 0 <= args.after <= 86_400:
        raise UsageError("--after takes seconds from 0 to 86400")
    if args.after is not None and args.screenshot is None:
        raise UsageError("--after goes with --screenshot")
    if len(args.files) > 2:
        raise UsageError(f"one FILE fills a leg, two make a pair: {len(args.files)} were given")
    if args.screenshot is not None and args.screenshot.suffix.lower() != ".png":
        raise UsageError("--screenshot takes a file name that ends in .png")
    if args.screenshot is not None and not args.screenshot.expanduser().absolute().parent.is_dir():
        raise ConfigError(f"there is no folder {args.screenshot.parent} to put the picture in")
    if args.replay is not None and not args.replay.is_file():
        raise ConfigError(f"there is no file {args.replay} to replay")


def _guarded(act: Callable[[], int]) -> int:
    from quantdesk.store.base import StoreError
    from quantdesk.store.files import Cancelled, FileError

    try:
        return act()
    except UsageError as error:
        print(f"quantdesk: {error}", file=sys.stderr)
        return 2
    except (ConfigError, StoreError, FileError, Cancelled) as error:
        print(f"quantdesk: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        print(f"quantdesk: {error.strerror or error}{place}", file=sys.stderr)
        return 1
