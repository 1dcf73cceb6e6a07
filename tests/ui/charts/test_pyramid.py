from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.ui.charts import pyramid as pyramid_module
from quantdesk.ui.charts.pyramid import LINE, OHLCV, Column, Pyramid, Rule, newest

values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))


def line(column: list[float]) -> Pyramid:
    pyramid = Pyramid(LINE)
    pyramid.sync({"value": np.array(column, np.float64)})
    return pyramid


def extremes(column: np.ndarray) -> tuple[float, float]:
    there = column[np.isfinite(column)]
    return (float(there.min()), float(there.max())) if len(there) else (np.nan, np.nan)


@settings(max_examples=60, deadline=None)
@given(st.lists(values, min_size=1, max_size=700), st.floats(0, 90), st.data())
def test_a_cut_holds_exactly_the_extremes_of_its_rows(column, rows_per_group, data):
    pyramid, array = line(column), np.array(column)
    first = data.draw(st.integers(-5, len(column) - 1))
    last = data.draw(st.integers(first, len(column) + 5))
    cut = pyramid.cut(first, last, rows_per_group)
    assert cut.group >= rows_per_group or cut.group == 1 >= rows_per_group
    assert cut.start <= max(0, first)
    assert cut.start + cut.size * cut.group > min(last, len(column) - 1)
    for i in range(cut.size):
        rows = array[cut.start + i * cut.group : cut.start + (i + 1) * cut.group]
        low, high = extremes(rows)
        np.testing.assert_equal((cut.columns["low"][i], cut.columns["high"][i]), (low, high))
        there = rows[np.isfinite(rows)]
        np.testing.assert_equal(cut.columns["last"][i], there[-1] if len(there) else np.nan)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 600), st.lists(values, min_size=0, max_size=300)), min_size=1, max_size=6))
def test_any_sequence_of_writes_equals_building_it_anew(writes):
    pyramid, held = Pyramid(LINE), np.empty(0)
    for row, column in writes:
        at = min(row, len(held))
        held = np.r_[held[:at], np.array(column, np.float64)]
        pyramid.write(at, {"value": np.array(column, np.float64)})
    fresh = line(list(held))
    assert len(pyramid) == len(held)
    for rows_per_group in (0, 3, 4, 17, 64, 300):
        one, other = (p.cut(0, len(held), rows_per_group) for p in (pyramid, fresh))
        for name in LINE:
            np.testing.assert_array_equal(one.columns[name], other.columns[name])


EVERY_RULE = {rule.value: Column("value", rule) for rule in Rule}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(values, min_size=1, max_size=600),
    st.lists(st.tuples(st.booleans(), st.one_of(values, st.just(0.0))), max_size=120),
)
def test_bars_appended_or_changed_one_by_one_equal_building_them_anew(column, acts):
    pyramid, held = Pyramid(EVERY_RULE), list(column)
    pyramid.sync({"value": np.array(held)})
    for appends, value in acts:
        held[len(held) if appends else len(held) - 1 :] = [value]
        pyramid.write(len(held) - 1, {"value": np.array([value])})
    fresh = Pyramid(EVERY_RULE)
    fresh.sync({"value": np.array(held)})
    for rows_per_group in (4, 16, 64, 256):
        one, other = (p.cut(0, len(held), rows_per_group) for p in (pyramid, fresh))
        for name in EVERY_RULE:
            np.testing.assert_array_equal(one.columns[name], other.columns[name], err_msg=f"{name} {rows_per_group}")


@pytest.mark.parametrize("rows", [10_000, 1_000_000])
def test_an_appended_bar_touches_its_parents_only(rows, monkeypatch):
    pyramid = Pyramid(OHLCV)
    pyramid.sync({name: np.arange(rows, dtype=np.float64) for name in OHLCV})
    touched: list[int] = []
    one, many = pyramid_module._parent, pyramid_module._reduced
    monkeypatch.setattr(pyramid_module, "_parent", lambda c, rule: (touched.append(len(c)), one(c, rule))[1])
    monkeypatch.setattr(pyramid_module, "_reduced", lambda c, rule: (touched.append(c.size), many(c, rule))[1])
    for value in (-1.0, 1e9):
        touched.clear()
        pyramid.write(len(pyramid), {name: np.array([value]) for name in OHLCV})
        levels = int(np.ceil(np.log(rows) / np.log(4))) + 1
        assert 0 < sum(touched) <= 4 * levels * len(OHLCV)
        assert pyramid.column("close")[-1] == value


def test_groups_of_bars_keep_the_first_open_and_the_last_close():
    pyramid = Pyramid(OHLCV)
    n = 64
    base = np.arange(n, dtype=np.float64)
    columns = {"open": base, "high": base + 2, "low": base - 2, "close": base + 1, "volume": base}
    columns = {k: v.copy() for k, v in columns.items()}
    columns["open"][0] = np.nan
    pyramid.sync(columns)
    cut = pyramid.cut(0, n - 1, 16)
    assert cut.group == 16
    assert cut.columns["open"].tolist() == [1, 16, 32, 48]
    assert cut.columns["close"].tolist() == [16, 32, 48, 64]
    assert cut.columns["high"].tolist() == [17, 33, 49, 65]
    assert cut.columns["low"].tolist() == [-2, 14, 30, 46]
    assert cut.columns["volume"].tolist() == [15, 31, 47, 63]


def test_sync_rewrites_from_the_first_row_that_differs_only():
    column = np.arange(1_000, dtype=np.float64)
    pyramid = line(list(column))
    assert pyramid.sync({"value": column}) == 1_000
    longer = np.r_[column, 5.0]
    assert pyramid.sync({"value": longer}) == 1_000
    changed = longer.copy()
    changed[700] = -9
    assert pyramid.sync({"value": changed}) == 700
    assert pyramid.sync({"value": changed[300:]}) == 0
    assert len(pyramid) == 701


def test_a_shorter_content_leaves_nothing_behind():
    pyramid = line([9.0] * 500)
    pyramid.sync({"value": np.array([1.0, 2.0])})
    assert pyramid.cut(0, 1_000, 64).columns["high"].tolist() == [2.0]
    pyramid.sync({"value": np.empty(0)})
    assert pyramid.cut(0, 10, 0).size == 0


def test_a_write_beyond_the_end_is_refused():
    with pytest.raises(IndexError):
        line([1.0]).write(3, {"value": np.array([1.0])})


def test_the_newest_value_is_found_behind_any_gap():
    assert newest(np.r_[1.0, np.full(3_000, np.nan)]) == 1.0
    assert np.isnan(newest(np.full(10, np.nan)))


@settings(max_examples=40, deadline=None)
@given(st.lists(values, min_size=1, max_size=700), st.floats(0, 90))
def test_a_sum_is_of_all_rows_of_its_group_that_have_a_value(column, rows_per_group):
    pyramid, array = Pyramid({"total": Column("value", Rule.SUM)}), np.array(column)
    pyramid.sync({"value": array})
    cut = pyramid.cut(0, len(column) - 1, rows_per_group)
    for i, total in enumerate(cut.columns["total"]):
        rows = array[cut.start + i * cut.group : cut.start + (i + 1) * cut.group]
        there = rows[np.isfinite(rows)]
        np.testing.assert_allclose(total, there.sum() if len(there) else np.nan, atol=1e-6)
