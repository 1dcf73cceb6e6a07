"""Bring a replay to the window: its dialog, its bar and its actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QComboBox

from quantdesk.ingest.merged_tape import Held, Span
from quantdesk.ingest.transport import SPEEDS, TransportState
from quantdesk.model.clock import FRAMES_PER_SECOND
from quantdesk.model.playback import QUICK, Playback
from quantdesk.ui.chart_choices import zone_of
from quantdesk.ui.replay_actions import STEERING
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.progress import Progress
    from quantdesk.ui.replay_dialog import ReplayDialog
    from quantdesk.ui.transport_bar import TransportBar


_QUICK_FRAMES = 10  # a second
_PACE_MS = 150


class ReplayFlow(QObject):
    """Steer what is played back; what to play is asked of the composition root by signal.

    ``held_requested`` asks for what the store holds; ``span_requested(Span)``, ``files_requested`` and
    ``recording_requested(Path)`` begin a replay.
    """

    held_requested = Signal()
    span_requested = Signal(object)
    files_requested = Signal()
    recording_requested = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.playback: Playback | None = None
        self.bar: TransportBar | None = None
        self.opened: Callable[[], str] = lambda: ""  #: names the legs of the opened files, empty without any
        self._progress: Progress | None = None
        self._pace = QTimer(self, interval=_PACE_MS)
        self._pace.timeout.connect(self._on_pace)
        on = window.registry
        on["replay.choose"].triggered.connect(self.ask)
        on["replay.toggle"].triggered.connect(lambda: self._steer("toggle"))
        on["replay.step"].triggered.connect(lambda: self._steer("step"))
        on["replay.next_alert"].triggered.connect(lambda: self._steer("next_alert"))
        on["replay.slower"].triggered.connect(lambda: self._change_speed(-1))
        on["replay.faster"].triggered.connect(lambda: self._change_speed(1))
        window.installEventFilter(self)
        self._enable()

    @property
    def dialog(self) -> ReplayDialog | None:
        """Return the dialog that asks what to replay while it is open."""
        from quantdesk.ui.replay_dialog import ReplayDialog

        found = self._window.prompts.dialog("replay")
        return found if isinstance(found, ReplayDialog) else None

    @Slot()
    def ask(self) -> None:
        """Ask what to replay."""
        from quantdesk.ui.replay_dialog import LastSpan, ReplayDialog

        settings, pair = self._window.store.settings, self._window.pair
        last = LastSpan(settings.replay_y, settings.replay_x, settings.replay_start, settings.replay_end)
        if not last.y:
            last = LastSpan(pair.settings.y, pair.settings.x)
        dialog = ReplayDialog(last, self.opened(), zone_of(settings.time_zone), self._window)
        dialog.span_chosen.connect(self._on_span)
        dialog.files_chosen.connect(self.files_requested)
        dialog.recording_wanted.connect(self._choose_recording)
        self._window.prompts.show_dialog("replay", dialog)
        self.held_requested.emit()

    def show_held(self, held: Sequence[Held], problem: str = "") -> None:
        """Fill the dialog, if it is open."""
        if self.dialog is not None:
            self.dialog.show_held(held, problem)

    def show(self, playback: Playback | None, *, can_leave: bool = True) -> None:
        """Steer another playback; None: nothing is replayed."""
        if self.playback is not None:
            self.playback.changed.disconnect(self._on_changed)
        self.playback = playback
        self._end_progress()
        if playback is None:
            if self.bar is not None:
                self.bar.hide()
        else:
            playback.changed.connect(self._on_changed)
            bar = self.bar or self._make_bar()
            bar.show_playback(playback, can_leave=can_leave)
            bar.show()
        self._on_changed()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the bar for the theme."""
        if self.bar is not None:
            self.bar.set_tokens(tokens)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave Space to what it presses: a button that has the focus does not pause the replay."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            held = QApplication.focusWidget()
            if event.key() == Qt.Key.Key_Space and isinstance(held, QAbstractButton | QAbstractItemView | QComboBox):
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def _make_bar(self) -> TransportBar:
        from quantdesk.ui.transport_bar import TransportBar

        window = self._window
        self.bar = bar = TransportBar(window.registry, window.theme.tokens, window)
        bar.place_wanted.connect(self._seek)
        bar.speed_wanted.connect(self._set_speed)
        bar.leave_wanted.connect(window.live_requested)
        central = window.centralWidget()
        column = central.layout() if central is not None else None
        if column is not None:
            column.addWidget(bar)
        window.toasts.stand_above(window.status, bar)
        self.show_zone()
        return bar

    @Slot()
    def show_zone(self) -> None:
        """Write times in the zone that was chosen."""
        if self.bar is not None:
            self.bar.set_zone(zone_of(self._window.store.settings.time_zone))

    @Slot()
    def _on_changed(self) -> None:
        playback = self.playback
        self._enable()
        transport = playback.transport if playback is not None else None
        seeks = transport is not None and transport.searches
        # On the way to another place nothing is painted, and no toast tells of what lies between; nor in a hurry.
        self._window.clock.hold(seeks)
        for part in (self._window.metrics, self._window.table):
            part.setUpdatesEnabled(not seeks)
        plays = playback is not None and playback.state is TransportState.PLAYING
        quick = plays and playback is not None and playback.speed >= QUICK
        self._window.clock.set_rate(_QUICK_FRAMES if quick else FRAMES_PER_SECOND)
        scrubs = transport is not None and transport.scrubs
        if scrubs:
            for toast in [toast for toast in self._window.toasts.toasts if toast.level == "alert"]:
                toast.leave()  # what it told of is judged anew, or lies elsewhere
        self._window.flow.quiet = scrubs or quick
        if transport is None or not seeks:
            self._end_progress()
        elif self._progress is None:
            words = self.tr("Replaying up to the place that was asked for")
            self._progress = self._window.start_progress(words if scrubs else self.tr("Looking for the next alert"))
            self._progress.cancelled.connect(transport.pause)
            self._pace.start()

    @Slot()
    def _on_pace(self) -> None:
        done = self.playback.transport.progress if self.playback is not None else None
        if self._progress is not None and done is not None:
            self._progress.advance(done)

    def _end_progress(self) -> None:
        self._pace.stop()
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.finish()

    def _enable(self) -> None:
        playback, on = self.playback, self._window.registry
        for name in STEERING:
            on[name].setEnabled(playback is not None)
        ended = playback is not None and playback.state is TransportState.ENDED
        for name in ("replay.step", "replay.next_alert"):
            on[name].setEnabled(playback is not None and not ended)
        runs = playback is not None and playback.state in (TransportState.PLAYING, TransportState.SEEKING)
        on.set_icon("replay.toggle", "pause" if runs else "play")

    def _steer(self, act: str) -> None:
        if self.playback is not None:
            getattr(self.playback.transport, act)()

    def _change_speed(self, by: int) -> None:
        if self.playback is None:
            return
        now = self.playback.speed
        slower, faster = [s for s in SPEEDS if s < now], [s for s in SPEEDS if s > now]
        wanted = slower[-1:] if by < 0 else faster[:1]
        if wanted:
            self._set_speed(wanted[0])

    @Slot(float)
    def _set_speed(self, speed: float) -> None:
        if self.playback is not None:
            self.playback.transport.set_speed(speed)
            self._window.store.settings.take_replay_speed(speed)
            self._window.keeper.save_soon()

    @Slot(object)
    def _seek(self, ms: int) -> None:
        if self.playback is not None:
            self.playback.transport.seek(ms)

    @Slot(object)
    def _on_span(self, span: Span) -> None:
        settings, names = self._window.store.settings, [leg.symbol for leg in span.legs]
        settings.replay_y, settings.replay_x = [*names, ""][:2]
        settings.replay_start, settings.replay_end = span.start, span.end
        self._window.keeper.save_soon()
        self.span_requested.emit(span)

    @Slot()
    def _choose_recording(self) -> None:
        from quantdesk.ui.open_dialog import recording_chooser

        dialog = recording_chooser(self._window.store.settings.last_folder, self._window)
        dialog.fileSelected.connect(lambda name: self.recording_requested.emit(Path(name)))
        self._window.prompts.show_dialog("recording", dialog)
