"""Compare closed bars built from trades with the exchange's own klines."""

from __future__ import annotations

from quantdesk.model.symbol_bars import SymbolBars
from quantdesk.types import Kline

#: Trades of a bar may arrive after its kline: look only this much later (ms).
PATIENCE = 3_000
MOST_WAITING = 16


class KlineChecks:
    """Count how many klines could be compared with whole bars and how many of them agree."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], Kline] = {}
        self.matched = 0
        self.compared = 0

    def add(self, kline: Kline) -> None:
        """Keep a closed kline until its bar has settled."""
        if not kline.closed:
            return
        self._waiting[kline.interval, kline.open_time] = kline
        while len(self._waiting) > MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]

    def settle(self, exchange_ms: int, bars: SymbolBars) -> None:
        """Compare every kline that has waited long enough; a partial bar is no witness."""
        if not self._waiting:
            return
        for key, kline in list(self._waiting.items()):
            if kline.close_time + PATIENCE > exchange_ms:
                continue
            del self._waiting[key]
            series = bars.series(kline.interval)
            if series is None or bars.is_partial(*key) or not series.is_from_trades(kline.open_time):
                continue
            self.compared += 1
            self.matched += _agrees(kline, bars, kline.interval)


def _agrees(kline: Kline, bars: SymbolBars, interval: str) -> bool:
    series = bars.series(interval)
    assert series is not None
    held = series.since(kline.open_time)[:1]
    digits = bars.instrument.quantity_decimals
    ours = (float(held.open[0]), float(held.high[0]), float(held.low[0]), float(held.close[0]))
    return (
        ours == (kline.open, kline.high, kline.low, kline.close)
        and round(float(held.volume[0]), digits) == round(kline.volume, digits)
        and int(held.trades[0]) == kline.trades
    )
