from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.hedge import ols
from quantdesk.model.formation import HedgeLines, JoinedBars, advance
from quantdesk.model.frame import PairSettings
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START, walk

BARS = PairSettings("A", "B", formation_bars=40)


def joined(rows: slice, n: int = 400, seed: int = 1) -> JoinedBars:
    y, x = walk(n, seed)
    return JoinedBars((START + MINUTE * np.arange(n))[rows], y[rows], x[rows], MINUTE)


def at(row: int) -> int:
    return START + row * MINUTE


def test_a_live_view_is_fitted_on_the_last_bars_before_it():
    lines = advance(HedgeLines(), joined(slice(0, 100)), BARS, Origin.LIVE, at(100))
    whole = joined(slice(0, 400))
    fit = ols(whole.y[60:100], whole.x[60:100])
    assert lines.settled
    assert (lines.first.start_ms, lines.first.end_ms, lines.first.n) == (at(60), at(99), 40)
    assert (lines.first.alpha, lines.first.beta) == (fit.alpha, fit.beta)
    later = advance(lines, whole, BARS, Origin.LIVE, at(100))
    assert later == lines


def test_history_that_fills_in_behind_makes_the_first_window_anew_once_and_unmarked():
    lines = advance(HedgeLines(), joined(slice(75, 100)), BARS, Origin.LIVE, at(90))
    assert not lines.settled and lines.first.n == 25
    lines = advance(lines, joined(slice(0, 101)), BARS, Origin.LIVE, at(90))
    assert lines.settled and lines.refits == ()
    assert (lines.first.start_ms, lines.first.end_ms) == (at(60), at(99))


def test_bars_of_an_older_session_are_a_first_line_only_until_history_closes_the_distance():
    lines = advance(HedgeLines(), joined(slice(0, 50)), BARS, Origin.LIVE, at(300))
    assert not lines.settled and lines.first.end_ms == at(49)
    lines = advance(lines, joined(slice(0, 301)), BARS, Origin.LIVE, at(300))
    assert lines.settled
    assert (lines.first.start_ms, lines.first.end_ms) == (at(260), at(299))


def test_without_history_the_first_bars_make_the_window_and_it_freezes_when_full():
    lines = advance(HedgeLines(), joined(slice(0, 5)), BARS, Origin.LIVE, at(5))
    assert lines.first is None
    for count in range(6, 60):
        lines = advance(lines, joined(slice(0, count)), BARS, Origin.LIVE, at(5))
    assert lines.settled
    assert (lines.first.start_ms, lines.first.end_ms) == (at(0), at(39))


def test_a_file_is_fitted_on_its_first_third():
    lines = advance(HedgeLines(), joined(slice(0, 300)), BARS, Origin.FILE, None)
    assert lines.settled and (lines.first.start_ms, lines.first.end_ms) == (at(0), at(99))


def test_a_refit_draws_from_the_next_bar_on_and_survives_new_bars():
    lines = advance(HedgeLines(), joined(slice(0, 100)), BARS, Origin.LIVE, at(100))
    lines = advance(lines, joined(slice(0, 150)), BARS, Origin.LIVE, at(100), refit_now=True)
    (refit,) = lines.refits
    assert (refit.time, refit.start_ms, refit.end_ms) == (at(150), at(110), at(149))
    later = advance(lines, joined(slice(0, 200)), BARS, Origin.LIVE, at(100))
    assert later == lines
    beta, _, _ = later.columns(joined(slice(0, 200)).times)
    np.testing.assert_array_equal(beta[:150], lines.first.beta)
    np.testing.assert_array_equal(beta[150:], refit.beta)
    twice = advance(lines, joined(slice(0, 150)), BARS, Origin.LIVE, at(100), refit_now=True)
    assert twice.refits == lines.refits


@given(st.integers(10, 60), st.lists(st.integers(100, 400), min_size=1, max_size=12))
def test_scheduled_refits_do_not_depend_on_how_the_bars_arrived(every, cuts):
    settings = PairSettings("A", "B", formation_bars=40, refit_every=every)
    at_once = advance(HedgeLines(), joined(slice(0, 100)), settings, Origin.LIVE, at(100))
    steps = at_once
    for cut in sorted(cuts):
        steps = advance(steps, joined(slice(0, cut)), settings, Origin.LIVE, at(100))
    whole = advance(at_once, joined(slice(0, max(cuts))), settings, Origin.LIVE, at(100))
    assert steps == whole
    assert [r.time for r in whole.refits] == [at(r) for r in range(100 + every, max(cuts) + 1, every)]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_bars_make_no_line(n):
    assert advance(HedgeLines(), joined(slice(0, n)), BARS, Origin.FILE, None).first is None


def test_refits_nobody_can_see_any_more_are_dropped():
    settings = PairSettings("A", "B", formation_bars=40, refit_every=20)
    lines = advance(HedgeLines(), joined(slice(0, 60)), settings, Origin.LIVE, at(60))
    for end in range(80, 400, 20):
        lines = advance(lines, joined(slice(end - 80, end)), settings, Origin.LIVE, at(60))
    assert len(lines.refits) <= 5
    beta, _, _ = lines.columns(joined(slice(300, 380)).times)
    assert np.isfinite(beta).all()
