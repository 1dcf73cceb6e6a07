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
from quantdesk.commands.shared import HelpFormatter, UsageError, add_store_arguments, store_address
from quantdesk.config import ConfigError

#: Process start as near as Python can tell; ``record --seconds`` counts from here.
STARTED_AT = time.monotonic()

COMMANDS = {
    "record": "quantdesk.commands.record",
    "simulate": "quantdesk.commands.simulate",
    "analyze": "quantdesk.commands.analyze",
    "export": "quantdesk.commands.export",
    "import": "quantdesk.commands.import_",
    "download": "quantdesk.commands.download",
    "ledger": "quantdesk.commands.ledger",
    "store": "quantdesk.commands.store",
}

EPILOG = """sub-commands (each with its own --help):
  record     keep trades without a screen
  simulate   serve a local exchange
  analyze    print the statistics of a pair of files
  export     write stored trades or bars to a file
  import     put files into the store
  download   fetch history into the store
  ledger     account for every trade id, name the holes
  store      copy a store into another, tell what it holds, keep a server's password

examples:
  quantdesk                       the desk, live
  quantdesk --simulate            the desk on a simulated exchange
  quantdesk btc.csv eth.csv       two files as a pair

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
        if args.selftest or args.selftest_part:
            from quantdesk.app import check

            args.modules = tuple(COMMANDS.values())
            return check(args)
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
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="file of prices or trades to open: CSV or TSV, also in .zip or .gz; two make a pair",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--simulate", action="store_true", help="show a simulated exchange, marked SIMULATED; needs no network"
    )
    mode.add_argument(
        "--replay", type=Path, metavar="PATH", help="play a recording: frames, NDJSON ticks or a ticks export"
    )
    mode.add_argument("--selftest", action="store_true", help="check what the desk stands on and print a table")
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="N", help="replay N times as fast as recorded (default: 1)"
    )
    parser.add_argument("--skip-bad-rows", action="store_true", help="open FILE without the rows that cannot be read")
    parser.add_argument(
        "--theme", choices=("dark", "light", "system"), help="colours, kept for later starts (default: those kept)"
    )
    add_store_arguments(parser)
    parser.add_argument(
        "--screenshot", type=Path, metavar="OUT.png", help="draw the desk into this picture and leave; needs no screen"
    )
    parser.add_argument(
        "--after",
        type=float,
        default=None,
        metavar="SECONDS",
        help="take the picture so many seconds after the start (default: when it is complete)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the self-test's table to a file, too")
    parser.add_argument("--selftest-part", metavar="CHECK", help=argparse.SUPPRESS)  # the self-test starts itself
    parser.add_argument("--version", action="version", version=f"quantdesk {__version__}", help="print the version")
    return parser


def check_desk_arguments(args: argparse.Namespace) -> None:
    """Raise UsageError for arguments that contradict each other or make no sense."""
    if not args.speed > 0:
        raise UsageError("--speed takes a number above 0")
    if args.after is not None and not 0 <= args.after <= 86_400:
        raise UsageError("--after takes seconds from 0 to 86400")
    if args.after is not None and args.screenshot is None:
        raise UsageError("--after goes with --screenshot")
    if args.selftest and (args.files or args.screenshot):
        raise UsageError("--selftest opens no FILE and takes no picture")
    if args.report is not None and not (args.selftest or args.selftest_part):
        raise UsageError("--report goes with --selftest")
    if len(args.files) > 2:
        raise UsageError(f"one FILE fills a leg, two make a pair: {len(args.files)} were given")
    if args.screenshot is not None and args.screenshot.suffix.lower() != ".png":
        raise UsageError("--screenshot takes a file name that ends in .png")
    if args.screenshot is not None and not args.screenshot.expanduser().absolute().parent.is_dir():
        raise ConfigError(f"there is no folder {args.screenshot.parent} to put the picture in")
    if args.replay is not None and not args.replay.is_file():
        raise ConfigError(f"there is no file {args.replay} to replay")


def _foreseen() -> tuple[type[Exception], ...]:
    """Return the errors whose words are enough; asked for only once there is an error."""
    from quantdesk.store.base import StoreError
    from quantdesk.store.files import Cancelled, FileError

    return ConfigError, StoreError, FileError, Cancelled


def _guarded(act: Callable[[], int]) -> int:
    try:
        return act()
    except UsageError as error:
        _tell(f"quantdesk: {error}")
        return 2
    except _foreseen() as error:
        _tell(f"quantdesk: {error}")
        return 1
    except ImportError as error:
        library, _, rest = str(error).partition(": ")
        if not rest.startswith("cannot open shared object file"):
            raise
        _tell(f"quantdesk: this system lacks {library}: install it (the README lists the libraries)")
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        _tell(f"quantdesk: {error.strerror or error}{place}")
        return 1


def _tell(words: str) -> None:
    """Say one line on stderr; a windowed program on Windows has none, and says it in a box of the system."""
    if sys.stderr is not None:
        print(words, file=sys.stderr)
    elif sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, words, "quantdesk", 0x10)  # MB_ICONERROR
