"""Keep the bars of one derived interval: folds of its base, and what store and exchange have of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from quantdesk.bars.arrays import BarArrays, IntArray
from quantdesk.bars.builder import Bar
from quantdesk.bars.derived import BoolArray, Derived, Folded, fold_bars
from quantdesk.bars.series import BarSeries
from quantdesk.store.base import StoredBars
from quantdesk.types import Interval

#: Of a long pause so many ended bars are told at most: the newest.
_MOST_ENDED = 64
_SHORTEST_MS = min(derived.ms for derived in Derived)


@dataclass(frozen=True, slots=True)
class Part:
    """Hold the n bars of a base from some time on, with n flags each; ``first``: there are none before.

    ``decimals``: of price and quantity.
    """

    bars: BarArrays
    closed: BoolArray
    traded: BoolArray
    revisions: IntArray
    partial: BoolArray
    first: bool
    decimals: tuple[int, int]


class Base(Protocol):
    """Offer the bars that a derived interval is folded from."""

    def part(self, interval: Interval, start: int) -> Part:
        """Return the bars that open at ``start`` (ms) or later."""


class DerivedBars:
    """Fold when somebody looks, from the first bar on that changed.

    The rule of the store: whole bars from trades, else the exchange's own bar, else what there is. A bar
    has closed when the exchange's time has passed its end, or its last base bar has closed.
    """

    def __init__(self, derived: Derived, capacity: int) -> None:
        self.derived = derived
        self._series = BarSeries(capacity)
        self._deep = BarSeries(capacity)  # loaded: reaches farther back than the base in memory
        self._deep_partial: set[int] = set()
        self._partial: IntArray = np.empty(0, np.int64)
        self._stale_from: int | None = None
        self._ended_by = 0

    def note(self, time: int) -> None:
        """Learn that base bars have changed from this time (ms) on."""
        start = time - time % self.derived.ms
        self._stale_from = start if self._stale_from is None else min(start, self._stale_from)

    def on_time(self, exchange_ms: int) -> Sequence[int]:
        """Learn the time; return the open times of the bars that have ended since it was told last."""
        ms, before = self.derived.ms, self._ended_by
        boundary = exchange_ms - exchange_ms % ms
        if boundary <= before:
            return ()
        self._ended_by = boundary
        self.note(before)
        return range(max(before, boundary - _MOST_ENDED * ms), boundary, ms) if before else ()

    def has_ended(self, time: int) -> bool:
        """Return whether the bar that holds this time (ms) has ended by the exchange's time."""
        return time - time % self.derived.ms + self.derived.ms <= self._ended_by

    def load(self, stored: StoredBars) -> None:
        """Take bars of the store's read view; the newest one from trades may have gone on since."""
        origin = np.array(stored.origin, dtype=object)
        traded = np.isin(origin, ("trades", "partial"))
        times = stored.bars.open_time
        self._deep_partial.difference_update(times.tolist())
        self._deep_partial.update(times[origin == "partial"].tolist())
        if traded.any():
            self._deep_partial.add(int(times[traded][-1]))
        self._deep.merge(stored.bars[traded], from_trades=True)
        self.merge_source(stored.bars[~traded])

    def merge_source(self, bars: BarArrays) -> None:
        """Take closed bars of the exchange."""
        if len(bars):
            partial = np.fromiter(self._deep_partial, np.int64, len(self._deep_partial))
            self._deep.merge(bars, from_trades=False, giving_way=partial)
            self._deep_partial.difference_update(bars.open_time.tolist())
        self.note(0)

    def drop(self, start: int, end: int) -> None:
        """Forget what was loaded of the bars that hold any of [start, end) (ms): they are folded or loaded anew."""
        ms = self.derived.ms
        self._deep.drop(start - start % ms, end)
        self._deep_partial = {time for time in self._deep_partial if not start - start % ms <= time < end}
        self.note(start)

    def series(self, base: Base) -> BarSeries:
        """Return the bars as they stand now."""
        if self._stale_from is not None:
            start, self._stale_from = self._stale_from, None
            self._renew(base.part(self.derived.base, start), start)
        return self._series

    def partial_times(self, base: Base) -> IntArray:
        """Return the open times of bars from trades of which trades are missing, ascending."""
        self.series(base)
        return self._partial

    def _renew(self, part: Part, start: int) -> None:
        folded = fold_bars(
            part.bars,
            self.derived,
            traded=part.traded,
            partial=part.partial,
            begins=part.first,
            decimals=part.decimals,
        )
        deep = self._deep.since(start)
        deep_traded = self._deep.from_trades(len(deep))
        deep_partial = deep_traded & np.isin(deep.open_time, np.array(sorted(self._deep_partial), np.int64))
        ours, theirs = _chosen(folded, deep, deep_traded, deep_partial)
        times = np.concatenate([folded.bars.open_time[ours], deep.open_time[theirs]])
        order = np.argsort(times, kind="stable")

        def put(own: IntArray | BoolArray, loaded: IntArray | BoolArray) -> IntArray:
            return np.asarray(np.concatenate([own[ours], loaded[theirs]])[order])

        closed, revisions = self._standing(part, folded.bars)
        traded = put(folded.traded, deep_traded).astype(bool)
        partial = put(folded.partial, deep_partial).astype(bool)
        shut = put(closed, np.ones(len(deep), bool)).astype(bool)
        runs = deep_traded & (deep.open_time + self.derived.ms > self._ended_by)
        shut[-1:] &= ~put(np.zeros(len(closed), bool), runs).astype(bool)[-1:]
        bars = _joined(folded.bars[ours], deep[theirs], order)
        self._series.replace_from(start, bars, traded, shut, put(revisions, np.zeros(len(deep), np.int64)))
        self._partial = np.concatenate([self._partial[self._partial < start], bars.open_time[partial]])

    def _standing(self, part: Part, folded: BarArrays) -> tuple[BoolArray, IntArray]:
        """Return which folded bars have closed, and how often each was revised."""
        ms, step = self.derived.ms, self.derived.base.ms
        if len(folded) == 0:
            return np.zeros(0, bool), np.zeros(0, np.int64)
        starts = np.searchsorted(part.bars.open_time, folded.open_time)
        closed = np.logical_and.reduceat(part.closed, starts)
        over = folded.open_time[-1] + ms <= max(self._ended_by, int(part.bars.open_time[-1]) + step)
        closed[-1] &= over
        return np.asarray(closed, np.bool_), np.asarray(np.maximum.reduceat(part.revisions, starts), np.int64)


class DerivedSet:
    """Hold every derived interval of a symbol, and tell which of their bars have ended."""

    def __init__(self, capacity: int) -> None:
        self._held = {derived.value: DerivedBars(derived, capacity) for derived in Derived}
        self._of = {i: [held for held in self._held.values() if held.derived.base is i] for i in Interval}
        self._ended: dict[tuple[str, int], None] = {}
        self._next_end = 0

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def __getitem__(self, name: str) -> DerivedBars:
        return self._held[name]

    def note(self, base: Interval, time: int) -> None:
        """Learn that bars of a stored level have changed from this time (ms) on."""
        for held in self._of[base]:
            held.note(time)

    def drop(self, base: Interval, start: int, end: int) -> None:
        """Forget what was loaded of the bars that hold any of [start, end) (ms)."""
        for held in self._of[base]:
            held.drop(start, end)

    def on_tick(self, ts: int, closed: Sequence[Bar]) -> None:
        """Learn a trade's time, and which bars of stored levels it closed or revised."""
        for bar in closed:
            for held in self._of[bar.interval] if bar.revision else ():
                if held.has_ended(bar.open_time):
                    self._ended[held.derived.value, bar.open_time - bar.open_time % held.derived.ms] = None
        self.on_time(ts)

    def on_time(self, exchange_ms: int) -> None:
        """Learn the time."""
        if exchange_ms >= self._next_end:
            self._next_end = exchange_ms - exchange_ms % _SHORTEST_MS + _SHORTEST_MS
            for name, held in self._held.items():
                self._ended.update(dict.fromkeys((name, time) for time in held.on_time(exchange_ms)))

    @property
    def has_ended(self) -> bool:
        """Return whether there may be something to take."""
        return bool(self._ended)

    def take_ended(self, base: Base) -> Sequence[tuple[str, int]]:
        """Return once which bars (interval, open time) have closed or were revised, where anything was traded."""
        if not self._ended:
            return ()
        ended, self._ended = self._ended, {}
        return tuple((name, time) for name, time in ended if self._has_bars(base, self._held[name].derived, time))

    def _has_bars(self, base: Base, derived: Derived, time: int) -> bool:
        times = base.part(derived.base, time).bars.open_time
        return len(times) > 0 and int(times[0]) < time + derived.ms


def _chosen(
    folded: Folded, deep: BarArrays, deep_traded: BoolArray, deep_partial: BoolArray
) -> tuple[BoolArray, BoolArray]:
    """Return which of the folded and which of the loaded bars stand; of one time it is one of them."""
    ours, theirs = np.ones(len(folded.bars), bool), np.ones(len(deep), bool)
    _, own, loaded = np.intersect1d(folded.bars.open_time, deep.open_time, return_indices=True)
    more = deep.trades[loaded] > folded.bars.trades[own]
    lacks, mixed = folded.partial[own], ~folded.traded[own]
    source = ~deep_traded[loaded]
    # Loaded bars do not go on: one of fewer trades was whole once, but not as things stand now.
    same = deep.trades[loaded] >= folded.bars.trades[own]
    wins = np.where(source, lacks | mixed, lacks & np.where(deep_partial[loaded], more, same))
    ours[own[wins]] = False
    theirs[loaded[~wins]] = False
    return ours, theirs


def _joined(first: BarArrays, second: BarArrays, order: IntArray) -> BarArrays:
    names = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades")
    return BarArrays(*(np.concatenate([getattr(first, n), getattr(second, n)])[order] for n in names))
