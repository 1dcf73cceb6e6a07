"""Paint columns in whole device pixels: candles, volume, lines, bands, shaded spans and marks.

Every item paints only the cut that is visible, which its panel takes before each frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from quantdesk.ui.charts.pyramid import FAN, LINE, Cut, FloatArray, Pyramid
from quantdesk.ui.charts.rects import Columns, Rects, premultiplied

#: Above this many points a line is drawn as pixel columns, which cost a tenth of smooth strokes.
SMOOTH_POINTS = 2_500
#: Rows of one step of the pyramid over which extremes are looked up.
_BLOCK = FAN**4
#: From this many translucent rectangles on, one image is cheaper.
MANY_COLUMNS = 12

#: What is lower than this is drawn as this on a logarithmic scale.
_LEAST = 1e-300

#: The x and y pixels of a stretch of a line without a gap.
Run = tuple[FloatArray, FloatArray]


class Part(Enum):
    """Say what of the visible rows is painted: all, those whose bars have closed, or those that still form."""

    ALL = "all"
    CLOSED = "closed"
    FORMING = "forming"


def shade(color: str, alpha: float) -> QColor:
    """Return a token's colour, translucent."""
    out = QColor(color)
    out.setAlphaF(alpha)
    return out


class Canvas:
    """Map rows and values to device pixels of one paint."""

    def __init__(self, painter: QPainter, *, log: bool = False, factor: float = 1.0) -> None:
        self._log, self._factor = log, factor
        transform = painter.worldTransform()
        self.ratio = painter.device().devicePixelRatioF()
        self._scale_x, self._shift_x = transform.m11() * self.ratio, transform.dx() * self.ratio
        self._scale_y, self._shift_y = transform.m22() * self.ratio, transform.dy() * self.ratio
        self.spacing = self._scale_x
        #: Where rows and values come to stand: equal places, equal pixels.
        self.place = (self._scale_x, self._shift_x, self._scale_y, self._shift_y, self.ratio, log, factor)
        #: One logical pixel, whole in device pixels.
        self.unit = max(1, round(self.ratio))
        painter.resetTransform()
        painter.scale(1 / self.ratio, 1 / self.ratio)

    def x(self, rows: FloatArray) -> FloatArray:
        """Return device x of rows."""
        return rows * self._scale_x + self._shift_x

    def y(self, values: FloatArray) -> FloatArray:
        """Return device y of data, kept within what the rasteriser can take."""
        if self._factor != 1.0:
            values = values * self._factor
        if self._log:
            values = np.log10(np.maximum(values, _LEAST))
        return np.clip(values * self._scale_y + self._shift_y, -1e5, 1e5)

    def slots(self, cut: Cut) -> tuple[FloatArray, FloatArray]:
        """Return left edge and width of each group's pixels; neighbours touch and never overlap."""
        edges = cut.start - 0.5 + np.arange(cut.size + 1, dtype=np.float64) * cut.group
        pixels = np.floor(self.x(edges))
        return pixels[:-1], np.maximum(np.diff(pixels), 1)

    def row(self, row: float) -> float:
        """Return device x of one row."""
        return row * self._scale_x + self._shift_x

    def value(self, value: float) -> float:
        """Return device y of one of the plot's own coordinates: with a logarithmic scale, of a logarithm."""
        return min(max(value * self._scale_y + self._shift_y, -1e5), 1e5)

    def rect(self, area: QRectF) -> QRect:
        """Return the device pixels of an area of rows and values, whose ``bottom`` is its highest value."""
        left, right = self.row(area.left()), self.row(area.right())
        top, foot = self.value(area.bottom()), self.value(area.top())
        return QRectF(left, top, right - left, foot - top).toAlignedRect()


class ChartItem(pg.GraphicsObject):
    """Paint within the whole plot area; what is data is announced by ``dataBounds``.

    ``part`` of the rows is painted; ``closed`` is the first row that still forms.
    """

    #: Whether anything is painted at rows that still form; what has nothing there is painted with the closed ones.
    forms = True

    def __init__(self) -> None:
        super().__init__()
        self.part, self.closed = Part.ALL, 0
        self._area = QRectF(0, 0, 1, 1)
        self._rects = Rects()
        self._blended = Columns()
        self._canvas: Canvas | None = None
        #: Data are drawn times ``factor``, and ``log``: at their decimal logarithm.
        self.log, self.factor = False, 1.0

    def set_area(self, area: QRectF) -> None:
        """Take the visible range of the plot as bounds."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area

    def boundingRect(self) -> QRectF:
        """Return the plot area: a pixel-wide bar must not be culled at the edge."""
        return self._area

    def take(self, first: int, last: int, rows_per_pixel: float) -> None:
        """Cut out what is visible: rows first..last inclusive."""

    def limits(self) -> tuple[float, float] | None:
        """Return lowest and highest visible value, if any."""
        return None

    def under(self) -> tuple[object, ...]:
        """Return what, beside its closed rows, decides how they look: another one repaints them."""
        return self.log, self.factor

    def parted(self, cut: Cut, joined: int = 0) -> Cut:
        """Return the groups of a cut that are painted; ``joined`` closed ones lead to those that form."""
        if self.part is Part.ALL:
            return cut
        first = min(max(0, (self.closed - cut.start) // cut.group), cut.size)
        return cut.part(0, first) if self.part is Part.CLOSED else cut.part(max(0, first - joined), cut.size)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Paint in device pixels."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._canvas = canvas = Canvas(painter, log=self.log, factor=self.factor)
        self.draw(painter, canvas)
        painter.restore()

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Paint the cut; the painter's unit is a device pixel."""

    def fill(
        self,
        painter: QPainter,
        brush: QColor | QBrush,
        x: FloatArray,
        y: FloatArray,
        width: FloatArray | float,
        height: FloatArray | float,
    ) -> None:
        """Fill n rectangles of whole device pixels in one call; translucent ones must not overlap."""
        if len(x) == 0:
            return
        if len(x) >= MANY_COLUMNS and isinstance(brush, QColor) and brush.alpha() < 255:
            assert self._canvas is not None
            sides, ends = (x, x + width), (y, y + height)
            self._blended.put(self._canvas.rect(self._area), sides, ends, premultiplied(brush))
            self._blended.paint(painter)
            return
        self._rects.put(x, y, width, height)
        self._rects.paint(painter, brush)


def extremes(low: FloatArray, high: FloatArray) -> tuple[float, float] | None:
    """Return the lowest low and highest high of the rows that have both."""
    finite = np.isfinite(low) & np.isfinite(high)
    if not finite.any():
        return None
    return float(low[finite].min()), float(high[finite].max())


def bar_width(spacing: float, unit: int) -> int:
    """Return the body's device pixels: four fifths of the spacing, of the wick's parity."""
    width = max(unit, int(spacing * 0.8))
    if spacing >= 3 * unit:
        width = max(width, 3 * unit)  # a body must differ from its wick
    if width > unit and (width - unit) % 2:
        width -= 1
    return width


class LineItem(ChartItem):
    """Paint one series; NaN is a gap, and a lone value between gaps a dot."""

    def __init__(self, *, fits: bool = True, style: Qt.PenStyle = Qt.PenStyle.SolidLine, smooth: bool = True) -> None:
        super().__init__()
        self.pyramid = Pyramid(LINE)
        self._lines = PrimitiveArray(QLineF, 4)
        self.color = QColor("#000000")
        #: Beyond ±level the line takes this colour.
        self.beyond_color = QColor("#000000")
        self.level: float | None = None
        #: Rows at which the line starts anew, ascending.
        self.breaks: Sequence[int] = ()
        self.cut: Cut | None = None
        #: A line that is not shown is not fitted to either.
        self.shown = True
        self._fits, self._style, self._antialias = fits, style, smooth

    def take(self, first: int, last: int, rows_per_pixel: float) -> None:
        """Cut out the visible values, one more on either side so that the line runs out of view."""
        dense = rows_per_pixel > 1 or (last - first) > SMOOTH_POINTS
        self.cut = self.pyramid.cut(first - 1, last + 1, rows_per_pixel if dense else 0)

    def limits(self) -> tuple[float, float] | None:
        """Return the lowest and highest visible value."""
        found = (
            extremes(self.cut.columns["low"], self.cut.columns["high"])
            if self.cut and self._fits and self.shown
            else None
        )
        return None if found is None else (found[0] * self.factor, found[1] * self.factor)

    def dataBounds(self, ax: int, frac: float = 1.0, orthoRange: object = None) -> tuple[float, float] | None:  # noqa: N803 (pyqtgraph's name)
        """Announce the span of all data, as pyqtgraph asks for it."""
        if not len(self.pyramid):
            return None
        if ax == 0:
            return -0.5, len(self.pyramid) - 0.5
        return extremes(self.pyramid.column("value"), self.pyramid.column("value"))

    def between(self, first: int, stop: int) -> tuple[float, float] | None:
        """Return the lowest and highest value of rows first..stop-1; of a million a few thousand are read."""
        values, inner = self.pyramid.column("value"), slice(-(-first // _BLOCK) * _BLOCK, stop // _BLOCK * _BLOCK)
        if stop - first <= 2 * _BLOCK:
            return extremes(values[first:stop], values[first:stop])
        cut = self.pyramid.cut(inner.start, inner.stop - 1, _BLOCK)
        ends = values[first : inner.start], values[inner.stop : stop]
        return extremes(np.concatenate([*ends, cut.columns["low"]]), np.concatenate([*ends, cut.columns["high"]]))

    def under(self) -> tuple[object, ...]:
        """Return what decides how the closed rows look: also whether they are shown, and strokes or columns."""
        return *super().under(), self.shown, self._smooth()

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Paint the line, and its part beyond the level once more in that colour."""
        cut = None if self.cut is None else self.parted(self.cut, joined=1)
        if cut is None or cut.size == 0 or not self.shown:
            return
        # Where the line is dense it is drawn as columns.
        runs = self._runs(cut, canvas, whole=not self._antialias) if self._smooth() else None
        self._stroke(painter, canvas, self.color, cut, runs)
        found = extremes(cut.columns["low"], cut.columns["high"])
        if self.level is None or found is None:
            return
        left, right = canvas.row(self._area.left()), canvas.row(self._area.right())
        low, high = canvas.value(self._area.top()), canvas.value(self._area.bottom())
        upper, lower = canvas.value(self.level), canvas.value(-self.level)
        sides = ((found[1] > self.level, high, upper, upper), (found[0] < -self.level, lower, low, lower))
        for beyond, top, foot, edge in sides:
            if not beyond or foot - top < 1:
                continue
            painter.save()
            painter.setClipRect(QRectF(left, top, right - left, foot - top), Qt.ClipOperation.IntersectClip)
            self._flood(painter, edge, runs or ())
            self._stroke(painter, canvas, self.beyond_color, cut, runs)
            painter.restore()

    def _smooth(self) -> bool:
        return self.cut is not None and self.cut.group == 1 and self.cut.size <= SMOOTH_POINTS + 4

    def _stroke(self, painter: QPainter, canvas: Canvas, color: QColor, cut: Cut, runs: Sequence[Run] | None) -> None:
        if runs is None:
            self._columns(painter, canvas, color, cut)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, self._antialias)
        pen = QPen(color, 1.5 * canvas.ratio if self._antialias else canvas.unit)
        pen.setStyle(self._style)
        pen.setCapStyle(Qt.PenCapStyle.SquareCap if self._antialias else Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for x, y in runs:
            if len(x) == 1:
                painter.drawPoint(QPointF(x[0], y[0]))
            elif self._antialias:
                self._segments(painter, x, y)
            else:
                painter.drawPolyline(_polygon(x, y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _segments(self, painter: QPainter, x: FloatArray, y: FloatArray) -> None:
        # Stroked as one path the same line costs twenty times as much.
        self._lines.resize(len(x) - 1)
        memory = self._lines.ndarray()
        memory[:, 0], memory[:, 1], memory[:, 2], memory[:, 3] = x[:-1], y[:-1], x[1:], y[1:]
        painter.drawLines(*self._lines.drawargs())

    def _flood(self, painter: QPainter, edge: float, runs: Sequence[Run]) -> None:
        color = QColor(self.beyond_color)
        color.setAlphaF(0.22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for x, y in runs:
            if len(x) > 1:
                painter.drawPolygon(_polygon(np.r_[x[0], x, x[-1]], np.r_[edge, y, edge]))

    def _runs(self, cut: Cut, canvas: Canvas, *, whole: bool = False) -> list[Run]:
        """Return the points of each stretch without a gap; ``whole`` puts them on pixel centres."""
        values = cut.columns["last"]
        x, y = canvas.x(cut.centres()), canvas.y(values)
        if whole:
            x, y = np.floor(x) + canvas.unit / 2, np.floor(y) + canvas.unit / 2
        finite = np.isfinite(values)
        edges = [0, len(values)]
        if not finite.all():
            edges = np.flatnonzero(np.diff(finite, prepend=False, append=False)).tolist()
        cuts, joined = self._cuts(cut), self._joined(cut)
        runs: list[Run] = []
        for a, b in zip(edges[::2], edges[1::2], strict=True):
            ends = [a, *(c for c in cuts if a < c < b), b]
            # A closed point that leads nowhere was painted with the closed ones.
            runs += [(x[i:j], y[i:j]) for i, j in pairwise(ends) if j > joined]
        return runs

    def _joined(self, cut: Cut) -> int:
        """Return how many groups of the part that forms have closed and only lead to it."""
        return int(self.part is Part.FORMING and cut.start < self.closed // cut.group * cut.group)

    def _cuts(self, cut: Cut) -> list[int]:
        """Return the groups of the cut that begin, or hold, a break."""
        places = ((row - cut.start) // cut.group for row in self.breaks)
        return [place for place in places if 0 <= place < cut.size]

    def _columns(self, painter: QPainter, canvas: Canvas, color: QColor, cut: Cut) -> None:
        """Fill one column a pixel from low to high, joined to where the one before ended."""
        columns = cut.columns
        before = np.roll(columns["last"], 1)
        before[0] = np.nan
        before[self._cuts(cut)] = np.nan
        high, low = np.fmax(columns["high"], before), np.fmin(columns["low"], before)
        there = np.isfinite(columns["last"])
        there[: self._joined(cut)] = False
        left, width = canvas.slots(cut)
        top, foot = np.rint(canvas.y(high[there])), np.rint(canvas.y(low[there]))
        if self._style != Qt.PenStyle.SolidLine:
            color = shade(color.name(), 0.75)
        self.fill(painter, color, left[there], top, width[there], np.maximum(foot - top, canvas.unit))


def _polygon(x: FloatArray, y: FloatArray) -> QPolygonF:
    return pg.functions.arrayToQPolygonF(np.ascontiguousarray(x), np.ascontiguousarray(y))


class BandItem(ChartItem):
    """Shade between two lines."""

    def __init__(self, upper: LineItem, lower: LineItem) -> None:
        super().__init__()
        self.color = QColor("#000000")
        self._upper, self._lower = upper, lower

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Fill from bar to bar; equal neighbours make one rectangle."""
        if self._upper.cut is None or self._lower.cut is None:
            return
        upper, lower = self.parted(self._upper.cut), self.parted(self._lower.cut)
        if upper.size == 0 or upper.size != lower.size:
            return
        high, low = upper.columns["high"], lower.columns["low"]
        changes = np.flatnonzero((high[1:] != high[:-1]) | (low[1:] != low[:-1])) + 1
        starts = np.r_[0, changes]
        ends = np.r_[changes, upper.size]
        there = np.isfinite(high[starts]) & np.isfinite(low[starts])
        starts, ends = starts[there], ends[there]
        edge = upper.start - 0.5
        left = np.rint(canvas.x(edge + starts * upper.group))
        right = np.rint(canvas.x(edge + ends * upper.group))
        top, foot = np.rint(canvas.y(high[starts])), np.rint(canvas.y(low[starts]))
        self.fill(painter, self.color, left, top, right - left, foot - top)
