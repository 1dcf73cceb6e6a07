"""Show the pair's numbers in a strip of boxes that wraps where it is narrow."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.analytics.pairs import PairEvidence
from quantdesk.model.frame import PairFrame, PairTail
from quantdesk.model.market import LegQuote
from quantdesk.model.pair import PairModel
from quantdesk.ui.charts.ticks import amount, decimals_of_scale, number, stamp_text
from quantdesk.ui.theme_tokens import Tokens

NONE = "—"
NAMES = ("price_y", "price_x", "spread", "z", "hedge", "correlation", "cointegration", "half_life")
_LEAST_WIDTH, _HEIGHT, _GAP = 140, 62, 6


class QuoteSource(Protocol):
    """Offer the newest prices of a symbol."""

    def quote(self, symbol: str) -> LegQuote:
        """Return what was heard last."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Hold what a box shows. ``tone`` names a colour: "", "up", "down" or "level"."""

    title: str
    value: str = NONE
    detail: str = ""
    tip: str = ""
    tone: str = ""

    @property
    def words(self) -> str:
        """Return the line beneath the value; without a value, why there is none."""
        return self.tip.split("\n")[0] if self.value == NONE and not self.detail else self.detail


class MetricBox(QWidget):
    """Paint one number under its name, with a line of words beneath."""

    def __init__(self, name: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"metric_{name}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._tokens = tokens
        self.shown = Metric("")

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._tokens = tokens
        self.update()

    def show_metric(self, metric: Metric) -> None:
        """Show other values; the same ones repaint nothing."""
        if metric == self.shown:
            return
        self.shown = metric
        self.setToolTip(metric.tip)
        self.setAccessibleName(f"{metric.title}: {metric.value}")
        self.setAccessibleDescription(f"{metric.detail}. {metric.tip}" if metric.detail else metric.tip)
        self.update()

    def _font(self, pixels: int, weight: QFont.Weight) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(pixels)
        font.setWeight(weight)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the box."""
        tokens, metric = self._tokens, self.shown
        tones = {"up": tokens.up, "down": tokens.down, "level": tokens.level}
        color = tones.get(metric.tone, tokens.text_dim if metric.value == NONE else tokens.text)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        loud = metric.tone == "level"
        back = QColor(tokens.level if loud else tokens.panel)
        if loud:
            back.setAlphaF(0.16)
            painter.setBrush(QColor(tokens.panel))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(frame, 5, 5)
        painter.setBrush(back)
        painter.setPen(QPen(QColor(tokens.level if loud else tokens.border), 1))
        painter.drawRoundedRect(frame, 5, 5)
        # With large fonts the lines share the height that there is.
        self._line(painter, 11, QFont.Weight.Normal, tokens.text_dim, metric.title, 6)
        self._line(painter, 17, QFont.Weight.DemiBold, color, metric.value, 20)
        self._line(painter, 11, QFont.Weight.Normal, tokens.text_dim, metric.words, 43)
        painter.end()

    def _line(self, painter: QPainter, pixels: int, weight: QFont.Weight, color: str, text: str, top: int) -> None:
        font = self._font(pixels, weight)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(QColor(color))
        room = self.width() - 20
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(10, top, room, metrics.height()), int(Qt.AlignmentFlag.AlignLeft), shown)


class MetricStrip(QWidget):
    """Show prices, spread, z, hedge ratio, correlation, cointegration and half-life of a pair.

    ``market`` gives the source of live prices, or None where there is none; they are shown while the
    pair's bars come from it. Call ``refresh`` on the clock's ticks; a hidden strip does nothing.
    """

    def __init__(
        self,
        pair: PairModel,
        market: Callable[[], QuoteSource | None],
        tokens: Tokens,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("metric_strip")
        self.setAccessibleName(self.tr("Pair metrics"))
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._pair, self._market, self._level = pair, market, 2.0
        self._boxes = {name: MetricBox(name, tokens, self) for name in NAMES}
        pair.changed.connect(self.refresh)
        pair.settings_changed.connect(self.refresh)
        self._fill()
        self._arrange()

    def box(self, name: str) -> MetricBox:
        """Return a box by name."""
        return self._boxes[name]

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        for box in self._boxes.values():
            box.set_tokens(tokens)

    def alert_level(self, level: float) -> None:
        """Colour z from this level on."""
        self._level = abs(level)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Pull and show the newest values."""
        if self.isVisible():
            self._fill()

    # -- layout -----------------------------------------------------------------------------

    def hasHeightForWidth(self) -> bool:
        """Tell the layout that a narrow strip is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the rows that a width needs."""
        columns = self._columns(width)
        rows = -(-len(NAMES) // columns)
        return rows * (_HEIGHT + _GAP) + _GAP

    def sizeHint(self) -> QSize:
        """Ask for the rows that the present width needs."""
        return QSize(960, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        """Fit two boxes side by side."""
        return QSize(2 * _LEAST_WIDTH + 3 * _GAP, self.heightForWidth(self.width()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the boxes into rows of equal widths."""
        super().resizeEvent(event)
        self._arrange()
        if self.height() != self.heightForWidth(self.width()):
            self.updateGeometry()

    def showEvent(self, event: object) -> None:
        """Show what was missed while hidden."""
        self._fill()

    @staticmethod
    def _columns(width: int) -> int:
        fits = max(1, min(len(NAMES), (width - _GAP) // (_LEAST_WIDTH + _GAP)))
        # The same number in every row: eight boxes stand as 8, 4 + 4 or 2 + 2 + 2 + 2.
        return -(-len(NAMES) // -(-len(NAMES) // fits))

    def _arrange(self) -> None:
        columns = self._columns(self.width())
        room = self.width() - _GAP
        for index, box in enumerate(self._boxes.values()):
            row, column = divmod(index, columns)
            left, right = (_GAP + room * c // columns for c in (column, column + 1))
            box.setGeometry(QRect(left, _GAP + row * (_HEIGHT + _GAP), right - left - _GAP, _HEIGHT))

    # -- values -----------------------------------------------------------------------------

    def _fill(self) -> None:
        frame = self._pair.frame
        tail = self._pair.tail() if frame is not None else PairTail.empty()
        evidence = self._pair.evidence
        metrics = {
            "price_y": self._price("y", frame, tail),
            "price_x": self._price("x", frame, tail),
            "spread": self._spread(frame, tail),
            "z": self._z(frame, tail),
            "hedge": self._hedge(frame),
            "correlation": self._correlation(frame),
            "cointegration": self._cointegration(frame, evidence),
            "half_life": self._half_life(frame, evidence),
        }
        for name, metric in metrics.items():
            self._boxes[name].show_metric(metric)

    def _price(self, leg: str, frame: PairFrame | None, tail: PairTail) -> Metric:
        settings = self._pair.settings
        symbol = settings.y if leg == "y" else settings.x
        if not symbol:
            return Metric(
                self.tr("Leg {leg}").format(leg=leg.upper()), tip=self.tr("No symbol is chosen for this leg.")
            )
        source = self._market()
        # An opened file may bear a symbol's name: live prices belong to the live pair only.
        shown: object = self._pair.source
        quote = source.quote(symbol) if source is not None and shown is source else LegQuote(symbol)
        columns = None if frame is None else (tail.y if leg == "y" else tail.x)
        closed, bar_volume, decimals = math.nan, math.nan, 2
        if frame is not None:
            last = frame.last
            closed, bar_volume = (last.close_y, last.volume_y) if leg == "y" else (last.close_x, last.volume_x)
            decimals = min(8, frame.price_decimals_y if leg == "y" else frame.price_decimals_x)
        price = quote.last if quote.last is not None else _last(columns.close) if columns is not None else math.nan
        price = price if math.isfinite(price) else closed
        if not math.isfinite(price):
            return Metric(symbol, tip=self.tr("No trade of {symbol} has arrived yet.").format(symbol=symbol))
        change = (price / closed - 1) * 100 if math.isfinite(closed) and closed else math.nan
        tone = "" if not math.isfinite(change) or change == 0 else "up" if change > 0 else "down"
        arrow = {"up": "▲ ", "down": "▼ "}.get(tone, "")
        volume = quote.last_quantity if quote.last_quantity is not None else bar_volume
        moved = f"{arrow}{number(change, 2, sign=True)}%" if math.isfinite(change) else ""
        detail = f"{moved}   {self.tr('vol')} {amount(volume)}".strip()
        tip = self.tr("Last price of {symbol}; change on the last closed bar; quantity of the last trade or bar.")
        return Metric(symbol, number(price, decimals), detail, tip.format(symbol=symbol), tone)

    def _lacking(self, frame: PairFrame | None, bars: int) -> str:
        settings = self._pair.settings
        if not (settings.x and settings.y):
            return self.tr("Needs two legs.")
        missing = bars - (0 if frame is None else frame.observations)
        if missing > 0:
            return self.tr("Needs {count} more bars of both legs.").format(count=missing)
        return self.tr("Is being computed.")

    def _spread(self, frame: PairFrame | None, tail: PairTail) -> Metric:
        title = self.tr("Spread")
        value = _first_finite(_last(tail.spread), math.nan if frame is None else frame.last.spread)
        if frame is None or not math.isfinite(value):
            return Metric(title, tip=self._lacking(frame, self._pair.settings.window + 1))
        fit, settings = frame.fit, frame.settings
        digits = decimals_of_scale(fit.sigma if fit else abs(value), 4)
        detail = "" if fit is None else f"{number(fit.mean, digits)} ± {number(2 * fit.sigma, digits)} (2σ)"
        legs = (settings.y, settings.x)
        formula = "ln {} − β ln {}".format(*legs) if settings.log else "{} − β {}".format(*legs)
        tip = self.tr("{formula}, with β frozen on its formation window; beneath: that window's mean ± 2σ.")
        return Metric(title, number(value, digits), detail, tip.format(formula=formula))

    def _z(self, frame: PairFrame | None, tail: PairTail) -> Metric:
        title = self.tr("z-score")
        closed = math.nan if frame is None else frame.last.z
        value = _first_finite(_last(tail.z), closed)
        if frame is None or not math.isfinite(value):
            return Metric(title, tip=self._lacking(frame, self._pair.settings.window + 1))
        beyond = abs(value) >= self._level
        level = f"{self._level:g}"
        words = (self.tr("beyond ±{level}") if beyond else self.tr("within ±{level}")).format(level=level)
        detail = f"{words}   {self.tr('closed')} {number(closed, 2)}"
        tip = self.tr(
            "Walk-forward z over {window} bars, of the forming bar; alerts judge closed bars only ({closed})."
        ).format(window=frame.settings.window, closed=number(closed, 3))
        return Metric(title, number(value, 2), detail, tip, "level" if beyond else "")

    def _hedge(self, frame: PairFrame | None) -> Metric:
        title = self.tr("Hedge ratio β")
        if frame is None or not math.isfinite(frame.beta):
            return Metric(title, tip=self._lacking(frame, self._pair.settings.window + 1))
        settings, fit = frame.settings, frame.fit
        kind = self.tr("log prices") if settings.log else self.tr("prices")
        detail = kind if fit is None else f"{kind}   {self.tr('{count} bars').format(count=fit.n)}"
        if settings.log:
            unit = self.tr("1 % of {x} moves {y} by β %").format(x=settings.x, y=settings.y)
        else:
            unit = self.tr("1 {y} is hedged by β {x}").format(x=settings.x, y=settings.y)
        tip = f"{unit}; α {number(frame.alpha, decimals_of_scale(abs(frame.alpha), 5))}"
        if fit is not None:
            span = (stamp_text(t, frame.interval_ms) for t in (fit.start_ms, fit.end_ms))
            tip += "\n" + self.tr("Least squares on {span}").format(span=" – ".join(span))
            tip += f"\nR² {number(fit.r_squared, 4)}, {self.tr('standard error of β')} {number(fit.stderr_beta, 5)}"
        return Metric(title, number(frame.beta, decimals_of_scale(abs(frame.beta), 5)), detail, tip)

    def _correlation(self, frame: PairFrame | None) -> Metric:
        title = self.tr("Correlation")
        window = self._pair.settings.correlation_window
        value = math.nan if frame is None else frame.last.correlation
        if not math.isfinite(value):
            return Metric(title, tip=self._lacking(frame, window + 1))
        detail = self.tr("{count} bars, returns").format(count=window)
        tip = self.tr("Pearson correlation of log returns over the last {count} closed bars.").format(count=window)
        return Metric(title, number(value, 3), detail, tip)

    def _cointegration(self, frame: PairFrame | None, evidence: PairEvidence | None) -> Metric:
        title = self.tr("Cointegration p")
        if evidence is None:
            return Metric(title, tip=self._lacking(frame, self._pair.settings.window))
        test = evidence.engle_granger
        if test is None:
            return Metric(title, tip=evidence.reasons.get("engle_granger", ""))
        value = "< 0.001" if test.p_value < 0.001 else number(test.p_value, 3)
        detail = self.tr("lag {lag} ({method}), Engle-Granger").format(lag=test.lags, method=test.lag_method)
        critical = ", ".join(f"{name} {number(v, 3)}" for name, v in test.critical_values.items())
        tip = f"{test.label}\n{self.tr('statistic')} {number(test.statistic, 3)}; {self.tr('critical')} {critical}"
        if evidence.adf is not None:
            tip += f"\nADF p {number(evidence.adf.p_value, 4)} {self.tr('(too small: β was fitted on these data)')}"
        return Metric(title, value, detail, tip)

    def _half_life(self, frame: PairFrame | None, evidence: PairEvidence | None) -> Metric:
        title = self.tr("Half-life")
        if evidence is None or frame is None:
            return Metric(title, tip=self._lacking(frame, self._pair.settings.window))
        if evidence.half_life is None:
            return Metric(title, tip=evidence.reasons.get("half_life", ""))
        bars = evidence.half_life
        value = self.tr("{count} bars").format(count=number(bars, 1))
        tip = self.tr("Bars in which half of a deviation of the spread is gone, from the newest {count} bars.")
        return Metric(title, value, duration(bars * frame.interval_ms), tip.format(count=evidence.observations))


def duration(ms: float) -> str:
    """Write a length of time in its two largest units: 1 h 24 min."""
    rest = max(0, round(ms / 1_000))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or parts or unit == "s":
            parts.append(f"{count} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 ") or len(parts) == 1)


def _last(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(values[-1]) if len(values) else math.nan


def _first_finite(*values: float) -> float:
    return next((v for v in values if math.isfinite(v)), math.nan)
