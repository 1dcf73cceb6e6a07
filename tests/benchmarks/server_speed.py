"""Measure how fast a store on a server takes trades, refreshes bars and gives them back, as Markdown tables."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from psycopg2.extras import execute_values
from sqlalchemy.dialects.postgresql import insert

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.bars_sql import refresh, refresh_sql
from quantdesk.store.schema import ticks as ticks_table
from quantdesk.store.server.copying import insert_ticks
from quantdesk.store.server.link import Link
from quantdesk.store.server.store import ServerStore
from quantdesk.types import Instrument, Interval, Tick
from tests.benchmarks.store_speed import START, trades
from tests.servers import DatabaseServer, tool

INSTRUMENT = Instrument("bench", "BTCUSDT", Decimal("0.1"), Decimal("0.001"))
BATCHES = (500, 2_000, 20_000)
#: Trades as if recorded for three and a half days: 5,000 one-minute bars and more.
_FILL = sa.text(
    "INSERT INTO ticks SELECT :held, TIMESTAMPTZ 'epoch' + (:start + i * :every) * INTERVAL '1 millisecond', i,"
    " 64000 + (i * 7919 % 2000) / 10.0, (1 + i * 104729 % 2000) / 1000.0, i % 2 = 0, 1"
    " FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS i"
)
_SPAN_MS = 330_000_000


def by_execute_values(connection: sa.Connection, held: int, rows: Sequence[Tick]) -> int:
    """Insert as most programs do: many rows in one statement, made by the driver."""
    raw: Any = connection.connection.driver_connection
    values = [(held, t.ts, t.agg_id, t.price, t.quantity, t.is_buyer_maker, t.trades) for t in rows]
    with raw.cursor() as cursor:
        execute_values(
            cursor,
            "INSERT INTO ticks VALUES %s ON CONFLICT DO NOTHING",
            values,
            template="(%s, TIMESTAMPTZ 'epoch' + %s * INTERVAL '1 millisecond', %s, %s, %s, %s, %s)",
            page_size=1_000,
        )
        return int(cursor.rowcount)


def by_core(connection: sa.Connection, held: int, rows: Sequence[Tick]) -> int:
    """Insert with the plain statement of SQLAlchemy's Core."""
    columns = ("ts", "agg_id", "price", "quantity", "is_buyer_maker", "trades")
    values = [{"instrument_id": held, **{name: getattr(t, name) for name in columns}} for t in rows]
    connection.execute(insert(ticks_table).on_conflict_do_nothing(), values)
    return len(values)


PATHS: dict[str, Callable[[sa.Connection, int, Sequence[Tick]], int]] = {
    "COPY through a staging table": insert_ticks,
    "execute_values": by_execute_values,
    "Core insert().on_conflict_do_nothing()": by_core,
}


class _Trial(ServerStore):
    """Write by one path, with or without the bars of a store."""

    path = staticmethod(insert_ticks)
    with_bars = True

    def _insert_ticks(self, connection: sa.Connection, held: int, ticks: Sequence[Tick]) -> int:
        return self.path(connection, held, ticks)

    def _on_new_ticks(self, connection: sa.Connection, held: int, instrument: Instrument, times: Sequence[int]) -> None:
        if self.with_bars:
            super()._on_new_ticks(connection, held, instrument, times)


def rate(address: StoreAddress, path: Callable[..., int], rows: Sequence[Tick], batch: int, *, bars: bool) -> float:
    """Return the rows a second of one write path into an empty store."""
    store = _Trial(address, StoreLimits())
    store.path, store.with_bars = path, bars  # type: ignore[method-assign,assignment]  # a function, not a method
    try:
        store.append_ticks(INSTRUMENT, rows[:100])
        begun = time.perf_counter()
        for start in range(100, len(rows), batch):
            store.append_ticks(INSTRUMENT, rows[start : start + batch])
        return (len(rows) - 100) / (time.perf_counter() - begun)
    finally:
        store.close()


def write_table(server: DatabaseServer, count: int, folder: Path) -> None:
    """Print rows/s of every path by batch size."""
    rows = trades(count, INSTRUMENT.symbol)
    print("\n| rows/s by batch of | " + " | ".join(f"{batch:,}" for batch in BATCHES) + " |")
    print("|---|" + "---|" * len(BATCHES))
    trials = [(f"{name}, no bars", path, False) for name, path in PATHS.items()]
    for name, path, bars in [("**the store itself: COPY and three levels of bars**", insert_ticks, True), *trials]:
        cells = []
        for batch in BATCHES:
            part = rows if path is not by_core else rows[: count // 10]
            address = server.fresh(folder)
            cells.append(f"{rate(address, path, part, batch, bars=bars):,.0f}")
            server.drop(address)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def fill(address: StoreAddress, count: int) -> int:
    """Put ``count`` trades over three and a half days into an empty store, and all of their bars; return the time."""
    store = ServerStore(address, StoreLimits())
    held = store.ensure_instrument(INSTRUMENT)
    every = _SPAN_MS // count
    last = START + count * every
    try:
        store.append_ticks(INSTRUMENT, [Tick(INSTRUMENT.symbol, count + 1, 64_000.0, 1.0, last + every, True)])
        link = Link(address, lambda _: None, patience=900.0)
        for first in range(1, count + 1, 1_000_000):
            values = {"held": held, "start": START, "every": every, "first": first}
            with link.transaction(900.0) as connection:
                connection.execute(_FILL, {**values, "last": min(first + 999_999, count)})
        if store.bar_mode == "tables":
            with link.transaction(900.0) as connection:
                refresh(connection, refresh_sql(insert), held, INSTRUMENT, range(START, last, Interval.S1.ms))
        else:
            assert store._refresher is not None
            store._refresher.touch(START, last + every)
            while not store.settle(60.0):
                pass
        with link.transaction() as connection:
            connection.execute(sa.text("UPDATE instruments SET ticks = :count + 1"), {"count": count})
        link.close()
    finally:
        store.close()
    return last


def timed(act: Callable[[], object], times: int = 7) -> float:
    """Return the median milliseconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1e3)
    return sorted(taken)[times // 2]


def read_table(server: DatabaseServer, count: int, folder: Path, title: str) -> None:
    """Print what reading, refreshing and keeping ``count`` trades costs."""
    address = server.fresh(folder)
    last = fill(address, count)
    store = ServerStore(address, StoreLimits())
    try:
        print(f"\n| {title}: {count:,} trades | figure |\n|---|---|")
        for interval in ("1m", "1s", "5m"):
            found = len(store.load_bars(INSTRUMENT, interval, limit=5_000).bars)
            spent = timed(lambda i=interval: store.load_bars(INSTRUMENT, i, limit=5_000))  # type: ignore[misc]
            print(f"| newest {found:,} {interval} bars | {spent:.1f} ms |")
        print(f"| refresh of the last 10 s, three levels | {refreshing(store, last):.1f} ms |")
        sizes = store.facts().sizes
        print(f"| disk for a million trades | {sizes['ticks'] / count * 1e6 / 1e6:.0f} MB, key included |")
        print(f"| disk for their bars, all levels | {sizes['bars'] / 1e6:.0f} MB |", flush=True)
    finally:
        store.close()
        server.drop(address)


def refreshing(store: ServerStore, last: int) -> float:
    """Return the milliseconds that bringing ten seconds of bars up to date takes."""
    span = range(last - 10_000, last, 100)
    if store.bar_mode == "tables":
        held = store.ensure_instrument(INSTRUMENT)

        def again() -> None:
            with store._writing() as connection:
                refresh(connection, refresh_sql(insert), held, INSTRUMENT, span)

        return timed(again)
    refresher = store._refresher
    assert refresher is not None
    store.settle()

    def touch(turn: list[int]) -> None:
        turn[0] += 1
        late = Tick(INSTRUMENT.symbol, 10**9 + turn[0], 64_000.0, 1.0, last - 60_000 - turn[0], True)
        store.append_ticks(INSTRUMENT, [late])
        refresher.touch(last - 70_000, last - 60_000)
        store.settle(60.0)

    turn = [0]
    return timed(lambda: touch(turn))


def main() -> None:
    """Print the tables of the servers that are installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--held", type=int, default=10_000_000)
    args = parser.parse_known_args()[0]
    with tempfile.TemporaryDirectory() as name:
        script = tool("timescale_server")
        with suppress(script.ServerError):
            running = script.start()
            server = DatabaseServer(running.url, shared=False)
            print("\nPostgreSQL 17, TimescaleDB (Apache edition), bars in tables:")
            write_table(server, args.rows, Path(name))
            read_table(server, args.held, Path(name), "bars in tables")
            script.stop(running, "immediate")
        script = tool("pglite_server")
        with suppress(script.ServerError):
            running = script.start()
            server = DatabaseServer(running.url, shared=True)
            read_table(server, args.held // 10, Path(name), "continuous aggregates (PostgreSQL as WebAssembly)")
            script.stop(running)


if __name__ == "__main__":
    sys.exit(main())
