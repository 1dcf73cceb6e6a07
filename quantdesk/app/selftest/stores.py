"""Check that a store keeps what it is given: write trades into a new file and read all of it back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.app.selftest.findings import Finding, Ground, failed, ok
from quantdesk.types import Instrument, Interval, Tick

if TYPE_CHECKING:
    from quantdesk.store.base import Reader, TickArrays

_MINUTES = range(28_000_000, 28_000_003)


def check_store(ground: Ground) -> Finding:
    """Write three minutes of simulated trades; compare trades and bars with what was written."""
    from quantdesk.store.base import SCHEMA_VERSION
    from quantdesk.store.embedded import open_embedded

    instrument, ticks = _trades()
    path = ground.scratch / "store.sqlite"
    store = open_embedded(path)
    try:
        new, again = store.append_ticks(instrument, ticks), store.append_ticks(instrument, ticks)
    finally:
        store.close()
    if (new, again) != (len(ticks), 0):
        return failed(f"of {len(ticks)} trades {new} were new, and {again} when written once more")
    reader = open_embedded(path, read_only=True)
    try:
        problem = _difference(reader, instrument, ticks)
        kind = reader.facts().kind
    finally:
        reader.close()
    if problem:
        return failed(problem)
    version = _version_of(path)
    if version != SCHEMA_VERSION:
        return failed(f"a new store is of version {version}, this program writes {SCHEMA_VERSION}")
    return ok(f"{len(ticks)} trades and their bars are read back as written; {kind}, store version {version}")


def _trades() -> tuple[Instrument, list[Tick]]:
    from quantdesk.simulator.synthetic import SyntheticSource

    source = SyntheticSource()
    listing = source.listings[0]
    ticks = [tick for minute in _MINUTES for tick in source.trades(listing.symbol, minute).ticks(listing)]
    return Instrument("selftest", listing.symbol, Decimal(listing.tick), Decimal(listing.step)), ticks


def _difference(reader: Reader, instrument: Instrument, ticks: list[Tick]) -> str:
    """Say what the store returns otherwise than it was given; empty where all is the same."""
    kept = sorted(row for block in reader.load_ticks(instrument) for row in _rows(block))
    given = sorted((t.agg_id, t.ts, t.price, t.quantity, int(t.is_buyer_maker), t.trades) for t in ticks)
    if kept != given:
        return f"{len(given)} trades were written, and {len(set(kept) & set(given))} of them read back alike"
    for interval in Interval:
        kept_bars = reader.load_bars(instrument, interval).bars
        rows = list(zip(*(getattr(kept_bars, name).tolist() for name in _BAR), strict=True))
        if rows != _bars(instrument, ticks, interval):
            return f"the {interval} bars read back are not those of the trades"
    return ""


_BAR = ("open_time", "open", "high", "low", "close", "trades")


def _bars(instrument: Instrument, ticks: list[Tick], interval: Interval) -> list[tuple[float, ...]]:
    """Sum up trades without the code that is checked; volumes, which are rounded sums, are left out."""
    groups: dict[int, list[Tick]] = {}
    for tick in sorted(ticks, key=lambda tick: tick.agg_id):
        groups.setdefault(tick.ts - tick.ts % interval.ms, []).append(tick)
    rows: list[tuple[float, ...]] = []
    for open_time, group in sorted(groups.items()):
        prices = [tick.price for tick in group]
        rows.append((open_time, prices[0], max(prices), min(prices), prices[-1], sum(tick.trades for tick in group)))
    return rows


def _rows(block: TickArrays) -> list[tuple[float, ...]]:
    columns = (block.agg_id, block.ts, block.price, block.quantity, block.is_buyer_maker, block.trades)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
