"""Aggregate raw trades by the exchange's rule: same symbol, price and taker side within 100 ms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from quantdesk.types import Tick

#: A fill joins the open aggregate while its trade time is less than this after the first fill's.
AGGREGATE_MS = 100

#: The only kind that is aggregated; INSURANCE_FUND, ADL and others use up a trade id, nothing more.
MARKET = "MARKET"


@dataclass(frozen=True, slots=True)
class RawTrade:
    """Carry one fill of the undocumented raw trade stream; ``market_kind`` is its field X."""

    symbol: str
    trade_id: int
    price: float
    quantity: float
    ts: int
    is_buyer_maker: bool
    market_kind: str = MARKET
    event_ts: int = 0


class Aggregator:
    """Aggregate the raw trades of one symbol as they come, numbering from ``first_id``.

    A trade id seen before is dropped and counted in ``repeated``; a jump of the trade ids ends the
    open aggregate, so that ``trades`` is always l - f + 1. ``first_trade_id`` is the f of the
    aggregate that was returned last.
    """

    def __init__(self, symbol: str, first_id: int) -> None:
        self.symbol = symbol
        self.next_id = first_id
        self.repeated = 0
        self.first_trade_id = -1
        self._first: RawTrade | None = None
        self._last_trade_id = -1
        self._quantity = Decimal(0)
        self._fills = 0
        self._event_ts = 0

    def add(self, raw: RawTrade) -> Tick | None:
        """Take a raw trade in; return the aggregate that it ended, if it ended one."""
        if raw.symbol != self.symbol:
            raise ValueError(f"a trade of {raw.symbol} came to the aggregator of {self.symbol}")
        if raw.trade_id <= self._last_trade_id:
            self.repeated += 1
            return None
        follows = raw.trade_id == self._last_trade_id + 1
        self._last_trade_id = raw.trade_id
        if raw.market_kind != MARKET:
            return self.flush()
        if follows and self._joins(raw):
            self._quantity += Decimal(repr(raw.quantity))
            self._fills += 1
            self._event_ts = max(self._event_ts, raw.event_ts)
            return None
        done = self.flush()
        self._first, self._fills, self._event_ts = raw, 1, raw.event_ts
        self._quantity = Decimal(repr(raw.quantity))
        return done

    def flush_before(self, ts: int) -> Tick | None:
        """Return the open aggregate if no trade at ``ts`` (ms) or later can join it."""
        return self.flush() if self._first is not None and ts - self._first.ts >= AGGREGATE_MS else None

    def flush(self) -> Tick | None:
        """End the open aggregate and return it."""
        first = self._first
        if first is None:
            return None
        tick = Tick(
            self.symbol,
            self.next_id,
            first.price,
            float(self._quantity),
            first.ts,
            first.is_buyer_maker,
            self._fills,
            self._event_ts,
            first.trade_id,
        )
        self.next_id += 1
        self.first_trade_id = first.trade_id
        self._first = None
        return tick

    def _joins(self, raw: RawTrade) -> bool:
        first = self._first
        return (
            first is not None
            and raw.price == first.price
            and raw.is_buyer_maker == first.is_buyer_maker
            and raw.ts - first.ts < AGGREGATE_MS
        )


def aggregate(trades: Iterable[RawTrade], first_id: int) -> Iterator[Tick]:
    """Yield the aggregate trades of raw trades in order; each symbol counts from ``first_id``."""
    aggregators: dict[str, Aggregator] = {}
    for raw in trades:
        aggregator = aggregators.setdefault(raw.symbol, Aggregator(raw.symbol, first_id))
        if (tick := aggregator.add(raw)) is not None:
            yield tick
    for aggregator in aggregators.values():
        if (tick := aggregator.flush()) is not None:
            yield tick
