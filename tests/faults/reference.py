"""Compute what must be in the store from what the exchange generated, with decimals and nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from quantdesk.bars.arrays import BarArrays
from quantdesk.simulator.market import Listing, TradeColumns

LENGTHS = {"1s": 1_000, "1m": 60_000, "5m": 300_000}

#: (open, high, low, close, volume, number of trades)
Row = tuple[Decimal, Decimal, Decimal, Decimal, Decimal, int]


@dataclass(frozen=True, slots=True)
class Made:
    """Name one generated trade."""

    id: int
    ts: int
    event: int
    price: Decimal
    quantity: Decimal
    fills: int


def made(listing: Listing, trades: TradeColumns) -> list[Made]:
    """Return generated trades with exact numbers, ascending by id."""
    columns = (trades.ids, trades.ts, trades.event, trades.price, trades.quantity, trades.last - trades.first + 1)
    return [
        Made(i, t, e, Decimal(p).scaleb(-listing.price_digits), Decimal(q).scaleb(-listing.quantity_digits), n)
        for i, t, e, p, q, n in zip(*(column.tolist() for column in columns), strict=True)
    ]


def reference(trades: Iterable[Made], interval: str) -> dict[int, Row]:
    """Build the bars of an interval from trades ascending by id."""
    length, bars = LENGTHS[interval], dict[int, Row]()
    for trade in trades:
        start, price = trade.ts // length * length, trade.price
        if start not in bars:
            bars[start] = (price, price, price, price, trade.quantity, trade.fills)
            continue
        first, high, low, _, volume, count = bars[start]
        bars[start] = (
            first,
            max(high, price),
            min(low, price),
            price,
            volume + trade.quantity,
            count + trade.fills,
        )
    return bars


def folded(bars: dict[int, Row], interval: str) -> dict[int, Row]:
    """Fold bars into a longer interval."""
    length, result = LENGTHS[interval], dict[int, Row]()
    for open_time, (o, h, lo, c, v, n) in sorted(bars.items()):
        start = open_time // length * length
        if start in result:
            first, high, low, _, volume, count = result[start]
            result[start] = (first, max(high, h), min(low, lo), c, volume + v, count + n)
        else:
            result[start] = (o, h, lo, c, v, n)
    return result


def rows_of(bars: BarArrays) -> dict[int, Row]:
    """Return stored bars as decimals, by the shortest digits of each double."""
    numbers = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    columns = [[Decimal(repr(value)) for value in column.tolist()] for column in numbers]
    return dict(
        zip(bars.open_time.tolist(), zip(*columns, bars.trades.tolist(), strict=True), strict=True)  # type: ignore[arg-type]
    )
