"""Run one session at a time and switch between live, simulated, replayed and opened data."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from quantdesk.app.session import STORED_BARS, Session, SessionPlan
from quantdesk.bars.derived import DERIVED, TIMEFRAMES
from quantdesk.config import SIMULATOR_VENUE, ConfigError, Endpoints
from quantdesk.model.files import FilesModel
from quantdesk.model.frame import PairSettings
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store, StoredBars, StoreError
from quantdesk.types import FeedReport, FeedStatus, Instrument, Interval, Light, Origin
from quantdesk.ui.status_bar import DeskMode

if TYPE_CHECKING:
    from quantdesk.store.deletion import DropOrder
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.settings_store import Settings

log = logging.getLogger(__name__)

_STATUS_MS = 400


class Feeding(QObject):
    """Feed the window from one session; what the window asks of the market ends up here.

    ``session_changed`` tells that another session has taken over.
    """

    session_changed = Signal()

    def __init__(self, plan: SessionPlan, pair: PairModel, files: FilesModel) -> None:
        super().__init__()
        self._first_plan = plan
        self._pair, self._files = pair, files
        self._session = Session(plan)
        self._task: asyncio.Task[None] | None = None
        self._switching = asyncio.Lock()
        self.problem = ""  #: why the feed has ended by itself, in words
        self._others: set[asyncio.Task[None]] = set()
        self._status = QTimer(self)
        self._status.setInterval(_STATUS_MS)
        self._status.timeout.connect(self._on_status)
        self._window: MainWindow | None = None
        self._preferred = ("", "")
        self._interval = ""  #: of the market, while a file shows its own

    @property
    def market(self) -> MarketModel:
        """Return the model of the session that runs."""
        return self._session.market

    @property
    def session(self) -> Session:
        """Return the session that runs."""
        return self._session

    def attach(self, window: MainWindow, chosen: Settings) -> None:
        """Serve this window; show the pair that was chosen last."""
        self._window = window
        window.live_requested.connect(self.show_live)
        window.simulate_requested.connect(self._on_simulate)
        window.reconnect_requested.connect(self._on_reconnect)
        window.add_symbol_requested.connect(lambda symbol: self._ask(self._add(symbol)))
        window.remove_symbol_requested.connect(lambda symbol: self._ask(self._remove(symbol)))
        window.symbols_info_requested.connect(lambda: self._ask(self._symbols_info()))
        window.data.panel.report = self._report
        self._pair.settings_changed.connect(self._on_settings)
        window.workspaces.windows.shown.connect(self._on_settings)
        pair = chosen.pair()
        self._preferred = (pair.y, pair.x)
        # Recordings are short: seconds show more of them than minutes.
        replayed = self._first_plan.replay is not None
        self._show(replace(pair, interval=Interval.S1.value, y="", x="") if replayed else pair)

    @Slot()
    def _on_settings(self) -> None:
        legs = (self._pair.settings.y, self._pair.settings.x)
        if self._pair.source is self.market and all(legs):
            self._preferred = legs  # what comes back after files or the simulator
            self._interval = self._pair.settings.interval
        others = self._window.workspaces.shown_beside() if self._window is not None else ()
        self._session.prefer(legs, self._pair.settings.interval, others)
        if self._task is not None and (others or self._pair.source is self.market):
            self._ask(self._session.load_shown())

    def show_stored(self) -> None:
        """Put the last stored bars of the pair on screen, without waiting for a loop."""
        self._show_stored(self._pair.settings)
        self._pair.build_now()

    def start(self) -> None:
        """Start feeding."""
        self._status.start()
        self._task = asyncio.get_running_loop().create_task(self._feed(self._session), name="feed")
        self._task.add_done_callback(self._on_feed_ended)

    async def stop(self) -> None:
        """End the feed and keep what it brought."""
        self._status.stop()
        for task in [*self._others, *([self._task] if self._task else [])]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._task = None
        await self._session.close()

    def show_files(self, settings: PairSettings) -> None:
        """Show opened files; the market goes on being recorded behind them."""
        if self._window is not None and self._window.market is not self.market:
            self._window.set_market(self.market)
        self._pair.set_source(self._files, settings)
        if self._window is not None:
            self._window.set_mode(DeskMode(Origin.FILE, " / ".join(self._files.legs), behind=self._mode().recording))
            self._window.control.refresh()

    def show_replay(self, market: MarketModel, settings: PairSettings, title: str) -> None:
        """Show a market that is played back; the real one goes on being recorded behind it."""
        if self._window is not None:
            self._window.set_market(market)
        self._pair.set_source(market, settings)
        if self._window is not None:
            self._window.set_mode(DeskMode(Origin.REPLAY, title, behind=self._mode().recording))
            self._window.control.refresh()

    @Slot()
    def show_live(self) -> None:
        """Go back to the market, from files or from the simulator."""
        if self._session.plan.origin is Origin.LIVE or self._first_plan.origin is not Origin.LIVE:
            self._show(self._fitting(self._pair.settings))
        else:
            self._ask(self._switch(self._first_plan))

    @Slot()
    def _on_simulate(self) -> None:
        plan = replace(
            self._first_plan, origin=Origin.SIMULATED, symbols=("BTCUSDT", "ETHUSDT"), store=None, replay=None
        )
        if self._session.plan.origin is Origin.LIVE:
            self._first_plan = self._plan_now()
        self._ask(self._switch(plan))

    @Slot()
    def _on_reconnect(self) -> None:
        self._ask(self._switch(self._plan_now()))

    def use_store(self, address: StoreAddress) -> bool:
        """Keep the market in another store from now on; what waits for the old one is written there first.

        Returns False where no market is recorded now (a simulation, a replay): the next one will use it.
        """
        if self._first_plan.origin is not Origin.LIVE:
            return False
        self._first_plan = replace(self._first_plan, store=address)
        if self._session.plan.origin is not Origin.LIVE:
            return False
        self._ask(self._switch(replace(self._plan_now(), store=address)))
        return True

    def use_endpoints(self, endpoints: Endpoints) -> None:
        """Take the market from these addresses, and connect anew where it is shown or recorded now."""
        first = self._first_plan
        self._first_plan = replace(first, endpoints=endpoints)
        if self._session.plan.origin is Origin.LIVE:
            plan = replace(self._plan_now(), endpoints=endpoints)
            self._first_plan = plan
            self._ask(self._switch(plan))

    def _plan_now(self) -> SessionPlan:
        """Return the running plan with the symbols that were added and removed meanwhile."""
        feed = self._session.feed
        symbols = feed.legs if feed is not None and feed.legs else self._session.symbols
        return replace(self._session.plan, symbols=tuple(symbols))

    async def _switch(self, plan: SessionPlan) -> None:
        async with self._switching:  # a second click waits, or two sessions would run
            await self._put_in_place(plan)

    async def _put_in_place(self, plan: SessionPlan) -> None:
        await self._stop_feed()
        await self._session.close()
        self._session = Session(plan)
        self._show_stored(self._pair.settings)
        if self._window is not None:
            self._window.set_market(self.market)
        self._show(self._fitting(self._pair.settings))
        self.start()
        self.session_changed.emit()

    def _show_stored(self, settings: PairSettings) -> None:
        self._session.show_stored((settings.y, settings.x), settings.interval)

    async def _stop_feed(self) -> None:
        self._status.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _feed(self, session: Session) -> None:
        session.market.reload_wanted.connect(self._on_reload_wanted)
        session.market.symbols_changed.connect(self._on_symbols_changed)
        await session.run()

    def _on_feed_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        self.problem = str(error)
        self.market.on_status(FeedStatus(Light.RED, self.problem))
        if not isinstance(error, ConfigError):
            task.get_loop().call_exception_handler({"message": "the feed has failed", "exception": error})

    def _show(self, settings: PairSettings) -> None:
        if self._window is not None and self._window.market is not self.market:
            self._window.set_market(self.market)  # another one was played back
        self._pair.set_source(self.market, settings)
        if self._window is not None:
            self._window.set_mode(self._mode())
            self._window.control.refresh()

    def _mode(self) -> DeskMode:
        plan = self._session.plan
        venue = {
            Origin.SIMULATED: SIMULATOR_VENUE,
            Origin.REPLAY: plan.replay.name if plan.replay else "",
        }.get(plan.origin, plan.endpoints.venue)
        return DeskMode(plan.origin, venue, self._session.read_only)

    def _fitting(self, settings: PairSettings) -> PairSettings:
        """Return the settings with legs and interval that the session's market has."""
        symbols = self.market.symbols() or self._session.plan.symbols
        wanted = self._interval if self._pair.source is self._files else settings.interval
        interval = wanted if wanted in TIMEFRAMES else Interval.M1.value
        if settings.y in symbols and settings.x in symbols:
            return replace(settings, interval=interval)
        # The market tells its symbols as they come, which is no order of anybody's choice.
        known = [*self._session.plan.symbols, *symbols]
        ordered = sorted(symbols, key=known.index)
        names = [*(self._preferred if set(self._preferred) <= set(symbols) else ordered), "", ""]
        return replace(settings, y=names[0], x=names[1], interval=interval, formation_end=0)

    def _report(self) -> FeedReport | None:
        feed = self._session.feed
        return feed.report() if feed is not None else None

    @Slot()
    def _on_status(self) -> None:
        self._session.publish_store_status()
        if self._window is not None and self._pair.source is self.market and self._window.mode != self._mode():
            self._window.set_mode(self._mode())

    @Slot()
    def _on_symbols_changed(self) -> None:
        # A replay tells its symbols as they come: the pair chosen last if it has it, else the first two.
        settings, symbols = self._pair.settings, self.market.symbols()
        if self._pair.source is not self.market or self._session.plan.replay is None:
            return
        names = self._preferred if set(self._preferred) <= set(symbols) else tuple([*symbols, "", ""][:2])
        if (settings.y, settings.x) != names and not (settings.x and {settings.y, settings.x} <= set(symbols)):
            self._pair.set_source(self.market, replace(settings, y=names[0], x=names[1]))

    @Slot(str, object, object)
    def _on_reload_wanted(self, symbol: str, start_ms: int, end_ms: int) -> None:
        self._ask(self._reload(self._session, symbol, start_ms, end_ms))

    async def _reload(self, session: Session, symbol: str, start_ms: int, end_ms: int, most: int = 0) -> None:
        """Load bars of a span again; ``most`` > 0: only such as lie so many bars back from now at most."""
        now = session.feed.exchange_now() if session.feed is not None else end_ms
        instrument = session.market.instrument(symbol)
        if session.writer is None or instrument is None:
            return
        for interval in Interval:  # the others are folded from these
            first = max(start_ms, now - most * interval.ms) if most else start_ms
            if first >= end_ms:
                continue
            act = partial(_load_bars, instrument=instrument, interval=interval.value, start=first, end=end_ms)
            try:
                stored = await asyncio.wrap_future(session.writer.call(act))
            except StoreError as error:  # another program's store, or one that has failed: its light says so
                log.info("bars were not loaded again: %s", error)
                return
            session.market.load(symbol, interval, stored)

    def learn_of_past(self, session: Session, symbols: Sequence[str], start_ms: int, end_ms: int) -> None:
        """Show what was brought into the store of a session behind its feed's back, and let the feed know of it."""
        if session is not self._session:
            return
        for symbol in symbols:
            if session.feed is not None:
                session.feed.learn_of_past(symbol, start_ms, end_ms)
            if session.market.instrument(symbol) is not None:
                self._ask(self._reload_past(session, symbol, start_ms, end_ms))

    async def _reload_past(self, session: Session, symbol: str, start_ms: int, end_ms: int) -> None:
        await self._reload(session, symbol, start_ms, end_ms, most=STORED_BARS)
        await session.fold_again(symbol)  # they reach farther back than what they are folded from here

    def learn_of_dropped(self, session: Session, order: DropOrder) -> None:
        """Take off the screen what was deleted of the store of a session, and let its feed know of it."""
        from quantdesk.store.deletion import Part

        market, symbol, (start, end) = session.market, order.instrument.symbol, order.span
        shown = market.instrument(symbol)
        if session is not self._session or shown is None or shown.venue != order.instrument.venue:
            return
        if session.feed is not None:
            session.feed.learn_of_past(symbol, start, end)
        if order.part is not Part.SOURCE_BARS:
            market.forget_trades(symbol, start, end)
        if order.part is not Part.TRADES:  # which leave their bars
            self._ask(self._reload_dropped(session, symbol, (start, end), sources=order.part is Part.SOURCE_BARS))

    async def _reload_dropped(self, session: Session, symbol: str, span: tuple[int, int], *, sources: bool) -> None:
        market, writer = session.market, session.writer
        for interval in [name for name in market.intervals(symbol) if name not in DERIVED]:
            series, instrument = market.series(symbol, interval), market.instrument(symbol)
            if series is None or instrument is None or writer is None or not len(series):
                continue
            first = max(span[0], int(series.times()[0]))
            act = partial(_load_bars, instrument=instrument, interval=interval, start=first, end=span[1])
            try:
                stored = await asyncio.wrap_future(writer.call(act))
            except StoreError as error:
                log.warning("what was deleted stays on screen until the next start: %s", error)
                return
            if market.instrument(symbol) is not None:  # it may have been removed meanwhile
                market.reload(symbol, interval, span, stored, sources=sources)
        await session.fold_again(symbol)

    async def _add(self, symbol: str) -> None:
        if self._session.plan.replay is None:
            await self._session.add_symbol(symbol)
            if self._window is not None:
                words = self.tr("It is recorded from now on, and can be Y or X.")
                self._window.toast(self.tr("Adding {0}").format(symbol), words, "ok")

    async def _remove(self, symbol: str) -> None:
        await self._session.remove_symbol(symbol)

    async def _symbols_info(self) -> None:
        from quantdesk.feed.rest import RestError

        if self._window is None:
            return
        if self._session.feed is None:
            self._window.set_symbols_problem(self.tr("There is no exchange to ask right now."))
            return
        try:
            self._window.set_symbols_info(await self._session.feed.symbols_info())
        except RestError as error:
            self._window.set_symbols_problem(str(error))

    def _ask(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)


def _load_bars(store: Store, *, instrument: Instrument, interval: str, start: int, end: int) -> StoredBars:
    return store.load_bars(instrument, interval, start, end)
