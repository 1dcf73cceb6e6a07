from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ui.charts.timeline import TimeLine

steps = st.lists(st.integers(1, 5_000), min_size=1, max_size=60)


@given(steps, st.integers(0, 10), st.floats(-30, 90))
def test_row_to_time_and_back_is_the_same_row(gaps, forming, x):
    times = 1_700_000_000_000 + np.cumsum(np.array(gaps, np.int64))
    cut = max(0, len(times) - forming)
    line = TimeLine(times[:cut], times[cut:], 1_000)
    assert abs(line.x_of(line.time_of(x)) - x) < 1e-3


def test_rows_outside_go_on_at_the_usual_step():
    line = TimeLine(np.array([1_000, 2_000, 3_000], np.int64), np.array([4_000], np.int64))
    assert line.step_ms == 1_000
    assert line.at([-2, 0, 3, 5]).tolist() == [-1_000, 1_000, 4_000, 6_000]


def test_a_time_between_bars_belongs_to_the_bar_before():
    line = TimeLine(np.array([0, 60_000], np.int64), np.array([120_000], np.int64))
    assert [line.row_at_or_before(t) for t in (-1, 0, 59_999, 60_000, 150_000)] == [-1, 0, 0, 1, 2]


def test_no_bars_have_no_rows_but_still_a_scale():
    line = TimeLine()
    assert len(line) == 0
    assert line.x_of(line.time_of(3.0)) == 3.0
