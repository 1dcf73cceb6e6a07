"""Paint the Epps curve: correlation against the sampling interval, beside the value without sampling."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from quantdesk.analytics.epps import LONGEST_MS, SHORTEST_MS, EppsCurve, poisson_factor
from quantdesk.bars.arrays import FloatArray
from quantdesk.model.intervals import interval_ms_of
from quantdesk.ui.curve_chart import CurveChart, Legend, Mark, value_text
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.tick_words import span_text

_MARKS_MS = (1_000, 5_000, 15_000, 60_000, 300_000)
_AIR = 1.12
_ERRORS = 2.0


class EppsChart(CurveChart):
    """Show correlations with bars of two standard errors, Hayashi-Yoshida with its band, and asynchrony alone."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__("epps_chart", "", tokens, parent)
        self.title = self.tr("Epps curve: correlation by sampling interval")
        self.setAccessibleName(self.title)
        self.curve: EppsCurve | None = None
        self.interval = ""

    def show_curve(self, curve: EppsCurve | None) -> None:
        """Show a curve, or none."""
        self.curve = curve
        if curve is None or (self.chosen is not None and self.chosen >= len(curve)):
            self.choose(None)
        self.update()

    def set_interval(self, interval: str) -> None:
        """Mark the interval of the desk's bars."""
        self.interval = interval
        self.update()

    def places(self) -> FloatArray:
        """Return the logarithm of each interval."""
        return np.log(self.curve.intervals_ms) if self.curve is not None else np.empty(0)

    def span(self) -> tuple[float, float]:
        """Return 1 s to 5 minutes with some air, in logarithms."""
        return math.log(SHORTEST_MS / _AIR), math.log(LONGEST_MS * _AIR)

    def marks(self) -> Sequence[Mark]:
        """Label the usual intervals."""
        return [Mark(math.log(ms), span_text(ms)) for ms in _MARKS_MS]

    def values(self) -> FloatArray:
        """Return all that is drawn."""
        curve = self.curve
        if curve is None:
            return np.array([0.0, 1.0])
        low, high = self.band()
        reach = _ERRORS * np.nan_to_num(curve.stderr)
        drawn = (curve.correlation - reach, curve.correlation + reach, self._asynchrony()[1], np.array([low, high]))
        return np.concatenate(drawn)

    def band(self) -> tuple[float, float]:
        """Return two standard errors below and above the value without sampling."""
        if self.curve is None:
            return float("nan"), float("nan")
        found = self.curve.hayashi_yoshida
        reach = _ERRORS * found.stderr if math.isfinite(found.stderr) else 0.0
        return found.correlation - reach, found.correlation + reach

    def legend(self) -> Sequence[Legend]:
        """Name the three lines."""
        tokens = self.tokens
        return (
            Legend(self.tr("sampled ± 2 se"), tokens.correlation),
            Legend(self.tr("Hayashi-Yoshida ± 2 se"), tokens.accent),
            Legend(self.tr("what asynchrony alone leaves of it"), tokens.text_dim, Qt.PenStyle.DashLine),
        )

    def describe(self, place: int) -> str:
        """Say the correlation at one interval, or why there is none."""
        curve = self.curve
        if curve is None:
            return ""
        name = span_text(int(curve.intervals_ms[place]))
        if curve.reasons[place]:
            return self.tr("{0}: no value, {1}").format(name, curve.reasons[place])
        return self.tr("{0}: {1} ± {2} (2 se), {3} returns without overlap; asynchrony alone: {4}").format(
            name,
            value_text(float(curve.correlation[place])),
            f"{_ERRORS * float(curve.stderr[place]):.2f}",
            f"{int(curve.independent[place]):,}",
            value_text(float(curve.by_asynchrony[place])),
        )

    def draw(self, painter: QPainter) -> None:
        """Draw band and line of Hayashi-Yoshida, the dashed curve, the desk's interval, then the points."""
        self._draw_interval(painter)
        if self.curve is None:
            return
        tokens, plot = self.tokens, self.plot()
        low, high = self.band()
        if math.isfinite(low):
            tint = QColor(tokens.accent)
            tint.setAlphaF(0.14)
            painter.fillRect(QRectF(plot.left(), self.y_of(high), plot.width(), self.y_of(low) - self.y_of(high)), tint)
            painter.setPen(QPen(QColor(tokens.accent), 1.5))
            y = self.y_of(self.curve.hayashi_yoshida.correlation)
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        painter.setPen(QPen(QColor(tokens.text_dim), 1.2, Qt.PenStyle.DashLine))
        for part in self.line(*self._asynchrony()):
            painter.drawPolyline(part)
        self._draw_points(painter, self.curve)

    def _draw_points(self, painter: QPainter, curve: EppsCurve) -> None:
        color = QColor(self.tokens.correlation)
        painter.setPen(QPen(color, 1.5))
        for part in self.line(self.places(), curve.correlation):
            painter.drawPolyline(part)
        columns = (self.places(), curve.correlation, curve.stderr)
        for at, value, error in zip(*(column.tolist() for column in columns), strict=True):
            if not math.isfinite(value):
                continue
            x = self.x_of(at)
            painter.setPen(QPen(color, 1))
            if math.isfinite(error):
                top, foot = (self.y_of(value + sign * _ERRORS * error) for sign in (1, -1))
                painter.drawLine(QPointF(x, top), QPointF(x, foot))
                for y in (top, foot):
                    painter.drawLine(QPointF(x - 2.5, y), QPointF(x + 2.5, y))
            painter.setBrush(color)
            painter.drawEllipse(QPointF(x, self.y_of(value)), 2.5, 2.5)

    def _asynchrony(self) -> tuple[FloatArray, FloatArray]:
        """Return a smooth curve: logarithms of intervals, and what asynchrony alone would leave there."""
        if self.curve is None:
            return np.empty(0), np.empty(0)
        at = np.linspace(math.log(SHORTEST_MS), math.log(LONGEST_MS), 60)
        factor = poisson_factor(np.exp(at) / 1_000, self.curve.rate_y, self.curve.rate_x)
        return at, np.asarray(self.curve.hayashi_yoshida.correlation * factor, np.float64)

    def _draw_interval(self, painter: QPainter) -> None:
        """Mark the desk's bars; longer ones are named at the edge."""
        if not self.interval:
            return
        ms, plot = interval_ms_of(self.interval), self.plot()
        beyond = ms > LONGEST_MS
        text = (self.tr("{0} bars →") if beyond else self.tr("{0} bars")).format(self.interval)
        x = plot.right() if beyond else self.x_of(math.log(max(ms, SHORTEST_MS)))
        painter.setPen(QPen(QColor(self.tokens.level), 1, Qt.PenStyle.DashDotLine))
        if not beyond:
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setFont(self.small())
        painter.setPen(QColor(self.tokens.level))
        wide = painter.fontMetrics().horizontalAdvance(text)
        left = x - wide - 4 if x + wide + 6 > plot.right() else x + 4
        painter.drawText(QPointF(left, plot.bottom() - 5), text)
