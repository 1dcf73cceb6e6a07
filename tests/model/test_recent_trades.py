from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.model.recent_trades import RecentTrades, TradePrices

KEPT, MOST = 50, 12
ONE = st.tuples(st.integers(0, 120), st.integers(0, 30))
STEPS = st.lists(st.one_of(ONE, st.lists(ONE, max_size=15), st.none()), max_size=30)


def price(agg_id: int) -> float:
    return 100.0 + agg_id / 8


def rows(trades: TradePrices) -> list[tuple[int, int, float]]:
    return list(zip(trades.times.tolist(), trades.ids.tolist(), trades.prices.tolist(), strict=True))


@given(STEPS)
def test_it_holds_what_a_plain_list_would(steps):
    recent, plain = RecentTrades(KEPT, MOST), set()
    for step in [*steps, None]:
        if step is None:  # somebody reads
            newest = max((time for time, _ in plain), default=0)
            young = sorted(trade for trade in plain if trade[0] >= newest - KEPT)
            assert rows(recent.read()) == [(time, number, price(number)) for time, number in young[-MOST:]]
        elif isinstance(step, tuple):
            recent.add(*step, price(step[1]))
            plain.add(step)
        else:
            times, ids = np.array(step, np.int64).reshape(-1, 2).T
            recent.extend(times, ids, np.array([price(number) for number in ids.tolist()]))
            plain.update(step)


def test_it_is_bounded_without_a_reader_and_counts_what_had_to_go():
    recent = RecentTrades(kept_ms=1_000_000, most=100)
    for number in range(20_000):
        recent.add(number, number, 1.0)
    assert recent.dropped >= 20_000 - 100 - 4_096
    assert recent.read().times.tolist() == list(range(19_900, 20_000))
    assert recent.dropped == 19_900


def test_old_trades_go_without_being_counted_as_too_many():
    recent = RecentTrades(kept_ms=1_000, most=100)
    for number in range(50):
        recent.add(100 * number, number, 1.0)
    assert recent.read().times.tolist() == list(range(3_900, 5_000, 100))
    assert recent.dropped == 0


def test_a_repair_from_before_takes_its_place_by_time_and_id():
    recent = RecentTrades()
    for time, number in ((1_000, 1), (1_000, 5), (2_000, 9)):
        recent.add(time, number, price(number))
    assert len(recent.read()) == 3
    recent.extend(np.array([1_000, 1_000]), np.array([3, 5]), np.array([price(3), price(5)]))
    assert recent.read().ids.tolist() == [1, 3, 5, 9]


def test_what_was_read_never_changes():
    recent = RecentTrades()
    recent.add(1, 1, 5.0)
    first = recent.read()
    recent.add(0, 0, 4.0)
    assert rows(first) == [(1, 1, 5.0)] and rows(recent.read()) == [(0, 0, 4.0), (1, 1, 5.0)]
    assert recent.read() is recent.read()
    with pytest.raises(ValueError, match="read-only"):
        first.prices[0] = 1.0
    assert len(RecentTrades().read()) == 0


def test_deleted_trades_go_and_the_others_stay():
    recent = RecentTrades()
    for number in range(10):
        recent.add(100 * number, number, price(number))
    before = recent.read()
    recent.add(950, 10, price(10))
    recent.drop(200, 500)
    assert recent.read().ids.tolist() == [0, 1, 5, 6, 7, 8, 9, 10] and len(before) == 10
