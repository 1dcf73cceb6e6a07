"""Paint what stands at certain bars: the formation window and refits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from quantdesk.ui.charts.items import Canvas, ChartItem


class SpanItem(ChartItem):
    """Shade a span of rows over the whole height and mark its ends."""

    forms = False

    def __init__(self) -> None:
        super().__init__()
        self.fill_color = self.edge_color = QColor("#000000")
        self.span: tuple[float, float] | None = None

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Fill the span."""
        if self.span is None:
            return
        left, right = (round(canvas.row(min(max(x, self._area.left() - 2), self._area.right() + 2))) for x in self.span)
        top, foot = canvas.value(self._area.bottom()), canvas.value(self._area.top())
        painter.fillRect(QRectF(left, top, right - left, foot - top), self.fill_color)
        for x in (left, right - canvas.unit):
            painter.fillRect(QRectF(x, top, canvas.unit, foot - top), self.edge_color)


class RefitItem(ChartItem):
    """Mark the bars at which the hedge ratio was fitted again by dashed verticals."""

    forms = False

    def __init__(self) -> None:
        super().__init__()
        self.color = QColor("#000000")
        self.rows: Sequence[float] = ()

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Draw a dashed line at each visible mark."""
        pen = QPen(self.color, canvas.unit)
        pen.setDashPattern([3, 3])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        top, foot = canvas.value(self._area.bottom()), canvas.value(self._area.top())
        for row in self.rows:
            if self._area.left() <= row <= self._area.right():
                x = np.floor(canvas.row(row)) + canvas.unit / 2
                painter.drawLine(QPointF(x, top), QPointF(x, foot))
