import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.bars.arrays import BarArrays
from quantdesk.bars.builder import Bar
from quantdesk.bars.series import BarSeries
from quantdesk.types import Interval


def bar(minute: int, close: float = 1.0, *, revision: int = 0, closed: bool = True) -> Bar:
    return Bar(Interval.M1, minute * 60_000, 1.0, 2.0, 0.5, close, 3.0, 4.0, 5, revision, closed)


def block(minutes: list[int], close: float) -> BarArrays:
    return BarArrays.from_rows([(m * 60_000, 1.0, 2.0, 0.5, close, 3.0, 4.0, 5) for m in minutes])


minutes = st.integers(0, 30)
act = st.one_of(
    st.tuples(st.just("upsert"), minutes, st.booleans()),
    st.tuples(st.just("source"), st.lists(minutes, unique=True).map(sorted), st.booleans()),
    st.tuples(st.just("trades"), st.lists(minutes, unique=True).map(sorted), st.booleans()),
    st.tuples(st.just("drop"), st.tuples(minutes, minutes), st.booleans()),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(act, max_size=40), st.sampled_from([3, 10, 100]))
def test_any_sequence_of_changes_equals_a_plain_dictionary(acts: list, capacity: int) -> None:
    series = BarSeries(capacity)
    model: dict[int, tuple[float, bool, bool]] = {}
    for number, (kind, where, closed) in enumerate(acts):
        close, version = float(number + 1), series.version
        if kind == "upsert":
            series.upsert(bar(where, close, closed=closed))
            model[where] = (close, True, closed)
        elif kind == "drop":  # of source bars alone where the flag says so
            series.drop(where[0] * 60_000, where[1] * 60_000, sources=closed)
            gone = [m for m in model if where[0] <= m < where[1] and not (closed and model[m][1])]
            model = {minute: held for minute, held in model.items() if minute not in gone}
            assert (series.version > version) == bool(gone)
        else:
            series.merge(block(where, close), from_trades=kind == "trades", closed=closed)
            for minute in where:
                if kind == "trades" or not (minute in model and model[minute][1]):
                    model[minute] = (close, kind == "trades", closed)
        for minute in sorted(model)[: max(0, len(model) - capacity)]:
            del model[minute]
        assert series.version > version or kind == "drop" or (kind != "upsert" and not where)
        held = series.arrays()
        assert held.open_time.tolist() == [m * 60_000 for m in sorted(model)]
        found = zip(held.close.tolist(), series.from_trades().tolist(), series.closed().tolist(), strict=True)
        assert list(found) == [model[m] for m in sorted(model)]
    assert len(series) == len(model)
    assert series.last_time == (max(model) * 60_000 if model else None)


def test_a_revision_replaces_its_bar_in_place_and_survives_a_merge() -> None:
    series = BarSeries()
    for minute in range(3):
        series.upsert(bar(minute))
    series.upsert(bar(1, 9.0, revision=2))
    assert series.arrays().close.tolist() == [1.0, 9.0, 1.0]
    assert series.revisions().tolist() == [0, 2, 0]
    series.merge(block([1, 7], 5.0), from_trades=False)
    assert series.arrays().close.tolist() == [1.0, 9.0, 1.0, 5.0]
    assert series.revisions().tolist() == [0, 2, 0, 0]


def test_the_oldest_bars_fall_out_at_capacity() -> None:
    series = BarSeries(capacity=2_000)
    for minute in range(5_000):
        series.upsert(bar(minute, float(minute)))
    held = series.arrays()
    assert held.close.tolist() == [float(m) for m in range(3_000, 5_000)]
    assert len(series._times) < 3_000
    series.upsert(bar(10))
    assert series.arrays().open_time[0] == 3_000 * 60_000


def test_what_is_read_does_not_change_later() -> None:
    series = BarSeries()
    series.upsert(bar(0, 1.0))
    held = series.arrays()
    series.upsert(bar(0, 2.0))
    assert held.close.tolist() == [1.0]
    with pytest.raises(ValueError, match="read-only"):
        held.close[0] = 3.0


def test_clear_forgets_everything() -> None:
    series = BarSeries()
    series.merge(block([1, 2], 1.0), from_trades=True)
    series.clear()
    assert len(series) == 0
    assert series.last_time is None
    assert np.array_equal(series.arrays().open_time, np.empty(0, np.int64))


def test_partial_bars_give_way_to_source_bars_when_named() -> None:
    series = BarSeries()
    for minute in range(3):
        series.upsert(bar(minute))
    series.merge(block([0, 1], 5.0), from_trades=False, giving_way=np.array([60_000], np.int64))
    assert series.arrays().close.tolist() == [1.0, 5.0, 1.0]
    assert series.from_trades().tolist() == [True, False, True]


def test_the_standing_stays_while_bars_come_and_close_after_the_last_closed_one() -> None:
    series, other = BarSeries(capacity=3), BarSeries()
    assert series.standing != other.standing
    series.upsert(bar(0))
    stood = series.standing
    series.upsert(bar(0))  # the same once more
    series.upsert(bar(1, closed=False))
    series.upsert(bar(1, 2.0, closed=False))
    series.upsert(bar(3, closed=False))
    series.upsert(bar(2))  # came and closed between two looks
    series.upsert(bar(3))
    series.merge(block([4, 5], 1.0), from_trades=False)
    assert series.standing == stood and series.times().tolist() == [180_000, 240_000, 300_000]
    assert [series.count_since(time) for time in (0, 240_000, 240_001, 10**12)] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    "change",
    [
        lambda series: series.upsert(bar(2, 9.0)),
        lambda series: series.upsert(bar(4, 9.0)),
        lambda series: series.upsert(bar(4, revision=1)),
        lambda series: series.upsert(bar(3)),
        lambda series: series.upsert(bar(2, closed=False)),
        lambda series: series.merge(block([3], 1.0), from_trades=False),
        lambda series: series.merge(block([2, 6], 1.0), from_trades=True),
        lambda series: series.clear(),
    ],
)
def test_the_standing_changes_with_all_that_changes_the_past(change) -> None:
    series = BarSeries()
    for minute in (1, 2, 4):
        series.upsert(bar(minute))
    stood = series.standing
    change(series)
    assert series.standing != stood
