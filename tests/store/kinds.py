"""Make stores of every kind for tests, and compare what they hold with what the trades say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantdesk.bars.arrays import fold
from quantdesk.store.address import StoreAddress, file_address, parse_address
from quantdesk.store.base import Reader, Store
from quantdesk.store.server.link import connect
from quantdesk.types import Gap, GapState, Instrument, Interval, Tick
from tests.servers import KINDS, DatabaseServer
from tests.store.samples import BTC, START, reference, rows

#: "plain" is PostgreSQL without TimescaleDB.
ALL_KINDS = (*KINDS, "plain")
_numbers = itertools.count(1)


@contextmanager
def empty_store(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[StoreAddress]:
    """Name an empty store of a kind; gone afterwards."""
    if kind == "sqlite":
        yield file_address(folder / f"store {next(_numbers)}.sqlite")
        return
    server: DatabaseServer = request.getfixturevalue("timescale" if kind == "plain" else kind)
    address = server.fresh(folder)
    try:
        yield without_timescale(address) if kind == "plain" else address
    finally:
        server.drop(address)
        if kind == "plain":
            sql(parse_address(server.url, folder), f"DROP ROLE plain_{address.database}")


def without_timescale(address: StoreAddress) -> StoreAddress:
    """Return the same database as a user sees it who may not install the extension, but has a schema for the store."""
    user = f"plain_{address.database}"
    sql(address, f"CREATE ROLE {user} LOGIN PASSWORD 'plain'", f"CREATE SCHEMA quantdesk AUTHORIZATION {user}")
    return replace(address, user=user, password="plain")


def sql(address: StoreAddress, *statements: str, values: tuple[Any, ...] | None = None) -> list[tuple[Any, ...]]:
    """Run statements on a server in a session of its own, each committed; return the last one's rows."""
    connection = connect(address)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def own(instrument: Instrument = BTC) -> Instrument:
    """Return the instrument at a venue that no other test uses."""
    return replace(instrument, venue=f"venue {next(_numbers)}")


def held_ids(store: Reader, instrument: Instrument) -> list[int]:
    """Return the ids of all ticks in the order they are read."""
    return [int(i) for block in store.load_ticks(instrument) for i in block.agg_id]


def all_bars(store: Reader, instrument: Instrument) -> dict[Interval, list[tuple[float, ...]]]:
    """Return the bars of every level as rows that compare exactly."""
    return {interval: rows(store.load_bars(instrument, interval.value).bars) for interval in Interval}


def told_by(ticks: list[Tick], instrument: Instrument = BTC) -> dict[Interval, list[tuple[float, ...]]]:
    """Return the bars of every level that the trades make, built apart from the store."""
    return {interval: rows(reference(ticks, interval, instrument)) for interval in Interval}


def assert_bars_are_exact(store: Reader, ticks: list[Tick], instrument: Instrument) -> None:
    """Compare every level with the trades and with the level below."""
    loaded = {i: store.load_bars(instrument, i.value).bars for i in Interval}
    for interval, bars in loaded.items():
        assert rows(bars) == rows(reference(ticks, interval, instrument))
    digits = (instrument.price_decimals, instrument.quantity_decimals)
    assert rows(fold(loaded[Interval.S1], 60_000, *digits)) == rows(loaded[Interval.M1])
    assert rows(fold(loaded[Interval.M1], 300_000, *digits)) == rows(loaded[Interval.M5])


def gap(ticks: list[Tick], first: int, last: int, state: GapState = GapState.OPEN) -> Gap:
    """Return the gap of the ids (first..last), bounded by the neighbours' times; ids start at 1."""
    return Gap("BTCUSDT", first, last, ticks[first - 2].ts, ticks[last].ts, START, state)


def overlapped(bars_at: np.ndarray, interval: Interval, hole: Gap) -> list[str]:
    """Return the origin that each bar should have beside a gap."""
    inside = (bars_at <= hole.end_ts) & (bars_at + interval.ms > hole.start_ts)
    return ["partial" if i else "trades" for i in inside]


def examples(store: Store, most: int) -> int:
    """Return how many examples to try: a server takes longer for each."""
    return most if hasattr(store, "path") else max(4, most // 8)
