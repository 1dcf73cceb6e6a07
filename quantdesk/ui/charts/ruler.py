"""Measure between two points of a panel: change, bars and time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.items import shade
from quantdesk.ui.charts.state import ink_on
from quantdesk.ui.charts.ticks import DAY, HOUR, MINUTE, SECOND, number
from quantdesk.ui.charts.timeline import TimeLine

if TYPE_CHECKING:
    from quantdesk.ui.charts.panel import Panel

#: The panels whose values can be measured.
MEASURABLE = ("price", "spread", "z")
_PAD, _GAP, _ARROW = 7.0, 6.0, 4.0


@dataclass(frozen=True, slots=True)
class Ruler:
    """Hold both ends as a bar's open time (ms) and a value: it stays at them whatever is moved or inserted.

    An ``open`` ruler follows the pointer until the next click.
    """

    panel: str
    start: tuple[int, float]
    end: tuple[int, float]
    open: bool = True

    def to(self, ms: int, value: float) -> Ruler:
        """Return the ruler with its far end elsewhere."""
        return replace(self, end=(ms, value))


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold what lies between two points: change in the values' unit and in percent, bars, ms; signs kept."""

    change: float
    percent: float
    bars: int
    ms: int


def measured(ruler: Ruler, line: TimeLine) -> Measured:
    """Return what lies between the ends of a ruler; percent is NaN where the first value is not positive."""
    (from_ms, from_value), (to_ms, to_value) = ruler.start, ruler.end
    percent = (to_value / from_value - 1) * 100 if from_value > 0 else math.nan
    bars = round(line.x_of(to_ms)) - round(line.x_of(from_ms))
    return Measured(to_value - from_value, percent, bars, to_ms - from_ms)


def duration_text(ms: int) -> str:
    """Write a span of time in its two largest units: 2d 3h, 1h 05m, 45m, 30s."""
    sign, left = "\N{MINUS SIGN}" if ms < 0 else "", abs(ms)
    if left >= DAY:
        days, hours = left // DAY, left % DAY // HOUR
        return f"{sign}{days:,}d {hours}h" if hours else f"{sign}{days:,}d"
    if left >= HOUR:
        hours, minutes = left // HOUR, left % HOUR // MINUTE
        return f"{sign}{hours}h {minutes:02}m" if minutes else f"{sign}{hours}h"
    minutes, seconds = left // MINUTE, left % MINUTE // SECOND
    if minutes:
        return f"{sign}{minutes}m {seconds:02}s" if seconds else f"{sign}{minutes}m"
    return f"{sign}{seconds}s"


def ruler_words(panel: Panel, ruler: Ruler) -> tuple[str, str]:
    """Return both lines of a ruler's label: the change, then bars and time."""
    found = measured(ruler, panel.state.line)
    first = panel.change_text(found.change)
    if ruler.panel == "price" and math.isfinite(found.percent):
        first += f" ({number(found.percent, 2, sign=True)}%)"
    one = abs(found.bars) == 1
    form = "{count} bar, {time}" if one else "{count} bars, {time}"
    words = QCoreApplication.translate("ruler", form)
    return first, words.format(count=number(found.bars, 0), time=duration_text(found.ms))


def paint_ruler(painter: QPainter, panel: Panel, ruler: Ruler) -> None:
    """Draw box, arrows and label of a ruler over the panel's plot."""
    state, plot = panel.state, panel.plot
    (from_ms, from_value), (to_ms, to_value) = ruler.start, ruler.end
    start = QPointF(panel.x_of(state.line.x_of(from_ms)), panel.y_of(from_value))
    end = QPointF(panel.x_of(state.line.x_of(to_ms)), panel.y_of(to_value))
    color = state.tokens.up if to_value >= from_value else state.tokens.down
    box = QRectF(start, end).normalized()
    painter.save()
    painter.setClipRect(plot)
    painter.fillRect(box.intersected(plot.adjusted(-2, -2, 2, 2)), shade(color, 0.16))
    _outline(painter, box, color)
    middle = box.center()
    _arrow(painter, QPointF(middle.x(), start.y()), QPointF(middle.x(), end.y()), color)
    _arrow(painter, QPointF(start.x(), middle.y()), QPointF(end.x(), middle.y()), color)
    _label(painter, panel, box, ruler_words(panel, ruler), color, above=to_value >= from_value)
    painter.restore()


def _outline(painter: QPainter, box: QRectF, color: str) -> None:
    thin = overlay.hairline(painter)
    for y in (box.top(), box.bottom()):
        painter.fillRect(QRectF(box.left(), overlay.snapped(painter, y), box.width(), thin), QColor(color))


def _arrow(painter: QPainter, start: QPointF, end: QPointF, color: str) -> None:
    """Draw a hairline with a head, unless it is shorter than that."""
    length = math.hypot(end.x() - start.x(), end.y() - start.y())
    if length < _ARROW * 2:
        return
    along = (end - start) / length
    across = QPointF(-along.y(), along.x())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QColor(color))
    painter.drawLine(start, end)
    for side in (1, -1):
        painter.drawLine(end, end - along * _ARROW + across * (_ARROW * side))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _label(painter: QPainter, panel: Panel, box: QRectF, words: tuple[str, str], color: str, *, above: bool) -> None:
    """Write the words beyond the far end, kept inside the plot."""
    state, plot = panel.state, panel.plot
    lines = [text for text in words if text]
    wide = max(state.metrics.horizontalAdvance(text) for text in lines) + 2 * _PAD
    tall = state.metrics.height() * len(lines) + _PAD
    top = box.top() - tall - _GAP if above else box.bottom() + _GAP
    top = min(max(top, plot.top() + 2), max(plot.top() + 2, plot.bottom() - tall - 2))
    left = min(max(box.center().x() - wide / 2, plot.left() + 2), max(plot.left() + 2, plot.right() - wide - 2))
    place = QRectF(round(left), round(top), wide, tall)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(place, 3, 3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(state.font)
    painter.setPen(ink_on(color))
    height = state.metrics.height()
    for nth, text in enumerate(lines):
        line = QRectF(place.left(), place.top() + _PAD / 2 + nth * height, wide, height)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignCenter), text)
