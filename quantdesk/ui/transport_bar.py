"""Steer a replay by buttons, a choice of speed and a slider over its span."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from quantdesk.ingest.transport import FASTEST, SPEEDS, TransportState
from quantdesk.model.playback import Playback
from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.transport_track import TransportTrack, replay_time_text

REFRESH_MS = 100
_BUTTONS = ("replay.toggle", "replay.step", "replay.next_alert")


class TransportBar(QFrame):
    """Show one playback; the actions steer it. ``leave_wanted`` on its last button or Escape."""

    place_wanted = Signal(object)
    speed_wanted = Signal(float)
    leave_wanted = Signal()

    def __init__(self, actions: ActionRegistry, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAccessibleName(self.tr("Replay"))
        self._playback: Playback | None = None
        self._zone = UTC_ZONE
        self.buttons: dict[str, QToolButton] = {}
        for name in _BUTTONS:
            button = self.buttons[name] = self._button()
            button.setDefaultAction(actions[name])
            button.setAccessibleName(actions[name].text().replace("&", ""))
        self.speed = QComboBox(self)
        for part in (self.speed, self.speed.view()):
            part.setAccessibleName(self.tr("Speed of the replay"))
        self.speed.setToolTip(self.tr("How many times as fast as recorded"))
        for speed in SPEEDS:
            self.speed.addItem(self.tr("fastest") if speed == FASTEST else f"{speed:,.0f}×", speed)
        self.speed.activated.connect(lambda row: self.speed_wanted.emit(self.speed.itemData(row)))
        self.track = TransportTrack(tokens, self)
        self.track.place_wanted.connect(self.place_wanted)
        self.state = self._words(self.tr("State of the replay"))
        self.place = self._words(self.tr("Place in the replay"))
        self.ends = (self._words(self.tr("Start of the replay")), self._words(self.tr("End of the replay")))
        self.leave = self._button()
        self.leave.setText(self.tr("Exit replay"))
        self.leave.setToolTip(self.tr("Back to the live market (Ctrl+L)"))
        self.leave.clicked.connect(self.leave_wanted)
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)

    def show_playback(self, playback: Playback, *, can_leave: bool) -> None:
        """Follow another playback."""
        if self._playback is not None:
            self._playback.changed.disconnect(self.refresh)
        self._playback = playback
        playback.changed.connect(self.refresh)
        self.leave.setVisible(can_leave)
        self.refresh()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the track for the theme."""
        self.track.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write times by another clock."""
        self._zone = zone
        self.track.set_zone(zone)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the present place, state and speed."""
        playback = self._playback
        if playback is None:
            return
        span, position = playback.span, playback.position
        self.track.show_place(span, position, playback.found)
        words = {
            TransportState.PLAYING: self.tr("playing"),
            TransportState.PAUSED: self.tr("paused"),
            TransportState.SEEKING: self.tr("seeking"),
            TransportState.ENDED: self.tr("ended"),
        }
        self.state.setText(words[playback.state])
        here = span[0] if position is None and span is not None else position
        zone = self._zone
        self.place.setText("–" if here is None else f"{replay_time_text(here, zone)} {zone.name(here)}")
        same_day = span is not None and (zone.shift(span[0]) // 86_400_000 == zone.shift(span[1]) // 86_400_000)
        for label, end in zip(self.ends, span or (None, None), strict=True):
            label.setText("" if end is None else replay_time_text(end, zone, date=not same_day))
        row = self.speed.findData(playback.speed)
        if row < 0:
            self.speed.addItem(f"{playback.speed:g}×", playback.speed)
            row = self.speed.count() - 1
        if row != self.speed.currentIndex():
            self.speed.setCurrentIndex(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the replay by Escape."""
        if event.key() == Qt.Key.Key_Escape and not self.leave.isHidden():
            self.leave_wanted.emit()
            return
        super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the place while one can see it."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self._timer.stop()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(4)
        for button in self.buttons.values():
            row.addWidget(button)
        row.addWidget(self.speed)
        row.addSpacing(6)
        row.addWidget(self.ends[0])
        row.addWidget(self.track, 1)
        row.addWidget(self.ends[1])
        row.addSpacing(6)
        row.addWidget(self.place)
        row.addWidget(self.state)
        row.addWidget(self.leave)
        metrics = self.fontMetrics()
        # Steady widths keep the slider from trembling with each second.
        self.place.setMinimumWidth(metrics.horizontalAdvance("28 Sept 2024 00:00:00 UTC+0:00"))
        self.place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.state.setMinimumWidth(metrics.horizontalAdvance(self.tr("playing")) + 8)
        for end in self.ends:
            end.setProperty("dim", True)

    def _button(self) -> QToolButton:
        button = QToolButton(self)
        button.setIconSize(QSize(18, 18))
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _words(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setAccessibleName(name)
        return label
