"""Draw the hedge ratios of a bench over its bars: one line a method, the chosen one with its band."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.items import shade
from quantdesk.ui.charts.state import ChartState, Tag
from quantdesk.ui.charts.ticks import number, stamp_text, time_ticks, value_ticks
from quantdesk.ui.charts.timeline import TimeLine
from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.evidence_shapes import thinned
from quantdesk.ui.hedge_bench_rows import beta_text
from quantdesk.ui.theme_tokens import Tokens

_HEAD, _FOOT, _PAD = 24, 20, 8
_VALUE_SPACING, _TIME_SPACING = 30.0, 84.0
#: A line that would stretch the axis by more than this leaves it instead of flattening the others.
_FLATTENING = 4.0
_HANDLE = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Escape}


@dataclass(frozen=True, slots=True, eq=False)
class BetaLine:
    """Hold one method's path over n bars (NaN = none), its band and its look."""

    name: str
    path: FloatArray
    lower: FloatArray
    upper: FloatArray
    color: str
    adopted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class BetaPaths:
    """Hold what the chart shows: lines over the bars at ``times``, the first ``formation`` of them fitted on."""

    times: IntArray
    formation: int
    lines: tuple[BetaLine, ...]
    chosen: int = -1


class BetaChart(QWidget):
    """Paint the paths of a bench; the pointer or the arrow keys read a bar."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hedge_bench_chart")
        self.setAccessibleName(self.tr("Hedge ratios over time"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._state = ChartState(tokens, self.font())
        self._axis = 56.0
        self._limits = (0.0, 1.0)
        self.paths: BetaPaths | None = None
        self.cursor_row: int | None = None

    def sizeHint(self) -> QSize:
        """Ask for a third of a wide dock."""
        return QSize(420, 200)

    def minimumSizeHint(self) -> QSize:
        """Fit a narrow dock."""
        return QSize(220, 130)

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._state.tokens = tokens
        self.update()

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._state.chosen_zone = zone
        self.setAccessibleDescription(self.reading())
        self.update()

    @property
    def _zone(self) -> Zone:
        paths = self.paths
        return self._state.chosen_zone.of_bars(0 if paths is None else TimeLine(paths.times).step_ms)

    def show_paths(self, paths: BetaPaths | None) -> None:
        """Show other paths, or none."""
        self.paths = paths
        if paths is None or (self.cursor_row is not None and self.cursor_row >= len(paths.times)):
            self.cursor_row = None
        self._limits = (0.0, 1.0) if paths is None else limits_of(paths)
        self.setAccessibleDescription(self.reading())
        self.update()

    def reading(self) -> str:
        """Return the bar under the crosshair, else the newest, with the chosen ratio and its band, then the rest."""
        paths = self.paths
        if paths is None or not len(paths.times):
            return ""
        row = len(paths.times) - 1 if self.cursor_row is None else self.cursor_row
        order = sorted(range(len(paths.lines)), key=lambda place: place != paths.chosen)
        words = [stamp_text(int(paths.times[row]), TimeLine(paths.times).step_ms, self._zone)]
        for place in order:
            line = paths.lines[place]
            text = f"{line.name} {beta_text(float(line.path[row]))}"
            low, high = float(line.lower[row]), float(line.upper[row])
            if place == paths.chosen and math.isfinite(high - low):
                text += f" ({beta_text(low)} … {beta_text(high)})"
            words.append(text)
        return "  ·  ".join(words)

    @property
    def plot(self) -> QRectF:
        """Return the pixels of the plot."""
        return QRectF(0, _HEAD, max(1.0, self.width() - self._axis), max(1.0, self.height() - _HEAD - _FOOT))

    # -- painting ---------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the reading, the plot and the axes."""
        state = self._state
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(state.tokens.panel))
            if self.paths is not None and len(self.paths.times):
                painter.setFont(state.font)
                painter.setPen(QColor(state.tokens.text_dim if self.cursor_row is None else state.tokens.text))
                room = self.width() - 2 * _PAD
                words = state.metrics.elidedText(self.reading(), Qt.TextElideMode.ElideRight, room)
                painter.drawText(QPointF(_PAD, 5 + state.metrics.ascent()), words)
                self._chart(painter, self.paths)
            if self.hasFocus():
                painter.setPen(QPen(QColor(state.tokens.accent), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def _chart(self, painter: QPainter, paths: BetaPaths) -> None:
        state = self._state
        ticks = value_ticks(*self._limits, self.plot.height(), _VALUE_SPACING)
        texts = [number(float(value), ticks.decimals) for value in ticks.values]
        newest = self._newest(paths)
        name = self._zone.name(int(paths.times[-1]))
        words = [*texts, *(tag.text for tag in newest), name]
        widest = max(state.metrics.horizontalAdvance(text) for text in words)
        self._axis = math.ceil(widest + 2 * overlay.AXIS_PAD)
        plot = self.plot
        labels = [(self._y(float(value)), text) for value, text in zip(ticks.values, texts, strict=True)]
        times = time_ticks(TimeLine(paths.times), -0.5, len(paths.times) - 0.5, plot.width(), _TIME_SPACING, self._zone)
        overlay.paint_grid(painter, state, plot, [(self._x(t.x), t.major) for t in times], [y for y, _ in labels])
        painter.save()
        painter.setClipRect(plot)
        edge = self._x(paths.formation - 0.5)
        painter.fillRect(QRectF(0, plot.top(), edge, plot.height()), shade(state.tokens.accent, 0.07))
        painter.fillRect(
            QRectF(edge, plot.top(), overlay.hairline(painter), plot.height()), shade(state.tokens.accent, 0.3)
        )
        note = QPointF(5, plot.bottom() - 5)
        if state.small_metrics.horizontalAdvance(self.tr("formation")) + 8 < edge:
            overlay.paint_note(painter, state, note, self.tr("formation"), state.tokens.text_dim)
        self._lines(painter, paths)
        painter.restore()
        taken = [overlay.tag_middle(plot, self._y(tag.value)) for tag in newest]
        overlay.paint_value_axis(painter, state, plot, self._axis, labels, taken)
        overlay.paint_tags(painter, state, plot, self._axis, newest, self._y)
        cursor = None if self.cursor_row is None else self._x(self.cursor_row)
        overlay.paint_crosshair(painter, state, plot, cursor, None)
        overlay.paint_foot(painter, state, plot, self.width(), [(self._x(t.x), t.label) for t in times], name)

    def _newest(self, paths: BetaPaths) -> list[Tag]:
        """Return the tag of the chosen method's newest ratio."""
        if not 0 <= paths.chosen < len(paths.lines):
            return []
        line = paths.lines[paths.chosen]
        there = line.path[np.isfinite(line.path)]
        color = getattr(self._state.tokens, line.color)
        return [Tag(float(there[-1]), beta_text(float(there[-1])), color)] if len(there) else []

    def _lines(self, painter: QPainter, paths: BetaPaths) -> None:
        tokens = self._state.tokens
        places = sorted(range(len(paths.lines)), key=lambda place: (place == paths.chosen, paths.lines[place].adopted))
        for place in places:
            line = paths.lines[place]
            color = QColor(getattr(tokens, line.color))
            if place == paths.chosen:
                self._band(painter, line, shade(color.name(), 0.16))
            wide = 2.6 if line.adopted else 1.7 if place == paths.chosen else 1.2
            pen = QPen(color if line.adopted or place == paths.chosen else shade(color.name(), 0.75), wide)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for x, y in self._pieces(line.path, "both"):
                painter.drawPolyline(pg.functions.arrayToQPolygonF(x, y))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _band(self, painter: QPainter, line: BetaLine, color: QColor) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        known = np.isfinite(line.lower) & np.isfinite(line.upper)
        upper = self._pieces(np.where(known, line.upper, np.nan), "high")
        lower = self._pieces(np.where(known, line.lower, np.nan), "low")
        for (x, top), (_, foot) in zip(upper, lower, strict=True):
            around = pg.functions.arrayToQPolygonF(np.r_[x, x[::-1]], np.r_[top, foot[::-1]])
            painter.drawPolygon(around)

    def _pieces(self, values: FloatArray, which: str) -> list[tuple[FloatArray, FloatArray]]:
        """Return the pixels of each stretch without a hole."""
        assert self.paths is not None
        rows, shown = thinned(values, int(self.plot.width()), which)
        finite = np.isfinite(shown)
        edges = np.flatnonzero(np.diff(np.r_[False, finite, False].astype(np.int8))).tolist()
        x = (rows + 0.5) / len(self.paths.times) * self.plot.width()
        y = self._ys(shown)
        return [(x[a:b].copy(), y[a:b].copy()) for a, b in zip(edges[::2], edges[1::2], strict=True)]

    def _x(self, row: float) -> float:
        assert self.paths is not None
        return (row + 0.5) / len(self.paths.times) * self.plot.width()

    def _y(self, value: float) -> float:
        return float(self._ys(np.array([value]))[0])

    def _ys(self, values: FloatArray) -> FloatArray:
        low, high = self._limits
        plot = self.plot
        with np.errstate(all="ignore"):
            return np.asarray(plot.bottom() - 3 - (values - low) / (high - low) * (plot.height() - 6), np.float64)

    # -- events -----------------------------------------------------------------------------

    def _point(self, row: int | None) -> None:
        self.cursor_row = row
        self.setAccessibleDescription(self.reading())
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the bar under the pointer."""
        if self.paths is None or not len(self.paths.times):
            return
        x, count = event.position().x(), len(self.paths.times)
        inside = x <= self.plot.right()
        self._point(min(max(int(x / self.plot.width() * count), 0), count - 1) if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        """Take the crosshair away."""
        self._point(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the crosshair away."""
        super().focusOutEvent(event)
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair by arrows, Home and End; Escape takes it away."""
        key = Qt.Key(event.key())
        if self.paths is None or key not in _HANDLE or (key == Qt.Key.Key_Escape and self.cursor_row is None):
            super().keyPressEvent(event)
            return
        last = len(self.paths.times) - 1
        now = last if self.cursor_row is None else self.cursor_row
        far = max(1, round(last / 50)) if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1
        places: dict[Qt.Key, int | None] = {
            Qt.Key.Key_Left: max(0, now - far),
            Qt.Key.Key_Right: min(last, now + far),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        self._point(places.get(key))

    def event(self, event: QEvent) -> bool:
        """Claim Home and End, which the window uses, while the chart has the focus."""
        own = (Qt.Key.Key_Home, Qt.Key.Key_End)
        claims = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if claims and isinstance(event, QKeyEvent) and event.key() in own:
            event.accept()
            return True
        return super().event(event)


def limits_of(paths: BetaPaths) -> tuple[float, float]:
    """Return the ends of the axis: the chosen line with its band, the adopted one, others that do not flatten them."""
    order = sorted(range(len(paths.lines)), key=lambda place: (place != paths.chosen, not paths.lines[place].adopted))
    low = high = math.nan
    for place in order:
        line = paths.lines[place]
        columns = (line.path, line.lower, line.upper) if place == paths.chosen else (line.path,)
        values = np.concatenate(columns)
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        one, other = float(values.min()), float(values.max())
        if math.isnan(low):
            low, high = one, other
        elif line.adopted or max(high, other) - min(low, one) <= max(_FLATTENING * (high - low), 0.02 * abs(high)):
            low, high = min(low, one), max(high, other)
    if math.isnan(low):
        return 0.0, 1.0
    room = 0.06 * (high - low) or 0.01 * abs(high) or 1.0
    return low - room, high + room
