"""Show the pair's numbers in a strip of boxes that wraps where it is narrow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from PySide6.QtCore import QRect, QSize, QTimer, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.analytics.pairs import PairEvidence
from quantdesk.model.base_rates import BaseRates
from quantdesk.model.clock import FrameClock
from quantdesk.model.frame import SHORTEST_WINDOW, PairFrame, PairTail
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.market import LegQuote
from quantdesk.model.pair import PairModel
from quantdesk.ui.charts.ticks import amount, decimals_of_scale, number, span_text, stamp_text
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.hedge_words import fitted_how, hedge_name
from quantdesk.ui.metric_box import HEIGHT, Metric, MetricBox
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.z_metric import z_metric, z_title

NAMES = ("price_y", "price_x", "spread", "z", "hedge", "correlation", "cointegration", "half_life")
_LEAST_WIDTH, _GAP = 132, 6
_RATES_AFTER_MS = 250
#: Digits that change more often (a second) cannot be read.
_READABLE_RATE = 10


class QuoteSource(Protocol):
    """Offer the newest prices of a symbol."""

    def quote(self, symbol: str) -> LegQuote:
        """Return what was heard last."""


class MetricStrip(QWidget):
    """Show prices, spread, z, hedge ratio, correlation, cointegration and half-life of a pair.

    ``market`` gives the source of live prices, or None where there is none; they are shown while the
    pair's bars come from it. Call ``follow`` on the clock's ticks; a hidden strip does nothing.
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
        self._rates = BaseRates(pair, pair)  # a count may end after the strip has gone
        self._zone = UTC_ZONE
        self._boxes = {name: MetricBox(name, tokens, self) for name in NAMES}
        self._readable = FrameClock(_READABLE_RATE, self)
        self._readable.tick.connect(self.refresh)
        pair.settings_changed.connect(self.refresh)
        self._rates.changed.connect(self.refresh)
        self._fill()
        self._arrange()

    def box(self, name: str) -> MetricBox:
        """Return a box by name."""
        return self._boxes[name]

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        for box in self._boxes.values():
            box.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._zone = zone
        self.refresh()

    def alert_level(self, level: float) -> None:
        """Colour z from this level on."""
        self._level = abs(level)
        self._rates.set_level(self._level)
        self.refresh()

    def follow(self) -> None:
        """Show the newest values, ten times a second at most: the last ones asked for a moment later."""
        self._readable.mark()

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
        return rows * (HEIGHT + _GAP) + _GAP

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
        # A rate is no news: the first paint has the processor for itself.
        QTimer.singleShot(_RATES_AFTER_MS, self, lambda: self._rates.watch(self.isVisible()))
        self._fill()

    def hideEvent(self, event: object) -> None:
        """Count nothing while nobody looks."""
        self._rates.watch(False)

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
            box.setGeometry(QRect(left, _GAP + row * (HEIGHT + _GAP), right - left - _GAP, HEIGHT))

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
        closed, bar_volume, decimals, steps = math.nan, math.nan, 2, 3
        if frame is not None:
            last = frame.last
            closed, bar_volume = (last.close_y, last.volume_y) if leg == "y" else (last.close_x, last.volume_x)
            decimals = min(8, frame.price_decimals_y if leg == "y" else frame.price_decimals_x)
            steps = frame.quantity_decimals_y if leg == "y" else frame.quantity_decimals_x
        price = quote.last if quote.last is not None else _last(columns.close) if columns is not None else math.nan
        price = price if math.isfinite(price) else closed
        if not math.isfinite(price):
            return Metric(symbol, tip=self.tr("No trade of {symbol} has arrived yet.").format(symbol=symbol))
        if price == closed and frame is not None and columns is not None and not len(columns) and quote.last is None:
            closed = _before(frame.y.close if leg == "y" else frame.x.close)
        change = (price / closed - 1) * 100 if math.isfinite(closed) and closed else math.nan
        tone = "" if not math.isfinite(change) or change == 0 else "up" if change > 0 else "down"
        arrow = {"up": "▲ ", "down": "▼ "}.get(tone, "")
        volume = quote.last_quantity if quote.last_quantity is not None else bar_volume
        moved = f"{arrow}{number(change, 2, sign=True)}%" if math.isfinite(change) else ""
        detail = f"{moved}   {self.tr('vol')} {amount(volume, steps)}".strip()
        tip = self.tr("Last price of {symbol}; change on the bar before; quantity of the last trade or bar.")
        return Metric(symbol, number(price, decimals), detail, tip.format(symbol=symbol), tone, short=moved or detail)

    def _left_out(self, frame: PairFrame, start: int | None, end: int) -> str:
        """Say how many bars of a span lacked trades and were left out, "" for none."""
        count = frame.left_out_between(start, end) if start is not None and len(frame.left_out) else 0
        return self.tr("{count} partial left out").format(count=count) if count else ""

    def _window_note(self, frame: PairFrame, bars: int) -> str:
        if not len(frame.left_out):
            return ""
        note = self._left_out(frame, frame.window_start(bars), int(frame.times[-1]))
        return "\n" + self.tr("{count} bars, {note}").format(count=bars, note=note) if note else ""

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
            return Metric(title, tip=self._lacking(frame, SHORTEST_WINDOW))
        fit, settings = frame.fit, frame.settings
        digits = decimals_of_scale(4 * fit.sigma if fit else abs(value), 4)
        detail = "" if fit is None else f"{number(fit.mean, digits)} ± {number(2 * fit.sigma, digits)}"
        legs = (settings.y, settings.x)
        formula = "ln {} − β ln {}".format(*legs) if settings.log else "{} − β {}".format(*legs)
        unit = self.tr("in logarithms") if settings.log else self.tr("in the price of {y}").format(y=settings.y)
        tip = self.tr("{formula}, {unit}, with β frozen on its formation window; beneath: that window's mean ± 2σ.")
        if frame.beta_path is not None:
            tip = self.tr("{formula}, {unit}, with a β that moves: it jumps when β does. Beneath: α ± 2 deviations.")
        tip = tip.format(formula=formula, unit=unit)
        if fit is not None and frame.beta_path is None:
            tip += "\n" + self.tr("Formation window: {span}").format(
                span=span_text(fit.start_ms, fit.end_ms, self._zone.of_bars(frame.interval_ms))
            )
        return Metric(title, number(value, digits), detail and f"{detail} (2σ)", tip, short=detail)

    def _z(self, frame: PairFrame | None, tail: PairTail) -> Metric:
        value = _first_finite(_last(tail.z), math.nan if frame is None else frame.last.z)
        if frame is None:
            return Metric(self.tr("z-score"), tip=self._lacking(frame, self._pair.settings.z_rows))
        settings = frame.settings
        if not math.isfinite(value):
            late = settings.z_kind.takes_ratio and frame.observations >= settings.z_rows
            begins = self.tr("Begins with the first bar after the formation window.")
            return Metric(z_title(frame), tip=begins if late else self._lacking(frame, settings.z_rows))
        note = self._window_note(frame, settings.window)
        return z_metric(frame, value, self._level, self._rates.rate(frame), self._rates.problem, note)

    def _hedge(self, frame: PairFrame | None) -> Metric:
        title = self.tr("Hedge ratio β")
        if frame is None or not math.isfinite(frame.beta):
            reason = "" if frame is None else frame.hedge_reason
            return Metric(title, tip=reason or self._lacking(frame, SHORTEST_WINDOW))
        settings, fit = frame.settings, frame.fit
        if settings.log:
            kind, per = self.tr("log prices"), self.tr("log: value per value")
            unit = self.tr("1 % of {x} moves {y} by β %: β of value in {x} hedges 1 of value in {y}")
        else:
            kind, per = self.tr("prices"), self.tr("{x} per {y}")
            unit = self.tr("1 {y} is hedged by β {x}")
        legs = {"x": settings.x, "y": settings.y}
        count = "" if fit is None else "   " + self.tr("{count} bars").format(count=fit.n)
        left_out = "" if fit is None else self._left_out(frame, fit.start_ms, fit.end_ms)
        count += f", {left_out}" if left_out else ""
        if settings.hedge is not HedgeMethod.OLS:
            kind = hedge_name(settings.hedge)
        detail, short, unit = per.format(**legs) + count, kind + count, unit.format(**legs)
        tip = f"{unit}; α {number(frame.alpha, decimals_of_scale(abs(frame.alpha), 5))}"
        if fit is not None:
            zone = self._zone.of_bars(frame.interval_ms)
            span = (stamp_text(t, frame.interval_ms, zone) for t in (fit.start_ms, fit.end_ms))
            tip += "\n" + self.tr("{how}: {span}").format(how=fitted_how(settings), span=" – ".join(span))
            if math.isfinite(fit.stderr_beta):
                error = self.tr("standard error of β")
                tip += f"\nR² {number(fit.r_squared, 4)}, {error} {number(fit.stderr_beta, 5)}"
        return Metric(title, number(frame.beta, decimals_of_scale(abs(frame.beta), 5)), detail, tip, short=short)

    def _correlation(self, frame: PairFrame | None) -> Metric:
        title = self.tr("Correlation")
        window = self._pair.settings.correlation_window
        value = math.nan if frame is None else frame.last.correlation
        if not math.isfinite(value):
            return Metric(title, tip=self._lacking(frame, window + 1))
        detail = self.tr("{count} bars, returns").format(count=window)
        tip = self.tr("Pearson correlation of log returns over the last {count} closed bars.").format(count=window)
        tip += self._window_note(frame, window) if frame is not None else ""
        return Metric(title, number(value, 3), detail, tip)

    def _cointegration(self, frame: PairFrame | None, evidence: PairEvidence | None) -> Metric:
        title = self.tr("Cointegration p")
        if evidence is None:
            return Metric(title, tip=self._lacking(frame, self._pair.settings.window))
        p = evidence.combined_p
        if p is None:
            return Metric(title, tip=evidence.reasons.get("combined_p", ""))
        value = "< 0.001" if p < 0.001 else number(p, 3)
        ways = [test for test in (evidence.engle_granger, evidence.engle_granger_reverse) if test is not None]
        lags = "; ".join(dict.fromkeys(self.tr("lag {0} ({1})").format(t.lags, t.lag_method) for t in ways))
        short = self.tr("{lag}, both ways").format(lag=lags)
        detail = self.tr("{lag}, Engle-Granger both ways").format(lag=lags)
        tip = self.tr("min(1, 2 · smaller p) of both directions: to take the better one is a choice.")
        for test in ways:
            critical = ", ".join(f"{name} {number(v, 3)}" for name, v in test.critical_values.items())
            tip += (
                f"\n{test.label}\n  p {number(test.p_value, 4)}; {self.tr('statistic')} {number(test.statistic, 3)}; "
            )
            tip += f"{self.tr('critical')} {critical}"
        if evidence.adf is not None:
            tip += f"\nADF p {number(evidence.adf.p_value, 4)} {self.tr('(too small: β was fitted on these data)')}"
        if frame is not None and len(frame.left_out):
            note = self._left_out(frame, int(frame.times[0]), int(frame.times[-1]))
            tip += "\n" + self.tr("{count} bars, {note}").format(count=evidence.observations, note=note)
        return Metric(title, value, detail, tip, short=short)

    def _half_life(self, frame: PairFrame | None, evidence: PairEvidence | None) -> Metric:
        title = self.tr("Half-life")
        if evidence is None or frame is None:
            return Metric(title, tip=self._lacking(frame, self._pair.settings.window))
        if evidence.half_life is None:
            return Metric(title, tip=evidence.reasons.get("half_life", ""))
        bars = evidence.half_life
        value = self.tr("{count} bars").format(count=number(bars, 1))
        tip = self.tr(
            "Bars in which half of a deviation of the spread is gone, from the newest {count} bars with the β fitted "
            "on them. Legs that do not belong together show one, too: mind the cointegration p."
        )
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


def _before(closes: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the close before the newest one."""
    there = closes[np.isfinite(closes)]
    return float(there[-2]) if len(there) > 1 else math.nan
