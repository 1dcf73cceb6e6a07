"""Run the feed and a real store against a faulty exchange, and hold the result against what was generated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from quantdesk.bars.arrays import BarArrays
from quantdesk.bars.builder import Bar, BarBuilder
from quantdesk.config import Endpoints, FeedLimits, StoreLimits
from quantdesk.ingest.live import Ingest
from quantdesk.simulator.clock import WallClock
from quantdesk.simulator.exchange import Exchange
from quantdesk.simulator.faults import Faults, Limits
from quantdesk.simulator.market import Listing, Source, TradeColumns
from quantdesk.simulator.schedule import Schedule
from quantdesk.simulator.server import SimulatorServer
from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.store.address import StoreAddress, file_address
from quantdesk.store.base import Reader
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.writer import StoreWriter
from quantdesk.types import BookTicker, FeedStatus, Gap, Instrument, Kline, Light, MarkPrice, Tick
from tests.faults.proxy import Proxy
from tests.faults.reference import Made, folded, made, reference, rows_of

PAIR = ("BTCUSDT", "ETHUSDT")
VENUE = "simulator"

#: Time-outs about a tenth of the real ones; the session begins with its first live trade.
QUICK = FeedLimits(
    ack_timeout=0.5,
    first_frame_timeout=1.2,
    open_timeout=1.0,
    close_timeout=0.5,
    market_silence=1.5,
    public_silence=2.0,
    first_backoff=0.05,
    reconnect_cap=0.2,
    handshake_cap=0.5,
    stable_after=0.3,
    rest_timeout=1.0,
    gap_collect=0.1,
    seam_minutes=0,
    refused_pause=2.0,
)
#: The real time-outs, but for the history before the first trade, which has rows of its own.
REAL = replace(FeedLimits(), seam_minutes=0)
#: An exchange that does not mind many requests, where a row is not about that.
GENEROUS = Limits(weight_per_minute=1_000_000)


class Heard:
    """Hear the feed and build bars from it as the desk does."""

    def __init__(self) -> None:
        self.ids: dict[str, list[int]] = {}
        self.quotes: Counter[str] = Counter()
        self.marks: Counter[str] = Counter()
        self.klines = 0
        self.gaps: dict[str, Sequence[Gap]] = {}
        self.statuses: list[FeedStatus] = []
        self.builders: dict[str, BarBuilder] = {}
        self.closed: dict[str, dict[tuple[str, int], Bar]] = {}

    def on_instrument(self, instrument: Instrument) -> None:
        self.builders.setdefault(instrument.symbol, BarBuilder(instrument))

    def on_tick(self, tick: Tick) -> None:
        self.ids.setdefault(tick.symbol, []).append(tick.agg_id)
        self._keep(tick.symbol, self.builders[tick.symbol].on_tick(tick)[0])

    def on_quote(self, quote: BookTicker) -> None:
        self.quotes[quote.symbol] += 1

    def on_mark(self, mark: MarkPrice) -> None:
        self.marks[mark.symbol] += 1

    def on_kline(self, kline: Kline) -> None:
        self.klines += 1

    def on_time(self, exchange_ms: int) -> None:
        for symbol, builder in self.builders.items():
            self._keep(symbol, builder.on_time(exchange_ms))

    def on_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        pass

    def on_gaps(self, symbol: str, gaps: Sequence[Gap]) -> None:
        self.gaps[symbol] = gaps

    def on_status(self, status: FeedStatus) -> None:
        self.statuses.append(status)

    def said(self, words: str) -> bool:
        """Tell whether the user was told this at any time."""
        return any(words in status.text for status in self.statuses)

    def _keep(self, symbol: str, bars: Sequence[Bar]) -> None:
        kept = self.closed.setdefault(symbol, {})
        kept.update({(bar.interval.value, bar.open_time): bar for bar in bars})


async def until(condition: Callable[[], object], seconds: float = 40.0) -> None:
    """Wait until something is true; the bound is for a machine under load, not a measurement."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.02)


@dataclass
class Market:
    """Hold a running exchange, what lies in front of it, and what it is known to generate."""

    server: SimulatorServer
    ws: Proxy
    rest: Proxy
    through_proxies: bool = True

    @property
    def endpoints(self) -> Endpoints:
        """Return where a client finds it."""
        if self.through_proxies:
            return Endpoints(self.ws.url, self.rest.url, VENUE)
        return Endpoints(self.server.ws_url, self.server.rest_url, VENUE)

    @property
    def faults(self) -> Faults:
        """Return the exchange's faults."""
        return self.server.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.server.faults = faults

    def asked(self, path: str = "/fapi/v1/aggTrades", symbol: str | None = None) -> int:
        """Return how many requests came to a path."""
        assert self.server.rest is not None
        return sum(r.path == path and symbol in (None, r.symbol) for r in self.server.rest.seen)

    def listing(self, symbol: str) -> Listing:
        """Return a symbol's digits."""
        return self.server.exchange.symbols[symbol]

    def generated(self, symbol: str) -> TradeColumns:
        """Return every trade that the exchange made, whether or not it was sent."""
        return self.server.exchange.generated(symbol)

    def now_ms(self) -> int:
        """Return the exchange's time."""
        return self.server.exchange.now_ms()


@asynccontextmanager
async def market(
    rate: float = 40.0,
    *,
    seed: int = 7,
    source: Source | None = None,
    faults: Faults | None = None,
    schedule: Schedule | None = None,
    limits: Limits = GENEROUS,
    proxied: bool = False,
    start_ms: int | None = None,
) -> AsyncIterator[Market]:
    """Run an exchange in this loop, with a proxy in front of each of its ports where asked for."""
    made_source = source or SyntheticSource(seed, rate)
    exchange = Exchange(made_source, WallClock(start_ms=start_ms), history_minutes=12)
    server = SimulatorServer(exchange, faults=faults, schedule=schedule, limits=limits)
    await server.start()
    ws, rest = Proxy(server.ws_url, seed), Proxy(server.rest_url, seed)
    try:
        await ws.start()
        await rest.start()
        yield Market(server, ws, rest, proxied)
    finally:
        await ws.stop()
        await rest.stop()
        await server.stop()


#: A folder of a file store, the file itself, or the address of any store.
Place = Path | StoreAddress


def address_of(where: Place) -> StoreAddress:
    """Return the address of a place."""
    if isinstance(where, StoreAddress):
        return where
    return file_address(where / "store.sqlite" if where.is_dir() else where)


@contextmanager
def writing(where: Place, limits: StoreLimits | None = None) -> Iterator[StoreWriter]:
    """Keep a store's writer around a block."""
    writer = StoreWriter(lambda: open_store(address_of(where), limits), limits)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


@dataclass
class Session:
    """Hold one run of the feed on a store."""

    ingest: Ingest
    writer: StoreWriter
    heard: Heard
    task: asyncio.Task[None]
    symbols: tuple[str, ...]
    remaining: list[Gap] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Tell whether the feed runs."""
        return not self.task.done()

    def is_live(self) -> bool:
        """Tell whether the status bar says so, in green."""
        return self.ingest.status.light is Light.GREEN

    async def flowing(self, count: int = 1) -> None:
        """Wait until every symbol has brought so many more trades."""
        goal = {s: len(self.heard.ids.get(s, ())) + count for s in self.symbols}
        await until(lambda: all(len(self.heard.ids.get(s, ())) >= goal[s] for s in self.symbols))

    async def healed(self, seconds: float = 40.0) -> None:
        """Wait until the feed is live and no hole is open."""
        await until(
            lambda: self.is_live() and not any(leg.sequencer.gaps for leg in self.ingest.legs.values()), seconds
        )

    async def end(self, seconds: float = 30.0) -> None:
        """Finish as the program does; nothing may remain to be fetched."""
        assert self.alive, "the feed has ended by itself"
        self.remaining = await self.ingest.finish(seconds)
        assert self.remaining == []


@asynccontextmanager
async def session(
    where: Endpoints,
    path: Place,
    symbols: Sequence[str] = PAIR,
    *,
    limits: FeedLimits = QUICK,
    store: StoreLimits | None = None,
    heard: Heard | None = None,
    history: bool = False,
    clock: Callable[[], float] | None = None,
) -> AsyncIterator[Session]:
    """Run the feed around a block; its own failure is the test's failure."""
    writer = StoreWriter(lambda: open_store(address_of(path), store), store)
    await asyncio.to_thread(writer.start)  # a proxy of this loop may lie before the store
    told = heard or Heard()
    extra = {} if clock is None else {"clock": clock}
    ingest = Ingest(where, limits, writer, told, symbols, history=history, **extra)  # type: ignore[arg-type]
    task = asyncio.create_task(ingest.run())
    try:
        yield Session(ingest, writer, told, task, tuple(symbols))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(writer.stop)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


@dataclass(frozen=True)
class Held:
    """Hold what a store has of one symbol."""

    ids: list[int]
    bars: dict[str, BarArrays]
    origins: dict[str, tuple[str, ...]]
    gaps: list[Gap]
    counted: int


def held(path: Place, symbol: str, venue: str = VENUE) -> Held:
    """Read a store as another program does."""
    store = open_reader(address_of(path))
    try:
        return _read(store, Instrument(venue, symbol))
    finally:
        store.close()


def _read(store: Reader, instrument: Instrument) -> Held:
    ids = [int(i) for block in store.load_ticks(instrument) for i in block.agg_id]
    loaded = {interval: store.load_bars(instrument, interval) for interval in ("1s", "1m", "5m")}
    found = store.find(instrument.symbol, instrument.venue)
    return Held(
        ids,
        {interval: stored.bars for interval, stored in loaded.items()},
        {interval: stored.origin for interval, stored in loaded.items()},
        store.load_gaps(instrument),
        found[0].ticks if found else 0,
    )


def assert_whole(
    path: Place,
    trades: Sequence[Made],
    symbol: str,
    *,
    through: int,
    heard: Heard | None = None,
    without: Collection[int] = (),
    venue: str = VENUE,
) -> Held:
    """Require that the store holds exactly what was generated from its first id on, up to ``through`` at least.

    ``through`` is a time of the exchange (ms): what was published by then must be there. ``without``
    names ids that the exchange can no longer supply; the bars that lack them are not compared.
    """
    found = held(path, symbol, venue)
    ids = found.ids
    assert ids, f"nothing is stored of {symbol}"
    assert len(ids) == len(set(ids)) == found.counted, "an id is stored twice, or miscounted"
    lowest, highest = min(ids), max(ids)
    spanned = [t for t in trades if lowest <= t.id <= highest]
    expected = {t.id for t in spanned} - set(without)
    assert set(ids) == expected, _difference(set(ids), expected)
    due = [t.id for t in trades if t.event <= through and t.id not in without]
    assert not due or highest >= due[-1], f"the store ends at {highest}, the exchange had {due[-1]}"
    lost = [t.ts for t in spanned if t.id in without]
    # The ledger bounds a hole by its neighbours' times: their bars may lack a trade for all that it knows.
    pairs = [(a, b) for a, b in pairwise(spanned) if (a.id in without) != (b.id in without)]
    edges = [t.ts for pair in pairs for t in pair]
    for interval in ("1s", "1m", "5m"):
        _assert_bars(found, spanned, interval, lost, edges)
    if heard is not None:
        assert_heard(heard, trades, symbol, set(ids))
    return found


def _assert_bars(
    found: Held, spanned: Sequence[Made], interval: str, lost: Collection[int], edges: Collection[int]
) -> None:
    length = {"1s": 1_000, "1m": 60_000, "5m": 300_000}[interval]
    spoilt = {ts // length * length for ts in lost}
    wanted = {t: row for t, row in reference(spanned, interval).items() if t not in spoilt}
    first = min(wanted, default=0)
    stored = {t: row for t, row in rows_of(found.bars[interval]).items() if t not in spoilt and t >= first}
    assert stored == wanted, f"{interval} bars differ at {[t for t in wanted if stored.get(t) != wanted[t]][:5]}"
    if not spoilt and interval != "1s":
        shorter = {"1m": "1s", "5m": "1m"}[interval]
        assert folded(rows_of(found.bars[shorter]), interval) == stored
    at = found.bars[interval].open_time.tolist()
    partial = {t for t, origin in zip(at, found.origins[interval], strict=True) if origin == "partial"}
    begin = spanned[0].ts // length * length  # the record may begin amid this bar
    unsure = {begin, *(ts // length * length for ts in edges)}
    assert partial <= spoilt | unsure, f"whole bars are marked partial: {sorted(partial - spoilt)[:5]}"


def assert_heard(heard: Heard, trades: Sequence[Made], symbol: str, stored: Collection[int]) -> None:
    """Require that the listener got each stored id once, and that its closed bars are exact."""
    ids = heard.ids.get(symbol, [])
    assert len(ids) == len(set(ids)), "an id was shown twice"
    assert set(ids) <= set(stored), f"shown but not stored: {sorted(set(ids) - set(stored))[:5]}"
    shown = set(ids)
    seen = [t for t in trades if t.id in shown]
    for interval in ("1s", "1m", "5m"):
        wanted = reference(seen, interval)
        closed = {t: bar for (name, t), bar in heard.closed.get(symbol, {}).items() if name == interval}
        columns = {t: (b.open, b.high, b.low, b.close, b.volume) for t, b in closed.items()}
        got = {t: (*map(repr, row), closed[t].trades) for t, row in columns.items()}
        assert got == {t: (*(repr(float(x)) for x in wanted[t][:5]), wanted[t][5]) for t in closed}


def _difference(got: set[int], wanted: set[int]) -> str:
    lost, extra = sorted(wanted - got), sorted(got - wanted)
    return f"{len(lost)} lost ({lost[:5]}…), {len(extra)} that never were ({extra[:5]}…)"


async def check(
    at: Market, run: Session, path: Place, *, without: dict[str, set[int]] | None = None
) -> dict[str, Held]:
    """End the session and hold all of it against the oracle."""
    through = at.now_ms()
    await run.end()
    await asyncio.to_thread(run.writer.flush, 30)
    found = {}
    for symbol in run.symbols:
        generated = at.generated(symbol)
        first = min(held(path, symbol).ids, default=0)
        trades = made(at.listing(symbol), generated[generated.ids >= first])
        lacking = (without or {}).get(symbol, set())
        found[symbol] = assert_whole(path, trades, symbol, through=through, heard=run.heard, without=lacking)
    return found
