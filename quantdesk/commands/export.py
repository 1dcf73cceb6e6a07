"""Write stored ticks or bars as CSV: ``quantdesk export ticks|bars``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from quantdesk.bars.arrays import quote_decimals
from quantdesk.bars.derived import derived_of
from quantdesk.commands.shared import HelpFormatter, UsageError, add_store_arguments, open_reader
from quantdesk.config import ConfigError, Endpoints
from quantdesk.types import UNKNOWN_STEP, Instrument

if TYPE_CHECKING:
    from quantdesk.store.base import Reader
    from quantdesk.store.csv_out import Block, Column

_LAST_MS = 2**63 - 1


_EPILOG = """examples:
  quantdesk export bars --symbol btcusdt --interval 5m --output btc-5m.csv
  quantdesk export ticks --symbol ETHUSDT --from 2024-07-18T12:00 --to 2024-07-18T13:00 --output -

exit codes: 0 done, 1 failed, 2 wrong use"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``export`` to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="write stored trades or bars to a file",
        description="Write the stored trades (ticks) or bars of one symbol to a CSV file.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("what", choices=("ticks", "bars"), help="write single trades, or bars of one interval")
    parser.add_argument("--symbol", required=True, metavar="S", help="symbol, in capital or small letters")
    parser.add_argument(
        "--interval",
        default="1m",
        metavar="I",
        help="interval of the bars: 1s 5s 15s 1m 5m 15m 1h 4h 1d, or another that was imported (default: 1m)",
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="T",
        help="from this time on: ISO 8601, UTC unless it says otherwise, or epoch ms (default: all)",
    )
    parser.add_argument("--to", dest="end", metavar="T", help="up to this time, not included (default: all)")
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="file to write (an older one is replaced); - is standard output"
    )
    parser.add_argument("--venue", metavar="V", help="venue, where the store holds the symbol of several")
    add_store_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Export what the arguments name; return the exit code."""
    from quantdesk.store.csv_out import write_table

    start, end = parse_time(args.start, "--from"), parse_time(args.end, "--to")
    if start is not None and end is not None and start > end:
        raise UsageError("--from is later than --to")
    if not args.symbol.strip():
        raise UsageError("--symbol is empty")
    reader = open_reader(args)
    try:
        instrument = choose(reader, args.symbol.strip(), args.venue)
        if args.what == "ticks":
            columns, blocks = tick_columns(instrument), tick_blocks(reader, instrument, start, end)
        else:
            check_interval(reader, instrument, args.interval)
            columns = bar_columns(instrument)
            blocks = bar_blocks(reader, instrument, args.interval, start, end)
        rows = write_table(args.output, columns, blocks)
    finally:
        reader.close()
    if args.output != "-":
        held = f"{instrument.symbol} ({instrument.venue})"
        print(f"{rows} {args.what} of {held} written to {args.output}", file=sys.stderr)
    return 0


def parse_time(text: str | None, option: str) -> int | None:
    """Return epoch milliseconds of ISO 8601 (naive is UTC) or of a number of them; raise UsageError."""
    if text is None:
        return None
    wrong = UsageError(f"{option} {text!r} is no time: give ISO 8601, e.g. 2024-07-18T12:00, or milliseconds")
    digits = text.strip().removeprefix("-")
    if digits.isascii() and digits.isdecimal():
        stamp = int(text)
        if abs(stamp) > _LAST_MS:
            raise wrong
        return stamp
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise wrong from error
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000 + elapsed.microseconds // 1_000


def choose(reader: Reader, symbol: str, venue: str | None) -> Instrument:
    """Return the instrument meant: of the venue named, of the configured one, or the only one."""
    held = [stored.instrument for stored in reader.find(symbol)]
    if not held:
        known = sorted({stored.instrument.symbol for stored in reader.instruments()})
        there = f"there is: {', '.join(known[:20])}" if known else "it is empty"
        raise ConfigError(f"the store has nothing of {symbol}: {there}")
    wanted = venue if venue is not None else Endpoints.from_environment().venue
    named = [instrument for instrument in held if instrument.venue == wanted] or ([] if venue else held)
    if len(named) != 1:
        named = [i for i in named if i.symbol == symbol]  # symbols that differ only in case
    if len(named) == 1:
        return named[0]
    venues = ", ".join(sorted({instrument.venue for instrument in held}))
    if venue is not None:
        raise ConfigError(f"venue {venue} has nothing of {symbol}: these have: {venues}")
    raise ConfigError(f"several venues have {symbol}: name one with --venue: {venues}")


def check_interval(reader: Reader, instrument: Instrument, interval: str) -> None:
    """Raise ConfigError naming the intervals there are where the store has none of this one."""
    kept = reader.intervals(instrument)
    held = [*kept, *(name for level in kept for name in derived_of(level) if name not in kept)]
    if interval not in held:
        there = f"there is: {', '.join(held)}" if held else "there are no bars at all"
        raise ConfigError(f"{instrument.symbol} of {instrument.venue} has no {interval} bars: {there}")


def tick_columns(instrument: Instrument) -> list[Column]:
    """Return the columns of a ticks export."""
    from quantdesk.store.csv_out import Cell, Column

    price, quantity = _decimals(instrument)
    return [
        Column("symbol", Cell.TEXT),
        Column("agg_id", Cell.INTEGER),
        Column("price", decimals=price, lossless=True),
        Column("quantity", decimals=quantity, lossless=True),
        Column("trade_time_ms", Cell.INTEGER),
        Column("is_buyer_maker", Cell.FLAG),
        Column("trades", Cell.INTEGER),
    ]


def bar_columns(instrument: Instrument) -> list[Column]:
    """Return the columns of a bars export."""
    from quantdesk.store.csv_out import Cell, Column

    price, quantity = _decimals(instrument)
    quote = None if price is None or quantity is None else quote_decimals(price, quantity)
    return [
        Column("symbol", Cell.TEXT),
        Column("interval", Cell.TEXT),
        Column("open_time_ms", Cell.INTEGER),
        *(Column(name, decimals=price, lossless=True) for name in ("open", "high", "low", "close")),
        Column("volume", decimals=quantity, lossless=True),
        Column("quote_volume", decimals=quote, lossless=True),
        Column("trades", Cell.INTEGER),
    ]


def tick_blocks(reader: Reader, instrument: Instrument, start: int | None, end: int | None) -> Iterator[Block]:
    """Yield the ticks of [start, end) in blocks of columns."""
    for ticks in reader.load_ticks(instrument, start, end):
        yield (
            instrument.symbol,
            ticks.agg_id,
            ticks.price,
            ticks.quantity,
            ticks.ts,
            ticks.is_buyer_maker,
            ticks.trades,
        )


def bar_blocks(
    reader: Reader, instrument: Instrument, interval: str, start: int | None, end: int | None
) -> Iterator[Block]:
    """Yield the bars of the read view with open times in [start, end) in blocks of columns."""
    for stored in reader.iter_bars(instrument, interval, start, end):
        bars = stored.bars
        prices = (bars.open, bars.high, bars.low, bars.close)
        yield (instrument.symbol, interval, bars.open_time, *prices, bars.volume, bars.quote_volume, bars.trades)


def _decimals(instrument: Instrument) -> Sequence[int | None]:
    price = None if instrument.tick_size == UNKNOWN_STEP else instrument.price_decimals
    return price, None if instrument.step_size == UNKNOWN_STEP else instrument.quantity_decimals
