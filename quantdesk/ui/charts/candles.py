"""Paint candles and volume."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QPainter

from quantdesk.ui.charts.items import Canvas, ChartItem, bar_width, extremes
from quantdesk.ui.charts.pyramid import OHLCV, Cut, FloatArray, Pyramid
from quantdesk.ui.charts.rects import Columns, Rects, premultiplied

_VOLUME = tuple(OHLCV).index("volume")


class CandleItem(ChartItem):
    """Paint candles and, below them, volume bars.

    The rectangles are kept: they are made anew only when another cut, place or scale is to be seen.
    """

    #: The share of the height that the highest visible volume bar takes.
    VOLUME_SHARE = 0.16

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = Pyramid(OHLCV)
        self.up = self.down = QColor("#000000")
        self.volume_up = self.volume_down = QColor("#000000")
        self._cut: Cut | None = None
        self._values: FloatArray = np.empty((len(OHLCV), 0))
        self._volume = Columns()
        self._wicks, self._bodies = (Rects(), Rects()), (Rects(), Rects())
        self._made_of: tuple[object, ...] = ()
        #: Candles that are not shown are not fitted to either.
        self.shown = True

    def take(self, first: int, last: int, rows_per_pixel: float) -> None:
        """Cut out the visible bars; what was made of a cut is kept while another holds the same."""
        cut = self.pyramid.cut(first, last, rows_per_pixel)
        # A copy: a cut may look into the pyramid itself, which the forming bar changes.
        values = np.array([cut.columns[name] for name in OHLCV])
        old = self._cut
        if old is None or (cut.start, cut.group) != (old.start, old.group) or not _same(values, self._values):
            self._cut = Cut(cut.start, cut.group, dict(zip(OHLCV, values, strict=True)))
            self._values, self._made_of = values, ()

    def limits(self) -> tuple[float, float] | None:
        """Return the visible low and high."""
        return extremes(self._cut.columns["low"], self._cut.columns["high"]) if self._cut and self.shown else None

    def dataBounds(self, ax: int, frac: float = 1.0, orthoRange: object = None) -> tuple[float, float] | None:  # noqa: N803 (pyqtgraph's name)
        """Announce the span of all data, as pyqtgraph asks for it."""
        if not len(self.pyramid):
            return None
        if ax == 0:
            return -0.5, len(self.pyramid) - 0.5
        return extremes(self.pyramid.column("low"), self.pyramid.column("high"))

    def under(self) -> tuple[object, ...]:
        """Return what decides how the closed rows look: also whether they are shown, and the largest volume."""
        return *super().under(), self.shown, self._most_volume()

    def _most_volume(self) -> float:
        return float(np.fmax.reduce(self._values[_VOLUME], initial=1e-300))

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Paint volume, wicks and bodies of both directions: five calls whatever is visible."""
        cut = None if self._cut is None else self.parted(self._cut)
        if cut is None or cut.size == 0 or not self.shown:
            return
        look = (canvas.place, canvas.rect(self._area), self.volume_up.rgba(), self.volume_down.rgba())
        made_of = (self.part, cut.start, cut.size, *look)
        if made_of != self._made_of:
            self._make(cut, canvas)
            self._made_of = made_of
        self._volume.paint(painter)
        for place, color in enumerate((self.up, self.down)):
            self._wicks[place].paint(painter, color)
            self._bodies[place].paint(painter, color)

    def _make(self, cut: Cut, canvas: Canvas) -> None:
        columns = cut.columns
        spacing, unit = canvas.spacing * cut.group, canvas.unit
        dense = spacing < 2 * unit
        if dense:
            # Bars a pixel wide stand without a gap; each is one stroke from low to high.
            left, width = canvas.slots(cut)
            centre, wick = left, width
        else:
            body_width = bar_width(spacing, unit)
            centre = np.floor(canvas.x(cut.centres())) - unit // 2
            left = centre - (body_width - unit) // 2
            width, wick = np.full(left.shape, float(body_width)), np.full(left.shape, float(unit))
        rises = columns["close"] >= columns["open"]
        there = np.isfinite(columns["close"]) & np.isfinite(columns["high"]) & np.isfinite(columns["low"])
        self._make_volume(cut, canvas, left, width, rises)
        high, low = np.rint(canvas.y(columns["high"])), np.rint(canvas.y(columns["low"]))
        top = foot = high
        if not dense:
            top = np.rint(canvas.y(np.fmax(columns["open"], columns["close"])))
            foot = np.rint(canvas.y(np.fmin(columns["open"], columns["close"])))
        for place, mask in enumerate((there & rises, there & ~rises)):
            tall = np.maximum(low[mask] - high[mask], unit)
            self._wicks[place].put(centre[mask], high[mask], wick[mask], tall)
            shown = mask & (not dense)
            body = np.maximum(foot[shown] - top[shown], unit)
            self._bodies[place].put(left[shown], top[shown], width[shown], body)

    def _make_volume(
        self, cut: Cut, canvas: Canvas, left: FloatArray, width: FloatArray, rises: npt.NDArray[np.bool_]
    ) -> None:
        volume = cut.columns["volume"]
        there = np.isfinite(volume) & (volume > 0)
        floor = round(canvas.value(self._area.top()))
        full = abs(canvas.value(self._area.bottom()) - floor) * self.VOLUME_SHARE
        tall = np.maximum(np.rint(volume[there] * (full / self._most_volume())), 1)
        ink = np.where(rises[there], *(np.uint32(premultiplied(c)) for c in (self.volume_up, self.volume_down)))
        left, feet = left[there], np.full(tall.shape, float(floor))
        self._volume.put(canvas.rect(self._area), (left, left + width[there]), (feet - tall, feet), ink)


def _same(one: FloatArray, other: FloatArray) -> bool:
    """Tell whether two arrays hold the same, NaN included."""
    return one.shape == other.shape and bool((one.view(np.int64) == other.view(np.int64)).all())
