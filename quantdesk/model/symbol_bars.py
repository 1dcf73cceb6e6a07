"""Keep the bars of one symbol whole: trades, stored bars and klines, each where it may speak.

The rule of the store holds here, too: whole bars from trades, else source bars (klines), else
partial bars from trades.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantdesk.bars.arrays import BarArrays, IntArray
from quantdesk.bars.builder import MEMORY, Bar, BarBuilder
from quantdesk.bars.derived import TIMEFRAMES, Derived
from quantdesk.bars.quality import behind, judge, missing_times
from quantdesk.bars.series import BarSeries
from quantdesk.model.derived_bars import DerivedSet, Part
from quantdesk.model.holes import Holes, Jumps
from quantdesk.store.base import StoredBars, TickArrays
from quantdesk.types import Gap, Instrument, Interval, Tick

_SEED_MS = Interval.M5.ms
_STEPS = {i.value: i for i in Interval}
_MS = {i.value: i.ms for i in (*Interval, *Derived)}
_TRADED = ("trades", "partial")
#: So many changed bars wait at most for somebody to look.
_MOST_FRESH = 512
#: Of a long outage so many places without a bar are shown: the newest.
_MOST_MISSING = 1_000


def _counts(series: BarSeries, times: IntArray) -> IntArray:
    """Return how many trades the bars shown at these times count, 0 where none stands."""
    held = series.arrays()
    counts = np.zeros(len(times), np.int64)
    if len(held):
        places = np.minimum(np.searchsorted(held.open_time, times), len(held) - 1)
        counts = np.where(held.open_time[places] == times, held.trades[places], 0)
    return np.asarray(counts, np.int64)


def _array(times: set[int]) -> IntArray:
    return np.fromiter(times, np.int64, len(times))


class SymbolBars:
    """Feed one builder and show its bars in a series per interval.

    A bar is ``partial`` while an open gap overlaps it, or when trades of it came before the first one
    seen here. Its trades-built form then waits in memory wherever a source bar can stand in.
    """

    def __init__(self, instrument: Instrument, capacity: int = 200_000) -> None:
        self.instrument = instrument
        self._builder = BarBuilder(instrument)
        self._series = {i: BarSeries(capacity) for i in Interval}
        self._extra: dict[str, BarSeries] = {}
        self._capacity = capacity
        self._holes = Holes()
        self._gaps: tuple[Gap, ...] = ()
        self._jumps = Jumps()
        self._head: int | None = None  # trade time of the oldest tick seen
        self._whole_from: int | None = None  # from this bar on every stored tick was seeded
        self._stored: dict[Interval, set[int]] = {i: set() for i in Interval}
        self._stored_partial: dict[str, set[int]] = {i.value: set() for i in Interval}
        self._waiting: dict[Interval, dict[int, Bar]] = {i: {} for i in Interval}
        self._outdated: tuple[int, int] | None = None
        self._derived = DerivedSet(capacity)
        # A bar changes with every trade but is read once a frame: the newest form waits until then.
        self._fresh: dict[tuple[Interval, int], Bar] = {}

    def set_instrument(self, instrument: Instrument) -> None:
        """Take a new precision; a builder that has begun keeps its own, whose sums must stay of one kind."""
        if self._head is None and instrument != self.instrument:
            self._builder = BarBuilder(instrument)
        self.instrument = instrument

    def intervals(self) -> tuple[str, ...]:
        """Return the intervals that can be shown."""
        return (*TIMEFRAMES, *self._extra)

    def series(self, interval: str) -> BarSeries | None:
        """Return the bars of an interval; None = unknown interval."""
        self._show_fresh()
        if interval in self._derived:
            return self._derived[interval].series(self)
        step = _STEPS.get(interval)
        return self._extra.get(interval) if step is None else self._series[step]

    def part(self, interval: Interval, start: int) -> Part:
        """Return the bars of a stored level that open at ``start`` (ms) or later, for folding."""
        self._show_fresh()
        series = self._series[interval]
        bars = series.since(start)
        partial = np.isin(bars.open_time, self._partial_since(interval, start))
        flags = (series.closed(len(bars)), series.from_trades(len(bars)), series.revisions(len(bars)))
        decimals = (self.instrument.price_decimals, self.instrument.quantity_decimals)
        return Part(bars, *flags, partial, len(bars) == len(series), decimals)

    @property
    def has_ended(self) -> bool:
        """Return whether there may be something to take."""
        return self._derived.has_ended

    def take_ended(self) -> Sequence[tuple[str, int]]:
        """Return once which derived bars (interval, open time) have closed or were revised."""
        return self._derived.take_ended(self)

    def on_tick(self, tick: Tick) -> list[Bar]:
        """Add a trade; return the bars it closed or revised."""
        if self._head is None or tick.ts < self._head:
            self._lower_head(tick.ts)
        if self._jumps.on_tick(tick):
            self._put_holes()
        late = self._builder.too_late
        closed, forming = self._builder.on_tick(tick)
        if self._builder.too_late != late:
            self._outdate(tick.ts)
        for bar in (*forming, *closed):
            self._fresh[bar.interval, bar.open_time] = bar
        self._derived.on_tick(tick.ts, closed)
        if len(self._fresh) > _MOST_FRESH:
            self._show_fresh()
        return closed

    def on_time(self, exchange_ms: int) -> list[Bar]:
        """Close what ended; return those bars."""
        self._show_fresh()
        closed = self._builder.on_time(exchange_ms)
        for bar in closed:
            self._show(bar)
        if closed:
            self._forget(exchange_ms)
        self._derived.on_time(exchange_ms)
        return closed

    def seed(self, ticks: TickArrays) -> Tick | None:
        """Give the builder stored ticks, whole from the 5-minute bar of the first one on; blocks ascend.

        Return the newest tick.
        """
        if len(ticks) == 0:
            return None
        if self._whole_from is None:
            start = int(ticks.ts.min())
            self._whole_from = start - start % _SEED_MS
        tick = None
        columns = (ticks.agg_id, ticks.price, ticks.quantity, ticks.ts, ticks.is_buyer_maker, ticks.trades)
        order = np.argsort(ticks.agg_id, kind="stable")
        for agg_id, price, quantity, ts, maker, trades in zip(*(c[order].tolist() for c in columns), strict=True):
            tick = Tick(self.instrument.symbol, agg_id, price, quantity, ts, bool(maker), trades)
            self.on_tick(tick)
        return tick

    def load(self, interval: str, stored: StoredBars) -> None:
        """Show bars of the store's read view; bars that this builder knows whole stay.

        Of two bars built from trades the one of more trades is the more whole: another program may
        have written what this one's feed has missed.
        """
        if interval in self._derived:
            self._derived[interval].load(stored)
            return
        series, step = self._ensure(interval), _STEPS.get(interval)
        origin = np.array(stored.origin, dtype=object)
        traded = np.isin(origin, _TRADED)
        sources, times = stored.bars[~traded], stored.bars.open_time
        if step is not None:
            built = series.times()[series.from_trades()]
            own = np.isin(times, np.setdiff1d(built, _array(self._stored[step])))
            traded &= ~own | (stored.bars.trades > _counts(series, times))
            taken = set(times[traded].tolist())
            self._stored[step] |= taken
            for time in taken & self._waiting[step].keys():
                del self._waiting[step][time]
        partial = self._stored_partial.setdefault(interval, set())
        partial.difference_update(times.tolist())
        partial.update(times[traded & (origin == "partial")].tolist())
        series.merge(stored.bars[traded], from_trades=True)
        self._note_bars(step, stored.bars)
        self.merge_source(interval, sources)

    def reload(self, interval: str, span: tuple[int, int], stored: StoredBars, *, sources: bool) -> None:
        """Show what the store still has of [start, end) (ms), in which all bars, or ``sources`` alone, were deleted.

        What was loaded of the intervals that are folded from this one goes, too.
        """
        start, end = span
        self._show_fresh()
        self._ensure(interval).drop(start, end, sources=sources)
        step = _STEPS.get(interval)
        if step is not None:
            self._derived.drop(step, start, end)
        if step is not None and not sources:
            held, waiting = self._stored[step], self._waiting[step]
            self._stored[step] = {time for time in held if not start <= time < end}
            self._waiting[step] = {time: bar for time, bar in waiting.items() if not start <= time < end}
        self.load(interval, stored)

    def merge_source(self, interval: str, bars: BarArrays) -> None:
        """Show closed bars of the exchange wherever no whole bar from trades stands."""
        if interval in self._derived:
            self._derived[interval].merge_source(bars)
            return
        series, step = self._ensure(interval), _STEPS.get(interval)
        partial = self.partial_times(interval)
        if step is not None:
            self._set_aside(step, np.intersect1d(partial, bars.open_time))
        series.merge(bars, from_trades=False, giving_way=partial)
        self._stored_partial.get(interval, set()).difference_update(bars.open_time.tolist())
        self._note_bars(step, bars)

    def on_gaps(self, gaps: Sequence[Gap]) -> tuple[Interval, ...]:
        """Take the open gaps; return the intervals in which the standing of a bar changed."""
        self._gaps = tuple(gaps)
        self._jumps.leave_to(self._gaps)
        return self._put_holes()

    def forget_jumps(self, exchange_ms: int) -> tuple[Interval, ...]:
        """Believe the ledger where it had time to speak; return the intervals in which a bar's standing changed."""
        return self._put_holes() if self._jumps.forget(exchange_ms) else ()

    def _put_holes(self) -> tuple[Interval, ...]:
        holes = Holes((*self._gaps, *self._jumps.gaps()))
        if holes == self._holes:
            return ()
        before = {i: self.partial_times(i) for i in Interval}
        lows = [span[0] for span in (self._holes.span, holes.span) if span is not None]
        self._holes = holes
        for level in Interval:
            self._derived.note(level, min(lows) - level.ms)
        shown: set[Interval] = set()
        for interval, waiting in self._waiting.items():
            for time in [t for t in sorted(waiting) if not self._is_partial(interval, t)]:
                self._show(waiting[time])
                shown.add(interval)
        return tuple(i for i in Interval if i in shown or not np.array_equal(before[i], self.partial_times(i)))

    def take_outdated(self) -> tuple[int, int] | None:
        """Return once the span (ms, end exclusive) in which only the store knows the whole bars, gaps closed."""
        self._show_fresh()
        if self._outdated is None or self._holes:
            return None
        span, self._outdated = self._outdated, None
        return span

    def partial_times(self, interval: str) -> IntArray:
        """Return the open times of shown bars from trades of which trades are missing, ascending."""
        self._show_fresh()
        if interval in self._derived:
            return self._derived[interval].partial_times(self)
        step = _STEPS.get(interval)
        if step is not None:
            return self._partial_since(step, 0)
        suspects = np.sort(_array(self._stored_partial.get(interval, set())))
        series = self._extra.get(interval)
        return suspects[:0] if series is None else series.built_at(suspects)

    def _partial_since(self, step: Interval, start: int) -> IntArray:
        series = self._series[step]
        suspects = [_array(self._stored_partial[step.value])]
        if self._holes.span is not None:
            low, high = self._holes.span
            times = series.times()
            near = times[np.searchsorted(times, low - step.ms) : np.searchsorted(times, high, "right")]
            suspects.append(near[self._holes.touched(near, step.ms)])
        if self._head is not None and self._whole_from is None and self._head % step.ms:
            suspects.append(np.array([self._head - self._head % step.ms]))
        found = np.unique(np.concatenate(suspects))
        return series.built_at(found[np.searchsorted(found, start) :])

    def qualities(self, interval: str, last: int | None = None) -> IntArray:
        """Return the BarQuality of each bar of an interval, or of the ``last`` ones."""
        series = self.series(interval)
        if series is None:
            return np.empty(0, np.int64)
        times = series.times(last)
        partial = np.isin(times, self.partial_times(interval))
        repaired = series.revisions(last) > 0
        return judge(times, 1, series.from_trades(last), partial=partial, repaired=repaired)

    def missing_times(self, interval: str) -> IntArray:
        """Return the open times between the first and last bar at which only missing trades stand."""
        series, ms = self.series(interval), _MS.get(interval)
        if series is None or ms is None or not self._gaps or len(series) == 0:
            return np.empty(0, np.int64)
        held = series.times()
        found = missing_times(held, ms, self._gaps, _MOST_MISSING)
        return np.asarray(found[(found > held[0]) & (found < held[-1])], np.int64)

    def gaps_behind(self, interval: str, open_time: int) -> tuple[Gap, ...]:
        """Return the gaps that lack trades of one bar."""
        ms = _MS.get(interval)
        return behind(open_time, ms, self._gaps or self._jumps.gaps()) if ms is not None else ()

    def is_partial(self, interval: str, open_time: int) -> bool:
        """Return whether a bar built here at this time would be partial."""
        step = _STEPS.get(interval)
        return step is not None and self._is_partial(step, open_time)

    def _ensure(self, interval: str) -> BarSeries:
        series = self.series(interval)
        if series is None:
            series = self._extra[interval] = BarSeries(self._capacity)
        return series

    def _lower_head(self, ts: int) -> None:
        old, self._head = self._head, ts
        if old is None or self._whole_from is not None:
            return
        for interval, waiting in self._waiting.items():
            time = old - old % interval.ms
            if time in waiting and not self._is_partial(interval, time):
                self._show(waiting[time])

    def _owns(self, interval: Interval, open_time: int) -> bool:
        """Return whether every trade of the bar that was ever told went through this builder."""
        if self._whole_from is not None and open_time >= self._whole_from:
            return True
        if open_time in self._stored[interval]:
            return False
        return self._head is None or open_time >= self._head

    def _is_partial(self, interval: Interval, open_time: int) -> bool:
        return self._holes.touch(open_time, interval.ms) or not self._owns(interval, open_time)

    def _note_bars(self, step: Interval | None, bars: BarArrays) -> None:
        if step is not None and len(bars):
            self._derived.note(step, int(bars.open_time[0]))

    def _show_fresh(self) -> None:
        fresh, self._fresh = self._fresh, {}
        for bar in fresh.values():
            self._show(bar)

    def _show(self, bar: Bar) -> None:
        interval, time = bar.interval, bar.open_time
        series = self._series[interval]
        self._derived.note(interval, time)
        if not self._is_partial(interval, time):
            self._waiting[interval].pop(time, None)
            self._stored[interval].discard(time)
            self._stored_partial[interval].discard(time)
            series.upsert(bar)
            return
        if not self._owns(interval, time) and time in self._stored[interval]:
            self._outdate(time)
            if series.is_from_trades(time):
                return
        if series.has(time) and not series.is_from_trades(time):
            self._waiting[interval][time] = bar
            return
        series.upsert(bar)

    def _set_aside(self, interval: Interval, times: IntArray) -> None:
        """Keep partial trade bars that source bars replace, to show them once they are whole."""
        if len(times) == 0:
            return
        series = self._series[interval]
        held = series.arrays()
        flags, closed, revisions = series.from_trades(), series.closed(), series.revisions()
        for row in np.flatnonzero(np.isin(held.open_time, times) & flags):
            time = int(held.open_time[row])
            if time in self._stored[interval]:
                continue
            self._waiting[interval][time] = Bar(
                interval,
                time,
                open=float(held.open[row]),
                high=float(held.high[row]),
                low=float(held.low[row]),
                close=float(held.close[row]),
                volume=float(held.volume[row]),
                quote_volume=float(held.quote_volume[row]),
                trades=int(held.trades[row]),
                revision=int(revisions[row]),
                closed=bool(closed[row]),
            )

    def _forget(self, exchange_ms: int) -> None:
        for interval, waiting in self._waiting.items():
            horizon = exchange_ms - MEMORY[interval] * interval.ms
            for time in [t for t in waiting if t < horizon]:
                del waiting[time]

    def _outdate(self, time: int) -> None:
        start = time - time % _SEED_MS
        low, high = self._outdated or (start, start + _SEED_MS)
        self._outdated = (min(low, start), max(high, start + _SEED_MS))
