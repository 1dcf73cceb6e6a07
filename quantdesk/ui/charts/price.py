"""Make the price chart: candles and volume of one leg, or the candles of the spread."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.bars.quality import BarQuality
from quantdesk.model.frame import LegColumns
from quantdesk.types import Origin
from quantdesk.ui.charts import overlay, synthetic
from quantdesk.ui.charts.candles import CandleItem
from quantdesk.ui.charts.items import LineItem, shade
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.pyramid import at, newest
from quantdesk.ui.charts.quality import REACH, QualityItem, colors_of
from quantdesk.ui.charts.rule_marks import RuleMarkItem, mark_spans
from quantdesk.ui.charts.scale import PriceScale, Scale, first_finite
from quantdesk.ui.charts.state import SPREAD, ChartState, Span, Tag
from quantdesk.ui.charts.ticks import ValueTicks, amount, number

if TYPE_CHECKING:
    from quantdesk.ui.charts.indicator_lines import IndicatorLines

#: More decimals than this are an unknown tick size, not a price.
MOST_DECIMALS = 8
WAITING = (Origin.LIVE, Origin.SIMULATED, Origin.REPLAY, Origin.HISTORY)


class PricePanel(Panel):
    """Draw one leg's candles and volume, or the spread as a symbol; a line leads through bars known by their close."""

    MARGINS = (0.12, 0.2)
    SPACING = 46.0
    LEAST_HEIGHT = 88

    def __init__(self, state: ChartState, parent: QWidget | None = None) -> None:
        super().__init__("price", state, parent)
        self.setAccessibleName(self.tr("Price chart"))
        self.scale = Scale()
        self._first: int | None = None
        self.indicators: IndicatorLines | None = None
        self.candles, self.rest = CandleItem(), LineItem()
        self.closes, self.other = LineItem(fits=False), LineItem()
        self.hatching, self.quality = QualityItem(hatches=True), QualityItem(hatches=False)
        self.add(self.hatching, 1)
        self.add(self.quality, 4)
        self.marks = RuleMarkItem("price", self._edge)
        self.add(self.marks, 6)
        self.add(self.rest, 2)
        self.add(self.candles, 2)
        self.add(self.closes, 3)
        self.add(self.other, 5)

    def restyle(self) -> None:
        """Colour the candles."""
        if self.indicators is not None:
            self.indicators.restyle()
        tokens = self.state.tokens
        self.closes.color = QColor(tokens.accent)
        self.rest.color = QColor(tokens.spread)
        self.marks.restyle(tokens)
        self.other.color = QColor(tokens.leg_x if self.state.leg == "y" else tokens.leg_y)
        self.candles.up, self.candles.down = QColor(tokens.up), QColor(tokens.down)
        self.quality.colors = self.hatching.colors = colors_of(tokens)
        strength = 0.38 if tokens.dark else 0.32
        self.candles.volume_up, self.candles.volume_down = shade(tokens.up, strength), shade(tokens.down, strength)

    def load(self) -> None:
        """Take the chosen leg's closed bars."""
        self._write(closed=True)
        self._write_spread(closed=True)
        if self.indicators is not None:
            self.indicators.load()
        self.marks.load(self.state)

    def load_tail(self) -> None:
        """Take the chosen leg's forming bars."""
        self._write_spread(closed=False) if self.shows_spread else self._write(closed=False)
        if self.indicators is not None:
            self.indicators.load_tail()

    def _edge(self, name: str, rows: IntArray) -> FloatArray:
        """Return the highs or lows that marks stand beside, closes where only these are known."""
        edges, closes = (self.candles.pyramid.column(each)[rows] for each in (name, "close"))
        return np.where(np.isfinite(edges), edges, closes)

    @property
    def shows_spread(self) -> bool:
        """Return whether the spread stands for a leg."""
        return self.state.leg == SPREAD

    def _write_spread(self, *, closed: bool) -> None:
        """Take the spread's candles; through the closes of bars that have none leads a line."""
        state, none = self.state, np.empty(0)
        if closed and not self.shows_spread:
            self.rest.pyramid.sync({"value": none})
            return
        candles = synthetic.candle_columns(state) if closed else synthetic.forming_columns(state)
        values = synthetic.closes(state) if closed else synthetic.tail_closes(state)
        through = synthetic.rest(values, candles)
        self.rest.breaks = synthetic.breaks(state)
        for pyramid, columns in ((self.candles.pyramid, {**candles, "close": values}), (self.rest.pyramid, through)):
            if closed:
                pyramid.sync(columns)
            elif state.tail is not None:
                pyramid.write(len(state.line.times), columns)

    def _write(self, *, closed: bool) -> None:
        state, names = self.state, ("open", "high", "low", "close", "volume")
        if closed:
            leg = state.columns(state.leg)
            empty = np.empty(0)
            if not self.shows_spread:
                self.candles.pyramid.sync({n: empty if leg is None else getattr(leg, n) for n in names})
            # Closes alone make no candles: a line is read where dashes are not.
            codes = state.qualities(state.leg)
            self.quality.codes = self.hatching.codes = np.empty(0, np.int64) if codes is None else codes
            bare = leg is not None and state.frame is not None and state.frame.origin is Origin.FILE and _is_flat(leg)
            self.closes.pyramid.sync({"value": leg.close if bare and leg is not None else empty})
            other = state.columns(state.other_leg) if state.both_legs and state.other_leg else None
            self.other.pyramid.sync({"value": empty if other is None else other.close})
        elif state.tail is not None:
            leg = state.tail.y if state.leg == "y" else state.tail.x
            self.candles.pyramid.write(len(state.line.times), {n: getattr(leg, n) for n in names})
            if len(self.other.pyramid):
                other = state.tail.x if state.leg == "y" else state.tail.y
                self.other.pyramid.write(len(state.line.times), {"value": other.close})

    def settle(self) -> None:
        """Take the scale that was chosen, as far as the visible prices allow it."""
        state = self.state
        before, kind, base = self.scale, state.scale, math.nan
        overlaid = self._index()
        if overlaid and kind is not PriceScale.PERCENT:
            kind = PriceScale.INDEXED
        if kind is PriceScale.LOG:
            found = super().limits()
            kind = kind if found is not None and found[0] > 0 else PriceScale.LINEAR
        if self.shows_spread and not state.ratio:
            kind = PriceScale.LINEAR  # what goes through zero has no logarithm and no percent
        if kind in (PriceScale.PERCENT, PriceScale.INDEXED):
            closes = self.candles.pyramid.column("close")
            row = self._first if overlaid else first_finite((closes,), *self._sight())
            base = math.nan if row is None else float(closes[row])
            kind = kind if row is not None else PriceScale.LINEAR
        self.scale = Scale(kind, base)
        if self.scale.is_log != before.is_log:
            self.auto = True
        for item in self.items_:
            item.log = self.scale.is_log

    def _sight(self) -> tuple[int, int]:
        """Return the first and last row that are wholly in sight."""
        view = self.state.view
        return math.ceil(view.left), math.floor(view.right)

    def _index(self) -> bool:
        """Put the other leg at the candles' price where both are first in sight; tell whether it shows."""
        closes, others = self.candles.pyramid.column("close"), self.other.pyramid.column("value")
        self._first = first_finite((closes, others), *self._sight()) if len(others) else None
        row, self.other.shown = self._first, self._first is not None
        self.other.factor = float(closes[row] / others[row]) if row is not None else 1.0
        return self.other.shown

    def to_plot(self, value: float) -> float:
        """Return the coordinate of a price."""
        return self.scale.to_plot(value)

    def from_plot(self, place: float) -> float:
        """Return the price at a coordinate."""
        return self.scale.from_plot(place)

    def limits(self) -> tuple[float, float] | None:
        """Return the coordinates of the lowest and highest visible price, and of indicators that are near."""
        found = super().limits()
        if self.indicators is not None:
            found = self.indicators.widened(found)
        return None if found is None else (self.to_plot(found[0]), self.to_plot(found[1]))

    def value_ticks(self, pixels: float) -> ValueTicks:
        """Label round prices, percents or index values."""
        return self.scale.ticks(self.low, self.high, pixels, self.SPACING)

    def value_text(self, value: float) -> str:
        """Write a price as the axis does: as it is, in percent or indexed."""
        if not self.scale.is_relative:
            return self.price_text(value)
        percent = self.scale.kind is PriceScale.PERCENT
        text = number(self.scale.written(value), max(2, self._ticks.decimals), sign=percent)
        return f"{text}%" if percent else text

    def price_text(self, price: float) -> str:
        """Write a price with the instrument's decimals, or more when zoomed in that far."""
        known, apart = self._known_decimals(), self.scale.price_decimals(self._ticks)
        return number(price, max(apart, known) if known <= MOST_DECIMALS - 2 else apart)

    def _known_decimals(self) -> int:
        return synthetic.decimals(self.state) if self.shows_spread else self.state.decimals(self.state.leg)

    def row_value(self, row: int) -> float:
        """Return a bar's close."""
        return at(self.candles.pyramid.column("close"), row)

    def row_values(self, row: int) -> tuple[float, ...]:
        """Return a bar's open, high, low and close."""
        return tuple(at(self.candles.pyramid.column(name), row) for name in ("open", "high", "low", "close"))

    def tick(self) -> float:
        """Return the instrument's price step, as far as its decimals tell."""
        known = self.state.decimals(self.state.leg)
        return 10.0**-known if known <= MOST_DECIMALS - 2 else 0.0

    def rounded(self, value: float) -> float:
        """Return a price with the instrument's decimals."""
        return round(value, self.state.decimals(self.state.leg)) if self.tick() else value

    def change_text(self, change: float) -> str:
        """Write a difference of prices with the instrument's decimals."""
        known = self._known_decimals()
        return number(
            change, known if known <= MOST_DECIMALS - 2 else self.scale.price_decimals(self._ticks), sign=True
        )

    def last(self) -> tuple[float, float]:
        """Return the newest close, and the open of its bar."""
        closes, opens = self.candles.pyramid.column("close"), self.candles.pyramid.column("open")
        price = newest(closes)
        if not math.isfinite(price):
            return math.nan, math.nan
        row = len(closes) - 1
        while not math.isfinite(closes[row]):
            row -= 1
        return price, float(opens[row])

    def tags(self) -> list[Tag]:
        """Mark the last price in the colour of its bar's direction, and how long the bar still lasts."""
        price, opened = self.last()
        if not math.isfinite(price):
            return []
        color = self.state.tokens.up if price >= opened else self.state.tokens.down
        return [*self._other_tag(), Tag(price, self.value_text(price), color, line=True, under=self.state.countdown)]

    def _other_tag(self) -> list[Tag]:
        value = newest(self.other.pyramid.column("value")) * self.other.factor
        shows = self.other.shown and math.isfinite(value)
        return [Tag(value, self.value_text(value), self.other.color.name())] if shows else []

    def change(self, row: int) -> tuple[float, float]:
        """Return the change of a bar's close on the close before it: absolute and in percent."""
        closes = self.candles.pyramid.column("close")
        close, before = at(closes, row), newest(closes[max(0, row - 600) : max(0, row)])
        has_percent = before and not (self.shows_spread and not self.state.ratio)
        return close - before, (close / before - 1) * 100 if has_percent else math.nan

    def legend(self, row: int) -> list[Span]:
        """Name the legs, the chosen one bright, then O H L C V and the change."""
        state, tokens = self.state, self.state.tokens
        y, x = state.symbol("y"), state.symbol("x")
        if not y:
            return []
        spans = [Span(y, tokens.text if state.leg == "y" else tokens.text_dim, state.leg == "y", 0, "leg:y")]
        if x:
            spans.append(Span("/", tokens.text_dim, gap=6, head=True))
            spans.append(Span(x, tokens.text if state.leg == "x" else tokens.text_dim, state.leg == "x", 6, "leg:x"))
            spread = synthetic.name(state) if self.shows_spread else self.tr("spread")
            color = tokens.text if self.shows_spread else tokens.text_dim
            spans.append(Span(spread, color, self.shows_spread, 10, f"leg:{SPREAD}"))
        assert state.frame is not None
        spans.append(Span(state.frame.settings.interval, tokens.text_dim, gap=10))
        if self.scale.kind is not PriceScale.LINEAR:
            spans.append(Span(self._scale_text(), tokens.text_dim, gap=10))
        if state.frame.origin is not Origin.LIVE:
            spans.append(Span(self._origin_text(state.frame.origin), tokens.warn, gap=10))
        if not self.empty_text():
            spans += self._quality_spans(row) if self.state.cursor_row is not None else []
            spans += self._ohlc(row)
            if self.shows_spread and self._lacks_trades(row):
                spans.append(synthetic.close_only_span(state))
        if self.other.shown:
            value = at(self.other.pyramid.column("value"), row) * self.other.factor
            name = state.symbol(state.other_leg)
            spans.append(Span(f"{name} {self.value_text(value)}", self.other.color.name(), gap=12))
        return spans + mark_spans(state, row, self.name)

    def _lacks_trades(self, row: int) -> bool:
        return synthetic.is_close_only(self.candles.pyramid, self.candles.pyramid.column("close"), row)

    def _scale_text(self) -> str:
        texts = {
            PriceScale.LOG: self.tr("log"),
            PriceScale.PERCENT: self.tr("percent"),
            PriceScale.INDEXED: self.tr("indexed"),
        }
        return texts.get(self.scale.kind, "")

    def _origin_text(self, origin: Origin) -> str:
        texts = {
            Origin.FILE: self.tr("file"),
            Origin.REPLAY: self.tr("replay"),
            Origin.SIMULATED: self.tr("SIMULATED"),
            Origin.HISTORY: self.tr("history"),
        }
        return texts.get(origin, str(origin))

    def _ohlc(self, row: int) -> list[Span]:
        pyramid, tokens = self.candles.pyramid, self.state.tokens
        opened, close = at(pyramid.column("open"), row), at(pyramid.column("close"), row)
        color = tokens.text_dim if not math.isfinite(close) else tokens.up if close >= opened else tokens.down
        spans: list[Span] = []
        for letter, name in (("O", "open"), ("H", "high"), ("L", "low"), ("C", "close")):
            spans.append(Span(letter, tokens.text_dim, gap=12 if letter == "O" else 8, head=True))
            spans.append(Span(self.price_text(at(pyramid.column(name), row)), color, gap=3))
        move, percent = self.change(row)
        if math.isfinite(move):
            decimals = max(self.scale.price_decimals(self._ticks), min(self._known_decimals(), MOST_DECIMALS - 2))
            share = f" ({number(percent, 2, sign=True)}%)" if math.isfinite(percent) else ""
            spans.append(Span(number(move, decimals, sign=True) + share, color, gap=8))
        if self.shows_spread:
            moves = synthetic.moves_at(self.state, row)
            spans.append(Span(self.tr("moves"), tokens.text_dim, gap=10, head=True))
            return [*spans, Span(number(moves, 0), color, gap=3)]
        spans.append(Span(self.tr("V"), tokens.text_dim, gap=10, head=True))
        steps = self.state.quantity_decimals(self.state.leg)
        spans.append(Span(amount(at(pyramid.column("volume"), row), steps), color, gap=3))
        return spans

    def empty_text(self) -> str:
        """Say whose trades are awaited."""
        state = self.state
        if state.frame is None:
            return self.tr("Waiting for data…")
        if math.isfinite(newest(self.candles.pyramid.column("close"))):
            return ""
        if self.shows_spread:
            return self.tr("No spread yet: it needs two legs and a hedge ratio")
        symbol = state.symbol(state.leg)
        if not symbol:
            return self.tr("No symbol chosen for this leg")
        if state.frame.origin in WAITING:
            return self.tr("Waiting for trades of {symbol}…").format(symbol=symbol)
        return self.tr("No bars of {symbol} in this file").format(symbol=symbol)

    def quality_at(self, row: int) -> BarQuality | None:
        """Return how far a closed bar can be trusted; None where nobody can tell."""
        code = int(self.quality.codes[row]) if 0 <= row < len(self.quality.codes) else -1
        return BarQuality(code) if code >= 0 else None

    def _quality_spans(self, row: int) -> list[Span]:
        tokens, quality = self.state.tokens, self.quality_at(row)
        words = {
            BarQuality.REPAIRED: (self.tr("repaired"), tokens.accent),
            BarQuality.KLINES: (self.tr("from klines"), tokens.text_dim),
            BarQuality.PARTIAL: (self.tr("PARTIAL"), tokens.warn),
            BarQuality.MISSING: (self.tr("MISSING"), tokens.error),
        }
        if quality is None or quality not in words:
            return []
        text, color = words[quality]
        return [Span(text, color, bold=not quality.is_whole, gap=10, link=f"why:{row}")]

    def link_at(self, at: QPointF) -> str:
        """Return what a click at a place asks for; on a bar that is not whole, why."""
        link, plot = super().link_at(at), self.plot
        if link or not plot.contains(at):
            return link
        row = round(self.row_at(at.x()))
        quality = self.quality_at(row)
        if quality is None or (quality.is_whole and at.y() < plot.bottom() - REACH):
            return ""
        return f"why:{row}"

    def _chips(self, painter: QPainter, plot: QRectF) -> None:
        super()._chips(painter, plot)
        if len(self.state.line) and not self.state.view.follows:
            box = QRectF(plot.right() - 36, plot.bottom() - 34, 26, 24)
            overlay.paint_chip(painter, self.state, box, "»")
            self._hot.append((box, "latest"))


def _is_flat(leg: LegColumns) -> bool:
    """Tell whether the leg knows closes only."""
    there = np.isfinite(leg.close)
    return bool(np.count_nonzero(there) > 1 and np.array_equal(leg.high[there], leg.low[there]))
