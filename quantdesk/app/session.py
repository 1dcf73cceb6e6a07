"""Open and close one way of data at a time: the live market, the simulated exchange, or a replay."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.app.attached import AttachedBars
from quantdesk.bars.derived import DERIVED, TIMEFRAMES
from quantdesk.config import SIMULATOR_VENUE, Endpoints, FeedLimits, StoreLimits
from quantdesk.model.market import MarketModel
from quantdesk.store.address import StoreAddress, file_address
from quantdesk.store.base import Reader, StoreBusyError, StoredBars, StoreError, TickArrays, Writer
from quantdesk.store.last_bars import read_last_bars
from quantdesk.store.read_only import ReadOnlyWriter
from quantdesk.types import Instrument, Interval, Light, Origin, StoreStatus

if TYPE_CHECKING:
    from quantdesk.ingest.live import Ingest
    from quantdesk.ingest.transport import Follower, Transport
    from quantdesk.simulator.server import SimulatorServer

log = logging.getLogger(__name__)

#: How many stored bars of each interval the desk shows at its start.
STORED_BARS = 5_000
#: So many stored trades go to the builder in one turn of the loop.
_SEED_ROWS = 1_000
SIMULATED_SEED = 7
STORE_NAME = "quantdesk.sqlite"


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """Say what to open: where data come from, which symbols, which store; ``limits`` are asked for when it opens."""

    origin: Origin
    symbols: tuple[str, ...]
    endpoints: Endpoints
    store: StoreAddress | None = None
    replay: Path | None = None
    speed: float = 1.0
    limits: Callable[[], StoreLimits] = StoreLimits


@dataclass(frozen=True, slots=True)
class _Held:
    """Hold what the store knows of one symbol, or the problem in words."""

    instrument: Instrument
    bars: dict[str, StoredBars]
    seeds: list[TickArrays]
    problem: str = ""


class Session:
    """Own what one way of data needs: ``run`` feeds the market until cancelled, ``close`` leaves nothing."""

    def __init__(self, plan: SessionPlan, limits: FeedLimits | None = None) -> None:
        self.plan = plan
        self.market = MarketModel(plan.origin)
        self.feed: Ingest | None = None
        self.writer: Writer | None = None
        self.transport: Transport | None = None  #: steers a replay; without one it plays once
        self.follower: Follower | None = None
        self.endpoints = plan.endpoints  #: of the exchange that feeds; the simulator's once it runs
        self.symbols = list(plan.symbols)  #: what is fed, or will be once the store is open
        self._limits = limits or FeedLimits()
        self._reader: Reader | None = None
        self._simulator: SimulatorServer | None = None
        self._temporary: Path | None = None
        self._busy = self._closed = False
        self._opening, self._gives_up = threading.Lock(), threading.Event()
        self._opening_words = ""
        self._visible: tuple[str, ...] = ()
        self._interval = ""
        self._others: tuple[tuple[str, str], ...] = ()
        self._shown: set[tuple[str, str]] = set()
        self._carry_on: dict[str, tuple[int, int]] = {}
        # Simulated and replayed data never touch the real store; without a folder they vanish at the end.
        self.address = plan.store or self._make_temporary()

    @property
    def read_only(self) -> bool:
        """Return whether another program writes to this store."""
        return self._busy

    def show_stored(self, symbols: Sequence[str], interval: str) -> None:
        """Put the last stored bars of one interval on screen; ``run`` loads the others.

        A store that cannot be read at once turns the light red and says why.
        """
        path = self.address.path
        if path is None or interval not in TIMEFRAMES:
            return  # a server may let us wait: the first paint does not
        wanted = [symbol for symbol in self.symbols if symbol in symbols]
        try:
            found = read_last_bars(path, self.venue, wanted, interval, STORED_BARS)
        except StoreError as error:
            self.market.set_store_status(StoreStatus(Light.RED, str(error)))
            return
        self._put([_Held(instrument, {interval: stored}, []) for instrument, stored in found])
        if interval in DERIVED:
            self._shown.clear()  # the first paint folds a few bars only

    async def run(self) -> None:
        """Open the store for writing and feed the market until cancelled (a replay: until it ends)."""
        await self._load_rest()
        await self.load_shown()
        writer = await self._open()
        if self.plan.replay is not None:
            from quantdesk.ingest.replay import Replay

            path, speed, steered = self.plan.replay, self.plan.speed, self.transport
            await Replay(path, writer, self.market, speed=speed, transport=steered, follower=self.follower).run()
            return
        endpoints = self.plan.endpoints
        if self.plan.origin is Origin.SIMULATED:
            endpoints = await self._start_simulator()
        self.endpoints = endpoints
        from quantdesk.ingest.live import Ingest

        self.feed = Ingest(endpoints, self._limits, writer, self.market, self.symbols, carry_on=self._carry_on)
        self.feed.prefer(self._visible, self._interval, self._others)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.feed.run(), name="ingest")
            attached = AttachedBars(self.market, self.reading, self._instruments, self._is_fed)
            group.create_task(attached.run(), name="attached bars")

    async def add_symbol(self, symbol: str) -> None:
        """Take a symbol in, also while the store is still being opened."""
        if symbol not in self.symbols:
            self.symbols.append(symbol)
        if self.feed is not None:
            await self.feed.add_symbol(symbol)

    async def remove_symbol(self, symbol: str) -> None:
        """Let a symbol go, also while the store is still being opened."""
        if symbol in self.symbols:
            self.symbols.remove(symbol)
        if self.feed is not None:
            await self.feed.remove_symbol(symbol)
        self.market.remove_symbol(symbol)

    def prefer(self, symbols: Sequence[str], interval: str, others: Sequence[tuple[str, str]] = ()) -> None:
        """Fill the gaps of these symbols before those of others: they are on screen, at this interval.

        ``others`` are the symbols and intervals of the windows beside the main one.
        """
        self._visible, self._interval, self._others = tuple(symbols), interval, tuple(others)
        if self.feed is not None:
            self.feed.prefer(self._visible, interval, self._others)

    async def load_shown(self) -> None:
        """Load what the store folds to the intervals on screen, the first time they are there."""
        for symbol, interval in (*((one, self._interval) for one in self._visible), *self._others):
            if interval not in DERIVED or symbol not in self.symbols or (symbol, interval) in self._shown:
                continue
            if not self._may_hold():
                return
            self._shown.add((symbol, interval))
            held = await asyncio.to_thread(self._read, symbol, [interval], seeds=False)
            if held is not None and symbol in self.symbols:
                self._put([held])

    async def fold_again(self, symbol: str) -> None:
        """Load once more what the store folds of a symbol: bars were brought into it behind the feed's back."""
        self._shown -= {(symbol, interval) for interval in DERIVED}
        await self.load_shown()

    async def close(self) -> None:
        """Drain and close the store, stop the simulator, delete what was only temporary."""
        if self.writer is not None and not await asyncio.to_thread(self.writer.stop):
            log.error("the store could not be drained within its time")
        await asyncio.to_thread(self._close_reader)
        if self._simulator is not None:
            await self._simulator.stop()
        if self._temporary is not None:
            await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)
        self.feed = self.writer = self._simulator = self._temporary = None

    def publish_store_status(self) -> None:
        """Tell the market how the store is doing; called a few times a second."""
        if self.writer is not None:
            self.market.set_store_status(self.writer.status)
        elif self._opening_words:
            self.market.set_store_status(StoreStatus(Light.AMBER, self._opening_words))

    def _instruments(self) -> list[Instrument]:
        return [leg.instrument for leg in self.feed.legs.values()] if self.feed is not None else []

    def reading(self) -> Reader:
        """Return the reader of the store, opened now where it could not be before. Raises StoreError in words."""
        from quantdesk.store.opening import open_reader

        with self._opening:
            if self._closed:
                raise StoreError("the store is closed")
            if self._reader is None:
                self._reader = open_reader(self.address)
            return self._reader

    def _is_fed(self, symbol: str) -> bool:
        """Tell whether this program's own feed brings the trades of a symbol."""
        return self.feed is not None and self.feed.delivers(symbol)

    async def _open(self) -> Writer:
        """Open the store in a thread; cancelled meanwhile, give up an update and leave the writer to ``close``."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._open_writer))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._gives_up.set()
            await asyncio.wait({opening})
            raise
        finally:
            self._opening_words = ""
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                self.writer = opening.result()

    def _on_opening(self, words: str) -> None:
        self._opening_words = words

    def _open_writer(self) -> Writer:
        from quantdesk.store.opening import open_store
        from quantdesk.store.writer import StoreWriter

        limits, address = self.plan.limits(), self.address
        try:
            if address.path is not None:
                address.path.parent.mkdir(parents=True, exist_ok=True)
            said, gives_up = self._on_opening, self._gives_up.is_set
            writer = StoreWriter(lambda: open_store(address, limits, said=said, cancelled=gives_up), limits)
            writer.start()
        except StoreBusyError as error:
            self._busy = True
            self._reader = self._open_reader()
            return ReadOnlyWriter(str(error), self._reader)
        except StoreError as error:
            self._reader = self._open_reader()
            return ReadOnlyWriter(f"nothing is being kept: {error}", self._reader)
        except OSError as error:
            return ReadOnlyWriter(f"nothing is being kept: {error.strerror} ({error.filename})")
        self._reader = self._open_reader()
        return writer

    def _close_reader(self) -> None:
        with self._opening:
            self._closed = True
            if self._reader is not None:
                self._reader.close()
            self._reader = None

    def _open_reader(self) -> Reader | None:
        from quantdesk.store.opening import open_reader

        try:
            return open_reader(self.address)
        except StoreError as error:
            log.warning("the store cannot be read: %s", error)
            return None

    @property
    def venue(self) -> str:
        """Return the venue that this way of data is stored under."""
        return SIMULATOR_VENUE if self.plan.origin is Origin.SIMULATED else self.plan.endpoints.venue

    def _may_hold(self) -> bool:
        return self.address.path is None or self.address.path.exists()

    async def _start_simulator(self) -> Endpoints:
        from quantdesk.simulator.server import SimulatorServer
        from quantdesk.simulator.synthetic import SyntheticSource

        self._simulator = SimulatorServer(SyntheticSource(seed=SIMULATED_SEED))
        # Cancelled halfway, a server would keep its ports open: let it start, then stop it whole.
        starting = asyncio.ensure_future(self._simulator.start())
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait({starting})
            raise
        return replace(
            self.plan.endpoints,
            ws_url=self._simulator.ws_url,
            rest_url=self._simulator.rest_url,
            venue=SIMULATOR_VENUE,
            archive_url=self._simulator.rest_url,
        )

    async def _load_rest(self) -> None:
        """Load what ``show_stored`` left out: the other intervals, and the trades of the running bars."""
        if not self._may_hold():
            return
        for symbol in tuple(self.symbols):
            left = [i.value for i in Interval if (symbol, i.value) not in self._shown]
            held = await asyncio.to_thread(self._read, symbol, left, seeds=True)
            if held is None or symbol not in self.symbols:
                continue
            self._put([held])
            if held.problem and self.address.is_server:
                return  # it would let us wait for every symbol; the feed must not
            for block in held.seeds:
                self.market.seed(symbol, block)
                newest = int(block.agg_id.argmax())
                # Another program may go on writing: our feed begins where what is on screen ends.
                self._carry_on[symbol] = (int(block.agg_id[newest]), int(block.ts[newest]))
                await asyncio.sleep(0)  # five busy minutes of trades must not freeze the window

    def _read(self, symbol: str, intervals: Sequence[str], *, seeds: bool) -> _Held | None:
        """Read bars and, for the builder, the trades since the 5-minute bar of the last one."""
        from quantdesk.store.opening import open_reader

        try:
            reader = open_reader(self.address)
            try:
                for held in reader.find(symbol, self.venue):
                    bars = {i: reader.load_bars(held.instrument, i, limit=STORED_BARS) for i in intervals}
                    start = None if held.last_ts is None else held.last_ts - held.last_ts % Interval.M5.ms
                    # Bars still running when the program was last shut are built on from their trades.
                    wanted = seeds and start is not None
                    blocks = list(reader.load_ticks(held.instrument, start, chunk=_SEED_ROWS)) if wanted else []
                    return _Held(held.instrument, bars, blocks)
            finally:
                reader.close()
        except StoreError as error:
            return _Held(Instrument("", symbol), {}, [], str(error))
        return None

    def _put(self, found: Sequence[_Held]) -> None:
        for held in found:
            if held.problem:
                self.market.set_store_status(StoreStatus(Light.RED, held.problem))
                continue
            symbol = held.instrument.symbol
            self.market.on_instrument(held.instrument)
            for interval, stored in held.bars.items():
                self.market.load(symbol, interval, stored)
                self._shown.add((symbol, interval))

    def _make_temporary(self) -> StoreAddress:
        self._temporary = Path(tempfile.mkdtemp(prefix="quantdesk-"))
        return file_address(self._temporary / STORE_NAME)
