"""Build a frame from copies of two legs: one pure function, run in the pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

import numpy as np

from quantdesk.analytics.attribution import Attribution, attribute
from quantdesk.analytics.held_z import FormingZ
from quantdesk.analytics.pairs import PairSeries, PairSnapshot, evaluate
from quantdesk.analytics.spread import spread_of
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray
from quantdesk.bars.quality import BarQuality
from quantdesk.model.formation import HedgeLines, JoinedBars, advance
from quantdesk.model.frame import NAN, JoinedLegs, LastValues, LegColumns, PairFrame, PairSettings
from quantdesk.model.scores import Scores, judged, scores_of
from quantdesk.types import Origin

#: Bands are drawn this many sigmas of the formation window from its mean.
BAND_SIGMAS = 2.0
#: The standing of a leg that is no series, and of one that may change in ways nobody tells.
NO_SERIES, UNTOLD = 0, -1


@dataclass(frozen=True, slots=True)
class LegCopy:
    """Hold the closed bars of one leg, what statistics take as closes, and which bars they leave out."""

    bars: BarArrays
    closes: FloatArray
    partial: IntArray
    price_decimals: int = 2
    quantity_decimals: int = 3
    quality: IntArray | None = None  # BarQuality of each bar; None where nobody can tell
    missing: IntArray = field(default_factory=lambda: np.empty(0, np.int64))  # times without a bar, for lack of trades
    standing: int = UNTOLD  # ``BarSeries.standing`` when it was copied

    @classmethod
    def empty(cls) -> LegCopy:
        """Return a leg that is not chosen yet."""
        return cls(BarArrays.empty(), np.empty(0), np.empty(0, np.int64), standing=NO_SERIES)

    def usable(self) -> tuple[IntArray, FloatArray]:
        """Return times and closes of the bars that statistics may use, read-only."""
        keep = ~np.isin(self.bars.open_time, self.partial) if len(self.partial) else slice(None)
        times, closes = self.bars.open_time[keep], self.closes[keep]
        times.setflags(write=False)
        closes.setflags(write=False)
        return times, closes

    def placed_quality(self, times: IntArray) -> IntArray | None:
        """Return the quality at each of ``times``, -1 where there is no bar and none is missing."""
        if self.quality is None:
            return None
        out = np.full(len(times), -1, np.int64)
        for found, codes in ((self.missing, BarQuality.MISSING), (self.bars.open_time, self.quality)):
            rows = np.searchsorted(times, found)
            there = rows < len(times)
            there[there] = times[rows[there]] == found[there]
            out[rows[there]] = codes if isinstance(codes, BarQuality) else codes[there]
        out.setflags(write=False)
        return out


@dataclass(frozen=True, slots=True)
class FrameOrder:
    """Hold everything one frame is built from."""

    version: int
    epoch: int
    origin: Origin
    live_since: int | None
    interval_ms: int
    settings: PairSettings
    y: LegCopy
    x: LegCopy
    lines: HedgeLines
    refit_now: bool
    most_rows: int | None
    other_kinds: tuple[ZKind, ...] = ()  # kinds of z that are wanted beside the one shown

    @property
    def kinds_beside(self) -> tuple[ZKind, ...]:
        """Return the kinds of z that are wanted and not the one shown."""
        return tuple(kind for kind in self.other_kinds if kind is not self.settings.z_kind)

    def snapshot(self) -> PairSnapshot:
        """Return the legs as analytics takes them, partial bars left out."""
        s = self.settings
        return PairSnapshot(*self.y.usable(), *self.x.usable(), s.window, s.correlation_window, s.log)


@dataclass(frozen=True, slots=True)
class Built:
    """Hold a frame and the hedge lines it was drawn with, which the next order carries on.

    ``judges`` judge the bar after the frame's by each kind of z in it, walk-forward and full-sample aside.
    """

    frame: PairFrame
    lines: HedgeLines
    snapshot: PairSnapshot
    judges: Mapping[ZKind, FormingZ] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Hold what an order's n joined bars say: series, lines and scores; ``mean`` and ``sigma`` (n) are the lines'."""

    snapshot: PairSnapshot
    series: PairSeries
    lines: HedgeLines
    legs: JoinedLegs
    scores: Scores
    mean: FloatArray
    sigma: FloatArray


def evaluated(order: FrameOrder) -> Evaluated:
    """Return the statistics that the frame of an order shows."""
    snapshot = order.snapshot()
    series = evaluate(snapshot)
    joined = JoinedBars(series.times, series.y, series.x, order.interval_ms)
    lines = advance(order.lines, joined, order.settings, order.origin, order.live_since, refit_now=order.refit_now)
    beta, mean, sigma = lines.columns(series.times)
    frozen = lines.first if lines.path is None else None  # a moving ratio was known before each bar
    legs = JoinedLegs(series.times, series.y, series.x, beta, frozen.end_ms if frozen else None)
    return Evaluated(snapshot, series, lines, legs, scores_of(order.settings, series, legs), mean, sigma)


def build(order: FrameOrder) -> Built:
    """Return the frame of an order. Shapes as in PairFrame; every array is read-only."""
    times = _times(order)
    if order.most_rows is not None:
        times = times[-order.most_rows :]
    times.setflags(write=False)
    found = evaluated(order)
    series, lines, scores, legs = found.series, found.lines, found.scores, found.legs
    spread = spread_of(series.y, series.x, legs.beta)
    place = _Placing(times, series.times)
    columns = {
        "spread": place(spread),
        "spread_upper": place(found.mean + BAND_SIGMAS * found.sigma),
        "spread_lower": place(found.mean - BAND_SIGMAS * found.sigma),
        "z": place(scores.z),
        "correlation": place(series.correlation),
    }
    newest, first, walk = lines.newest, lines.first, series.walk
    others, judges = _scored(order, found)
    frame = PairFrame(
        version=order.version,
        epoch=order.epoch,
        origin=order.origin,
        live_since=order.live_since,
        interval_ms=order.interval_ms,
        settings=order.settings,
        times=times,
        y=_leg(order.y, times),
        x=_leg(order.x, times),
        **columns,
        alpha=newest.alpha if newest else NAN,
        beta=newest.beta if newest else NAN,
        formation=(first.start_ms, first.end_ms) if first else None,
        formation_settled=lines.settled,
        fit=newest,
        refits=lines.refits,
        observations=len(series),
        last=_last(order, series, spread, scores),
        next_alpha=walk.next_alpha,
        next_beta=walk.next_beta,
        next_sigma=walk.next_sigma,
        price_decimals_y=order.y.price_decimals,
        price_decimals_x=order.x.price_decimals,
        quantity_decimals_y=order.y.quantity_decimals,
        quantity_decimals_x=order.x.quantity_decimals,
        first_fit=first,
        quality_y=order.y.placed_quality(times),
        quality_x=order.x.placed_quality(times),
        left_out=left_out_bars(order),
        beta_path=_moving_beta(lines, times),
        hedge_reason=lines.reason,
        walk_z=None if scores.signal is None else place(scores.signal),
        forming=scores.forming,
        joined=legs,
        other_z=MappingProxyType({kind: place(z) for kind, z in others.items()}),
        attribution=place.parts(attribute(series.y, series.x, legs.beta)),
    )
    return Built(frame, lines, found.snapshot, judges)


def _scored(order: FrameOrder, found: Evaluated) -> tuple[dict[ZKind, FloatArray], dict[ZKind, FormingZ]]:
    """Return the kinds of z beside the one shown, and what judges the bar after by all of them that need it."""
    others = {kind: judged(kind, found.legs, order.settings.window) for kind in order.kinds_beside}
    judges = {kind: judge for kind, (_, judge) in others.items()}
    if found.scores.forming is not None:
        judges[order.settings.z_kind] = found.scores.forming
    return {kind: z for kind, (z, _) in others.items()}, judges


def _moving_beta(lines: HedgeLines, times: IntArray) -> FloatArray | None:
    if lines.path is None:
        return None
    beta, _, _ = lines.path.at(times)
    beta.setflags(write=False)
    return beta


def _times(order: FrameOrder) -> IntArray:
    """Return every time at which a leg has a bar, or lacks one for want of trades."""
    times = np.union1d(order.y.bars.open_time, order.x.bars.open_time)
    missing = np.union1d(order.y.missing, order.x.missing)
    return np.union1d(times, missing[missing < times[-1]]) if len(missing) and len(times) else times


def left_out_bars(order: FrameOrder) -> IntArray:
    """Return the open times (ms) at which both legs have a bar that statistics leave out, ascending."""
    partial = np.union1d(order.y.partial, order.x.partial)
    both = np.intersect1d(order.y.bars.open_time, order.x.bars.open_time) if len(partial) else partial
    found = np.intersect1d(partial, both)
    found.setflags(write=False)
    return found


def _leg(leg: LegCopy, times: IntArray) -> LegColumns:
    start = np.searchsorted(leg.bars.open_time, times[0]) if len(times) else 0
    return LegColumns.placed(leg.bars[int(start) :], times)


class _Placing:
    """Put columns of the joined bars into the rows of a frame."""

    def __init__(self, times: IntArray, joined: IntArray) -> None:
        self._size = len(times)
        self._inside = np.flatnonzero(joined >= (times[0] if len(times) else 0))
        self._rows = np.searchsorted(times, joined)[self._inside]

    def __call__(self, values: FloatArray) -> FloatArray:
        out = np.full(self._size, np.nan)
        out[self._rows] = values[self._inside]
        out.setflags(write=False)
        return out

    def parts(self, found: Attribution) -> Attribution:
        return Attribution(*(self(getattr(found, part.name)) for part in fields(found)))


def _last(order: FrameOrder, series: PairSeries, spread: FloatArray, scores: Scores) -> LastValues:
    y, x = order.y.bars, order.x.bars
    joint = len(series) > 0
    return LastValues(
        time_y=int(y.open_time[-1]) if len(y) else None,
        time_x=int(x.open_time[-1]) if len(x) else None,
        close_y=float(y.close[-1]) if len(y) else NAN,
        close_x=float(x.close[-1]) if len(x) else NAN,
        volume_y=float(y.volume[-1]) if len(y) else NAN,
        volume_x=float(x.volume[-1]) if len(x) else NAN,
        time=int(series.times[-1]) if joint else None,
        spread=float(spread[-1]) if joint else NAN,
        z=float(scores.z[-1]) if joint else NAN,
        correlation=float(series.correlation[-1]) if joint else NAN,
    )
