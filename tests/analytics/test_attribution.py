from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.attribution import attribute

EPS = float(np.finfo(float).eps)
price = st.one_of(st.just(float("nan")), st.floats(1e-3, 1e5))
ratio = st.one_of(st.just(float("nan")), st.floats(-50, 50))
bars = st.lists(st.tuples(price, price, ratio), max_size=30)


def columns(rows: list[tuple[float, float, float]]) -> list[np.ndarray]:
    return [np.array([row[i] for row in rows], float) for i in range(3)]


@given(bars)
def test_the_parts_are_the_change_of_the_spread(rows):
    y, x, beta = columns(rows)
    found = attribute(y, x, beta)
    known = np.flatnonzero(np.isfinite(y) & np.isfinite(x) & np.isfinite(beta)).tolist()
    assert np.flatnonzero(np.isfinite(found.change)).tolist() == known[1:]
    for before, now in pairwise(known):
        a0, b0, r0, a1, b1, r1 = (Fraction(float(c[row])) for row in (before, now) for c in (y, x, beta))
        exact = (a1 - a0, -r0 * (b1 - b0), -b1 * (r1 - r0))
        assert sum(exact) == (a1 - r1 * b1) - (a0 - r0 * b0)
        size = abs(y[before]) + abs(y[now]) + (abs(beta[before]) + abs(beta[now])) * (abs(x[before]) + abs(x[now]))
        for part, value in zip((found.from_y, found.from_x, found.from_beta), exact, strict=True):
            assert abs(Fraction(float(part[now])) - value) <= 2 * EPS * size
    sums = (found.from_y + found.from_x) + found.from_beta
    assert np.array_equal(found.change, sums, equal_nan=True)


@given(bars, st.integers(0, 30))
def test_later_bars_change_nothing_before_them(rows, cut):
    whole = attribute(*columns(rows))
    early = attribute(*columns(rows[:cut]))
    for name in ("from_y", "from_x", "from_beta", "change"):
        assert np.array_equal(getattr(early, name), getattr(whole, name)[: len(early)], equal_nan=True)
    if rows and early:
        one, other = early.over(0, len(early)), whole.over(0, len(rows))
        assert np.array_equal(one.change, other.change[: len(early)], equal_nan=True)


def test_a_held_ratio_moves_nothing_by_itself_and_a_changed_one_moves_it_without_a_price():
    y, x = np.array([10.0, 11.0, 11.0]), np.array([4.0, 4.5, 4.5])
    held = attribute(y, x, 2.0)
    assert held.from_beta[1:].tolist() == [0, 0] and held.change[1:].tolist() == [0.0, 0.0]
    assert (held.from_y[1], held.from_x[1]) == (1.0, -1.0)
    jump = attribute(y, x, np.array([2.0, 2.0, 2.4]))
    assert (jump.from_y[2], jump.from_x[2]) == (0, 0) and jump.from_beta[2] == pytest.approx(-0.4 * 4.5)


def test_sums_over_a_span_begin_at_nothing_and_end_at_the_change(walk_pair):
    y, x = walk_pair
    beta = 0.05 + 0.001 * np.sin(np.arange(len(y)) / 50)
    spread = y - beta * x
    span = attribute(y, x, beta).over(100, 2_000)
    assert span.change[0] == 0 and len(span) == 1_900
    assert np.abs(span.change - (spread[100:2_000] - spread[100])).max() < 1e-8
    assert not span.change.flags.writeable


def test_a_bar_without_a_value_has_none_and_the_next_is_compared_with_the_last_that_had():
    y, x = np.array([1.0, np.nan, 3.0]), np.array([1.0, 1.0, 1.0])
    found = attribute(y, x, 1.0)
    assert np.array_equal(found.change, [np.nan, np.nan, 2.0], equal_nan=True)
    assert np.array_equal(found.over(0, 3).change, [0.0, np.nan, 2.0], equal_nan=True)


def test_constant_legs_move_nothing_and_nonsense_is_refused():
    assert attribute(np.ones(3), np.ones(3), 1.0).change[1:].tolist() == [0, 0]
    with pytest.raises(ValueError, match="one length"):
        attribute(np.ones(3), np.ones(2), 1.0)
    for span in ((-1, 2), (2, 2), (0, 4)):
        with pytest.raises(ValueError, match="are not within"):
            attribute(np.ones(3), np.ones(3), 1.0).over(*span)
