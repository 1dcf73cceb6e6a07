"""Paint how far each bar can be trusted: a thin strip below the candles, and hatching where trades are missing."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter

from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.bars.quality import BarQuality
from quantdesk.ui.charts.items import Canvas, ChartItem, shade
from quantdesk.ui.charts.state import ChartState
from quantdesk.ui.theme_tokens import Tokens

#: Height of the strip, and of the area that takes a click, in pixels.
STRIP, REACH = 4.0, 11.0
_HATCHED = (BarQuality.PARTIAL, BarQuality.MISSING)


def colors_of(tokens: Tokens) -> dict[BarQuality, QColor]:
    """Return the strip's colours: what is whole stays quiet, what lacks trades is loud."""
    return {
        BarQuality.COMPLETE: shade(tokens.ok, 0.75),
        BarQuality.REPAIRED: shade(tokens.ok, 0.4),
        BarQuality.KLINES: shade(tokens.text_dim, 0.6),
        BarQuality.PARTIAL: QColor(tokens.warn),
        BarQuality.MISSING: QColor(tokens.error),
    }


def row_to_explain(state: ChartState) -> int:
    """Return the row under the crosshair, else the newest visible one that lacks trades, else the newest; -1: none."""
    last = len(state.line.times) - 1
    if state.cursor_row is not None:
        return min(state.cursor_row, last)
    codes, first = state.qualities(state.leg), max(0, int(np.ceil(state.view.left)))
    seen = codes[first : int(state.view.right) + 1] if codes is not None else np.empty(0, np.int64)
    worst = np.flatnonzero(seen > BarQuality.KLINES)
    return first + int(worst[-1]) if len(worst) else last


class QualityItem(ChartItem):
    """Draw one code a row, as hatching or as the strip; where several rows share a pixel, the worst of them."""

    forms = False

    def __init__(self, *, hatches: bool) -> None:
        super().__init__()
        self._hatches = hatches
        self.codes: IntArray = np.empty(0, np.int64)
        self.colors: dict[BarQuality, QColor] = {}
        self._first, self._group = 0, 1
        self._seen: IntArray = np.empty(0, np.int64)

    def take(self, first: int, last: int, rows_per_pixel: float) -> None:
        """Cut out the visible codes."""
        self._group = group = max(1, int(np.ceil(rows_per_pixel)))
        self._first = start = max(0, first - first % group)
        seen = self.codes[start : max(start, last + 1)]
        self._seen = np.maximum.reduceat(seen, np.arange(0, len(seen), group)) if group > 1 and len(seen) else seen

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Fill the strip, or hatch what lacks trades over the whole height."""
        if len(self._seen) == 0 or self._seen.max() < 0:
            return
        changes = np.flatnonzero(np.diff(self._seen)) + 1
        starts, ends = np.r_[0, changes], np.r_[changes, len(self._seen)]
        codes = self._seen[starts]
        edge = self._first - 0.5
        left = np.rint(canvas.x(edge + starts * float(self._group)))
        right = np.rint(canvas.x(edge + ends * float(self._group)))
        top, foot = round(canvas.value(self._area.bottom())), round(canvas.value(self._area.top()))
        tall = round(STRIP * canvas.ratio)
        for quality, color in self.colors.items():
            mask = codes == quality
            if mask.any():
                x, wide = left[mask], np.maximum(right[mask] - left[mask], canvas.unit)
                if not self._hatches:
                    self.fill(painter, color, x, np.full(len(x), float(foot - tall)), wide, float(tall))
                elif quality in _HATCHED:
                    self._hatch(painter, color, x, wide, (top, foot - tall))

    def _hatch(
        self,
        painter: QPainter,
        color: QColor,
        x: FloatArray,
        wide: FloatArray,
        span: tuple[int, int],
    ) -> None:
        tint, lines = QColor(color), QColor(color)
        tint.setAlphaF(0.10)
        lines.setAlphaF(0.45)
        for left, width in zip(x.tolist(), wide.tolist(), strict=True):
            place = QRectF(left, span[0], width, span[1] - span[0])
            painter.fillRect(place, tint)
            painter.fillRect(place, QBrush(lines, Qt.BrushStyle.BDiagPattern))
