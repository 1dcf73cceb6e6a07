"""Paint one small chart of the evidence: a line over bars, with a band, bounds, a mark and a strip of classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.bars.arrays import FloatArray
from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.items import shade
from quantdesk.ui.charts.state import ChartState, Tag
from quantdesk.ui.charts.ticks import (
    DAY,
    MINUTE,
    ValueTicks,
    decimals_for,
    moment_of,
    month_name,
    number,
    time_ticks,
    value_ticks,
)
from quantdesk.ui.charts.timeline import TimeLine
from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.evidence_shapes import Drawing, runs_of, thinned
from quantdesk.ui.theme_tokens import Tokens

_HEIGHT, _HEAD, _FOOT, _PAD, _STRIP = 168, 42, 20, 8, 9
_VALUE_SPACING, _TIME_SPACING = 20.0, 76.0


class EvidenceChart(QWidget):
    """Paint a drawing and read it out under the pointer or by the arrow keys.

    ``pointed(row)`` when the crosshair moves, -1 when it leaves.
    """

    pointed = Signal(int)

    def __init__(self, name: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"evidence_{name}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._state = ChartState(tokens, self.font())
        self._title = name
        self._empty = ""
        self._axis = 56.0
        self.drawing: Drawing | None = None
        self.cursor_row: int | None = None

    def sizeHint(self) -> QSize:
        """Ask for a low, wide chart."""
        return QSize(300, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Fit a narrow dock."""
        return QSize(220, _HEIGHT)

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._state.tokens = tokens
        self.update()

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._state.chosen_zone = zone
        self.update()

    def show_drawing(self, drawing: Drawing | None, title: str, empty: str = "") -> None:
        """Show another drawing; without one, the words of ``empty``."""
        self.drawing, self._title, self._empty = drawing, title, empty
        if drawing is None or (self.cursor_row is not None and self.cursor_row >= len(drawing.times)):
            self.cursor_row = None
        self.setAccessibleName(title)
        self.setAccessibleDescription(empty if drawing is None else drawing.summary)
        self.update()

    def set_cursor_row(self, row: int) -> None:
        """Put the crosshair on a row, -1 takes it away; tells nobody."""
        count = 0 if self.drawing is None else len(self.drawing.times)
        self.cursor_row = row if 0 <= row < count else None
        self.update()

    def reading(self) -> str:
        """Return the values of the row under the crosshair, else of the last one, with its time."""
        drawing = self.drawing
        if drawing is None:
            return ""
        row = len(drawing.times) - 1 if self.cursor_row is None else self.cursor_row
        moment, step = moment_of(self._zone.shift(int(drawing.times[row]))), TimeLine(drawing.times).step_ms
        day = f"{moment.day} {month_name(moment.month)}"
        time = f"{day} {moment.year}" if step >= DAY else f"{day} {moment:%H:%M:%S}" if step < MINUTE else ""
        return f"{drawing.read(row)} · {time or f'{day} {moment:%H:%M}'}"

    def axis_need(self) -> float:
        """Return the width that the labels of the value axis need."""
        if self.drawing is None:
            return 0.0
        texts = [text for _, text in self._labels()] + [guide.label for guide in self.drawing.guides]
        texts.append(self._zone_name)
        return max((self._state.metrics.horizontalAdvance(t) for t in texts), default=24.0) + 2 * overlay.AXIS_PAD

    def set_axis_width(self, width: float) -> None:
        """Leave so much room for the axis: the same in all charts, so that their bars stand below one another."""
        self._axis = math.ceil(width)
        self.update()

    @property
    def _zone(self) -> Zone:
        drawing = self.drawing
        return self._state.chosen_zone.of_bars(0 if drawing is None else TimeLine(drawing.times).step_ms)

    @property
    def _zone_name(self) -> str:
        drawing = self.drawing
        return self._zone.name(0 if drawing is None or not len(drawing.times) else int(drawing.times[-1]))

    # -- geometry ---------------------------------------------------------------------------

    @property
    def plot(self) -> QRectF:
        """Return the pixels of the plot."""
        return QRectF(0, _HEAD, max(1.0, self.width() - self._axis), max(1.0, self.height() - _HEAD - _FOOT))

    def x_of(self, row: float) -> float:
        """Return the pixel of a row's middle."""
        assert self.drawing is not None
        return (row + 0.5) / len(self.drawing.times) * self.plot.width()

    def row_at(self, x: float) -> int:
        """Return the row at a pixel."""
        assert self.drawing is not None
        count = len(self.drawing.times)
        return min(max(int(x / self.plot.width() * count), 0), count - 1)

    def y_of(self, value: float) -> float:
        """Return the pixel of a value, inside the plot."""
        return float(self._ys(np.array([value]))[0])

    def _ys(self, values: FloatArray) -> FloatArray:
        assert self.drawing is not None
        low, high = self.drawing.limits
        plot = self.plot
        with np.errstate(all="ignore"):
            if self.drawing.log:
                low, high, values = math.log10(low), math.log10(high), np.log10(values)
            share = np.clip((values - low) / (high - low), 0.0, 1.0)
        strip = _STRIP + 2 if self.drawing.strip is not None else 0
        return np.asarray(plot.bottom() - 2 - strip - share * (plot.height() - 4 - strip), np.float64)

    # -- painting ---------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint title, reading, plot and axes."""
        state = self._state
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(state.tokens.panel))
            self._head(painter)
            if self.drawing is None:
                overlay.paint_empty(painter, state, QRectF(0, 0, self.width(), self.height()), self._empty)
            else:
                self._chart(painter, self.drawing)
            if self.hasFocus():
                painter.setPen(QPen(QColor(state.tokens.accent), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _head(self, painter: QPainter) -> None:
        state, room = self._state, self.width() - 2 * _PAD
        painter.setFont(state.bold)
        painter.setPen(QColor(state.tokens.text))
        base = 4 + state.bold_metrics.ascent()
        painter.drawText(
            QPointF(_PAD, base), state.bold_metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        )
        self._legend(painter, _PAD + state.bold_metrics.horizontalAdvance(self._title) + 14, base)
        painter.setFont(state.font)
        painter.setPen(QColor(state.tokens.text_dim if self.cursor_row is None else state.tokens.text))
        words = state.metrics.elidedText(self.reading(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(_PAD, base + state.metrics.height() + 1), words)

    def _legend(self, painter: QPainter, x: float, base: float) -> None:
        """Name the classes of the strip where all of them have room."""
        state, classes = self._state, () if self.drawing is None else self.drawing.classes
        widths = [22 + state.small_metrics.horizontalAdvance(kind.words) for kind in classes]
        if x + sum(widths) > self.width():
            return
        painter.setFont(state.small)
        for kind, wide in zip(classes, widths, strict=True):
            painter.fillRect(QRectF(x, base - 8, 8, 8), shade(getattr(state.tokens, kind.color), kind.alpha))
            painter.setPen(QColor(state.tokens.text_dim))
            painter.drawText(QPointF(x + 12, base), kind.words)
            x += wide

    def _chart(self, painter: QPainter, drawing: Drawing) -> None:
        state = self._state
        labels, plot = self._labels(), self.plot
        ticks = time_ticks(
            TimeLine(drawing.times), -0.5, len(drawing.times) - 0.5, plot.width(), _TIME_SPACING, self._zone
        )
        overlay.paint_grid(painter, state, plot, [(self.x_of(t.x), t.major) for t in ticks], [y for y, _ in labels])
        painter.save()
        painter.setClipRect(plot)
        self._band(painter, drawing)
        self._strip(painter, drawing)
        for guide in drawing.guides:
            y, color = self.y_of(guide.value), QColor(getattr(state.tokens, guide.color))
            overlay.dotted(painter, color, QPointF(plot.left(), y), QPointF(plot.right(), y), (2, 3))
        self._line(painter, drawing)
        self._mark(painter, drawing)
        painter.restore()
        self._axes(painter, drawing, labels, [(self.x_of(t.x), t.label) for t in ticks])

    def _axes(
        self,
        painter: QPainter,
        drawing: Drawing,
        labels: Sequence[tuple[float, str]],
        times: Sequence[tuple[float, str]],
    ) -> None:
        state, plot = self._state, self.plot
        tags = [Tag(g.value, g.label, getattr(state.tokens, g.color)) for g in drawing.guides if g.label]
        taken = [overlay.tag_middle(plot, self.y_of(tag.value)) for tag in tags]
        overlay.paint_value_axis(painter, state, plot, self._axis, labels, taken)
        overlay.paint_tags(painter, state, plot, self._axis, tags, self.y_of)
        cursor = None if self.cursor_row is None else self.x_of(self.cursor_row)
        value = math.nan if self.cursor_row is None else float(drawing.values[self.cursor_row])
        overlay.paint_crosshair(painter, state, plot, cursor, self.y_of(value) if math.isfinite(value) else None)
        overlay.paint_foot(painter, state, plot, self.width(), times, self._zone_name)

    def _labels(self) -> list[tuple[float, str]]:
        assert self.drawing is not None
        low, high = self.drawing.limits
        if self.drawing.log:
            first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
            values = [10.0**power for power in range(first, last + 1)]
            return [(self.y_of(value), number(value, decimals_for(value))) for value in values]
        ticks: ValueTicks = value_ticks(low, high, self.plot.height(), _VALUE_SPACING)
        return [(self.y_of(float(value)), number(float(value), ticks.decimals)) for value in ticks.values]

    def _line(self, painter: QPainter, drawing: Drawing) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(getattr(self._state.tokens, drawing.color)), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        rows, values = thinned(drawing.values, int(self.plot.width()))
        for start, stop in runs_of(values):
            if stop - start == 1:
                painter.drawPoint(QPointF(self.x_of(float(rows[start])), self.y_of(float(values[start]))))
            else:
                painter.drawPolyline(self._polygon(rows[start:stop], values[start:stop]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _band(self, painter: QPainter, drawing: Drawing) -> None:
        if drawing.lower is None or drawing.upper is None:
            return
        width = int(self.plot.width())
        rows, upper = thinned(drawing.upper, width, which="high")
        _, lower = thinned(drawing.lower, width, which="low")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade(self._state.tokens.band, 0.45))
        for start, stop in runs_of(np.where(np.isfinite(lower), upper, np.nan)):
            around = np.r_[rows[start:stop], rows[start:stop][::-1]]
            painter.drawPolygon(self._polygon(around, np.r_[upper[start:stop], lower[start:stop][::-1]]))

    def _strip(self, painter: QPainter, drawing: Drawing) -> None:
        if drawing.strip is None:
            return
        plot, kinds = self.plot, drawing.strip
        edges = np.flatnonzero(np.r_[True, kinds[1:] != kinds[:-1]]).tolist()
        for start, stop in zip(edges, [*edges[1:], len(kinds)], strict=True):
            if kinds[start] >= 0:
                kind = drawing.classes[int(kinds[start])]
                left, right = self.x_of(start - 0.5), self.x_of(stop - 0.5)
                box = QRectF(left, plot.bottom() - _STRIP - 1, max(1.0, right - left), _STRIP)
                painter.fillRect(box, shade(getattr(self._state.tokens, kind.color), kind.alpha))

    def _mark(self, painter: QPainter, drawing: Drawing) -> None:
        if drawing.mark is None:
            return
        row, words = drawing.mark
        state, plot, x = self._state, self.plot, self.x_of(row)
        color = state.tokens.error
        overlay.dotted(painter, QColor(color), QPointF(x, plot.top()), QPointF(x, plot.bottom()), (4, 2))
        wide = state.small_metrics.horizontalAdvance(words)
        left = x + 4 if x + 6 + wide < plot.right() else x - 4 - wide
        overlay.paint_note(painter, state, QPointF(left, plot.top() + state.small_metrics.ascent() + 2), words, color)

    def _polygon(self, rows: FloatArray, values: FloatArray) -> QPolygonF:
        assert self.drawing is not None
        x = (rows + 0.5) / len(self.drawing.times) * self.plot.width()
        made: QPolygonF = pg.functions.arrayToQPolygonF(np.ascontiguousarray(x), self._ys(values))
        return made

    # -- events -----------------------------------------------------------------------------

    def _point(self, row: int) -> None:
        self.set_cursor_row(row)
        if self.drawing is not None and row >= 0:
            self.setAccessibleDescription(f"{self.drawing.summary} {self.reading()}")
        self.pointed.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the row under the pointer."""
        if self.drawing is not None:
            inside = event.position().x() <= self.plot.right()
            self._point(self.row_at(event.position().x()) if inside else -1)

    def leaveEvent(self, event: QEvent) -> None:
        """Take the crosshair away."""
        self._point(-1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the crosshair away."""
        super().focusOutEvent(event)
        self._point(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair by arrows, Home and End; Escape takes it away."""
        drawing = self.drawing
        if drawing is None:
            super().keyPressEvent(event)
            return
        last = len(drawing.times) - 1
        now = last if self.cursor_row is None else self.cursor_row
        far = max(1, round(last / 50)) if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1
        places = {
            Qt.Key.Key_Left: max(0, now - far),
            Qt.Key.Key_Right: min(last, now + far),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
            Qt.Key.Key_Escape: -1,
        }
        key = Qt.Key(event.key())
        if key in places and (key != Qt.Key.Key_Escape or self.cursor_row is not None):
            self._point(places[key])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Claim Home and End, which the window uses, while the chart has the focus."""
        own = (Qt.Key.Key_Home, Qt.Key.Key_End)
        claims = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if claims and isinstance(event, QKeyEvent) and event.key() in own:
            event.accept()
            return True
        return super().event(event)
