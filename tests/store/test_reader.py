"""A reader counts, pages through bars of one table, and tells the facts of its store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from quantdesk.store import sqlite_facts
from quantdesk.store.base import Reader, StoreError
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.read_only import ReadOnlyWriter
from quantdesk.types import Interval
from tests.store.samples import BTC, ETH, START, reference, rows, source, trades


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_embedded(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def test_ticks_are_counted_from_start_up_to_but_not_at_end(store: EmbeddedStore) -> None:
    ticks = trades(100)
    store.append_ticks(BTC, ticks)
    start, end = ticks[20].ts, ticks[80].ts
    assert store.count_ticks(BTC, start, end) == sum(start <= t.ts < end for t in ticks)
    assert store.count_ticks(BTC, end, start) == 0
    assert store.count_ticks(ETH, 0, 2**60) == 0


@pytest.mark.parametrize("chunk", [1, 7, 50_000])
def test_source_bars_are_read_whether_shown_or_not(store: EmbeddedStore, chunk: int) -> None:
    assert store.source_intervals(BTC) == [] and list(store.iter_source_bars(BTC, "1m")) == []
    store.append_ticks(BTC, trades(300))
    minutes = [START + 60_000 * k for k in range(-10, 3)]
    store.append_source_bars(BTC, "1m", source(minutes[:5]), "kline")
    store.append_source_bars(BTC, "1m", source(minutes[5:]), "file:a.csv")
    store.append_source_bars(BTC, "1d", source([0]), "kline")
    assert store.source_intervals(BTC) == ["1d", "1m"]
    blocks = list(store.iter_source_bars(BTC, "1m", chunk=chunk))
    assert [t for b in blocks for t in b.bars.open_time.tolist()] == minutes
    assert [o for b in blocks for o in b.origin] == ["kline"] * 5 + ["file:a.csv"] * 8
    assert all(len(b.bars) == len(b.origin) <= chunk for b in blocks)


@pytest.mark.parametrize("chunk", [1, 7, 50_000])
def test_bars_from_trades_are_read_with_their_ids(store: EmbeddedStore, chunk: int) -> None:
    assert list(store.iter_trade_bars(BTC, "1s", 2**60)) == []
    ticks = trades(200)
    store.append_ticks(BTC, ticks)
    store.append_source_bars(BTC, "1m", source([START - 60_000]), "kline")
    for interval in Interval:
        wanted = reference(ticks, interval)
        end = int(wanted.open_time[-1])
        blocks = list(store.iter_trade_bars(BTC, interval.value, end, chunk=chunk))
        assert [row for b in blocks for row in rows(b.bars)] == rows(wanted)[:-1]
        spans = [(t, f, n) for b in blocks for t, f, n in zip(b.bars.open_time, b.first_id, b.last_id, strict=True)]
        for opened, first, last in spans:
            inside = [t.agg_id for t in ticks if opened <= t.ts < opened + interval.ms]
            assert (first, last) == (min(inside), max(inside))


def test_bars_of_one_table_are_paged_by_the_key_alone(store: EmbeddedStore) -> None:
    store.append_ticks(BTC, trades(200))
    store.append_source_bars(BTC, "1m", source([START, START + 60_000]), "kline")
    asked: list[tuple[str, tuple[object, ...]]] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    for blocks in (store.iter_trade_bars(BTC, "1s", 2**60, chunk=50), store.iter_source_bars(BTC, "1m", chunk=1)):
        assert len(list(blocks)) > 1
        with sqlite3.connect(store.path) as raw:
            (plan,) = raw.execute(f"EXPLAIN QUERY PLAN {asked[-1][0]}", asked[-1][1]).fetchall()
        raw.close()
        assert "SEARCH" in plan[-1] and "(instrument_id=? AND interval=? AND open_time>?" in plan[-1]


@pytest.mark.parametrize("read_only", [False, True])
def test_facts_tell_rows_and_sizes(store: EmbeddedStore, read_only: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append_ticks(BTC, trades(500))
    store.append_source_bars(BTC, "1d", source([0, 86_400_000]), "kline")
    reader = open_embedded(store.path, read_only=True) if read_only else store
    facts = reader.facts()
    bars = sum(len(store.load_bars(BTC, interval.value).bars) for interval in Interval)
    assert facts.kind == f"SQLite {sqlite3.sqlite_version}" and facts.bar_mode == "tables"
    assert facts.place == str(store.path)
    assert facts.rows == {"ticks": 500, "bars": bars, "source_bars": 2, "gaps": 0, "instruments": 1}
    assert facts.size_bytes == store.size_bytes()
    assert set(facts.sizes) <= set(facts.rows) and all(size > 0 for size in facts.sizes.values())
    monkeypatch.setattr(sqlite_facts, "SIZES_BELOW", 1)
    assert reader.facts().sizes == {}
    if reader is not store:
        reader.close()


def test_an_empty_store_has_facts(store: EmbeddedStore) -> None:
    assert set(store.facts().rows.values()) == {0}


def test_a_desk_without_any_store_refuses_what_it_cannot_answer_in_words() -> None:
    writer = ReadOnlyWriter("the attic writes")

    def asked(reader: Reader) -> list[object]:
        return [reader.count_ticks(BTC, 0, 1), reader.facts()]

    with pytest.raises(StoreError, match="the attic writes"):
        writer.call(asked).result()
