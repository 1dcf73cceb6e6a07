"""Draw a replay's span as a slider: what was played, the days, the alerts seen so far."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolTip, QWidget

from quantdesk.ui.charts.ticks import moment_of, month_name
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.theme_tokens import Tokens

_STEPS = 10_000
_SIDE, _GROOVE, _KNOB = 8, 4, 6
_DAY = 86_400_000
#: Fewer pixels than this between two days, and only every second, fourth, … gets a tick.
_LEAST_DAY = 46


def replay_time_text(ms: int, zone: Zone, *, date: bool = True) -> str:
    """Return a moment in the zone's clock, with its date: 18 Jul 2024 14:30:05."""
    then = moment_of(zone.shift(ms))
    day = f"{then.day} {month_name(then.month)} {then.year} " if date else ""
    return f"{day}{then:%H:%M:%S}"


class TransportTrack(QSlider):
    """Show where a replay stands; ``place_wanted(ms)`` when the user lets go of another place."""

    place_wanted = Signal(object)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._tokens, self._zone = tokens, UTC_ZONE
        self._span: tuple[int, int] | None = None
        self._position: int | None = None
        self._alerts: Sequence[int] = ()
        self._dragged: int | None = None
        self.setRange(0, _STEPS)
        self.setPageStep(_STEPS // 10)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Place in the replay"))

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the track for the theme."""
        self._tokens = tokens
        self.update()

    def set_zone(self, zone: Zone) -> None:
        """Write times by another clock."""
        self._zone = zone
        self.update()

    def show_place(self, span: tuple[int, int] | None, position: int | None, alerts: Sequence[int]) -> None:
        """Show the span (ms), the place within it and the bars that raised alerts."""
        self._span, self._position, self._alerts = span, position, alerts
        self.setEnabled(span is not None)
        if span is not None and position is not None:
            self.setValue(round((position - span[0]) / max(1, span[1] - span[0]) * _STEPS))
            self.setAccessibleDescription(replay_time_text(position, self._zone))
        self.update()

    def x_of(self, ms: int) -> float:
        """Return where a moment is drawn."""
        start, end = self._span or (0, 1)
        part = max(0.0, min(1.0, (ms - start) / max(1, end - start)))
        return _SIDE + part * (self.width() - 2 * _SIDE)

    def ms_at(self, x: float) -> int:
        """Return the moment at a place; the inverse of ``x_of`` within the span."""
        start, end = self._span or (0, 1)
        part = max(0.0, min(1.0, (x - _SIDE) / max(1, self.width() - 2 * _SIDE)))
        return start + round(part * (end - start))

    def sizeHint(self) -> QSize:
        """Ask for room for days above and alerts below."""
        return QSize(260, 34)

    def minimumSizeHint(self) -> QSize:
        """Stay usable in a small window."""
        return QSize(120, 34)

    # -- by hand -------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by a hundredth, a tenth, or to an end."""
        part = {
            Qt.Key.Key_Left: -0.01,
            Qt.Key.Key_Right: 0.01,
            Qt.Key.Key_PageDown: -0.1,
            Qt.Key.Key_PageUp: 0.1,
            Qt.Key.Key_Home: -1.0,
            Qt.Key.Key_End: 1.0,
        }.get(Qt.Key(event.key()))
        if part is None or self._span is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
            return
        start, end = self._span
        here = self._position if self._position is not None else start
        self.place_wanted.emit(max(start, min(end, here + round(part * (end - start)))))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the place."""
        if event.button() is Qt.MouseButton.LeftButton and self._span is not None:
            self._drag(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which moment lies under the pointer."""
        if self._span is None:
            return
        if self._dragged is not None:
            self._drag(event.position())
        words = replay_time_text(self.ms_at(event.position().x()), self._zone)
        QToolTip.showText(event.globalPosition().toPoint(), words, self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for the place that was let go of."""
        if event.button() is Qt.MouseButton.LeftButton and self._dragged is not None:
            wanted, self._dragged = self._dragged, None
            self.place_wanted.emit(wanted)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Take the words away."""
        QToolTip.hideText()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self.update()

    def _drag(self, place: QPointF) -> None:
        self._dragged = self.ms_at(place.x())
        self.update()

    # -- drawing -------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw groove, days, alerts and knob."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            tokens, middle = self._tokens, self.height() / 2 + 3
            groove = QRectF(_SIDE, middle - _GROOVE / 2, self.width() - 2 * _SIDE, _GROOVE)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.border))
            painter.drawRoundedRect(groove, 2, 2)
            if self._span is None:
                return
            here = self._dragged if self._dragged is not None else self._position
            x = self.x_of(here if here is not None else self._span[0])
            painter.setBrush(QColor(tokens.accent))
            painter.drawRoundedRect(QRectF(groove.left(), groove.top(), x - groove.left(), _GROOVE), 2, 2)
            self._draw_days(painter, groove)
            self._draw_alerts(painter, groove)
            painter.setPen(QColor(tokens.accent if not self.hasFocus() else tokens.text))
            painter.setBrush(QColor(tokens.accent))
            painter.drawEllipse(QPointF(x, middle), _KNOB, _KNOB)

    def _draw_days(self, painter: QPainter, groove: QRectF) -> None:
        start, end = self._span or (0, 1)
        shift = self._zone.shift(start) - start
        first = (start + shift) // _DAY + 1
        days = (end + shift) // _DAY - first + 1
        every = 1
        while days > 0 and groove.width() / max(1, days / every) < _LEAST_DAY:
            every *= 2
        font = painter.font()
        font.setPointSizeF(max(6.5, font.pointSizeF() - 2))
        painter.setFont(font)
        for day in range(first, first + max(0, days), every):
            ms = day * _DAY - shift
            x = self.x_of(ms)
            painter.setPen(QColor(self._tokens.text_dim))
            painter.drawLine(QPointF(x, groove.top() - 3), QPointF(x, groove.bottom() + 3))
            then = moment_of(self._zone.shift(ms))
            box = QRectF(x - 40, 0, 80, groove.top() - 3)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), f"{then.day} {month_name(then.month)}")

    def _draw_alerts(self, painter: QPainter, groove: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._tokens.warn))
        top = groove.bottom() + 2
        drawn = -1
        for ms in self._alerts:
            x = self.x_of(ms)
            if round(x) == drawn:
                continue  # thousands of alerts are no thousand triangles
            drawn = round(x)
            painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x - 3, top + 6), QPointF(x + 3, top + 6)]))
