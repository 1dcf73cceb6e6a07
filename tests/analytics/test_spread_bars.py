"""Bars of a spread are what its value did between the trades of both legs, and nothing a later trade knows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.spread_bars import BarGrid, Carry, Formula, LegTrades, SpreadBars, covered, fold_spread

SECOND, AGE = 1_000, 700
NAMES = ("open", "high", "low", "close", "moves")


def leg(*trades: tuple[int, int, float]) -> LegTrades:
    rows = sorted(trades)
    return LegTrades(
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2] for r in rows]),
    )


@st.composite
def legs(draw: st.DrawFn) -> LegTrades:
    """Draw trades of few seconds, many of them at the same time, on a grid of prices."""
    count = draw(st.integers(0, 30))
    times = sorted(draw(st.lists(st.integers(0, 6_000), min_size=count, max_size=count)))
    prices = draw(st.lists(st.integers(90, 110), min_size=count, max_size=count))
    first = draw(st.integers(0, 3))
    return leg(
        *((time, first + place, price / 2) for place, (time, price) in enumerate(zip(times, prices, strict=True)))
    )


def grid(beta: float | np.ndarray = 0.5, *, ms: int = SECOND, count: int = 7, alpha: float | None = None) -> BarGrid:
    opens = np.arange(count, dtype=np.int64) * ms
    taken = None if alpha is None else np.full(count, alpha)
    return BarGrid(opens, ms, np.broadcast_to(np.asarray(beta, np.float64), (count,)), taken)


def fold(y: LegTrades, x: LegTrades, bars: BarGrid, formula: Formula = Formula.DIFFERENCE) -> SpreadBars:
    return fold_spread(Carry(), y, x, bars, formula, AGE)[0]


def same(one: SpreadBars, other: SpreadBars) -> None:
    for name in NAMES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def by_hand(y: LegTrades, x: LegTrades, bars: BarGrid, formula: Formula) -> list[list[float]]:
    """Walk through the trades one by one, as anybody would on paper."""
    events: dict[tuple[int, int], dict[str, float]] = {}
    for name, side in (("y", y), ("x", x)):
        for time, id_, price in zip(side.times.tolist(), side.ids.tolist(), side.prices.tolist(), strict=True):
            events.setdefault((time, id_), {})[name] = price
    held: dict[str, tuple[int, float]] = {}
    rows = [[math.nan, math.nan, math.nan, math.nan, 0.0] for _ in bars.open_time]
    before: dict[str, tuple[int, float]] | None = None
    for (time, _), prices in sorted(events.items()):
        held.update({name: (time, price) for name, price in prices.items()})
        fresh = len(held) == 2 and all(time - at <= AGE for at, _ in held.values())
        row = time // bars.interval_ms
        if fresh and row < len(rows) and math.isfinite(bars.beta[row]):

            def value(prices: dict[str, tuple[int, float]], beta: float = float(bars.beta[row])) -> float:
                a, b = prices["y"][1], prices["x"][1]
                if formula is Formula.RATIO:
                    return a / b
                return np.log(a) - beta * np.log(b) if formula is Formula.LOG else a - beta * b

            now, bar = value(held), rows[row]
            bar[:4] = [now if math.isnan(bar[0]) else bar[0], np.fmax(bar[1], now), np.fmin(bar[2], now), now]
            bar[4] += before is None or value(before) != now
        before = dict(held) if fresh else None
    return rows


@given(legs(), legs(), st.sampled_from(Formula), st.lists(st.sampled_from([0.25, 0.5, 1.5]), min_size=7, max_size=7))
@settings(max_examples=300)
def test_bars_are_what_a_walk_through_the_trades_finds(y, x, formula, betas) -> None:
    bars = grid(np.array(betas))
    found = fold(y, x, bars, formula)
    expected = np.array(by_hand(y, x, bars, formula))
    for place, name in enumerate(NAMES):
        np.testing.assert_allclose(getattr(found, name), expected[:, place], rtol=1e-12, err_msg=name)


@given(legs(), legs(), st.lists(st.integers(0, 6_500), max_size=5), st.sampled_from(Formula))
@settings(max_examples=200)
def test_one_stretch_after_another_is_the_same_as_all_at_once(y, x, cuts, formula) -> None:
    bars, carry, joined = grid(), Carry(), SpreadBars.empty(7)
    for start, stop in zip([-1, *sorted(cuts)], [*sorted(cuts), 10_000], strict=True):
        parts = [cut(side, start, stop) for side in (y, x)]
        found, carry = fold_spread(carry, *parts, bars, formula, AGE)
        joined = joined.then(found)
    same(joined, fold(y, x, bars, formula))


def cut(side: LegTrades, start: int, stop: int) -> LegTrades:
    rows = (side.times > start) & (side.times <= stop)
    return LegTrades(side.times[rows], side.ids[rows], side.prices[rows])


@given(legs(), legs(), st.integers(1, 6))
def test_later_trades_change_no_bar_before_them(y, x, whole) -> None:
    early = fold(cut(y, -1, whole * SECOND - 1), cut(x, -1, whole * SECOND - 1), grid())
    late = fold(y, x, grid())
    for name in NAMES:
        np.testing.assert_array_equal(getattr(early, name)[:whole], getattr(late, name)[:whole])


@given(legs(), legs(), st.sampled_from(Formula))
def test_bars_of_a_second_fold_to_those_of_a_longer_interval(y, x, formula) -> None:
    fine, coarse = fold(y, x, grid(count=8), formula), fold(y, x, grid(ms=4 * SECOND, count=2), formula)
    for row, rows in enumerate((slice(0, 4), slice(4, 8))):
        there = np.flatnonzero(np.isfinite(fine.close[rows]))
        assert coarse.moves[row] == fine.moves[rows].sum()
        if not len(there):
            assert np.isnan(coarse.close[row])
            continue
        assert coarse.open[row] == fine.open[rows][there[0]]
        assert coarse.close[row] == fine.close[rows][there[-1]]
        assert coarse.high[row] == np.nanmax(fine.high[rows])
        assert coarse.low[row] == np.nanmin(fine.low[rows])


@given(legs(), legs())
def test_swapped_legs_turn_the_ratio_upside_down(y, x) -> None:
    one, other = fold(y, x, grid(), Formula.RATIO), fold(x, y, grid(), Formula.RATIO)
    for mine, theirs in (("open", "open"), ("close", "close"), ("high", "low"), ("low", "high")):
        np.testing.assert_allclose(getattr(one, mine), 1 / getattr(other, theirs), rtol=1e-12)
    np.testing.assert_array_equal(one.moves, other.moves)


@given(legs(), legs(), st.floats(0.1, 2))
def test_the_legs_extremes_bound_the_spread_and_are_not_it(y, x, beta) -> None:
    found = fold(y, x, grid(beta))
    for row in np.flatnonzero(np.isfinite(found.close)).tolist():
        end = (row + 1) * SECOND - 1
        sides = []
        for side in (y, x):
            inside = cut(side, row * SECOND - 1, end).prices
            before = cut(side, -1, row * SECOND - 1).prices[-1:]  # what the bar begins with
            sides.append(np.r_[before, inside])
        assert found.high[row] <= sides[0].max() - beta * sides[1].min() + 1e-9
        assert found.low[row] >= sides[0].min() - beta * sides[1].max() - 1e-9
        assert found.low[row] <= min(found.open[row], found.close[row])
        assert found.high[row] >= max(found.open[row], found.close[row])


def test_legs_that_move_together_have_a_narrow_spread_between_wide_bars() -> None:
    y = leg((0, 1, 100.0), (200, 2, 110.0), (400, 3, 100.0))
    x = leg((1, 1, 50.0), (201, 2, 55.0), (401, 3, 50.0))
    found = fold(y, x, grid(2.0))
    # Between the two trades of a move the other leg still stood where it was.
    assert (found.open[0], found.high[0], found.low[0], found.close[0], found.moves[0]) == (0.0, 10.0, -10.0, 0.0, 5.0)
    assert 110.0 - 2 * 50.0 == 10.0


def test_a_price_too_old_makes_no_value_until_its_leg_trades_again() -> None:
    y, x = leg((0, 1, 100.0), (2_500, 2, 101.0)), leg((100, 1, 50.0), (1_500, 2, 51.0), (2_600, 3, 52.0))
    found = fold(y, x, grid(1.0))
    np.testing.assert_array_equal(found.close, [50.0, np.nan, 49.0, np.nan, np.nan, np.nan, np.nan])


def test_trades_of_one_time_and_id_are_one_moment() -> None:
    found = fold(leg((10, 1, 100.0), (20, 7, 120.0)), leg((10, 1, 50.0), (20, 7, 60.0)), grid(2.0))
    assert (found.high[0], found.low[0], found.moves[0]) == (0.0, 0.0, 1.0)


def test_another_ratio_is_no_move_and_a_bar_without_one_has_no_value() -> None:
    y, x = (
        leg((0, 1, 100.0), (1_100, 2, 100.0), (2_000, 3, 100.0)),
        leg((10, 1, 50.0), (600, 2, 50.0), (1_600, 3, 50.0)),
    )
    found = fold(y, x, grid(np.array([1.0, 2.0, np.nan, 1, 1, 1, 1])))
    np.testing.assert_array_equal(found.close[:3], [50.0, 0.0, np.nan])
    np.testing.assert_array_equal(found.moves[:3], [1.0, 0.0, 0.0])


def test_an_intercept_is_taken_off_where_it_is_given() -> None:
    y, x = leg((0, 1, 100.0)), leg((10, 1, 50.0))
    assert fold(y, x, grid(1.0, alpha=20.0)).close[0] == 30.0
    assert fold(y, x, grid(1.0, alpha=20.0), Formula.RATIO).close[0] == 2.0


def test_a_leg_that_never_traded_makes_no_bar() -> None:
    found, carry = fold_spread(Carry(), leg((0, 1, 100.0)), leg(), grid(), Formula.DIFFERENCE)
    assert np.isnan(found.close).all() and not found.moves.any()
    assert carry == Carry((0, 100.0), None)
    assert fold_spread(carry, leg(), leg((5, 1, 50.0)), grid(1.0), Formula.DIFFERENCE)[0].open[0] == 50.0


def test_results_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        fold(leg((0, 1, 1.0)), leg((0, 1, 1.0)), grid()).close[0] = 1.0


def test_trades_cover_a_bar_only_if_they_reach_its_high_its_low_and_its_close() -> None:
    trades = leg((0, 1, 100.0), (500, 2, 104.0), (900, 3, 101.0), (1_000, 4, 99.0))
    opens = np.array([0, 1_000, 2_000], np.int64)
    high, low, close = np.array([104.0, 99.5, np.nan]), np.array([100.0, 99.0, np.nan]), np.array([101.0, 99.0, np.nan])
    np.testing.assert_array_equal(covered(opens, SECOND, trades, high, low, close), [True, False, True])
    np.testing.assert_array_equal(covered(opens, SECOND, cut(trades, 0, 900), high, low, close), [False, False, True])
    assert not covered(opens[:2], SECOND, leg(), high[:2], low[:2], close[:2]).any()
