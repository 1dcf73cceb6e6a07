"""Open stores to copy between, and look at all that one holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Reader, Store
from quantdesk.store.moving import copy_store
from quantdesk.store.opening import open_store
from quantdesk.types import Gap, GapState, Instrument, Interval, Tick
from tests.store.samples import BTC, START, rows

#: The kinds of store (of tests.servers) that the tests copy from and to.
ORIGINS = ("sqlite",)
TARGETS = ("sqlite",)


class NewStores:
    """Open new, empty stores by kind, and close them all."""

    def __init__(self, name: Callable[[str], StoreAddress]) -> None:
        self._name = name
        self._opened: list[Store] = []

    def __call__(self, kind: str) -> Store:
        self._opened.append(open_store(self._name(kind)))
        return self._opened[-1]

    def close(self) -> None:
        for store in self._opened:
            store.close()


def tick_rows(store: Reader, instrument: Instrument = BTC) -> list[tuple[Any, ...]]:
    """Return every tick as a row that compares exactly."""
    names = ("ts", "agg_id", "price", "quantity", "is_buyer_maker", "trades")
    return [
        row
        for block in store.load_ticks(instrument)
        for row in zip(*(getattr(block, name).tolist() for name in names), strict=True)
    ]


def shown_bars(store: Reader, instrument: Instrument = BTC) -> dict[str, list[tuple[Any, ...]]]:
    """Return the read view by interval, each bar with its origin; NaN as text, so that it compares."""
    found = {}
    for interval in store.intervals(instrument):
        loaded = store.load_bars(instrument, interval)
        plain = [tuple("nan" if value != value else value for value in row) for row in rows(loaded.bars)]
        found[interval] = [(*row, origin) for row, origin in zip(plain, loaded.origin, strict=True)]
    return found


def contents(store: Reader, instrument: Instrument = BTC) -> dict[str, Any]:
    """Return all that a store holds of an instrument."""
    held = next((h for h in store.instruments() if h.instrument.symbol == instrument.symbol), None)
    trade_bars = {}
    for interval in Interval:
        blocks = store.iter_trade_bars(instrument, interval.value, 2**41)
        trade_bars[interval] = [
            (*row, first, last)
            for b in blocks
            for row, first, last in zip(rows(b.bars), b.first_id.tolist(), b.last_id.tolist(), strict=True)
        ]
    return {
        "instrument": held and (held.instrument, held.ticks, held.first_ts, held.last_ts),
        "ticks": tick_rows(store, instrument),
        "bars": shown_bars(store, instrument),
        "trade bars": trade_bars,
        "source bars": {
            i: [b.origin for b in store.iter_source_bars(instrument, i)] for i in store.source_intervals(instrument)
        },
        "ledger": store.load_gaps(instrument),
        "duplicates": store.duplicates(instrument),
    }


def steps_of(source: Reader, target: Store) -> int:
    """Copy all and return in how many places it could have been stopped."""
    told: list[str] = []
    assert copy_store(source, target, progress=lambda p: told.append(p.words)).verified
    return len(told)


def stop_after(steps: int) -> Callable[[], bool]:
    """Return what cancels a copy at its step of this number."""
    left = iter(range(steps))
    return lambda: next(left, None) is None


def hole(ticks: list[Tick], first: int, last: int, state: GapState = GapState.OPEN) -> Gap:
    """Return the gap of the ids (first..last), bounded by the neighbours' times; ids start at 1."""
    return Gap("BTCUSDT", first, last, ticks[first - 2].ts, ticks[last].ts, START, state)


def without(ticks: list[Tick], first: int, last: int) -> list[Tick]:
    """Return the ticks but for these ids."""
    return [t for t in ticks if not first <= t.agg_id <= last]


def small_blocks(monkeypatch: Any, ticks: int = 50, bars: int = 40) -> None:
    """Let a copy be stopped more often than it would be with so few rows."""
    monkeypatch.setattr("quantdesk.store.instrument_copy.BLOCK", ticks)
    monkeypatch.setattr("quantdesk.store.instrument_copy.BAR_BLOCK", bars)
