from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ui.charts.timeline import TimeLine
from quantdesk.ui.charts.view import MARGIN_ROWS, START_ROWS, TimeView


def line(first: int, last: int, step: int = 60_000) -> TimeLine:
    return TimeLine(np.arange(first, last, dtype=np.int64) * step)


def shown(rows: TimeLine) -> TimeView:
    view = TimeView()
    view.on_rows(TimeLine(), rows)
    return view


def test_a_fresh_view_shows_the_newest_bars_with_room_on_the_right():
    view = shown(line(0, 1_000))
    assert view.right == 999.5 + MARGIN_ROWS
    assert view.left == 999.5 - START_ROWS
    assert view.follows


def test_a_young_series_grows_into_the_view():
    view, old = shown(line(0, 10)), line(0, 10)
    for n in range(11, 400):
        new = line(0, n)
        view.on_rows(old, new)
        old = new
        assert view.right == n - 0.5 + MARGIN_ROWS
    assert view.span == START_ROWS + MARGIN_ROWS


def test_a_following_view_moves_by_each_new_bar():
    old, new = line(0, 500), line(0, 503)
    view = shown(old)
    view.zoom(1.5)
    left, right = view.left, view.right
    view.on_rows(old, new)
    assert (view.left, view.right) == pytest.approx((left + 3, right + 3))


def test_a_moved_view_is_not_stolen_by_new_bars():
    old, new = line(0, 500), line(0, 530)
    view = shown(old)
    view.pan(-200)
    before = (view.left, view.right)
    assert not view.follows
    view.on_rows(old, new)
    assert (view.left, view.right) == pytest.approx(before)


def test_history_put_before_keeps_the_visible_times():
    old, new = line(1_000, 1_500), line(0, 1_500)
    view = shown(old)
    view.pan(-200)
    times = (old.time_of(view.left), old.time_of(view.right))
    view.on_rows(old, new)
    assert (new.time_of(view.left), new.time_of(view.right)) == pytest.approx(times)


def test_history_put_before_a_following_view_leaves_it_at_the_newest_bar():
    old, new = line(1_000, 1_500), line(0, 1_500)
    view = shown(old)
    view.zoom(2)
    gap = view.right - len(old)
    view.on_rows(old, new)
    assert view.right - len(new) == pytest.approx(gap)


def test_rows_inserted_in_the_middle_keep_the_visible_times():
    times = np.arange(0, 500, dtype=np.int64) * 60_000
    old, new = TimeLine(np.delete(times, [20, 25, 30])), TimeLine(times)
    view = shown(old)
    view.pan(-300)
    seen = (old.time_of(view.left), old.time_of(view.right))
    view.on_rows(old, new)
    assert (new.time_of(view.left), new.time_of(view.right)) == pytest.approx(seen)


def test_zoom_keeps_the_row_under_the_pointer():
    view = shown(line(0, 1_000))
    view.pan(-300)
    at = view.left + view.span * 0.3
    view.zoom(1.7, at)
    assert (at - view.left) / view.span == pytest.approx(0.3)


def test_end_follows_again_after_a_move():
    view = shown(line(0, 1_000))
    view.pan(-500)
    view.latest()
    assert view.follows


@given(st.lists(st.tuples(st.sampled_from(["pan", "zoom", "first", "latest"]), st.floats(-3, 3)), max_size=30))
def test_no_walk_loses_the_data_from_sight(walk):
    view = shown(line(0, 300))
    for act, amount in walk:
        if act == "pan":
            view.pan(amount * 400)
        elif act == "zoom":
            view.zoom(2.0**amount)
        else:
            getattr(view, act)()
        assert view.right > 0
        assert view.left < 299.5
        assert 4.99 <= view.span <= 300 * 1.25 + 40
