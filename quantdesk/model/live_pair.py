"""Carry a pair's frame on by the bars that closed after it: the work of a bar, not that of all bars."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

import numpy as np

from quantdesk.analytics.attribution import Attribution, attribute
from quantdesk.analytics.correlation import OnlineCorrelation, logs_of
from quantdesk.analytics.online import OnlineFit
from quantdesk.analytics.online_scores import OnlineScores
from quantdesk.analytics.pairs import PairSnapshot, joined
from quantdesk.analytics.spread import spread_of
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.model.building import BAND_SIGMAS, NO_SERIES, UNTOLD, Built, FrameOrder, LegCopy, build
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import JoinedLegs, LastValues, LegColumns, PairFrame
from quantdesk.model.growing import Growing
from quantdesk.model.hedge_path import HedgePath
from quantdesk.types import Origin

#: More new rows than these are the batch's work, also those that wait for the other leg.
MOST_NEW = 512
#: A frame may outgrow its bound by this share before the batch cuts it: no row moves meanwhile.
SLACK_SHARE = 20

_LEG = tuple(column.name for column in fields(LegColumns))
_PARTS = tuple(part.name for part in fields(Attribution))
_SHOWN = ("spread", "spread_upper", "spread_lower", "z", "correlation")


@dataclass(frozen=True, slots=True)
class _Joined:
    """Hold what k new joined bars say."""

    times: IntArray
    y: FloatArray
    x: FloatArray
    beta: FloatArray
    spread: FloatArray
    mean: FloatArray
    sigma: FloatArray
    correlation: FloatArray
    scores: Mapping[ZKind, FloatArray]
    parts: Attribution


def build_and_follow(order: FrameOrder) -> tuple[Built, LivePair | None]:
    """Build the frame of an order, and what carries it on; None where only the batch can."""
    built = build(order)
    return built, LivePair(order, built) if _can_follow(order, built) else None


def _can_follow(order: FrameOrder, built: Built) -> bool:
    legs = (order.y, order.x)
    if order.origin is Origin.FILE or any(leg.standing == UNTOLD for leg in legs):
        return False
    held = [leg for leg in legs if leg.standing != NO_SERIES]
    if not held or not all(len(leg.bars) for leg in held) or order.settings.z_kind.look_ahead:
        return False
    # A first line that is not settled is fitted anew with each bar; with one leg there is none.
    return built.lines.settled or len(held) == 1


class LivePair:
    """Hold the sums, moments and columns behind one frame; ``extended`` returns the next.

    It continues what ``build`` made, by the same formulas in rebased online sums (``analytics/online.py``):
    each value agrees with the batch on the same bars to 1e-9. A bar costs the same whatever the
    windows and the length, but for a copy of the columns where the second leg closes after the first. Its rows
    never leave: the batch cuts the frame. One thread at a time.
    """

    def __init__(self, order: FrameOrder, built: Built) -> None:
        frame, legs = built.frame, built.frame.joined
        assert legs is not None
        self._order, self._built = order, built
        self._last = (_newest(order.y), _newest(order.x))
        self._partial = tuple(_seen(leg, last) for leg, last in zip((order.y, order.x), self._last, strict=True))
        self.horizon = min(last for last in self._last if last is not None)
        self._settled = int(np.searchsorted(frame.times, self.horizon, "right"))
        window, log = order.settings.window, order.settings.log
        self._scores = OnlineScores(window, legs.y, legs.x, built.judges.values())
        logs = (legs.y, legs.x) if log else (logs_of(legs.y), logs_of(legs.x))
        self._correlation = OnlineCorrelation(order.settings.correlation_window, *logs)
        self._times = Growing(frame.times)
        self._rows = {name: Growing(column) for name, column in _columns(frame).items()}
        self._qualities = tuple(None if q is None else Growing(q) for q in (frame.quality_y, frame.quality_x))
        self._joined_times = Growing(legs.times)
        self._joined = {name: Growing(getattr(legs, name)) for name in ("y", "x", "beta")}
        shot = built.snapshot
        self._used = tuple((Growing(t), Growing(c)) for t, c in _snapshot_legs(shot))
        self._moving = None if built.lines.path is None else _MovingLine(built.lines, legs)
        with_ratio = np.flatnonzero(np.isfinite(legs.beta))[-1:]
        self._before = tuple(column[with_ratio] for column in (legs.y, legs.x, legs.beta))

    def extended(self, order: FrameOrder) -> Built | None:
        """Return the frame with the bars of an order, which holds of each leg all closed after ``horizon``.

        None where anything else is new: then this form is of no more use.
        """
        if not self._continues(order):
            return None
        snapshot = order.snapshot()
        rows_y, _, y, x = joined(snapshot)
        times, lines = snapshot.times_y[rows_y], self._built.lines
        if not self._keeps_line(times, order):
            return None
        if self._moving is not None:
            lines = self._moving.extended(times, y, x)
        found = self._judged(order, lines, times, y, x)
        legs = self._with_joined(found)
        frame = self._framed(order, lines, found, legs)
        snapshot = self._with_used(order)
        self._last = (_newest(order.y) or self._last[0], _newest(order.x) or self._last[1])
        self.horizon = min(last for last in self._last if last is not None)
        self._settled = int(np.searchsorted(frame.times, self.horizon, "right"))
        self._built = Built(frame, lines, snapshot)
        return self._built

    def _continues(self, order: FrameOrder) -> bool:
        """Return whether nothing but whole closed bars is new."""
        old = self._order
        same = ("epoch", "origin", "live_since", "interval_ms", "settings", "kinds_beside", "most_rows")
        if order.refit_now or any(getattr(order, name) != getattr(old, name) for name in same):
            return False
        room = None if order.most_rows is None else order.most_rows + order.most_rows // SLACK_SHARE
        new = len(order.y.bars) + len(order.x.bars)
        if new > MOST_NEW or (room is not None and self._settled + new > room):
            return False
        legs = zip((order.y, order.x), (old.y, old.x), self._last, self._partial, strict=True)
        return all(self._leg_continues(*leg) for leg in legs)

    def _leg_continues(self, leg: LegCopy, old: LegCopy, last: int | None, partial: IntArray) -> bool:
        same = ("standing", "price_decimals", "quantity_decimals")
        if any(getattr(leg, name) != getattr(old, name) for name in same):
            return False
        if (leg.quality is None) is not (old.quality is None):
            return False
        # Bars that lack trades are no reason to build anew while they stay the same, all of them settled.
        seen = _seen(leg, _newest(leg) or last)
        if not np.array_equal(seen, partial) or not np.array_equal(leg.missing, old.missing):
            return False
        return all(not len(times) or int(times[-1]) <= self.horizon for times in (seen, leg.missing))

    def _keeps_line(self, times: IntArray, order: FrameOrder) -> bool:
        """Return whether the newest hedge line judges the new joined bars and no scheduled refit is due by them."""
        lines = self._built.lines
        if not len(times):
            return True
        newest = lines.newest
        if newest is None:
            return False
        if self._moving is not None:
            return True
        if lines.refits and int(times[0]) < newest.time:
            return False
        every = order.settings.refit_every
        since = len(self._joined_times) - int(np.searchsorted(self._joined_times.view, newest.end_ms, "right"))
        return not every or since + len(times) < every

    def _judged(self, order: FrameOrder, lines: HedgeLines, times: IntArray, y: FloatArray, x: FloatArray) -> _Joined:
        newest = lines.newest
        if lines.path is not None:
            beta, mean, sigma = lines.columns(times)
        else:
            line = (newest.beta, newest.mean, newest.sigma) if newest is not None else (np.nan,) * 3
            beta, mean, sigma = (np.full(len(times), value) for value in line)
        scores = self._scores.append(y, x, beta)
        logs = (y, x) if order.settings.log else (logs_of(y), logs_of(x))
        correlation = self._correlation.append(*logs)
        first = len(self._before[0])
        whole = [np.r_[old, new] for old, new in zip(self._before, (y, x, beta), strict=True)]
        parts = attribute(*whole)
        with_ratio = np.flatnonzero(np.isfinite(whole[2]))[-1:]
        self._before = tuple(column[with_ratio] for column in whole)
        moved = Attribution(*(getattr(parts, name)[first:] for name in _PARTS))
        return _Joined(times, y, x, beta, spread_of(y, x, beta), mean, sigma, correlation, scores, moved)

    def _with_joined(self, found: _Joined) -> JoinedLegs:
        start = len(self._joined_times)
        times = self._joined_times.write(start, found.times)
        y, x, beta = (column.write(start, getattr(found, name)) for name, column in self._joined.items())
        old = self._built.frame.joined
        return JoinedLegs(times, y, x, beta, None if old is None else old.fitted_until)

    def _with_used(self, order: FrameOrder) -> PairSnapshot:
        for (times, closes), leg, last in zip(self._used, (order.y, order.x), self._last, strict=True):
            new = slice(0 if last is None else int(np.searchsorted(leg.bars.open_time, last, "right")), None)
            times.write(len(times), leg.bars.open_time[new])
            closes.write(len(closes), leg.closes[new])
        (times_y, closes_y), (times_x, closes_x) = ((times.view, closes.view) for times, closes in self._used)
        s = order.settings
        return PairSnapshot(times_y, closes_y, times_x, closes_x, s.window, s.correlation_window, s.log)

    def _framed(self, order: FrameOrder, lines: HedgeLines, found: _Joined, legs: JoinedLegs) -> PairFrame:
        """Return the frame with new rows in the place of those that waited for the other leg."""
        old, kind = self._built.frame, order.settings.z_kind
        new = np.union1d(order.y.bars.open_time, order.x.bars.open_time)
        columns = self._new_columns(order, new, lines, found)
        times = self._times.write(self._settled, new)
        shown = {name: column.write(self._settled, columns[name]) for name, column in self._rows.items()}
        qualities = [
            None if column is None else column.write(self._settled, _quality(leg, new))
            for column, leg in zip(self._qualities, (order.y, order.x), strict=True)
        ]
        newest, line = lines.newest, self._scores.line
        return replace(
            old,
            version=order.version,
            times=times,
            y=LegColumns(*(shown[f"y {name}"] for name in _LEG)),
            x=LegColumns(*(shown[f"x {name}"] for name in _LEG)),
            spread=shown["spread"],
            spread_upper=shown["spread_upper"],
            spread_lower=shown["spread_lower"],
            z=shown["z"],
            correlation=shown["correlation"],
            alpha=newest.alpha if newest else np.nan,
            beta=newest.beta if newest else np.nan,
            fit=newest,
            observations=len(legs.times),
            last=_last(old.last, order, found, kind),
            next_alpha=line.alpha,
            next_beta=line.beta,
            next_sigma=line.sigma,
            quality_y=qualities[0],
            quality_x=qualities[1],
            beta_path=shown.get("beta_path"),
            walk_z=shown.get("walk_z"),
            forming=None if old.forming is None else self._scores.judge(kind, legs.y, legs.x),
            joined=legs,
            other_z=MappingProxyType({each: shown[f"z {each}"] for each in old.other_z}),
            attribution=Attribution(*(shown[f"part {name}"] for name in _PARTS)),
        )

    def _new_columns(
        self, order: FrameOrder, new: IntArray, lines: HedgeLines, found: _Joined
    ) -> Mapping[str, FloatArray]:
        """Return the rows ``new`` (open times, ms) of every column by name."""
        at = np.searchsorted(new, found.times)

        def placed(values: FloatArray) -> FloatArray:
            out = np.full(len(new), np.nan)
            out[at] = values
            return out

        columns = {
            "spread": placed(found.spread),
            "spread_upper": placed(found.mean + BAND_SIGMAS * found.sigma),
            "spread_lower": placed(found.mean - BAND_SIGMAS * found.sigma),
            "z": placed(found.scores[order.settings.z_kind]),
            "correlation": placed(found.correlation),
            "walk_z": placed(found.scores[ZKind.WALK_FORWARD]),
        }
        for side, leg in (("y", order.y), ("x", order.x)):
            bars = LegColumns.placed(leg.bars, new)
            columns |= {f"{side} {name}": getattr(bars, name) for name in _LEG}
        columns |= {f"z {kind}": placed(z) for kind, z in found.scores.items()}
        columns |= {f"part {name}": placed(getattr(found.parts, name)) for name in _PARTS}
        if lines.path is not None:
            columns["beta_path"] = lines.path.at(new)[0]
        return columns


class _MovingLine:
    """Move a hedge line on by one bar after the other: a rolling regression, or the Kalman filter itself."""

    def __init__(self, lines: HedgeLines, legs: JoinedLegs) -> None:
        path, first = lines.path, lines.first
        assert path is not None and first is not None
        self._lines = lines
        self._kalman = None if path.live is None else copy(path.live)
        self._fit = None
        if path.live is None:
            self._fit = OnlineFit.filled(first.n, legs.y[-first.n :].tolist(), legs.x[-first.n :].tolist())
        self._times = Growing(path.times)
        self._columns = tuple(Growing(column) for column in (path.alpha, path.beta, path.deviation))

    def extended(self, times: IntArray, y: FloatArray, x: FloatArray) -> HedgeLines:
        """Return the lines after k further joined bars."""
        rows = [self._step(one_y, one_x) for one_y, one_x in zip(y.tolist(), x.tolist(), strict=True)]
        found = np.array(rows, np.float64).reshape(-1, 3).T
        start = len(self._times)
        alpha, beta, deviation = (column.write(start, new) for column, new in zip(self._columns, found, strict=True))
        live = None if self._kalman is None else copy(self._kalman)
        path = HedgePath(self._times.write(start, times), alpha, beta, deviation, live)
        self._lines = replace(self._lines, path=path)
        return self._lines

    def _step(self, y: float, x: float) -> tuple[float, float, float]:
        if self._kalman is not None:
            _, deviation = self._kalman.step(y, x)
            return self._kalman.alpha, self._kalman.beta, deviation
        assert self._fit is not None
        fit = self._fit.append(y, x)
        return fit.alpha, fit.beta, fit.sigma


def _columns(frame: PairFrame) -> dict[str, FloatArray]:
    """Return the columns of a frame that are made of floats, by name."""
    parts = frame.attribution
    assert parts is not None
    columns = {name: getattr(frame, name) for name in (*_SHOWN, "walk_z", "beta_path")}
    columns |= {f"{side} {name}": getattr(getattr(frame, side), name) for side in ("y", "x") for name in _LEG}
    columns |= {f"z {kind}": z for kind, z in frame.other_z.items()}
    columns |= {f"part {name}": getattr(parts, name) for name in _PARTS}
    return {name: column for name, column in columns.items() if column is not None}


def _snapshot_legs(shot: PairSnapshot) -> tuple[tuple[IntArray, FloatArray], tuple[IntArray, FloatArray]]:
    return (shot.times_y, shot.closes_y), (shot.times_x, shot.closes_x)


def _newest(leg: LegCopy) -> int | None:
    """Return the open time (ms) of a leg's last bar."""
    return int(leg.bars.open_time[-1]) if len(leg.bars) else None


def _seen(leg: LegCopy, last: int | None) -> IntArray:
    """Return the times of partial bars up to the last closed one: the forming one is nobody's yet."""
    return leg.partial[:0] if last is None else leg.partial[: np.searchsorted(leg.partial, last, "right")]


def _quality(leg: LegCopy, times: IntArray) -> IntArray:
    placed = leg.placed_quality(times)
    return np.full(len(times), -1, np.int64) if placed is None else placed


def _last(old: LastValues, order: FrameOrder, found: _Joined, kind: ZKind) -> LastValues:
    """Return the newest values of the closed bars."""
    changes: dict[str, float | int] = {}
    for side, leg in (("y", order.y), ("x", order.x)):
        if len(leg.bars):
            values = (int(leg.bars.open_time[-1]), float(leg.bars.close[-1]), float(leg.bars.volume[-1]))
            changes |= dict(zip((f"time_{side}", f"close_{side}", f"volume_{side}"), values, strict=True))
    if len(found.times):
        changes |= {
            "time": int(found.times[-1]),
            "spread": float(found.spread[-1]),
            "z": float(found.scores[kind][-1]),
            "correlation": float(found.correlation[-1]),
        }
    return replace(old, **changes)  # type: ignore[arg-type]  # names and values belong together
