"""Build 1s, 1m and 5m bars from ticks as they come, in integer steps, without a clock or I/O."""

from __future__ import annotations

from dataclasses import dataclass

from quantdesk.bars.arrays import quote_decimals
from quantdesk.types import Instrument, Interval, Tick

#: How many bars of each interval stay open to late trades in memory; older ones live in the store.
MEMORY = {Interval.S1: 7_200, Interval.M1: 2_880, Interval.M5: 2_016}
#: How many bars beyond the memory may pile up before the old ones are dropped.
_SLACK = 600


@dataclass(frozen=True, slots=True)
class Bar:
    """Show one bar as it stands. ``revision`` counts the changes made after it was closed."""

    interval: Interval
    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trades: int
    revision: int = 0
    closed: bool = False


class _Forming:
    """Gather one bar; sums are ints of 10**-decimals."""

    __slots__ = (
        "close",
        "closed",
        "first_id",
        "high",
        "last_id",
        "low",
        "open",
        "quote",
        "revision",
        "trades",
        "volume",
    )

    def __init__(self) -> None:
        self.first_id = self.last_id = -1
        self.open = self.close = 0.0
        self.high, self.low = float("-inf"), float("inf")
        self.volume = self.quote = self.trades = self.revision = 0
        self.closed = False


class BarBuilder:
    """Build the bars of one instrument; feed each aggregate trade once (the sequencer sees to it)."""

    def __init__(self, instrument: Instrument) -> None:
        self._price_scale = 10**instrument.price_decimals
        self._quantity_decimals = instrument.quantity_decimals
        self._quantity_scale = 10**instrument.quantity_decimals
        self._quote_decimals = quote_decimals(instrument.price_decimals, instrument.quantity_decimals)
        self._bars: dict[Interval, dict[int, _Forming]] = {i: {} for i in Interval}
        self._open: dict[Interval, set[int]] = {i: set() for i in Interval}
        self._closed_to: dict[Interval, int] = dict.fromkeys(Interval, 0)
        self.too_late = 0

    def on_tick(self, tick: Tick) -> tuple[list[Bar], list[Bar]]:
        """Add a trade; return (bars closed or revised by it, bars still forming that it changed).

        A trade older than the memory counts in ``too_late`` and changes nothing here: the store
        still has it, and a reload shows it.
        """
        closed = self.on_time(tick.ts)
        forming: list[Bar] = []
        price_units = round(tick.price * self._price_scale)
        quantity_units = round(tick.quantity * self._quantity_scale)
        for interval, bars in self._bars.items():
            open_time = tick.ts - tick.ts % interval.ms
            bar = bars.get(open_time)
            if bar is None:
                if open_time < self._closed_to[interval] - MEMORY[interval] * interval.ms:
                    self.too_late += 1
                    continue
                bar = bars[open_time] = _Forming()
                bar.closed = open_time + interval.ms <= self._closed_to[interval]
                if not bar.closed:
                    self._open[interval].add(open_time)
            self._add(bar, tick, price_units, quantity_units)
            if bar.closed:
                bar.revision += 1
                closed.append(self._shown(interval, open_time, bar))
            else:
                forming.append(self._shown(interval, open_time, bar))
        return closed, forming

    def on_time(self, exchange_ms: int) -> list[Bar]:
        """Close every bar that ended by ``exchange_ms`` (exchange time) and return them, oldest first."""
        done: list[Bar] = []
        for interval, bars in self._bars.items():
            boundary = exchange_ms - exchange_ms % interval.ms
            if boundary <= self._closed_to[interval]:
                continue
            self._closed_to[interval] = boundary
            for open_time in sorted(t for t in self._open[interval] if t + interval.ms <= boundary):
                self._open[interval].discard(open_time)
                bars[open_time].closed = True
                done.append(self._shown(interval, open_time, bars[open_time]))
            if len(bars) > MEMORY[interval] + _SLACK:
                # Seldom, because it walks them all: days of history come through here at full speed.
                horizon = boundary - MEMORY[interval] * interval.ms
                for open_time in [t for t in bars if t < horizon]:
                    del bars[open_time]
        return done

    def _add(self, bar: _Forming, tick: Tick, price_units: int, quantity_units: int) -> None:
        if bar.first_id < 0 or tick.agg_id < bar.first_id:
            bar.first_id, bar.open = tick.agg_id, tick.price
        if tick.agg_id > bar.last_id:
            bar.last_id, bar.close = tick.agg_id, tick.price
        bar.high = max(bar.high, tick.price)
        bar.low = min(bar.low, tick.price)
        bar.volume += quantity_units
        bar.quote += price_units * quantity_units
        bar.trades += tick.trades

    def _shown(self, interval: Interval, open_time: int, bar: _Forming) -> Bar:
        return Bar(
            interval,
            open_time,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            round(bar.volume / self._quantity_scale, self._quantity_decimals),
            round(bar.quote / (self._price_scale * self._quantity_scale), self._quote_decimals),
            bar.trades,
            bar.revision,
            bar.closed,
        )
