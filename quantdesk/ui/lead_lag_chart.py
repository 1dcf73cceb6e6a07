"""Paint the lead-lag curve: correlation against how much later one leg is looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from quantdesk.bars.arrays import FloatArray
from quantdesk.model.tick_findings import TickFindings
from quantdesk.ui.curve_chart import CurveChart, Legend, Mark, value_text
from quantdesk.ui.theme_tokens import Tokens


class LeadLagChart(CurveChart):
    """Show the correlation by lag in ms, its peak, and how far from 0 chance alone may carry the largest."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__("lead_lag_chart", "", tokens, parent)
        self.title = self.tr("Lead-lag: correlation by lag in ms")
        self.setAccessibleName(self.title)
        self.found: TickFindings | None = None

    def show_findings(self, found: TickFindings | None) -> None:
        """Show the curve of findings, or none."""
        self.found = found
        if found is None or (self.chosen is not None and self.chosen >= len(found.lead_lag.lags_ms)):
            self.choose(None)
        self.update()

    def places(self) -> FloatArray:
        """Return the lags."""
        return self.found.lead_lag.lags_ms.astype(np.float64) if self.found is not None else np.empty(0)

    def span(self) -> tuple[float, float]:
        """Return the longest lags both ways."""
        places = self.places()
        return (float(places[0]), float(places[-1])) if len(places) else (-1_000.0, 1_000.0)

    def marks(self) -> Sequence[Mark]:
        """Label the ends, the halves and no lag."""
        low, high = self.span()
        return [Mark(at, f"{at:+.0f}".replace("-", "−") if at else "0") for at in (low, low / 2, 0.0, high / 2, high)]

    def values(self) -> FloatArray:
        """Return the curve and the band of chance."""
        if self.found is None:
            return np.array([0.0, 1.0])
        chance = self.found.chance
        # The names of the leading sides stand above the curve and the band.
        highest = float(np.nanmax(np.append(self.found.lead_lag.correlation, chance), initial=0.0))
        return np.append(self.found.lead_lag.correlation, [chance, -chance, 1.12 * highest])

    def legend(self) -> Sequence[Legend]:
        """Name the lines."""
        tokens = self.tokens
        return (
            Legend(self.tr("Hayashi-Yoshida by lag"), tokens.correlation),
            Legend(self.tr("peak"), tokens.refit),
            Legend(self.tr("within: chance (1 %, all lags)"), tokens.text_dim, Qt.PenStyle.DotLine),
        )

    def describe(self, place: int) -> str:
        """Say the correlation at one lag."""
        if self.found is None:
            return ""
        lag, value = int(self.found.lead_lag.lags_ms[place]), float(self.found.lead_lag.correlation[place])
        if lag == 0:
            return self.tr("no lag: {0}").format(value_text(value))
        early, late = self.found.name_y, self.found.name_x
        if lag < 0:
            early, late = late, early
        return self.tr("{0}: {1} against {2} {3} ms later").format(value_text(value), early, late, abs(lag))

    def draw(self, painter: QPainter) -> None:
        """Draw the band of chance, the curve, no lag and the peak."""
        found, tokens, plot = self.found, self.tokens, self.plot()
        painter.setPen(QPen(QColor(tokens.crosshair), 1))
        middle = round(self.x_of(0.0)) + 0.5
        painter.drawLine(QPointF(middle, plot.top()), QPointF(middle, plot.bottom()))
        if found is None:
            return
        self._draw_sides(painter, found)
        if math.isfinite(found.chance):
            top, foot = self.y_of(found.chance), self.y_of(-found.chance)
            tint = QColor(tokens.text_dim)
            tint.setAlphaF(0.12)
            painter.fillRect(QRectF(plot.left(), top, plot.width(), foot - top), tint)
            painter.setPen(QPen(QColor(tokens.text_dim), 1, Qt.PenStyle.DotLine))
            for y in (top, foot):
                painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        painter.setPen(QPen(QColor(tokens.correlation), 1.5))
        for part in self.line(self.places(), found.lead_lag.correlation):
            painter.drawPolyline(part)
        self._draw_peak(painter, found)

    def _draw_peak(self, painter: QPainter, found: TickFindings) -> None:
        lag = found.lead_lag.lag_ms
        if lag is None:
            return
        color, at = QColor(self.tokens.refit), QPointF(self.x_of(lag), self.y_of(found.lead_lag.peak))
        painter.setPen(QPen(color, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(at.x(), self.y_of(0.0)), at)
        painter.setBrush(color)
        painter.drawEllipse(at, 3.5, 3.5)
        painter.setFont(self.small())
        text = f"{lag:+d} ms".replace("-", "−") if lag else "0 ms"
        wide = painter.fontMetrics().horizontalAdvance(text)
        # Away from the line of no lag, unless the edge is near.
        fits_left, fits_right = at.x() - wide - 9 > self.plot().left(), at.x() + wide + 9 < self.plot().right()
        on_left = fits_left and (lag < 0 or not fits_right)
        left = at.x() - wide - 7 if on_left else at.x() + 7
        painter.drawText(QPointF(left, at.y() + 4), text)

    def _draw_sides(self, painter: QPainter, found: TickFindings) -> None:
        """Say on each side of no lag which leg leads there."""
        plot = self.plot()
        painter.setFont(self.small())
        half = plot.width() / 2 - 12
        sides = (
            (found.name_x, Qt.AlignmentFlag.AlignLeft, 4.0),
            (found.name_y, Qt.AlignmentFlag.AlignRight, half + 20),
        )
        for name, edge, left in sides:
            clear = name == found.leader
            painter.setPen(QColor(self.tokens.refit if clear else self.tokens.text_dim))
            text = self.tr("{0} leads").format(name)
            text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(half))
            painter.drawText(QRectF(plot.left() + left, plot.top() + 1, half, 15), int(edge), text)
