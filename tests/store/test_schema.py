"""The tables and statements serve a server database as well as SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from quantdesk.store.bars_sql import refresh_sql, touched_ranges
from quantdesk.store.schema import EpochMs, all_bars_select, metadata

SERVER = postgresql.dialect()


@given(st.integers(0, 4_102_444_800_000))
def test_milliseconds_are_timestamps_on_a_server_and_come_back(ms: int) -> None:
    to_server, from_server = EpochMs().bind_processor(SERVER), EpochMs().result_processor(SERVER, None)
    assert to_server is not None and from_server is not None
    stamp = to_server(ms)
    assert stamp.tzinfo is UTC and from_server(stamp) == ms
    assert to_server(None) is None and from_server(None) is None


def test_milliseconds_stay_numbers_in_the_embedded_store() -> None:
    assert EpochMs().bind_processor(sqlite.dialect()) is None
    assert EpochMs().result_processor(sqlite.dialect(), None) is None
    stamp = EpochMs().bind_processor(SERVER)
    assert stamp is not None and stamp(1_721_300_100_000) == datetime(2024, 7, 18, 10, 55, tzinfo=UTC)


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_can_be_made_on_both(table) -> None:
    on_server = str(CreateTable(table).compile(dialect=SERVER))
    assert "WITHOUT ROWID" not in on_server
    if table.name == "ticks":
        assert "ts TIMESTAMP WITH TIME ZONE" in on_server
        assert "PRIMARY KEY (instrument_id, ts, agg_id)" in on_server
        assert "WITHOUT ROWID" in str(CreateTable(table).compile(dialect=sqlite.dialect()))


def test_the_read_view_and_the_refresh_are_written_once_for_both() -> None:
    for dialect, insert in ((sqlite.dialect(), sqlite.insert), (SERVER, postgresql.insert)):
        sql = refresh_sql(insert)
        assert all("ON CONFLICT" in str(s.compile(dialect=dialect)) for s in (sql.build, sql.fold))
        assert "UNION ALL" in str(all_bars_select(1, "1m", 0, 60_000, limit=5).compile(dialect=dialect))


@given(st.lists(st.integers(0, 10**6), max_size=50), st.sampled_from([1_000, 60_000, 300_000]))
def test_touched_ranges_are_whole_buckets_apart_and_hold_every_time(times: list[int], ms: int) -> None:
    ranges = touched_ranges(times, ms)
    assert all(start % ms == end % ms == 0 and start < end for start, end in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    assert all(any(start <= time < end for start, end in ranges) for time in times)
    edges = {time // ms * ms for time in times}
    assert all(start in edges and end - ms in edges for start, end in ranges)
