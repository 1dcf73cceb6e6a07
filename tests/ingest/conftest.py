"""Run the feed against the simulated exchange and a real store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import Endpoints, FeedLimits
from quantdesk.ingest.live import Ingest
from quantdesk.simulator.clock import WallClock
from quantdesk.simulator.exchange import Exchange
from quantdesk.simulator.server import SimulatorServer
from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.store.embedded import open_embedded
from quantdesk.store.writer import StoreWriter
from quantdesk.types import BookTicker, FeedStatus, Gap, Instrument, Kline, MarkPrice, Tick

#: Time-outs a tenth of the real ones and a history of one minute before the last five.
QUICK = FeedLimits(
    ack_timeout=0.5,
    first_frame_timeout=1.0,
    open_timeout=1.0,
    close_timeout=0.5,
    market_silence=1.5,
    public_silence=2.0,
    first_backoff=0.05,
    reconnect_cap=0.2,
    handshake_cap=0.5,
    stable_after=0.3,
    rest_timeout=2.0,
    gap_collect=0.1,
    seam_minutes=1,
)

#: More trades than the stream alone brings within a test, fewer than the shortest history holds.
SEAM = 450


class Heard:
    """Keep what a listener hears."""

    def __init__(self) -> None:
        self.ticks: dict[str, list[int]] = {}
        self.quotes: Counter[str] = Counter()
        self.marks: Counter[str] = Counter()
        self.klines: list[Kline] = []
        self.times: list[int] = []
        self.bars: dict[tuple[str, str], BarArrays] = {}
        self.gaps: dict[str, Sequence[Gap]] = {}
        self.statuses: list[FeedStatus] = []
        self.instruments: dict[str, Instrument] = {}

    def on_instrument(self, instrument: Instrument) -> None:
        self.instruments[instrument.symbol] = instrument

    def on_tick(self, tick: Tick) -> None:
        assert tick.symbol in self.instruments, "the precision comes before the first tick"
        self.ticks.setdefault(tick.symbol, []).append(tick.agg_id)

    def on_quote(self, quote: BookTicker) -> None:
        self.quotes[quote.symbol] += 1

    def on_mark(self, mark: MarkPrice) -> None:
        self.marks[mark.symbol] += 1

    def on_kline(self, kline: Kline) -> None:
        self.klines.append(kline)

    def on_time(self, exchange_ms: int) -> None:
        self.times.append(exchange_ms)

    def on_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        self.bars[instrument.symbol, interval] = bars

    def on_gaps(self, symbol: str, gaps: Sequence[Gap]) -> None:
        self.gaps[symbol] = gaps

    def on_status(self, status: FeedStatus) -> None:
        self.statuses.append(status)

    def is_whole(self, symbol: str) -> bool:
        """Tell whether the ids heard are contiguous, each once."""
        ids = self.ticks.get(symbol, [])
        return bool(ids) and len(set(ids)) == len(ids) == max(ids) - min(ids) + 1


async def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something is true; the bound is for a machine under load, not a measurement."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[SimulatorServer]:
    server = SimulatorServer(Exchange(SyntheticSource(7, 10.0), WallClock(), history_minutes=12))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def endpoints(exchange: SimulatorServer) -> Endpoints:
    return Endpoints(exchange.ws_url, exchange.rest_url, "simulator")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[StoreWriter]:
    made = StoreWriter(lambda: open_embedded(tmp_path / "store.sqlite"))
    made.start()
    yield made
    made.stop()


@asynccontextmanager
async def feeding(
    endpoints: Endpoints,
    writer: StoreWriter,
    heard: Heard,
    symbols: Sequence[str],
    *,
    history: bool = False,
    limits: FeedLimits = QUICK,
) -> AsyncIterator[Ingest]:
    """Run an ingest around a block."""
    ingest = Ingest(endpoints, limits, writer, heard, symbols, history=history)
    task = asyncio.create_task(ingest.run())
    try:
        yield ingest
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


def stored_ids(writer: StoreWriter, instrument: Instrument) -> list[int]:
    """Return the stored ids of an instrument in the order of the key."""
    assert writer.flush(30)
    blocks = writer.call(lambda store: list(store.load_ticks(instrument))).result(30)
    return [int(i) for block in blocks for i in block.agg_id]


def assert_equals_oracle(server: SimulatorServer, writer: StoreWriter, heard: Heard, symbol: str) -> None:
    """Require the store and the listener to hold what the exchange generated, from the first id held on."""
    ids = stored_ids(writer, Instrument("simulator", symbol))
    generated = [int(i) for i in server.exchange.generated(symbol).ids]
    assert len(ids) == len(set(ids))
    assert sorted(ids) == [i for i in generated if min(ids) <= i <= max(ids)]
    assert sorted(heard.ticks[symbol]) == sorted(ids)
