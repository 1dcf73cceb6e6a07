"""Make the chart of the pair's spread: its band, its formation window and its refits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.model.frame import SHORTEST_WINDOW, PairFrame, Refit
from quantdesk.model.spread_candles import formula_of
from quantdesk.ui.charts import overlay, synthetic
from quantdesk.ui.charts.attribution import change_spans
from quantdesk.ui.charts.candles import CandleItem
from quantdesk.ui.charts.items import BandItem, LineItem, extremes, shade
from quantdesk.ui.charts.marks import RefitItem, SpanItem
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.panels import joined_rows, more_bars
from quantdesk.ui.charts.pyramid import at, newest
from quantdesk.ui.charts.rule_marks import RuleMarkItem, mark_spans
from quantdesk.ui.charts.state import ChartState, Span, Tag
from quantdesk.ui.charts.ticks import decimals_of_scale, number, span_text
from quantdesk.ui.hedge_words import fitted_how
from quantdesk.ui.rule_words import duration_text

#: Spreads of other hedge ratios share the scale if it grows by no more than this.
FLATTENING = 3.0


class SpreadPanel(Panel):
    """Draw the spread, its mean and ±2σ band, the formation window and the refits.

    Where bars are wide enough the spread is drawn as candles, and as a line through the closes of bars whose trades
    are not at hand.
    """

    def __init__(self, state: ChartState, parent: QWidget | None = None) -> None:
        super().__init__("spread", state, parent)
        self.setAccessibleName(self.tr("Spread chart"))
        self.formation, self.refits = SpanItem(), RefitItem()
        self._refits: Sequence[Refit] = ()
        self.upper, self.lower = LineItem(smooth=False), LineItem(smooth=False)
        self.mean = LineItem(fits=False, style=Qt.PenStyle.DashLine, smooth=False)
        self.line = LineItem()
        self.band = BandItem(self.upper, self.lower)
        for item in (self.upper, self.lower, self.mean, self.band):
            item.forms = False  # at forming bars they stand where they stood
        self.candles, self.rest = CandleItem(), LineItem()
        under = (self.formation, self.band, self.upper, self.lower, self.mean, self.refits)
        self.marks = RuleMarkItem("spread", self._edge)
        for depth, item in enumerate((*under, self.rest, self.candles, self.line, self.marks)):
            self.add(item, depth)

    def restyle(self) -> None:
        """Colour lines and shades."""
        tokens = self.state.tokens
        self.line.color, self.mean.color = QColor(tokens.spread), shade(tokens.text_dim, 0.8)
        self.candles.up, self.candles.down = QColor(tokens.up), QColor(tokens.down)
        self.rest.color = QColor(tokens.spread)
        self.upper.color = self.lower.color = QColor(tokens.band)
        self.band.color = shade(tokens.band, 0.14)
        self.refits.color = QColor(tokens.refit)
        self.marks.restyle(tokens)
        self.formation.fill_color, self.formation.edge_color = shade(tokens.accent, 0.07), shade(tokens.accent, 0.30)

    def load(self) -> None:
        """Take the closed bars and where the line was fitted."""
        frame, line, none = self.state.frame, self.state.line, np.empty(0)
        refits = () if frame is None or self.state.ratio else frame.refits
        breaks = synthetic.breaks(self.state)
        for item in (self.line, self.rest, self.upper, self.lower, self.mean):
            item.breaks = breaks
        values, candles = synthetic.closes(self.state), synthetic.candle_columns(self.state)
        self.line.pyramid.sync({"value": values})
        self.candles.pyramid.sync(candles)
        self.rest.pyramid.sync(synthetic.rest(values, candles))
        upper, lower = (none, none) if frame is None else self._band(frame)
        self.upper.pyramid.sync({"value": upper})
        self.lower.pyramid.sync({"value": lower})
        self.mean.pyramid.sync({"value": (upper + lower) / 2})
        # Kept beside their rows: until the next load the state may know others, and a paint comes when it likes.
        self._refits = refits
        self.refits.rows = [line.x_of(refit.time) - 0.5 for refit in refits]
        self.marks.load(self.state)
        span = None if frame is None else frame.formation
        self.formation.span = None if span is None else (line.x_of(span[0]) - 0.5, line.x_of(span[1]) + 0.5)

    def load_tail(self) -> None:
        """Take the forming bars; the band goes on as it is."""
        n = len(self.state.line.times)
        if self.state.tail is not None:
            values, candles = synthetic.tail_closes(self.state), synthetic.forming_columns(self.state)
            self.line.pyramid.write(n, {"value": values})
            self.candles.pyramid.write(n, candles)
            self.rest.pyramid.write(n, synthetic.rest(values, candles))
            for item in (self.upper, self.lower, self.mean):
                held = at(item.pyramid.column("value"), n - 1)
                item.pyramid.write(n, {"value": np.full(len(self.state.tail.times), held)})
        self.candles.shown = self.rest.shown = self._has_candles()
        self.line.shown = not self.candles.shown

    def _edge(self, name: str, rows: IntArray) -> FloatArray:
        """Return the highs or lows that marks stand beside: of candles where there are any, else the line."""
        values, edges = self.line.pyramid.column("value")[rows], self.candles.pyramid.column(name)[rows]
        return np.where(np.isfinite(edges), edges, values) if self.candles.shown else values

    def _has_candles(self) -> bool:
        """Tell whether candles are wanted, wide enough, and any is in sight: closes alone are read as a line."""
        view = self.state.view
        if not self.state.spread_candles or self.plot.width() < synthetic.LEAST_PIXELS * view.span:
            return False
        seen = self.candles.pyramid.column("close")[max(0, math.floor(view.left)) : math.ceil(view.right) + 1]
        return bool(np.isfinite(seen).any())

    def _band(self, frame: PairFrame) -> tuple[FloatArray, FloatArray]:
        """Return upper and lower edge at each row (n): the frame's, of a ratio mean ± 2σ of its formation window."""
        if not self.state.ratio:
            return frame.spread_upper, frame.spread_lower
        values = synthetic.closes(self.state)
        start, end = (0, -1) if frame.formation is None else frame.formation
        inside = values[(frame.times >= start) & (frame.times <= end) & np.isfinite(values)]
        middle, sigma = (inside.mean(), inside.std(ddof=1)) if len(inside) > 1 else (math.nan, math.nan)
        return np.full(len(frame), middle + 2 * sigma), np.full(len(frame), middle - 2 * sigma)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """Name the formation window and the refits at the foot of the plot."""
        frame, span = self.state.frame, self.formation.span
        if frame is not None and not self.empty_text():
            plot, tokens, notes = self.plot, self.state.tokens, []
            if span is not None and self.x_of(span[1]) > 0:
                notes.append((span[0], self._formation_words(frame), tokens.text_dim))
            for row, refit in zip(self.refits.rows, self._refits, strict=True):
                beta = number(refit.beta, decimals_of_scale(abs(refit.beta), 4))
                text = self.tr("refit β {beta}").format(beta=beta)
                fitted = span_text(refit.start_ms, refit.end_ms, self.state.zone)
                whole = self.tr("{refit} on {span}").format(refit=text, span=fitted)
                if self.x_of(row) >= 0:
                    notes.append((row, (whole, text), tokens.refit))
            self._write_notes(painter, plot, notes)
        super().drawForeground(painter, rect)

    def _formation_words(self, frame: PairFrame) -> tuple[str, ...]:
        """Say which bars the first line was fitted on, the longest words first."""
        fit, short = frame.first_fit or frame.fit, self.tr("formation window")
        if fit is None:
            return (short,)
        words = self.tr("{name} {span}").format(name=short, span=span_text(fit.start_ms, fit.end_ms, self.state.zone))
        return self.tr("{words}, {count} bars").format(words=words, count=fit.n), words, short

    def _write_notes(self, painter: QPainter, plot: QRectF, notes: list[tuple[float, tuple[str, ...], str]]) -> None:
        """Write each note at its row, in the longest words that end before the next one."""
        taken = -math.inf
        for place, (row, choices, color) in enumerate(notes):
            x = max(self.x_of(row), 0.0) + 5
            end = min([self.x_of(other[0]) for other in notes[place + 1 :]] + [plot.right()]) - 4
            for text in choices:
                wide = self.state.small_metrics.horizontalAdvance(text)
                if x > taken and x + wide < end:
                    at_ = QPointF(x, plot.bottom() - 6)
                    overlay.paint_note(painter, self.state, at_, text, color)
                    taken = x + wide + 4
                    break

    def limits(self) -> tuple[float, float] | None:
        """Fit the newest visible hedge ratio's spread; others join it only where they do not flatten it.

        A refit moves the level of the spread by far more than the spread itself moves.
        """
        pieces = self._pieces()
        if not pieces:
            return super().limits()
        low, high = pieces[-1]
        for other_low, other_high in reversed(pieces[:-1]):
            if max(high, other_high) - min(low, other_low) > FLATTENING * (high - low):
                break
            low, high = min(low, other_low), max(high, other_high)
        return low, high

    def _pieces(self) -> list[tuple[float, float]]:
        """Return the extremes of spread and band of each hedge ratio in view, oldest first."""
        view, rows = self.state.view, len(self.line.pyramid)
        first, last = max(0, math.floor(view.left)), min(rows, math.ceil(view.right) + 1)
        inside = [int(row) for row in self.line.breaks if first < row < last]
        found: list[tuple[float, float]] = []
        for start, stop in pairwise([first, *inside, last]) if inside else ():
            parts = [item.between(start, stop) for item in (self.line, self.upper, self.lower)]
            if self.candles.shown:  # few enough rows for candles are few enough to look through
                low, high = (self.candles.pyramid.column(name)[start:stop] for name in ("low", "high"))
                parts.append(extremes(low, high))
            if there := [part for part in parts if part is not None]:
                found.append((min(low for low, _ in there), max(high for _, high in there)))
        return found

    def decimals(self) -> int:
        """Return the decimals that tell spreads apart: a hundredth of the band, or the axis step."""
        upper, lower = newest(self.upper.pyramid.column("value")), newest(self.lower.pyramid.column("value"))
        return max(self._ticks.decimals, decimals_of_scale(upper - lower, 4))

    def is_close_only(self, row: int) -> bool:
        """Tell whether a candle is looked for and of this bar nothing is known but its close."""
        asked = self.candles.shown or (self.state.spread_candles and self.state.cursor_row is not None)
        return asked and synthetic.is_close_only(self.candles.pyramid, self.line.pyramid.column("value"), row)

    def value_text(self, value: float) -> str:
        """Write a spread."""
        return number(value, self.decimals())

    def row_value(self, row: int) -> float:
        """Return the spread at a row."""
        return at(self.line.pyramid.column("value"), row)

    def change_text(self, change: float) -> str:
        """Write a difference of spreads."""
        return number(change, self.decimals(), sign=True)

    def tags(self) -> list[Tag]:
        """Mark the newest spread."""
        value = newest(self.line.pyramid.column("value"))
        return [Tag(value, self.value_text(value), self.state.tokens.spread)] if math.isfinite(value) else []

    def legend(self, row: int) -> list[Span]:
        """Write the spread's formula, its value, mean and band."""
        state, tokens = self.state, self.state.tokens
        frame = state.frame
        spans = [Span(self.tr("Spread"), tokens.text, bold=True)]
        if frame is None or not state.symbol("x"):
            return spans
        y, x, fit = state.symbol("y"), state.symbol("x"), self.fit_at(row)
        formula = formula_of(frame, ratio=state.ratio)
        if fit is not None or state.ratio:
            unit = self.tr("ratio") if state.ratio else self.tr("log") if frame.settings.log else self.tr("price")
            words = f"{synthetic.formula_text(formula, y, x)} ({unit})"
            spans.append(Span(words, tokens.text_dim, gap=10, link=synthetic.FORMULA_LINK))
            spans.append(Span("▾", tokens.text_dim, gap=4, link=synthetic.FORMULA_LINK))
        if fit is not None and not state.ratio:
            beta = self.beta_at(row)
            spans.append(Span(f"β {number(beta, decimals_of_scale(abs(beta), 4))}", tokens.refit, gap=8))
            spans.append(Span(fitted_how(frame.settings), tokens.refit, gap=6))
        if self.empty_text():
            return spans
        digits = self.decimals()
        spans += self._value_spans(row, digits)
        upper, lower = at(self.upper.pyramid.column("value"), row), at(self.lower.pyramid.column("value"), row)
        if state.cursor_row is not None and not state.ratio:
            spans.extend(change_spans(state, row))
        mean = self.tr("mean") if frame.beta_path is None or state.ratio else "α"
        spans.append(Span(mean, tokens.text_dim, gap=10, head=True))
        spans.append(Span(number((upper + lower) / 2, digits), tokens.text_dim, gap=4))
        spans.append(Span("±2σ", tokens.text_dim, gap=10, head=True))
        spans.append(Span(number((upper - lower) / 2, digits), tokens.text_dim, gap=4))
        if fit is not None and frame.beta_path is None and not state.ratio:
            spans.append(Span(self._fitted_words(frame, fit), tokens.text_dim, gap=10))
        return spans + mark_spans(state, row, self.name)

    def _fitted_words(self, frame: PairFrame, fit: Refit) -> str:
        """Say which bars a ratio was fitted on, and how long ago where they are older than all on hand."""
        words = self.tr("fitted on {span}").format(span=span_text(fit.start_ms, fit.end_ms, self.state.zone))
        if not len(frame) or fit.end_ms >= int(frame.times[0]):
            return words
        age = duration_text(int(frame.times[-1]) - fit.end_ms)
        return self.tr("{words}, {age} before the newest bar").format(words=words, age=age)

    def _value_spans(self, row: int, digits: int) -> list[Span]:
        """Write a bar's open, high, low and close, or its close alone."""
        tokens, pyramid = self.state.tokens, self.candles.pyramid
        opened, close = at(pyramid.column("open"), row), at(pyramid.column("close"), row)
        if not self.candles.shown or not math.isfinite(close):
            value = Span(number(at(self.line.pyramid.column("value"), row), digits), tokens.spread, gap=12)
            return [value, synthetic.close_only_span(self.state)] if self.is_close_only(row) else [value]
        spans, color = [], tokens.up if close >= opened else tokens.down
        for letter, name in (("O", "open"), ("H", "high"), ("L", "low"), ("C", "close")):
            spans.append(Span(letter, tokens.text_dim, gap=12 if letter == "O" else 8, head=True))
            spans.append(Span(number(at(pyramid.column(name), row), digits), color, gap=3))
        return spans

    def beta_at(self, row: int) -> float:
        """Return the hedge ratio that draws the spread at a row; a forming bar takes the newest."""
        frame, fit = self.state.frame, self.fit_at(row)
        if frame is None or fit is None:
            return math.nan
        if frame.beta_path is None:
            return fit.beta
        return at(frame.beta_path, row) if row < len(frame) else frame.beta

    def fit_at(self, row: int) -> Refit | None:
        """Return the hedge line that draws the spread at a row."""
        frame = self.state.frame
        if frame is None or not len(self.state.line):
            return None
        time = int(self.state.line.at(row))
        return next((refit for refit in reversed(frame.refits) if refit.time <= time), frame.first_fit or frame.fit)

    def empty_text(self) -> str:
        """Say what the spread lacks."""
        state = self.state
        if state.frame is None or not state.symbol("x") or not state.symbol("y"):
            return self.tr("Spread needs two legs") if state.frame is not None else self.tr("Waiting for data…")
        if math.isfinite(newest(self.line.pyramid.column("value"))):
            return ""
        if state.frame.hedge_reason:
            return self.tr("No spread: {reason}.").format(reason=state.frame.hedge_reason)
        return more_bars(self, self.tr("Spread"), SHORTEST_WINDOW - joined_rows(state))
