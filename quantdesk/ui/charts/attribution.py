"""Make the strip that says which leg, or the hedge ratio itself, moved the spread."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.items import Canvas, ChartItem, bar_width, shade
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.pyramid import Column, Cut, FloatArray, Pyramid, Rule, at, newest
from quantdesk.ui.charts.state import ChartState, Span
from quantdesk.ui.charts.ticks import decimals_of_scale, number
from quantdesk.ui.theme_tokens import Tokens

PARTS = ("from_y", "from_x", "from_beta")
#: Rows that share a pixel are summed: what each leg did over all of them.
_COLUMNS = {name: Column(name, Rule.SUM) for name in PARTS}
#: The quotes that a symbol may end with, the longest first: a legend has no room for them twice.
_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "USD", "EUR")


def part_colors(tokens: Tokens) -> dict[str, str]:
    """Return orange, blue and grey: a set that colour-blind eyes tell apart by hue or by lightness."""
    return {"from_y": tokens.leg_y, "from_x": tokens.leg_x, "from_beta": tokens.text}


def short_names(y: str, x: str) -> tuple[str, str]:
    """Return both symbols without the quote that they share: BTC and ETH."""
    for quote in _QUOTES:
        if y.endswith(quote) and x.endswith(quote) and len(y) > len(quote) and len(x) > len(quote):
            return y.removesuffix(quote), x.removesuffix(quote)
    return y, x


class AttributionItem(ChartItem):
    """Stack each bar's parts from zero: what raised the spread above the line, what lowered it below."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = Pyramid(_COLUMNS)
        self.colors: dict[str, QColor] = dict.fromkeys(PARTS, QColor("#000000"))
        self.net_color = QColor("#000000")
        #: Rows of refits: there the ratio jumps, and would flatten every other bar.
        self.refits: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.cut: Cut | None = None

    def take(self, first: int, last: int, rows_per_pixel: float) -> None:
        """Cut out the visible bars, summed where several share a pixel."""
        self.cut = self.pyramid.cut(first, last, rows_per_pixel)

    def extents(self) -> tuple[FloatArray, FloatArray]:
        """Return how far each visible bar reaches below and above zero."""
        assert self.cut is not None
        parts = np.array([self.cut.columns[name] for name in PARTS])
        return np.fmin(parts, 0.0).sum(axis=0), np.fmax(parts, 0.0).sum(axis=0)

    def limits(self) -> tuple[float, float] | None:
        """Return the reach of the visible bars, those of a refit aside."""
        if self.cut is None or self.cut.size == 0:
            return None
        low, high = self.extents()
        fits = np.isfinite(self.cut.columns["from_y"])
        jumps = (self.refits - self.cut.start) // self.cut.group
        jumps = jumps[(jumps >= 0) & (jumps < self.cut.size)]
        quiet = fits.copy()
        quiet[jumps] = False
        chosen = quiet if quiet.any() else fits
        return (float(low[chosen].min()), float(high[chosen].max())) if chosen.any() else None

    def dataBounds(self, ax: int, frac: float = 1.0, orthoRange: object = None) -> tuple[float, float] | None:  # noqa: N803 (pyqtgraph's name)
        """Announce the span of all data, as pyqtgraph asks for it."""
        if ax == 0:
            return (-0.5, len(self.pyramid) - 0.5) if len(self.pyramid) else None
        return self.limits()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Paint in device pixels, nothing outside the plot."""
        painter.save()
        painter.setClipRect(self._area)
        super().paint(painter, option, widget)
        painter.restore()

    def draw(self, painter: QPainter, canvas: Canvas) -> None:
        """Fill six sets of rectangles whatever is visible, and mark the change itself where there is room."""
        cut = None if self.cut is None else self.parted(self.cut)
        if cut is None or cut.size == 0:
            return
        spacing, unit = canvas.spacing * cut.group, canvas.unit
        if spacing < 3 * unit:
            left, width = canvas.slots(cut)
        else:
            wide = bar_width(spacing, unit)
            left = np.floor(canvas.x(cut.centres())) - wide // 2
            width = np.full(left.shape, float(wide))
        for sign in (1.0, -1.0):
            reach = np.zeros(cut.size)
            for name in PARTS:
                part = np.fmax(sign * cut.columns[name], 0.0)
                start, reach = reach, reach + part
                there = part > 0
                ends = np.rint(canvas.y(sign * reach[there])), np.rint(canvas.y(sign * start[there]))
                top, foot = np.fmin(*ends), np.fmax(*ends)
                self.fill(painter, self.colors[name], left[there], top, width[there], foot - top)
        if spacing >= 10 * unit:
            change = sum((cut.columns[name] for name in PARTS), np.zeros(cut.size))
            there = np.isfinite(change)
            y = np.rint(canvas.y(change[there])) - unit
            self.fill(painter, self.net_color, left[there], y, width[there], 2.0 * unit)


class AttributionPanel(Panel):
    """Draw by how much y, x and the hedge ratio moved the spread at each bar."""

    MARGINS = (0.10, 0.06)
    LEGEND_ROOM = 25.0
    SPACING = 22.0

    def __init__(self, state: ChartState, parent: QWidget | None = None) -> None:
        super().__init__("attribution", state, parent)
        self.setAccessibleName(self.tr("Attribution strip: which leg moved the spread"))
        self.bars = AttributionItem()
        self.add(self.bars, 1)

    def restyle(self) -> None:
        """Colour the parts."""
        self.bars.colors = {name: QColor(color) for name, color in part_colors(self.state.tokens).items()}
        self.bars.net_color = QColor(self.state.tokens.spread)

    def load(self) -> None:
        """Take the closed bars."""
        frame = self.state.frame
        parts = None if frame is None else frame.attribution
        rows = 0 if frame is None else len(frame)
        none = np.full(rows, np.nan)
        self.bars.pyramid.sync({name: none if parts is None else getattr(parts, name) for name in PARTS})
        times = [] if frame is None else [refit.time for refit in frame.refits]
        self.bars.refits = np.searchsorted(self.state.line.times, times).astype(np.int64)

    def load_tail(self) -> None:
        """Take the forming bars."""
        tail = self.state.tail
        if tail is not None:
            parts, none = tail.attribution, np.full(len(tail.times), np.nan)
            columns = {name: none if parts is None else getattr(parts, name) for name in PARTS}
            self.bars.pyramid.write(len(self.state.line.times), columns)

    def limits(self) -> tuple[float, float] | None:
        """Fit the visible bars; zero is always among them."""
        found = self.bars.limits()
        return found if found is not None and found[1] > found[0] else None

    def value_text(self, value: float) -> str:
        """Write a change."""
        return number(value, self._ticks.decimals, sign=True)

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        """Draw the zero line."""
        super().drawBackground(painter, rect)
        if not self.empty_text():
            color, down = shade(self.state.tokens.text_dim, 0.6), QPointF(0, self.y_of(0.0))
            overlay.dotted(painter, color, self.plot.topLeft() + down, self.plot.topRight() + down, (1, 3))

    def legend(self, row: int) -> list[Span]:
        """Write the change of the spread and its parts, each in its colour."""
        spans = [Span(self.tr("Moved by"), self.state.tokens.text, bold=True)]
        if self.empty_text():
            return spans
        return spans + change_spans(self.state, row)

    def empty_text(self) -> str:
        """Say what the strip lacks."""
        state = self.state
        if state.frame is None:
            return self.tr("Waiting for data…")
        if not state.symbol("x") or not state.symbol("y"):
            return self.tr("Attribution of the spread needs two legs")
        if math.isfinite(newest(self.bars.pyramid.column("from_y"))):
            return ""
        return self.tr("Attribution begins with the second bar of a spread")


def parts_at(state: ChartState, row: int) -> dict[str, float]:
    """Return the parts of a row, closed or forming, by name; NaN where there are none."""
    closed = len(state.line.times)
    holder = state.frame if row < closed else state.tail
    parts = None if holder is None else holder.attribution
    place = row if row < closed else row - closed
    return {name: math.nan if parts is None else at(getattr(parts, name), place) for name in PARTS}


def change_spans(state: ChartState, row: int) -> list[Span]:
    """Return the words of one bar: Δ −12.4 = BTC −20.1, ETH +7.7, β 0.0."""
    values = parts_at(state, row)
    frame, tokens = state.frame, state.tokens
    if frame is None or not all(math.isfinite(value) for value in values.values()):
        return []
    fit = frame.fit
    digits = decimals_of_scale(fit.sigma if fit is not None else abs(values["from_y"]), 3)
    names = dict(zip(PARTS, (*short_names(state.symbol("y"), state.symbol("x")), "β"), strict=True))
    total = values["from_y"] + values["from_x"] + values["from_beta"]
    spans = [Span(f"Δ {number(total, digits, sign=True)}", tokens.spread, gap=10), Span("=", tokens.text_dim, gap=5)]
    colors = part_colors(tokens)
    for place, name in enumerate(PARTS):
        comma = "," if place + 1 < len(PARTS) else ""
        text = f"{names[name]} {number(values[name], digits, sign=True)}{comma}"
        spans.append(Span(text, colors[name], gap=5))
    return spans
