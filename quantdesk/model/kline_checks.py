"""Compare every closed 1m bar built from trades with the exchange's own kline, and again when it changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from quantdesk.bars.agreement import BarSide, KlineCheck, Verdict, compare
from quantdesk.bars.arrays import BarArrays
from quantdesk.bars.builder import Bar
from quantdesk.model.symbol_bars import SymbolBars
from quantdesk.types import Interval, Kline, Tick

#: The interval whose klines the feed brings.
INTERVAL = Interval.M1
#: Trades of a bar may arrive after its kline: look only this much later (ms).
PATIENCE = 3_000
#: Three days of minutes are remembered.
MOST_KEPT = 3 * 1_440
#: So many are compared in one turn.
AT_ONCE = 500


class _Ids:
    """Hold the span of the exchange's trade ids that the trades of one minute cover."""

    __slots__ = ("first", "known", "last", "trades")

    def __init__(self) -> None:
        self.first, self.last, self.trades, self.known = -1, -1, 0, True


class KlineChecks:
    """Hold the comparisons of the last three days; a partial bar is no witness until it is whole."""

    def __init__(self) -> None:
        self._klines: dict[int, BarSide] = {}
        self._checks: dict[int, KlineCheck] = {}
        self._due: set[int] = set()
        self._ids: dict[int, _Ids] = {}
        self._counts = dict.fromkeys(Verdict, 0)

    @property
    def matched(self) -> int:
        """Return how many bars agree, those included whose difference is explained."""
        return self.compared - self._counts[Verdict.DIFFERENT]

    @property
    def explained(self) -> int:
        """Return how many agree but for trades that the exchange does not publish."""
        return self._counts[Verdict.EXPLAINED]

    @property
    def compared(self) -> int:
        """Return how many bars could be compared."""
        return len(self._checks)

    def checks(self) -> tuple[KlineCheck, ...]:
        """Return every comparison that is remembered, ascending in time."""
        return tuple(self._checks[time] for time in sorted(self._checks))

    def differences(self) -> tuple[KlineCheck, ...]:
        """Return the comparisons that differ or needed an explanation, the newest first."""
        return tuple(check for check in self.checks()[::-1] if check.verdict is not Verdict.MATCHED)

    def add(self, kline: Kline) -> None:
        """Keep a closed kline until its bar has settled."""
        if kline.closed and kline.interval == INTERVAL.value:
            side = BarSide(kline.open, kline.high, kline.low, kline.close, kline.volume, kline.trades)
            self._keep(kline.open_time, side)

    def add_bars(self, interval: str, bars: BarArrays) -> None:
        """Keep closed klines that came by another way than the stream."""
        if interval != INTERVAL.value:
            return
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.trades)
        for time, *row in zip(*(c[-MOST_KEPT:].tolist() for c in (bars.open_time, *columns)), strict=True):
            self._keep(time, BarSide(*row))

    def on_tick(self, tick: Tick) -> None:
        """Note which of the exchange's trade ids a trade covers; a jump between them explains a difference."""
        minute = tick.ts - tick.ts % INTERVAL.ms
        ids = self._ids.get(minute)
        if ids is None:
            ids = self._ids[minute] = _Ids()
            _bound(self._ids)
        ids.trades += tick.trades
        if tick.first_trade < 0:
            ids.known = False
            return
        last = tick.first_trade + tick.trades - 1
        ids.first = tick.first_trade if ids.first < 0 else min(ids.first, tick.first_trade)
        ids.last = max(ids.last, last)

    def on_bars(self, bars: Iterable[Bar]) -> None:
        """Compare these bars again: they were closed or revised."""
        for bar in bars:
            if bar.interval is INTERVAL and bar.open_time in self._klines:
                self._due.add(bar.open_time)

    def recheck(self) -> None:
        """Try those again that could not be compared: their bars may be whole now."""
        self._due |= self._klines.keys() - self._checks.keys()

    def settle(self, exchange_ms: int, bars: SymbolBars) -> None:
        """Compare what has waited long enough."""
        ripe = sorted(time for time in self._due if time + INTERVAL.ms + PATIENCE <= exchange_ms)[:AT_ONCE]
        series = bars.series(INTERVAL.value)
        if not ripe or series is None:
            return
        self._due.difference_update(ripe)
        held = series.since(ripe[0])
        newest = len(held) if len(held) else None
        whole = (series.from_trades(newest) & series.closed(newest)) if newest else np.empty(0, bool)
        whole &= ~np.isin(held.open_time, bars.partial_times(INTERVAL.value))
        for time in ripe:
            row = int(np.searchsorted(held.open_time, time))
            if row < len(held) and held.open_time[row] == time and whole[row]:
                self._judge(time, held, row, bars)
            elif (old := self._checks.pop(time, None)) is not None:
                self._counts[old.verdict] -= 1

    def _judge(self, time: int, held: BarArrays, row: int, bars: SymbolBars) -> None:
        prices = (float(held.open[row]), float(held.high[row]), float(held.low[row]), float(held.close[row]))
        ours = BarSide(*prices, float(held.volume[row]), int(held.trades[row]))
        check = compare(
            INTERVAL.value,
            time,
            ours,
            self._klines[time],
            price_decimals=bars.instrument.price_decimals,
            quantity_decimals=bars.instrument.quantity_decimals,
            skipped=self._skipped(time),
        )
        old = self._checks.pop(time, None)
        if old is not None:
            self._counts[old.verdict] -= 1
        self._checks[time] = check
        self._counts[check.verdict] += 1

    def _skipped(self, time: int) -> int:
        """Return how many trade ids within a minute and at its edges no aggregate trade covers."""
        own = self._ids.get(time)
        if own is None or not own.known or own.first < 0:
            return 0
        skipped = own.last - own.first + 1 - own.trades
        before, after = self._ids.get(time - INTERVAL.ms), self._ids.get(time + INTERVAL.ms)
        if before is not None and before.known and before.last >= 0:
            skipped += max(0, own.first - before.last - 1)
        if after is not None and after.known and after.first >= 0:
            skipped += max(0, after.first - own.last - 1)
        return max(0, skipped)

    def _keep(self, time: int, side: BarSide) -> None:
        if self._klines.get(time) == side:
            return
        self._klines[time] = side
        self._due.add(time)
        while len(self._klines) > MOST_KEPT:
            oldest = next(iter(self._klines))
            del self._klines[oldest]
            self._due.discard(oldest)
            gone = self._checks.pop(oldest, None)
            if gone is not None:
                self._counts[gone.verdict] -= 1


def _bound(ids: dict[int, _Ids]) -> None:
    while len(ids) > MOST_KEPT:
        del ids[next(iter(ids))]
