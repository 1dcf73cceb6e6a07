"""Paint a small chart of one quantity against another: axes, legend, and the values of a point on hover."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFocusEvent, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.bars.arrays import FloatArray
from quantdesk.ui.theme_tokens import Tokens

_LEFT, _RIGHT, _GAP, _LINE = 40.0, 10.0, 6.0, 16.0
_TITLE, _SMALL = 12, 11
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)
_MOST_STEPS = 5
_MOVES = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


@dataclass(frozen=True, slots=True)
class Mark:
    """Label a place of an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Legend:
    """Name a line of the chart; ``style`` is how its sample is drawn."""

    text: str
    color: str
    style: Qt.PenStyle = Qt.PenStyle.SolidLine


def value_text(value: float) -> str:
    """Write a correlation with a true minus sign."""
    return f"{value:.2f}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class _Scale:
    """Hold where the curve is drawn, and both ends of its vertical axis."""

    plot: QRectF
    heights: tuple[float, float]


class CurveChart(QWidget):
    """Show a curve over places 0 … n - 1 of an axis; the pointer or the arrow keys choose a place.

    A subclass says what is on it: ``places`` (n, in units of the axis), ``marks``, ``span`` of the
    axis, ``values`` that must fit, ``legend``, ``describe`` a place, and ``draw``.
    """

    def __init__(self, name: str, title: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.title = title
        self.tokens = tokens
        self.chosen: int | None = None
        self._scale: _Scale | None = None  # of the paint or the look that goes on: each place would make it anew
        self.setAccessibleName(title)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(190)

    # -- what a subclass says --------------------------------------------------------------------

    def places(self) -> FloatArray:
        """Return where on the horizontal axis there is something to say, ascending."""
        raise NotImplementedError

    def span(self) -> tuple[float, float]:
        """Return both ends of the horizontal axis."""
        raise NotImplementedError

    def marks(self) -> Sequence[Mark]:
        """Return the labels of the horizontal axis."""
        raise NotImplementedError

    def values(self) -> FloatArray:
        """Return every value that the vertical axis must reach."""
        raise NotImplementedError

    def legend(self) -> Sequence[Legend]:
        """Return the names of the lines."""
        raise NotImplementedError

    def describe(self, place: int) -> str:
        """Say what the chart shows at a place."""
        raise NotImplementedError

    def draw(self, painter: QPainter) -> None:
        """Draw the lines inside ``plot``."""
        raise NotImplementedError

    # -- places and pixels -----------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Ask for room to see a curve."""
        return QSize(290, 215)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the chart for the theme."""
        self.tokens = tokens
        self.update()

    def plot(self) -> QRectF:
        """Return where the curve is drawn."""
        if self._scale is not None:
            return QRectF(self._scale.plot)
        top = _GAP + _LINE * (1 + self._legend_rows())
        return QRectF(_LEFT, top + 4, max(10.0, self.width() - _LEFT - _RIGHT), max(10.0, self.height() - top - 26))

    def heights(self) -> tuple[float, float]:
        """Return both ends of the vertical axis: 0 and every value, with some air."""
        if self._scale is not None:
            return self._scale.heights
        found = self.values()
        found = np.append(found[np.isfinite(found)], 0.0)
        low, high = float(found.min()), float(found.max())
        air = max(0.06 * (high - low), 0.02)
        return low - (air if low < 0 else air / 2), high + air

    def x_of(self, at: float) -> float:
        """Return the pixel of a place on the horizontal axis."""
        low, high = self.span()
        return self.plot().left() + (at - low) / (high - low) * self.plot().width()

    def y_of(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high = self.heights()
        return self.plot().bottom() - (value - low) / (high - low) * self.plot().height()

    def line(self, at: FloatArray, values: FloatArray) -> list[list[QPointF]]:
        """Return the pixels of a curve, cut where it has no value."""
        parts: list[list[QPointF]] = [[]]
        for x, value in zip(at.tolist(), values.tolist(), strict=True):
            if math.isfinite(value):
                parts[-1].append(QPointF(self.x_of(x), self.y_of(value)))
            elif parts[-1]:
                parts.append([])
        return [part for part in parts if part]

    def choose(self, place: int | None) -> None:
        """Show the values of a place; None shows the legend again."""
        if place != self.chosen:
            self.chosen = place
            words = self.describe(place) if place is not None else ""
            self.setAccessibleDescription(words)
            self.setToolTip("")
            self.update()

    def small(self, *, bold: bool = False) -> QFont:
        """Return the font of labels."""
        font = QFont(self.font())
        font.setPixelSize(_TITLE if bold else _SMALL)
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    # -- Qt --------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Choose the place nearest to the pointer."""
        places = self.places()
        if len(places):
            with self._scaled():
                pixels = np.array([self.x_of(at) for at in places.tolist()])
            self.choose(int(np.abs(pixels - event.position().x()).argmin()))

    def leaveEvent(self, event: object) -> None:
        """Show the legend again."""
        self.choose(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show the legend again."""
        super().focusOutEvent(event)
        self.choose(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keys arrive here."""
        super().focusInEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go along the curve with the arrow keys."""
        step, last = _MOVES.get(Qt.Key(event.key())), len(self.places()) - 1
        if step is None or last < 0:
            super().keyPressEvent(event)
            return
        start = self.chosen if self.chosen is not None else (-1 if step > 0 else last + 1)
        self.choose(max(0, min(last, start + step)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw everything."""
        with self._scaled(), QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(self.rect(), QColor(self.tokens.panel))
            painter.setPen(QColor(self.tokens.accent if self.hasFocus() else self.tokens.border))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
            self._head(painter)
            self._axes(painter)
            painter.save()
            painter.setClipRect(self.plot().adjusted(-1, -1, 1, 1))
            self.draw(painter)
            if self.chosen is not None and self.chosen < len(self.places()):
                painter.setPen(QPen(QColor(self.tokens.crosshair), 1, Qt.PenStyle.DotLine))
                x = self.x_of(float(self.places()[self.chosen]))
                painter.drawLine(QPointF(x, self.plot().top()), QPointF(x, self.plot().bottom()))
            painter.restore()

    @contextmanager
    def _scaled(self) -> Iterator[None]:
        """Work out once where values lie on the screen."""
        self._scale = _Scale(self.plot(), self.heights())
        try:
            yield
        finally:
            self._scale = None

    def _head(self, painter: QPainter) -> None:
        room = self.width() - 2 * _GAP - 4
        painter.setFont(self.small(bold=True))
        painter.setPen(QColor(self.tokens.text))
        title = painter.fontMetrics().elidedText(self.title, Qt.TextElideMode.ElideRight, int(room))
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        painter.drawText(QRectF(_GAP + 2, _GAP, room, _LINE), middle, title)
        painter.setFont(self.small())
        if self.chosen is not None and self.chosen < len(self.places()):
            rows = _LINE * self._legend_rows()
            flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
            painter.drawText(QRectF(_GAP + 2, _GAP + _LINE + 1, room, rows), flags, self.describe(self.chosen))
            return
        for entry, (x, row) in zip(self.legend(), self._legend_places(), strict=True):
            y = _GAP + _LINE * (1.5 + row)
            painter.setPen(QPen(QColor(entry.color), 2, entry.style))
            painter.drawLine(QPointF(x, y), QPointF(x + 14, y))
            painter.setPen(QColor(self.tokens.text_dim))
            painter.drawText(QRectF(x + 18, y - _LINE / 2, self.width(), _LINE), middle, entry.text)

    def _legend_places(self) -> list[tuple[float, int]]:
        """Return x and row of each name of the legend, in as few rows as the width allows."""
        metrics = QFontMetricsF(self.small())
        places, x, row = [], _GAP + 2, 0
        for entry in self.legend():
            wide = 18 + metrics.horizontalAdvance(entry.text)
            if x + wide > self.width() - _GAP and x > _GAP + 2:
                x, row = _GAP + 2, row + 1
            places.append((x, row))
            x += wide + 12
        return places

    def _legend_rows(self) -> int:
        return max(2, 1 + max((row for _, row in self._legend_places()), default=0))

    def _axes(self, painter: QPainter) -> None:
        plot, (low, high) = self.plot(), self.heights()
        painter.setFont(self.small())
        metrics = painter.fontMetrics()
        step = next((s for s in _STEPS if (high - low) / s <= _MOST_STEPS), _STEPS[-1])
        for count in range(math.ceil(low / step), math.floor(high / step) + 1):
            y = round(self.y_of(count * step)) + 0.5
            painter.setPen(QPen(QColor(self.tokens.crosshair if count == 0 else self.tokens.grid), 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(QColor(self.tokens.text_dim))
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(QRectF(0, y - 8, _LEFT - 5, 16), right, value_text(count * step))
        edge = 0.0
        for mark in self.marks():
            x, wide = self.x_of(mark.at), metrics.horizontalAdvance(mark.text)
            painter.setPen(QPen(QColor(self.tokens.grid), 1))
            painter.drawLine(QPointF(round(x) + 0.5, plot.top()), QPointF(round(x) + 0.5, plot.bottom()))
            left = min(x - wide / 2, self.width() - wide - 4)
            if left < edge:
                continue
            edge = left + wide + 6
            painter.setPen(QColor(self.tokens.text_dim))
            painter.drawText(QPointF(left, plot.bottom() + 16), mark.text)
