"""Keep trades without a screen: ``quantdesk record``."""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quantdesk.commands.exchange import Reached, reached
from quantdesk.commands.log_file import start_log, stop_log
from quantdesk.commands.shared import HOLES_REMAIN, HelpFormatter, add_store_arguments, open_writer, paths_of
from quantdesk.config import DEFAULT_SYMBOLS, ConfigError, Endpoints, FeedLimits
from quantdesk.types import FeedStatus, Gap, Light

if TYPE_CHECKING:
    from quantdesk.bars.arrays import BarArrays
    from quantdesk.ingest.live import Ingest
    from quantdesk.store.base import Store
    from quantdesk.store.ledger_report import Account
    from quantdesk.store.writer import StoreWriter
    from quantdesk.types import BookTicker, Instrument, Kline, MarkPrice, Tick

STARTED_AT = time.monotonic()
#: So long (s) gaps are filled after the feed has stopped.
FILL_SECONDS = 60.0
STORE_SECONDS = 30.0
MAX_SYMBOLS = 60
#: So long (s) the news that a symbol is stood by for or taken over waits for the like of the others.
_ONE_LINE = 4.0
#: A first start asks for no more trades before its first one: a recorder shows no chart.
SEAM_TRADES = 5_000


_EPILOG = """examples:
  quantdesk record
  quantdesk record --symbols BTCUSDT,SOLUSDT --seconds 3600

exit codes: 0 done, 1 failed, 2 wrong use, 3 done but holes remain"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "record",
        help="keep trades without a screen",
        description="Record every trade of some symbols into the store until Ctrl+C or SIGTERM, without a screen. "
        "Trades that the connection loses are fetched again. The exchange and the proxy are those of the environment, "
        "else those chosen in the desk.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--symbols",
        type=_symbols,
        default=DEFAULT_SYMBOLS,
        metavar="A,B",
        help=f"symbols to record, 1 to {MAX_SYMBOLS}, with commas between (default: {','.join(DEFAULT_SYMBOLS)})",
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="stop after N seconds (default: when told to)")
    add_store_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Record; return the exit code."""
    exchange = reached(args)
    started_at = getattr(args, "started_at", STARTED_AT)
    ends_at = None if args.seconds is None else started_at + args.seconds
    start_log(paths_of(args).logs, terminal=True)
    try:
        return _recorded(args, exchange, ends_at)
    finally:
        stop_log()


def _recorded(args: argparse.Namespace, exchange: Reached, ends_at: float | None) -> int:
    writer = open_writer(args)
    _say(exchange.words)
    try:
        outcome = asyncio.run(_record(exchange.endpoints, writer, args.symbols, ends_at))
    finally:
        stored = writer.stop(STORE_SECONDS)
    if not stored:
        raise ConfigError(f"the last trades could not be stored: {writer.status.text or 'the store does not answer'}")
    return outcome


def _symbols(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip().upper() for name in text.split(",") if name.strip()))
    if not names or len(names) > MAX_SYMBOLS:
        raise argparse.ArgumentTypeError(f"name 1 to {MAX_SYMBOLS} symbols, like BTCUSDT,ETHUSDT")
    for name in names:
        if not name.replace("_", "").isalnum() or len(name) > 40:
            raise argparse.ArgumentTypeError(f"{name!r} is no symbol")
    return names


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError("seconds are a number above 0")
    return seconds


@dataclass
class _Told:
    """Hear the feed for a terminal: changes of the status, nothing else."""

    words: str = ""
    instruments: dict[str, Instrument] = field(default_factory=dict)

    def on_instrument(self, instrument: Instrument) -> None:
        self.instruments[instrument.symbol] = instrument

    def on_tick(self, tick: Tick) -> None:
        pass

    def on_quote(self, quote: BookTicker) -> None:
        pass

    def on_mark(self, mark: MarkPrice) -> None:
        pass

    def on_kline(self, kline: Kline) -> None:
        pass

    def on_time(self, exchange_ms: int) -> None:
        pass

    def on_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        pass

    def on_gaps(self, symbol: str, gaps: Sequence[Gap]) -> None:
        pass

    def on_status(self, status: FeedStatus) -> None:
        words = status.text.split(", retrying")[0]
        if words != self.words:
            self.words = words
            _say(words)


class _Standby:
    """Tell once who records instead of this program, and once that it has taken over."""

    def __init__(self, writer: StoreWriter) -> None:
        self._writer = writer
        self._told: dict[str, str] = {}
        self._seen: dict[str, str] = {}
        self._since = time.monotonic()

    def look(self, instruments: Sequence[Instrument]) -> None:
        """Look again; what has just changed for some of the symbols waits for the others: they make one line."""
        now = {i.symbol: holder for i in instruments if (holder := self._writer.holder(i))}
        if now != self._seen:
            self._seen, self._since = now, time.monotonic()
        settled = len(now) in (0, len(instruments)) or time.monotonic() - self._since >= _ONE_LINE
        if now != self._told and settled:
            taken = {symbol: holder for symbol, holder in self._told.items() if symbol not in now}
            begun = {symbol: holder for symbol, holder in now.items() if self._told.get(symbol) != holder}
            for words, changes in (("taken over from {}: recording", taken), ("recorded by {}: standing by", begun)):
                for holder in dict.fromkeys(changes.values()):
                    names = ", ".join(symbol for symbol, each in changes.items() if each == holder)
                    _say(f"{names} {words.format(holder)}")
            self._told = now


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


async def _record(endpoints: Endpoints, writer: StoreWriter, symbols: Sequence[str], ends_at: float | None) -> int:
    from quantdesk.ingest.live import Ingest

    stop, hurry = asyncio.Event(), asyncio.Event()
    _listen_to_signals(stop, hurry)
    limits = FeedLimits(seam_trades=SEAM_TRADES)
    ingest = Ingest(endpoints, limits, writer, _Told(), symbols, history=False)
    feeding = asyncio.create_task(ingest.run())
    try:
        failure = await _until(ingest, writer, stop, feeding, ends_at)
        await _finish(ingest, hurry)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    if failure:
        raise ConfigError(failure)
    if not await asyncio.to_thread(writer.flush, STORE_SECONDS):
        return HOLES_REMAIN  # the store takes nothing: closing it says why
    return await _summary(ingest, writer, symbols)


def _listen_to_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """End at the first signal, faster at the second."""

    def heard() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, heard)
        except NotImplementedError:  # Windows: the loop wakes often enough to see it
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(heard))


async def _until(
    ingest: Ingest, writer: StoreWriter, stop: asyncio.Event, feeding: asyncio.Task[None], ends_at: float | None
) -> str:
    """Wait for the end; return why the recording failed, empty where it did not."""
    from quantdesk.ingest.report import report

    stopping = asyncio.create_task(stop.wait())
    reported, standby = Light.GREEN, _Standby(writer)
    try:
        while not stop.is_set():
            left = 0.25 if ends_at is None else min(0.25, ends_at - time.monotonic())
            if left <= 0:
                break
            await asyncio.wait((stopping, feeding), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if feeding.done():
                error = None if feeding.cancelled() else feeding.exception()
                return f"the feed has failed: {error}"
            if ingest.rejected:
                return "; ".join(ingest.rejected.values())
            standby.look([leg.instrument for leg in ingest.legs.values()])
            kept = writer.status
            if kept.light is not reported:
                reported = kept.light
                if kept.text and reported in (Light.AMBER, Light.RED):
                    _say(f"store: {kept.text}")
    finally:
        stopping.cancel()
    if not any(leg.started.is_set() for leg in ingest.legs.values()):
        status = report(ingest, time.monotonic())
        # Nothing is wrong before anything was tried.
        words = "the time ended before anything had answered" if status.text == "live" else status.text
        return f"no trade came: {words}"
    return ""


async def _finish(ingest: Ingest, hurry: asyncio.Event) -> None:
    finishing = asyncio.create_task(ingest.finish(FILL_SECONDS))
    hurried = asyncio.create_task(hurry.wait())
    await asyncio.wait((finishing, hurried), return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if not finishing.done():
        finishing.cancel()
    with suppress(asyncio.CancelledError):
        await finishing


async def _summary(ingest: Ingest, writer: StoreWriter, symbols: Sequence[str]) -> int:
    """Print the account of each symbol as ``quantdesk ledger`` does; return the same exit code.

    What another program records is accounted for as it stands now: what this one lacks is no hole.
    """
    from quantdesk.store.ledger_report import account_of, table

    legs = [leg for symbol in symbols if (leg := ingest.legs.get(symbol)) is not None]

    def look(store: Store) -> list[Account]:
        return [account_of(store, leg.instrument) for leg in legs]

    accounts = await asyncio.wrap_future(writer.call(look))
    new = {account.instrument.symbol: writer.new_trades(account.instrument) for account in accounts}
    print("\n".join(table(accounts, new)), flush=True)
    for leg in [leg for leg in legs if writer.holder(leg.instrument)]:
        print(f"{leg.symbol}: recorded by {writer.holder(leg.instrument)}, this program stood by", flush=True)
        legs.remove(leg)
    unheard = [leg for leg in legs if leg.started.is_set() and not leg.opened.is_set()]  # its trades are not stored
    unstored = bool(unheard) or any(leg.sequencer.gaps or leg.seam is not None for leg in legs)
    return 0 if all(account.complete for account in accounts) and not unstored else HOLES_REMAIN
