"""Draw the one time axis below all panels."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.gestures import WHEEL_FACTOR
from quantdesk.ui.charts.state import ChartState, ink_on
from quantdesk.ui.charts.ticks import stamp_text

HEIGHT = 26


class TimeAxis(QWidget):
    """Label the rows with times; dragging it zooms, a double click shows the first view again."""

    zoomed = Signal(float)
    zoomed_at = Signal(float, float)  # factor, row
    reset = Signal()

    def __init__(self, state: ChartState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chart_time_axis")
        self.setAccessibleName(self.tr("Time axis (UTC)"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._state = state
        self._axis_width = 64.0
        self._last: QPointF | None = None

    def sizeHint(self) -> QSize:
        """Ask for one line of text."""
        return QSize(640, HEIGHT)

    def set_axis_width(self, width: float) -> None:
        """Leave the panels' margin free on the right."""
        self._axis_width = width

    @property
    def plot_width(self) -> float:
        """Return the pixels that the rows are drawn over."""
        return max(1.0, self.width() - self._axis_width)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the axis."""
        with QPainter(self) as painter:
            self.draw(painter)

    def draw(self, painter: QPainter) -> None:
        """Draw the labels, the zone's name and the crosshair's time."""
        state, tokens = self._state, self._state.tokens
        painter.fillRect(self.rect(), QColor(tokens.panel))
        painter.fillRect(QRectF(0, 0, self.width(), overlay.hairline(painter)), QColor(tokens.border))
        baseline = self.height() / 2 + state.metrics.capHeight() / 2 + 1
        tag = self._tag_box()
        view, plot = state.view, self.plot_width
        pens = QColor(tokens.text_dim), QColor(tokens.text)
        for tick in state.ticks:
            letters = state.bold_letters if tick.major else state.letters
            wide = letters.advance(tick.label)
            left = (tick.x - view.left) / view.span * plot - wide / 2
            covered = tag is not None and left < tag.right() + 4 and left + wide > tag.left() - 4
            if left >= 2 and left + wide <= plot - 2 and not covered:
                painter.setPen(pens[tick.major])
                letters.write(painter, left, baseline, tick.label)
        painter.setPen(pens[False])
        state.letters.write(painter, plot + overlay.AXIS_PAD, baseline, self._zone_name())
        if tag is not None:
            self._tag(painter, tag, baseline)

    def _zone_name(self) -> str:
        state = self._state
        return state.zone.name(int(state.line.at(len(state.line) - 1)) if len(state.line) else 0)

    def axis_need(self) -> float:
        """Return the width that the zone's name needs right of the plot."""
        return math.ceil(self._state.letters.advance(self._zone_name()) + overlay.AXIS_PAD * 2)

    def _tag_text(self) -> str:
        row = self._state.cursor_row
        if row is None or not len(self._state.line):
            return ""
        return stamp_text(int(self._state.line.at(row)), self._state.line.step_ms, self._state.zone)

    def _tag_box(self) -> QRectF | None:
        text, row = self._tag_text(), self._state.cursor_row
        if not text or row is None:
            return None
        wide = self._state.metrics.horizontalAdvance(text) + 16
        left = min(max(self._x_of(row) - wide / 2, 0.0), max(0.0, self.plot_width - wide))
        return QRectF(left, 1, wide, self.height() - 4)

    def _tag(self, painter: QPainter, box: QRectF, baseline: float) -> None:
        color = self._state.cursor_color
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(box, 2.5, 2.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setFont(self._state.font)
        painter.setPen(ink_on(color))
        painter.drawText(QPointF(box.left() + 8, baseline), self._tag_text())

    def _x_of(self, row: float) -> float:
        view = self._state.view
        return (row - view.left) / view.span * self.plot_width

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start to stretch."""
        self._last = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Stretch the bars: to the right wider."""
        if self._last is not None and event.buttons() & Qt.MouseButton.LeftButton:
            step, self._last = event.position().x() - self._last.x(), event.position()
            self.zoomed.emit(math.exp(step / max(200.0, self.plot_width) * 3))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stretch."""
        self._last = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the first view again."""
        self.reset.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer, as in the plot."""
        view = self._state.view
        row = view.left + event.position().x() / self.plot_width * view.span
        self.zoomed_at.emit(WHEEL_FACTOR ** (event.angleDelta().y() / 120), row)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Let go."""
        self._last = None
