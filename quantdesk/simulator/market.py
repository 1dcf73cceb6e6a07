"""Name what an exchange lists and what its market consists of, minute by minute, as integer columns.

Prices are ints of 10**-price_digits, quantities ints of 10**-quantity_digits, so that sums are exact.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import IntArray
from quantdesk.types import Tick

MINUTE_MS = 60_000
BoolArray = npt.NDArray[np.bool_]

#: Columns of a table of minutes, an int64 array of shape (minutes, 12).
OPEN_TIME, OPEN, HIGH, LOW, CLOSE, VOLUME, QUOTE, TRADES, TAKER, TAKER_QUOTE, FIRST, LAST = range(12)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Listing:
    """Describe one symbol; ``tick`` and ``step`` are texts as exchangeInfo shows them ("0.10")."""

    symbol: str
    base: str
    quote: str
    tick: str
    step: str

    @property
    def price_digits(self) -> int:
        """Return the decimals of a price as it is shown."""
        return len(self.tick.partition(".")[2])

    @property
    def quantity_digits(self) -> int:
        """Return the decimals of a quantity as it is shown."""
        return len(self.step.partition(".")[2])

    @property
    def tick_units(self) -> int:
        """Return the tick size in units of 10**-price_digits."""
        return int(self.tick.replace(".", ""))

    def price(self, units: int) -> str:
        """Write a price."""
        return f"{units / 10**self.price_digits:.{self.price_digits}f}"

    def quantity(self, units: int) -> str:
        """Write a quantity."""
        return f"{units / 10**self.quantity_digits:.{self.quantity_digits}f}"

    def quote_volume(self, units: int) -> str:
        """Write price times quantity."""
        digits = self.price_digits + self.quantity_digits
        return f"{units / 10**digits:.{digits}f}"


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Hold n aggregate trades, ascending in ``ids``; ``ts`` and ``event`` never fall."""

    ids: IntArray
    price: IntArray
    quantity: IntArray
    first: IntArray
    last: IntArray
    ts: IntArray
    event: IntArray
    maker: BoolArray

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: slice | BoolArray) -> TradeColumns:
        return TradeColumns(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, parts: list[TradeColumns]) -> TradeColumns:
        """Return the trades of all parts (at least one) in one piece."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def ticks(self, listing: Listing) -> list[Tick]:
        """Return the trades as the desk should see them."""
        price = np.round(self.price / 10**listing.price_digits, listing.price_digits).tolist()
        quantity = np.round(self.quantity / 10**listing.quantity_digits, listing.quantity_digits).tolist()
        fills = (self.last - self.first + 1).tolist()
        rows = zip(
            self.ids.tolist(), price, quantity, self.ts.tolist(), self.maker.tolist(), fills, self.event.tolist(),
            strict=True,
        )  # fmt: skip
        return [Tick(listing.symbol, *row) for row in rows]


@dataclass(frozen=True, slots=True)
class BookColumns:
    """Hold n best quotes, strictly ascending in ``update``; ``event`` never falls."""

    update: IntArray
    bid: IntArray
    bid_quantity: IntArray
    ask: IntArray
    ask_quantity: IntArray
    ts: IntArray
    event: IntArray

    def __len__(self) -> int:
        return len(self.update)

    def __getitem__(self, rows: slice) -> BookColumns:
        return BookColumns(*(getattr(self, field.name)[rows] for field in fields(self)))


class Source(Protocol):
    """Supply a market as a function of time: any minute, in any order, as often as asked, the same.

    Minutes count from 1970. The trades of a minute are those with T in it, and their ids follow the
    ids of the minute before without a hole.
    """

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Return the symbols."""
        ...

    @property
    def latency_ms(self) -> int:
        """Return by how much E is at most later than the end of the minute that holds T."""
        ...

    @property
    def truth(self) -> Mapping[str, Any]:
        """Return what is known about the market for certain."""
        ...

    def first_id(self, symbol: str, minute: int) -> int:
        """Return the id of the first trade at or after the minute."""
        ...

    def trades(self, symbol: str, minute: int) -> TradeColumns:
        """Return the aggregate trades of a minute."""
        ...

    def books(self, symbol: str, minute: int) -> BookColumns:
        """Return the best quotes of a minute."""
        ...

    def old_minutes(self, symbol: str, start: int, end: int) -> IntArray:
        """Return the bars of minutes [start, end) whose trades are not kept, shape (minutes, 12)."""
        ...


class Recent(Generic[K, V]):
    """Remember the results for the keys asked last, at most ``size`` of them."""

    def __init__(self, make: Callable[[K], V], size: int) -> None:
        self._make = make
        self._size = size
        self._held: OrderedDict[K, V] = OrderedDict()

    def __call__(self, key: K) -> V:
        """Return the result for a key."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        value = self._held[key] = self._make(key)
        if len(self._held) > self._size:
            self._held.popitem(last=False)
        return value


def minute_row(trades: TradeColumns, minute: int) -> IntArray:
    """Sum up the trades of one minute as a table's row; an empty minute has no prices yet."""
    row = np.zeros(12, np.int64)
    row[OPEN_TIME] = minute * MINUTE_MS
    row[FIRST] = row[LAST] = -1
    if len(trades) == 0:
        return row
    price, quantity = trades.price, trades.quantity
    taker = ~trades.maker
    row[OPEN : CLOSE + 1] = price[0], price.max(), price.min(), price[-1]
    row[VOLUME], row[QUOTE] = quantity.sum(), (price * quantity).sum()
    row[TRADES] = (trades.last - trades.first + 1).sum()
    row[TAKER], row[TAKER_QUOTE] = quantity[taker].sum(), (price * quantity)[taker].sum()
    row[FIRST], row[LAST] = trades.first[0], trades.last[-1]
    return row


def agreeing(trades: TradeColumns, row: IntArray) -> TradeColumns:
    """Return a minute's trades with prices and quantities that fold into the ``row`` (from about four trades on)."""
    count = len(trades)
    if count == 0 or row[TRADES] == 0:
        return trades
    price = np.clip(trades.price, row[LOW], row[HIGH])
    price[count // 3], price[2 * count // 3] = row[HIGH], row[LOW]
    price[0], price[-1] = row[OPEN], row[CLOSE]
    least = trades.last - trades.first + 1
    weight = trades.quantity - least + 1
    spare = int(row[VOLUME] - least.sum())
    more = weight * spare // weight.sum()
    more[0] += spare - more.sum()
    return replace(trades, price=price, quantity=least + more)


def fold_minutes(table: IntArray, interval_ms: int) -> IntArray:
    """Fold ascending minutes that all have prices into bars of a longer interval."""
    if len(table) == 0 or interval_ms == MINUTE_MS:
        return table
    bucket = table[:, OPEN_TIME] // interval_ms * interval_ms
    starts = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    ends = np.r_[starts[1:], len(table)] - 1
    bars = np.add.reduceat(table, starts)
    bars[:, OPEN_TIME] = bucket[starts]
    bars[:, OPEN] = table[starts, OPEN]
    bars[:, HIGH] = np.maximum.reduceat(table[:, HIGH], starts)
    bars[:, LOW] = np.minimum.reduceat(table[:, LOW], starts)
    bars[:, CLOSE] = table[ends, CLOSE]
    first = np.where(table[:, FIRST] < 0, np.iinfo(np.int64).max, table[:, FIRST])
    bars[:, FIRST] = np.minimum.reduceat(first, starts)
    bars[:, LAST] = np.maximum.reduceat(table[:, LAST], starts)
    bars[bars[:, LAST] < 0, FIRST] = -1
    return bars
