"""The refresher calls for what changed, level after level, takes turns, and says when it cannot.

The server is real; the procedure it calls is one of ours that writes down what it was asked for, and may
wait or fail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from quantdesk.store.address import StoreAddress
from quantdesk.store.opening import open_store
from quantdesk.store.ranges import Ranges
from quantdesk.store.server.link import Link, connect
from quantdesk.store.server.refresher import GRACE_MS, SLICE_MS, TURN, Refresher
from quantdesk.store.server.settings import write_dropped
from quantdesk.types import Interval
from tests.store.kinds import sql
from tests.store.samples import BTC, START, trades

MINUTE, DAY = 60_000, 86_400_000
#: A level is named by its view; times are milliseconds.
Call = tuple[str, int, int]
_PROCEDURE = """
CREATE TABLE calls (number serial, view text, low bigint, high bigint);
CREATE TABLE behaviour (view text, wait float8, code text);
CREATE PROCEDURE refresh_continuous_aggregate(asked text, low timestamptz, high timestamptz) LANGUAGE plpgsql AS $$
DECLARE wanted record;
BEGIN
  FOR wanted IN SELECT * FROM behaviour b WHERE b.view = asked LOOP
    IF wanted.code IS NOT NULL THEN RAISE EXCEPTION 'as the test wants it' USING ERRCODE = wanted.code; END IF;
    INSERT INTO calls (view, low, high) VALUES (asked, -1, -1);
    COMMIT;
    PERFORM pg_sleep(wanted.wait);
  END LOOP;
  INSERT INTO calls (view, low, high) VALUES (asked, 1000 * extract(epoch FROM low), 1000 * extract(epoch FROM high));
END $$
"""


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not come true"
        time.sleep(0.01)


class Asked:
    """Look at what was asked for, and say how the procedure behaves."""

    def __init__(self, address: StoreAddress) -> None:
        self.address = address
        store = open_store(address)
        store.append_ticks(BTC, trades(2))
        store.close()
        sql(address, _PROCEDURE)

    def all(self) -> list[Call]:
        return [tuple(row) for row in sql(self.address, "SELECT view, low, high FROM calls ORDER BY number")]

    def calls(self) -> list[Call]:
        return [call for call in self.all() if call[1] >= 0]

    def behave(self, view: str, wait: float = 0.0, code: str | None = None) -> None:
        sql(self.address, "INSERT INTO behaviour VALUES (%s, %s, %s)", values=(view, wait, code))

    def well(self) -> None:
        sql(self.address, "DELETE FROM behaviour")

    @contextmanager
    def refresher(self, **options: float) -> Iterator[Refresher]:
        made = Refresher(self.address, **options)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture
def asked(plain_address: StoreAddress) -> Asked:
    return Asked(plain_address)


def test_each_level_is_refreshed_after_the_one_below_and_whole_buckets_before_the_newest(asked: Asked) -> None:
    newest = START + 7 * MINUTE + 30_500
    with asked.refresher() as refresher:
        refresher.touch(START + MINUTE + 1, START + MINUTE + 2)
        refresher.touch(newest - 1_000, newest + 1)
        assert refresher.settle(10)
        assert refresher.lag == 0.0
    late, head = START + MINUTE, (newest - GRACE_MS) // 1_000 * 1_000
    assert asked.calls() == [
        ("bars_1s", late, late + 1_000),
        ("bars_1m", late, late + MINUTE),
        ("bars_5m", START, START + 5 * MINUTE),
    ]
    with asked.refresher() as refresher:
        refresher.touch(newest - 3_000, newest + 1)
        assert refresher.settle(10)
    assert asked.calls()[3:] == [("bars_1s", head - 1_000, head)]  # the minute and the five are still open


def test_what_is_young_waits_until_the_trades_have_gone_on(asked: Asked) -> None:
    with asked.refresher() as refresher:
        refresher.touch(START, START + 1)
        assert refresher.settle(10) and asked.calls() == []
        refresher.touch(START + 2_999, START + 3_000)
        assert refresher.settle(10) and asked.calls() == []
        refresher.touch(START + 3_000, START + 3_001)
        assert refresher.settle(10)
        assert asked.calls() == [("bars_1s", START, START + 1_000)]
        refresher.touch(START + 400_000, START + 400_001)
        assert refresher.settle(10)
    assert [call[0] for call in asked.calls()] == ["bars_1s", "bars_1s", "bars_1m", "bars_5m"]


def test_what_another_program_wrote_later_makes_ours_due(asked: Asked) -> None:
    with asked.refresher() as refresher:
        refresher.touch(START, START + 1)
        assert refresher.settle(10) and asked.calls() == []
        sql(asked.address, "UPDATE instruments SET last_agg_ts = last_agg_ts + INTERVAL '1 hour'")
        until(lambda: len(asked.calls()) == 3)


def test_what_changes_while_its_seconds_are_refreshed_waits_for_the_next_round(asked: Asked) -> None:
    asked.behave("bars_1s", wait=0.7)
    with asked.refresher() as refresher:
        refresher.touch(START + DAY, START + DAY + 1)
        refresher.touch(START, START + 1)
        until(lambda: ("bars_1s", -1, -1) in asked.all())
        refresher.touch(START + MINUTE, START + MINUTE + 1)  # the minute's own second is not in the running call
        asked.well()
        assert refresher.settle(15)
    calls = asked.calls()
    of_the_late = [c for c in calls if c[1] <= START + MINUTE < c[2]]
    first = {view: next(k for k, c in enumerate(of_the_late) if c[0] == view) for view in ("bars_1s", "bars_1m")}
    assert first["bars_1s"] < first["bars_1m"]
    last = {view: max(k for k, c in enumerate(of_the_late) if c[0] == view) for view in first}
    assert last["bars_1s"] < last["bars_1m"] < len(of_the_late)


def test_long_ranges_are_refreshed_in_slices(asked: Asked) -> None:
    with asked.refresher() as refresher:
        refresher.touch(START - 2 * DAY, START + 1)
        assert refresher.settle(20)
    for interval in Interval:
        calls = [c for c in asked.calls() if c[0] == f"bars_{interval.value}"]
        assert [high - low for _, low, high in calls][:1] == [SLICE_MS] and len(calls) <= 3
        assert all(
            0 < high - low <= SLICE_MS and low % interval.ms == high % interval.ms == 0 for _, low, high in calls
        )
        assert calls[0][1] == START - 2 * DAY and all(a[2] == b[1] for a, b in pairwise(calls))


def test_times_whose_trades_were_dropped_are_left_out_on_every_level(asked: Asked) -> None:
    dropped = Ranges()
    day = START // DAY * DAY
    dropped.add(day - 3 * DAY, day - 2 * DAY)
    dropped.add(day - DAY, day)
    link = Link(asked.address, lambda _: None)
    with link.transaction() as connection:
        write_dropped(connection, dropped)
    link.close()
    with asked.refresher() as refresher:
        refresher.touch(day - 4 * DAY, day + 10 * MINUTE)  # long before the newest trade
        assert refresher.settle(20)
        before = asked.calls()
        refresher.touch(day - DAY + 5, day - DAY + 6)
        assert refresher.settle(20)
        assert asked.calls() == before
    for interval in Interval:
        held = Ranges()
        for _, low, high in (c for c in before if c[0] == f"bars_{interval.value}"):
            held.add(low, high)
        assert list(held) == [
            (day - 4 * DAY, day - 3 * DAY),
            (day - 2 * DAY, day - DAY),
            (day, day + 10 * MINUTE),
        ]


def test_programs_take_turns_and_what_waits_is_told(asked: Asked) -> None:
    other = connect(asked.address)
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({TURN})")
    with asked.refresher() as refresher:
        refresher.touch(START, START + 10 * MINUTE)
        assert not refresher.settle(0.5)
        assert refresher.lag >= 0.5 and refresher.trouble == "" and asked.calls() == []
        other.close()
        assert refresher.settle(15)
        assert refresher.lag == 0.0
    assert [c[0] for c in asked.calls()] == ["bars_1s", "bars_1m", "bars_5m"]


@pytest.mark.parametrize("code", ["55P03", "40P01"])
def test_a_refresh_beside_another_is_tried_again_and_no_trouble(asked: Asked, code: str) -> None:
    asked.behave("bars_1m", code=code)
    with asked.refresher() as refresher:
        refresher.touch(START, START + 10 * MINUTE)
        assert not refresher.settle(0.6)
        assert (refresher.trouble, refresher.lag > 0) == ("", True)
        asked.well()
        assert refresher.settle(15)
    assert [c[0] for c in asked.calls()] == ["bars_1s", "bars_1m", "bars_5m"]


@pytest.mark.parametrize(("code", "words"), [("XX000", "as the test wants it"), ("22023", "cannot hold a value")])
def test_a_refresh_that_fails_is_said_holds_nobody_up_and_is_tried_again(asked: Asked, code: str, words: str) -> None:
    asked.behave("bars_5m", code=code)
    with asked.refresher() as refresher:
        refresher.touch(START, START + 10 * MINUTE)
        begun = time.monotonic()
        assert not refresher.settle(30)
        assert time.monotonic() - begun < 5
        assert words in refresher.trouble and refresher.lag > 0
        asked.well()
        until(lambda: refresher.trouble == "")
        assert refresher.settle(15)
    assert [c[0] for c in asked.calls()] == ["bars_1s", "bars_1m", "bars_5m"]


def test_a_broken_line_is_made_anew_and_nothing_is_forgotten(asked: Asked) -> None:
    with asked.refresher() as refresher:
        refresher.touch(START, START + 1)
        refresher.touch(START + 9_999, START + 10_000)
        assert refresher.settle(10)
        refresher._link.cut()
        refresher.touch(START, START + 10 * MINUTE)
        until(lambda: len(asked.calls()) == 4)
        assert refresher.settle(10)


def test_stopping_cuts_a_call_that_does_not_end(asked: Asked) -> None:
    asked.behave("bars_1s", wait=60.0)
    refresher = Refresher(asked.address, last_call=0.2)
    refresher.start()
    refresher.touch(START, START + 10 * MINUTE)
    until(lambda: ("bars_1s", -1, -1) in asked.all())
    waiting = threading.Thread(target=refresher.settle, args=(60,))
    waiting.start()
    begun = time.monotonic()
    refresher.stop()
    waiting.join(5)
    assert time.monotonic() - begun < 4 and not refresher._thread.is_alive() and not waiting.is_alive()
