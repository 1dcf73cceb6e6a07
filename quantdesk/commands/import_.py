"""Import files of bars and trades into the store, as a venue of their own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.commands.shared import HelpFormatter, UsageError, add_store_arguments, open_writer
from quantdesk.config import DEFAULT_VENUE, SIMULATOR_VENUE
from quantdesk.store.base import Store, StoreBusyError, StoreError, TickArrays
from quantdesk.store.files import Cancelled
from quantdesk.store.tick_days import ticks_of
from quantdesk.types import Instrument, Light, Tick

if TYPE_CHECKING:
    from quantdesk.store.files import LoadedFile, LoadedLeg
    from quantdesk.store.writer import StoreWriter

FILE_VENUE = "file"
_CHUNK = 20_000
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class _Part:
    """Hold one leg on its way into the store."""

    path: Path
    leg: LoadedLeg
    instrument: Instrument

    @property
    def rows(self) -> int:
        """Return how many rows are to be written."""
        return len(self.leg.bars) if self.leg.ticks is None else len(self.leg.ticks)


_EPILOG = """examples:
  quantdesk import BTCUSDT-aggTrades-2024-07-18.zip ETHUSDT-aggTrades-2024-07-18.zip
  quantdesk import ko.csv --symbol KO --venue nyse

exit codes: 0 done, 1 failed, 2 wrong use"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``quantdesk import``."""
    parser = subparsers.add_parser(
        "import",
        help="put files of bars or trades into the store",
        description="Put files of trades, OHLCV bars or closing prices into the store. Every file is read first; "
        "if one is bad, nothing is imported. Trades are kept with the bars built of them, bars as they are.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV or TSV file, also inside .zip or .gz")
    parser.add_argument("--symbol", metavar="S", help="store under this symbol (default: the file's own)")
    parser.add_argument(
        "--venue", default=FILE_VENUE, metavar="V", help=f"store under this venue (default: {FILE_VENUE})"
    )
    parser.add_argument(
        "--skip-bad-rows", action="store_true", help="leave out rows that cannot be read (default: refuse the file)"
    )
    add_store_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Import the files and print one line for each; raise FileError, StoreError or UsageError in words."""
    paths = [path.expanduser() for path in args.files]
    coming = read_parts(paths, args.symbol, args.venue, skip_bad_rows=args.skip_bad_rows)
    try:
        writer = open_writer(args)
    except StoreBusyError as error:
        raise StoreBusyError(f"the desk (or another quantdesk) holds the writer, close it first: {error}") from error
    try:
        for line in write_parts(coming, writer):
            print(line, flush=True)
    finally:
        done = writer.stop()
    if not done:
        raise StoreError("not everything could be written: import the files again")
    return 0


@dataclass(frozen=True, slots=True)
class Coming:
    """Hold files that were read whole, with their legs, on the way into the store."""

    files: tuple[LoadedFile, ...]
    parts: tuple[tuple[_Part, ...], ...]

    @property
    def rows(self) -> int:
        """Return how many trades and bars are to be written."""
        return sum(part.rows for of_file in self.parts for part in of_file)


def read_parts(
    paths: Sequence[Path],
    symbol: str | None = None,
    venue: str = FILE_VENUE,
    *,
    skip_bad_rows: bool = False,
    progress: Callable[[float], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Coming:
    """Read every file; raise FileError, StoreError, UsageError or Cancelled in words: then nothing is imported."""
    from quantdesk.store.files import read_file

    _check_names(symbol, venue)
    loaded: list[LoadedFile] = []
    for path in paths:
        done = len(loaded)
        loaded.append(
            read_file(
                path,
                skip_bad_rows=skip_bad_rows,
                progress=lambda part, done=done: progress((done + part) / len(paths)),  # type: ignore[misc]  # a lambda's default
                cancelled=cancelled,
            )
        )
    parts = tuple(tuple(_parts(file, symbol, venue)) for file in loaded)
    _check_numbering([part for of_file in parts for part in of_file])
    return Coming(tuple(loaded), parts)


def write_parts(
    coming: Coming,
    writer: StoreWriter,
    progress: Callable[[float], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[str]:
    """Write what was read, yield a line for each file; raise StoreError, or Cancelled between two blocks of trades."""
    writer.call(lambda store: _check_store(store, [p for of_file in coming.parts for p in of_file])).result()
    written, total = 0, max(1, coming.rows)

    def wrote(rows: int) -> None:
        nonlocal written
        written += rows
        progress(written / total)
        if cancelled():
            raise Cancelled(f"stopped after {written:,} of {total:,} rows: what is stored stays, nothing doubles")

    for file, of_file in zip(coming.files, coming.parts, strict=True):
        stored = [_write(writer, part, wrote) for part in of_file]
        yield f"{file.report.summary()}; {_outcome(of_file, stored)}"


def _check_names(symbol: str | None, venue: str) -> None:
    for option, name in (("--symbol", symbol), ("--venue", venue)):
        if name is not None and (
            not name or len(name) > _LONGEST_NAME or not name.isprintable() or any(c.isspace() for c in name)
        ):
            raise UsageError(f"{option} must be a name of 1 to {_LONGEST_NAME} characters without blanks")
    if venue in (DEFAULT_VENUE, SIMULATOR_VENUE):
        raise UsageError(f"--venue {venue} is kept for the feed's own data: choose another name")


def _parts(file: LoadedFile, symbol: str | None, venue: str) -> list[_Part]:
    if symbol is not None and len(file.legs) > 1:
        names = " and ".join(leg.name for leg in file.legs)
        raise UsageError(f"--symbol names one leg, but {file.report.path.name} holds two ({names})")
    return [
        _Part(
            file.report.path,
            leg,
            Instrument(venue, symbol or leg.name, _step(leg.price_decimals), _step(leg.quantity_decimals)),
        )
        for leg in file.legs
    ]


def _step(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def _check_numbering(parts: Sequence[_Part]) -> None:
    """Refuse trades and aggTrades of one symbol together: every trade would count twice."""
    for one, other in combinations(parts, 2):
        same = one.instrument.symbol == other.instrument.symbol
        if (
            same
            and one.leg.ticks is not None
            and other.leg.ticks is not None
            and _mixed(one.leg.ticks, other.leg.ticks)
        ):
            raise _numbered_otherwise(other, one.path.name)


def _check_store(store: Store, parts: Sequence[_Part]) -> None:
    for part in parts:
        ticks = part.leg.ticks
        if ticks is None or not store.find(part.instrument.symbol, part.instrument.venue):
            continue
        for block in store.load_ticks(part.instrument, int(ticks.ts[0]), int(ticks.ts[-1]) + 1):
            if _mixed(ticks, block):
                raise _numbered_otherwise(part, "the store")


def _mixed(one: TickArrays, other: TickArrays) -> bool:
    """Tell whether trades of the same time carry ids of another numbering."""
    inside = (other.ts > one.ts[0]) & (other.ts < one.ts[-1])
    strange = inside & ((other.agg_id < one.agg_id.min()) | (other.agg_id > one.agg_id.max()))
    return bool(2 * strange.sum() > inside.sum())


def _numbered_otherwise(part: _Part, where: str) -> StoreError:
    return StoreError(
        f"{part.path.name}: {where} has trades of {part.instrument.symbol} at the same time under other ids "
        "(aggTrades and trades do not mix): give it another --venue or --symbol"
    )


def _write(writer: StoreWriter, part: _Part, wrote: Callable[[int], None]) -> int:
    """Write one leg; return how many rows are new or changed."""
    instrument = writer.call(lambda store: _finest(store, part.instrument)).result()
    leg = part.leg
    if leg.ticks is None:
        origin = f"file:{part.path.name}"
        _check_disk(writer)
        act = writer.call(lambda store: store.append_source_bars(instrument, leg.interval, leg.bars, origin))
        changed = act.result()
        wrote(len(leg.bars))
        return changed
    new = 0
    for ticks in _ticks(instrument.symbol, leg.ticks):
        _check_disk(writer)
        new += writer.call(lambda store, ticks=ticks: store.append_ticks(instrument, ticks)).result()  # type: ignore[misc]  # mypy cannot type a lambda's default
        wrote(len(ticks))
    return new


def _finest(store: Store, instrument: Instrument) -> Instrument:
    """Keep the finest precision seen: a coarser file must not round what is stored."""
    held = [found.instrument for found in store.find(instrument.symbol, instrument.venue)]
    ticks = min([instrument.tick_size, *(h.tick_size for h in held)])
    steps = min([instrument.step_size, *(h.step_size for h in held)])
    return Instrument(instrument.venue, instrument.symbol, ticks, steps)


def _check_disk(writer: StoreWriter) -> None:
    status = writer.status
    if status.light is Light.RED:
        raise StoreError(f"{status.text} (import the files again: what is stored stays, nothing doubles)")


def _ticks(symbol: str, held: TickArrays) -> Iterator[list[Tick]]:
    for start in range(0, len(held), _CHUNK):
        span = slice(start, start + _CHUNK)
        yield ticks_of(symbol, TickArrays(*(getattr(held, field.name)[span] for field in fields(held))))


def _outcome(parts: Sequence[_Part], stored: Sequence[int]) -> str:
    words = []
    for part, new in zip(parts, stored, strict=True):
        leg, name = part.leg, f"{part.instrument.venue}:{part.instrument.symbol}"
        what = "ticks" if leg.ticks is not None else f"{leg.interval} bars"
        words.append(f"{new:,} {what} into {name}" if new else f"0 {what} into {name}, all were there already")
    return "imported " + " and ".join(words)
