"""Turn a pair's frame into what alert rules judge: every metric, row by row, with what its gates ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.record import AlertContext
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.analytics.rolling import BoolArray
from quantdesk.analytics.spread_bars import Formula
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.bars.quality import BarQuality
from quantdesk.model.frame import NAN, PairFrame, PairSettings
from quantdesk.model.market import MarketModel
from quantdesk.model.scores import z_of_kind
from quantdesk.model.spread_candles import closes_of
from quantdesk.types import Origin

if TYPE_CHECKING:
    from quantdesk.analytics.pairs import PairEvidence
    from quantdesk.model.pair import PairModel
    from quantdesk.model.tick_findings import TickFindings

_SPREAD_Z = {Metric.ROLLING_Z: ZKind.ROLLING, Metric.EXPANDING_Z: ZKind.EXPANDING, Metric.EW_Z: ZKind.EWM}
_OTHER_Z = {Metric.REGRESSION_Z: ZKind.REGRESSION, **_SPREAD_Z}
_LINE = ("log", "formation_bars", "refit_every", "hedge", "formation_end")
#: The settings that each metric depends on, beside legs and interval: another choice begins a rule anew.
_ASKED: Mapping[Metric, tuple[str, ...]] = {
    Metric.Z: ("window", "log"),
    Metric.REGRESSION_Z: ("window", "log"),
    **dict.fromkeys(_SPREAD_Z, ("window", *_LINE)),
    Metric.SPREAD: _LINE,
    Metric.BETA: _LINE,
    Metric.CORRELATION: ("correlation_window",),
    Metric.HALF_LIFE: ("log",),
    Metric.COINTEGRATION_P: ("log",),
}
_CHEAP = tuple(metric for metric in Metric if metric not in _OTHER_Z)
#: What comes of trades, not of bars: somebody must look at them while a rule watches it.
OF_TRADES = (Metric.HY_CORRELATION, Metric.LEAD_LAG)
_OF_TESTS = (Metric.HALF_LIFE, Metric.COINTEGRATION_P)


@dataclass(frozen=True, slots=True)
class Look:
    """Hold what is known beside the bars when they are judged.

    ``age_*_ms``: how old each leg's last trade is; ``ticks``: what the newest trades say.
    """

    venue: str = ""
    evidence: PairEvidence | None = None
    age_y_ms: int | None = None
    age_x_ms: int | None = None
    ticks: TickFindings | None = None


def kinds_of(rules: Iterable[Rule]) -> tuple[ZKind, ...]:
    """Return the kinds of z that the rules judge which are on, walk-forward not among them: every frame has it."""
    watched = {rule.metric for rule in rules if rule.enabled}
    return tuple(kind for metric, kind in _OTHER_Z.items() if metric in watched)


def look_of(pair: PairModel, ticks: TickFindings | None = None) -> Look:
    """Return what is known now of the pair on screen; an age is None where no feed tells the time."""
    source, settings = pair.source, pair.settings
    instrument = source.instrument(settings.y) if source is not None and settings.y else None
    venue = instrument.venue if instrument is not None else ""
    if not isinstance(source, MarketModel):
        return Look(venue, pair.evidence, ticks=ticks)
    return Look(venue, pair.evidence, _age(source, settings.y), _age(source, settings.x), ticks)


def _age(market: MarketModel, symbol: str) -> int | None:
    traded, now = market.quote(symbol).last_trade_ts, market.exchange_ms
    return None if traded is None or now is None else max(0, now - traded)


def settings_words(settings: PairSettings, metric: Metric) -> str:
    """Return in words the settings that a metric depends on."""
    words = []
    for name in _ASKED.get(metric, ()):
        value = getattr(settings, name)
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        words.append(f"{name.replace('_', ' ')} {text}")
    if settings.stated_delta is not None and "hedge" in _ASKED.get(metric, ()):
        words.append(f"kalman delta {settings.stated_delta:g}")
    return ", ".join(words)


def view_of(frame: PairFrame, metric: Metric) -> tuple[object, ...]:
    """Return what a rule on a metric looks at: another view is judged anew."""
    settings = frame.settings
    return frame.epoch, frame.origin, settings.y, settings.x, settings.interval, settings_words(settings, metric)


def same_stream(first: Origin, second: Origin) -> bool:
    """Return whether two origins belong to one stream of data: what was late in the live market is history."""
    market = (Origin.LIVE, Origin.HISTORY)
    return first is second or (first in market and second in market)


class FrameSamples:
    """Read a frame as samples; columns (n rows) are made when first asked for, NaN = no value."""

    def __init__(self, frame: PairFrame, look: Look | None = None) -> None:
        self.frame, self.look = frame, look or Look()
        self._columns: dict[Metric, FloatArray | None] = {}
        self._complete: BoolArray | None = None

    @property
    def times(self) -> IntArray:
        """Return the rows' open times (ms)."""
        return self.frame.times

    @property
    def complete(self) -> BoolArray:
        """Return at which rows no trade of either leg is missing."""
        if self._complete is None:
            frame = self.frame
            whole = np.ones(len(frame), np.bool_)
            if len(frame.left_out):
                whole &= ~np.isin(frame.times, frame.left_out)
            for quality in (frame.quality_y, frame.quality_x):
                if quality is not None:
                    whole &= quality <= BarQuality.KLINES
            self._complete = whole
        return self._complete

    def column(self, metric: Metric) -> FloatArray | None:
        """Return the values of a metric, or None where the frame has none of it."""
        if metric not in self._columns:
            self._columns[metric] = self._made(metric)
        return self._columns[metric]

    def usable(self, rule: Rule) -> BoolArray:
        """Return the rows that a rule does not pass over."""
        column = self.column(rule.metric)
        if column is None:
            return np.zeros(len(self.frame), np.bool_)
        finite = np.isfinite(column)
        return finite & self.complete if rule.gates.complete else finite

    def narrow(self, metric: Metric, rows: Sequence[int]) -> Iterator[MetricSample]:
        """Yield samples that hold one metric only: enough to judge by."""
        column, full = self.column(metric), self._full(metric)
        for row in rows:
            yield self._sample(row, {} if column is None else {metric: float(column[row])}, full)

    def snapshot(self, metric: Metric, row: int) -> MetricSample:
        """Return a row with every metric there is, as a firing keeps it: spread and ratio as they were shown."""
        known = {*_CHEAP, metric, *(held for held, column in self._columns.items() if column is not None)}
        columns = {each: self._shown(each) for each in Metric if each in known}
        values = {each: float(column[row]) for each, column in columns.items() if column is not None}
        return self._sample(row, {each: value for each, value in values.items() if isfinite(value)}, self._full(metric))

    def context(self, metric: Metric, origin: Origin) -> AlertContext:
        """Return where this is seen, for a firing of a rule on a metric."""
        settings = self.frame.settings
        words = settings_words(settings, metric)
        return AlertContext(self.look.venue, settings.y, settings.x, settings.interval, origin, words)

    def _sample(self, row: int, values: Mapping[Metric, float], full: BoolArray | None) -> MetricSample:
        time, look = int(self.times[row]), self.look
        # Ages and tests are of now: to older bars they say nothing.
        near = int(self.times[-1]) - time <= 2 * self.frame.interval_ms
        return MetricSample(
            time,
            values,
            bool(self.complete[row]),
            full is None or bool(full[row]),
            look.age_y_ms if near else None,
            look.age_x_ms if near else None,
            self._p() if near else None,
        )

    def _p(self) -> float | None:
        evidence = self.look.evidence
        return None if evidence is None else evidence.combined_p

    def _made(self, metric: Metric) -> FloatArray | None:
        frame = self.frame
        cheap: Mapping[Metric, FloatArray] = {
            Metric.Z: frame.signal_z,
            Metric.CORRELATION: frame.correlation,
            Metric.RATIO: closes_of(frame, Formula.RATIO),
            Metric.PRICE_Y: frame.y.close,
            Metric.PRICE_X: frame.x.close,
            Metric.VOLUME_Y: frame.y.volume,
            Metric.VOLUME_X: frame.x.volume,
        }
        if metric in cheap:
            return cheap[metric]
        if metric in (Metric.SPREAD, Metric.BETA):
            return self._known(self._shown(metric))
        if metric in _OF_TESTS or metric in OF_TRADES:
            return self._at(*(self._tested(metric) if metric in _OF_TESTS else self._traded(metric)))
        return self._scores(metric)

    def _tested(self, metric: Metric) -> tuple[float | None, int | None]:
        """Return what a slow test says and when (ms) its sample ends."""
        evidence = self.look.evidence
        if evidence is None:
            return None, None
        return evidence.half_life if metric is Metric.HALF_LIFE else self._p(), evidence.end

    def _traded(self, metric: Metric) -> tuple[float | None, int | None]:
        """Return what the newest trades say and when (ms) they end."""
        ticks, settings = self.look.ticks, self.frame.settings
        if ticks is None or (ticks.name_y, ticks.name_x) != (settings.y, settings.x):
            return None, None
        value = ticks.hayashi_yoshida.correlation if metric is Metric.HY_CORRELATION else ticks.lead_ms
        return value, ticks.end

    def _at(self, value: float | None, end: int | None) -> FloatArray | None:
        """Return a column with a value at the bar that its sample ends in, or at the newest if that still forms."""
        row = -1 if end is None else int(np.searchsorted(self.times, end, "right")) - 1
        if value is None or end is None or row < 0 or end >= int(self.times[row]) + 2 * self.frame.interval_ms:
            return None
        column = np.full(len(self.frame), NAN)
        column[row] = value
        return column

    def _shown(self, metric: Metric) -> FloatArray | None:
        """Return the values on screen, those of the bars that a hedge ratio was fitted on among them."""
        if metric is Metric.SPREAD:
            return self.frame.spread
        return self.frame.beta_column() if metric is Metric.BETA else self.column(metric)

    def _known(self, column: FloatArray | None) -> FloatArray | None:
        """Return what comes of the hedge ratio without the bars that a frozen one was fitted on, or any before them."""
        frame = self.frame
        first = frame.first_fit or frame.fit
        if column is None or first is None or frame.beta_path is not None:
            return column
        return np.where(self.times > first.end_ms, column, NAN)

    def _scores(self, metric: Metric) -> FloatArray | None:
        """Return another kind of z, the very same that the frame would show."""
        frame, kind = self.frame, _OTHER_Z[metric]
        if frame.settings.z_kind is kind:
            return frame.z
        if kind in frame.other_z:
            return frame.other_z[kind]
        legs = frame.joined
        if legs is None:
            return None
        inside = slice(int(np.searchsorted(legs.times, self.times[0])), None)
        column = np.full(len(frame), NAN)
        column[np.searchsorted(self.times, legs.times[inside])] = z_of_kind(kind, legs, frame.settings.window)[inside]
        return column

    def _full(self, metric: Metric) -> BoolArray | None:
        """Return at which rows every window behind a metric is full; None: at all that have a value."""
        frame = self.frame
        first = frame.first_fit or frame.fit
        if metric not in (Metric.SPREAD, Metric.BETA, *_SPREAD_Z) or first is None:
            return None
        row = np.searchsorted(np.array([refit.time for refit in frame.refits], np.int64), self.times, "right")
        counts = np.array([first.n, *(refit.n for refit in frame.refits)])[row]
        return np.asarray(counts >= frame.settings.formation_bars, np.bool_)
