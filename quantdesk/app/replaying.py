"""Play what is stored, opened or recorded in the window, while the market goes on being recorded behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Slot

from quantdesk.app.replay_following import Following
from quantdesk.app.tasks import Tasks
from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.config import ConfigError
from quantdesk.ingest.transport import Transport
from quantdesk.model.alerts import AlertEvent, AlertModel
from quantdesk.model.files import FilesModel
from quantdesk.model.frame import PairSettings
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.model.playback import Playback
from quantdesk.store.base import Reader, StoreError
from quantdesk.types import Interval, Origin

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.ingest.merged_tape import Held, Span
    from quantdesk.ingest.tape import Tape
    from quantdesk.ui.main_window import MainWindow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Running:
    """Hold what belongs to the replay on screen; ``own``: it was begun here, not by the session."""

    playback: Playback
    following: Following
    market: MarketModel
    own: bool


class Replaying(QObject):
    """Begin, show and end replays; the window asks for them by signal."""

    def __init__(
        self, window: MainWindow, feeding: Feeding, pair: PairModel, files: FilesModel, alerts: AlertModel
    ) -> None:
        super().__init__()
        self._window, self._feeding = window, feeding
        self._pair, self._files, self._alerts = pair, files, alerts
        self._tasks = Tasks()
        self._running: _Running | None = None
        self._task: asyncio.Task[None] | None = None
        flow = window.replay
        flow.opened = lambda: " / ".join(files.legs)
        flow.held_requested.connect(lambda: self._tasks.start(self._tell_held()))
        flow.span_requested.connect(self._play_span)
        flow.files_requested.connect(self._play_files)
        flow.recording_requested.connect(self._play_recording)
        pair.settings_changed.connect(self._on_pair)
        alerts.rules_changed.connect(self._on_view)
        feeding.session_changed.connect(self.follow_session)
        self._view = self._view_now()
        self.follow_session()

    @property
    def playback(self) -> Playback | None:
        """Return what is played back on screen."""
        return self._running.playback if self._running is not None else None

    @Slot()
    def follow_session(self) -> None:
        """Steer the replay that the session itself is, if it is one."""
        session = self._feeding.session
        path = session.plan.replay
        if path is None:
            if self._running is not None and not self._running.own:
                self._end()
            return
        self._end()
        session.transport = Transport(session.plan.speed)
        self._take(path.name, session.transport, session.market, own=False)
        session.follower = self._running.following if self._running is not None else None

    async def stop(self) -> None:
        """End what is played and wait for it."""
        self._end()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._tasks.ended()

    # -- what the window asks for --------------------------------------------------------------

    @Slot(object)
    def _play_span(self, span: Span) -> None:
        from quantdesk.ingest.merged_tape import span_tape

        legs = [leg.symbol for leg in span.legs]
        interval = self._pair.settings.interval
        settings = self._fitting(legs, interval if interval in TIMEFRAMES else Interval.M1.value)
        self._start(
            " / ".join(legs),
            lambda reader: span_tape(reader, span, interval_ms_of),
            MarketModel(Origin.REPLAY),
            settings,
        )

    @Slot()
    def _play_files(self) -> None:
        from quantdesk.model.played_files import PlayedFiles, files_tape

        tape = files_tape(self._files)
        if tape is None:
            self._window.toast(self.tr("Nothing to replay"), self.tr("Open a file first."), "warning")
            return
        settings = self._files.settings(self._pair.settings)
        self._start(" / ".join(self._files.legs), tape, PlayedFiles(self._files), settings)

    @Slot(object)
    def _play_recording(self, path: Path) -> None:
        self._window.store.settings.last_folder = str(path.parent)
        self._start(path.name, path, MarketModel(Origin.REPLAY), self._fitting([], Interval.S1.value))

    async def _tell_held(self) -> None:
        from quantdesk.ingest.merged_tape import held_spans

        def look() -> list[Held]:
            reader = self._open_reader()
            try:
                return held_spans(reader, interval_ms_of)
            finally:
                reader.close()

        try:
            self._window.replay.show_held(await asyncio.to_thread(look))
        except StoreError as error:
            self._window.replay.show_held((), str(error))

    # -- playing -------------------------------------------------------------------------------

    def _start(
        self,
        title: str,
        source: Path | Tape | Callable[[Reader], Tape],
        market: MarketModel,
        settings: PairSettings,
    ) -> None:
        self._end()
        transport = Transport(self._window.store.settings.replay_speed)
        self._feeding.show_replay(market, settings, title)
        following = self._take(title, transport, market, own=True)
        if isinstance(source, Path):
            market.symbols_changed.connect(lambda: self._choose_legs(market))
        before, self._task = self._task, None
        self._task = self._tasks.start(self._run(before, source, market, transport, following))

    async def _run(
        self,
        before: asyncio.Task[None] | None,
        source: Path | Tape | Callable[[Reader], Tape],
        market: MarketModel,
        transport: Transport,
        following: Following,
    ) -> None:
        from quantdesk.ingest.replay import Replay

        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        reader: Reader | None = None
        try:
            if callable(source):
                reader = await _in_thread(self._open_reader)
                source = await _in_thread(partial(source, reader))
            await Replay(source, None, market, transport=transport, follower=following).run()
        except (ConfigError, StoreError) as error:
            self._window.toast(self.tr("The replay has ended"), str(error), "error")
            if self._running is not None and self._running.market is market:
                self._feeding.show_live()
        finally:
            if reader is not None:
                await asyncio.to_thread(reader.close)

    def _open_reader(self) -> Reader:
        from quantdesk.store.opening import open_reader

        return open_reader(self._feeding.session.address)

    def _take(self, title: str, transport: Transport, market: MarketModel, *, own: bool) -> Following:
        playback = Playback(title, transport)
        following = Following(market, self._pair, self._alerts)
        following.alerted.connect(self._on_alert)
        playback.changed.connect(self._on_playback)
        self._running = _Running(playback, following, market, own)
        self._view = self._view_now()
        self._show()
        return following

    def _end(self) -> None:
        """Let go of what is played; its task ends by itself."""
        running, self._running = self._running, None
        if running is None:
            return
        if running.own and self._task is not None:
            self._task.cancel()
        running.following.close()
        running.playback.close()
        self._window.replay.show(None)

    def _show(self) -> None:
        """Show the bar while what is played is on screen."""
        running, flow = self._running, self._window.replay
        if running is None or self._pair.source is not running.market:
            flow.show(None)
        elif flow.playback is not running.playback:
            flow.show(running.playback, can_leave=running.own)

    @Slot()
    def _on_pair(self) -> None:
        running = self._running
        if running is not None and running.own and self._pair.source is not running.market:
            self._end()  # the market or a file has taken its place
            return
        self._show()
        self._on_view()

    @Slot()
    def _on_view(self) -> None:
        """Forget where alerts were, once others are looked for."""
        view = self._view_now()
        if view != self._view and self._running is not None:
            self._running.playback.forget_alerts()
        self._view = view

    def _view_now(self) -> tuple[object, ...]:
        return self._pair.settings, self._alerts.rules

    @Slot()
    def _on_playback(self) -> None:
        running = self._running
        if running is not None:
            running.following.hurry(running.playback.hurries)

    @Slot(object)
    def _on_alert(self, event: AlertEvent) -> None:
        if self._running is not None:
            self._running.playback.note_alert(event.time_ms)

    def _fitting(self, legs: list[str], interval: str) -> PairSettings:
        names = [*legs, "", ""]
        return replace(self._pair.settings, y=names[0], x=names[1], interval=interval, formation_end=0)

    def _choose_legs(self, market: MarketModel) -> None:
        """Take the first two symbols that a recording tells of."""
        settings, names = self._pair.settings, [*market.symbols(), "", ""][:2]
        if self._pair.source is market and not settings.x and (settings.y, settings.x) != tuple(names):
            self._pair.set_source(market, replace(settings, y=names[0], x=names[1]))


async def _in_thread(act: Callable[[], T]) -> T:
    """Run ``act`` in a thread; cancelled meanwhile, wait until it has let go of what it uses."""
    working = asyncio.ensure_future(asyncio.to_thread(act))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise
