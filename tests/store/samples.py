"""Make the instruments and trades that the store's tests write."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from quantdesk.bars.arrays import BarArrays, bars_from_trades
from quantdesk.types import Instrument, Interval, Tick

BTC = Instrument("binance-um", "BTCUSDT", Decimal("0.10"), Decimal("0.001"))
ETH = Instrument("binance-um", "ETHUSDT", Decimal("0.01"), Decimal("0.001"))
START = 1_721_300_100_000  # a multiple of 5 minutes


def trades(count: int, *, seed: int = 1, first_id: int = 1, symbol: str = "BTCUSDT", every: int = 700) -> list[Tick]:
    """Return trades with rising ids and times, some of them at the same millisecond."""
    chance = random.Random(seed)
    made, ts = [], START
    for agg_id in range(first_id, first_id + count):
        ts += chance.choice((0, 1, every, 2 * every))
        price, quantity = round(60_000 + chance.uniform(-50, 50), 1), round(chance.uniform(0.001, 3), 3)
        made.append(Tick(symbol, agg_id, price, quantity, ts, chance.random() < 0.5, chance.randint(1, 9)))
    return made


def reference(ticks: Sequence[Tick], interval: Interval, instrument: Instrument = BTC) -> BarArrays:
    """Return the bars that all of the trades make, built apart from the store."""
    return bars_from_trades(
        np.array([t.ts for t in ticks], np.int64),
        np.array([t.agg_id for t in ticks], np.int64),
        np.array([t.price for t in ticks], np.float64),
        np.array([t.quantity for t in ticks], np.float64),
        np.array([t.trades for t in ticks], np.int64),
        interval_ms=interval.ms,
        price_decimals=instrument.price_decimals,
        quantity_decimals=instrument.quantity_decimals,
    )


def rows(bars: BarArrays) -> list[tuple[float, ...]]:
    """Return bars as rows that compare exactly."""
    names = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades")
    return list(zip(*(getattr(bars, name).tolist() for name in names), strict=True))


def source(times: Sequence[int], price: float = 1.5) -> BarArrays:
    """Return flat source bars at these open times."""
    return BarArrays.from_rows([(t, price, price, price, price, 2.0, 3.0, 4) for t in times])
