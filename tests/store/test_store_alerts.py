"""Every kind of store keeps alerts once, with what became of them, and reads them back to the last digit."""

from __future__ import annotations

import uuid
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress, file_address
from quantdesk.store.base import Store, StoreError
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.read_only import ReadOnlyWriter
from quantdesk.store.writer import StoreWriter
from quantdesk.types import AlertRow, Origin
from tests.store.kinds import examples
from tests.store.samples import START

ROW = AlertRow(
    "a1", "z", "binance-um", "BTCUSDT", "ETHUSDT", "1m", Origin.LIVE, "window 60", START, START + 61_000,
    '{"schema": 1}', '{"values": {"z": 2.1}}',
)  # fmt: skip


def rule_of(number: int) -> str:
    """Return a rule that no other test of a module's store uses."""
    return f"rule {number}"


def test_an_alert_comes_back_as_it_was(store: Store) -> None:
    row = replace(ROW, id="whole", rule_id=rule_of(1), settings="β \"quoted\" 'n' \\ {x}")
    assert store.save_firing(row)
    assert store.firings(rule_of(1)) == [row]


def test_an_alert_seen_twice_is_kept_once_with_its_outcome(store: Store) -> None:
    row = replace(ROW, id="twice", rule_id=rule_of(2))
    assert store.save_firing(row)
    assert store.save_outcome("twice", '{"ended": "open"}', START)
    assert not store.save_firing(replace(row, fired_at=START + 99))
    assert store.firings(rule_of(2)) == [replace(row, outcome='{"ended": "open"}', outcome_at=START)]


def test_a_later_outcome_replaces_an_earlier_one_and_never_the_other_way_round(store: Store) -> None:
    store.save_firing(replace(ROW, id="o", rule_id=rule_of(3)))
    assert store.save_outcome("o", "first", START)
    assert store.save_outcome("o", "second", START + 5)
    assert not store.save_outcome("o", "late news", START + 4)
    assert not store.save_outcome("no such alert", "x", START)
    (row,) = store.firings(rule_of(3))
    assert (row.outcome, row.outcome_at) == ("second", START + 5)


def test_the_newest_are_read_oldest_first(store: Store) -> None:
    rows = [replace(ROW, id=f"n{i}", rule_id=rule_of(4 + i % 2), fired_at=START + 10 * i) for i in range(8)]
    for row in reversed(rows):
        store.save_firing(row)
    assert store.firings(rule_of(4)) == rows[::2]
    assert store.firings(rule_of(5), since=START + 30, limit=2) == rows[5::2]
    assert store.firings(rule_of(5), since=START + 30) == rows[3::2]
    among = [row for row in store.firings(since=START, limit=10_000) if row.id in {r.id for r in rows}]
    assert among == rows


def test_outcomes_in_any_order_leave_the_newest(store: Store) -> None:
    @given(st.lists(st.integers(0, 50), max_size=6))
    @settings(max_examples=examples(store, 40))
    def check(moments: list[int]) -> None:
        key = uuid.uuid4().hex
        store.save_firing(replace(ROW, id=key, rule_id=key))
        for moment in moments:
            store.save_outcome(key, str(moment), START + moment)
        (row,) = store.firings(key)
        assert row.outcome == (str(max(moments)) if moments else None)
        assert row.outcome_at == (START + max(moments) if moments else None)

    check()


def test_alerts_stay_when_the_store_is_closed_and_a_reader_sees_them(empty: StoreAddress) -> None:
    first = open_store(empty)
    first.save_firing(ROW)
    first.save_outcome(ROW.id, "done", START)
    first.close()
    again, reader = open_store(empty), open_reader(empty)
    kept = [replace(ROW, outcome="done", outcome_at=START)]
    assert again.firings() == reader.firings() == kept
    again.close()
    reader.close()


def test_alerts_are_kept_through_the_writers_thread(tmp_path: Any) -> None:
    writer = StoreWriter(lambda: open_store(file_address(tmp_path / "s.sqlite")), StoreLimits())
    writer.start()
    new: Future[bool] = writer.call(lambda store: store.save_firing(ROW))
    noted = writer.call(lambda store: store.save_outcome(ROW.id, "done", START))
    read = writer.call(lambda store: store.firings())
    assert (new.result(10), noted.result(10)) == (True, True)
    assert [row.outcome for row in read.result(10)] == ["done"]
    assert writer.stop()


def test_a_program_that_keeps_nothing_has_no_alerts_and_refuses_new_ones() -> None:
    nothing = ReadOnlyWriter("another program writes")
    assert nothing.call(lambda store: store.firings()).result() == []
    with pytest.raises(StoreError, match="another program writes"):
        nothing.call(lambda store: store.save_firing(ROW)).result()


def test_the_oldest_alerts_make_room_for_new_ones(empty: StoreAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.store.sql_writer.MOST_KEPT", 3)
    store = open_store(empty)
    for i in (0, 4, 1, 3, 2):
        store.save_firing(replace(ROW, id=f"n{i}", fired_at=START + i))
    assert [row.id for row in store.firings()] == ["n2", "n3", "n4"]
    store.close()
