from __future__ import annotations

import numpy as np
import pytest

from quantdesk.analytics.hayashi_yoshida import hayashi_yoshida
from quantdesk.analytics.lead_lag import lag_grid, lead_lag
from quantdesk.analytics.ticks import TickLeg, collapse
from tests.analytics.two_legs import simulated


def test_the_lags_are_even_and_hold_zero():
    grid = lag_grid(100, 30)
    assert grid.tolist() == [-90, -60, -30, 0, 30, 60, 90]
    for longest, step in ((100, 0), (10, 20)):
        with pytest.raises(ValueError, match="step"):
            lag_grid(longest, step)


def test_a_lag_of_250_ms_is_found_within_the_grid_step():
    y, x = simulated(600, 10.0, 8.0, 0.8, lag_ms=250, seed=3)
    found = lead_lag(y, x)
    assert abs(found.lag_ms - 250) <= 20
    assert (found.leader, found.reason) == ("y", "") and found.ratio > 2
    assert found.peak == pytest.approx(0.8, abs=3 * found.peak_stderr)
    assert not found.correlation.flags.writeable and not found.lags_ms.flags.writeable


@pytest.mark.long
@pytest.mark.parametrize(("lag", "rates"), [(250, (4.0, 4.0)), (100, (10.0, 5.0)), (250, (2.0, 10.0))])
def test_a_lag_is_found_whatever_the_rates(lag, rates):
    found = [lead_lag(*simulated(1_200, *rates, 0.8, lag_ms=lag, seed=s)) for s in range(20)]
    assert {f.leader for f in found} == {"y"}
    assert abs(np.median([f.lag_ms for f in found]) - lag) <= 20


def test_turning_the_legs_round_turns_the_answer_round():
    y, x = simulated(300, 6.0, 9.0, 0.8, lag_ms=250, seed=5)
    one, other = lead_lag(y, x), lead_lag(x, y)
    assert (one.leader, other.leader) == ("y", "x")
    assert one.lag_ms == -other.lag_ms and one.ratio == pytest.approx(1 / other.ratio)
    assert np.allclose(one.correlation, other.correlation[::-1], rtol=0, atol=1e-12)


def test_every_lag_has_the_correlation_of_the_moved_leg():
    y, x = simulated(120, 4.0, 7.0, 0.7, lag_ms=40, seed=2)
    found = lead_lag(y, x, np.array([-500, 0, 120]))
    assert found.correlation[1] == pytest.approx(hayashi_yoshida(y, x).correlation, abs=1e-12)
    moved = TickLeg(x.times - 120, x.prices)
    # The moved leg's common time differs by 120 ms at either end only.
    assert found.correlation[2] == pytest.approx(hayashi_yoshida(y, moved).correlation, abs=0.01)


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_where_no_leg_leads_none_is_named(rho):
    for seed in range(6):
        found = lead_lag(*simulated(300, 8.0, 4.0, rho, seed=seed))
        assert found.leader == "" and found.reason.startswith("no clear leader: ")


def test_a_peak_at_the_longest_lag_names_no_leader():
    y, x = simulated(600, 10.0, 10.0, 0.8, lag_ms=300, seed=1)
    found = lead_lag(y, x, lag_grid(200, 20))
    assert found.leader == "" and "longest lag looked at (200 ms)" in found.reason


def test_without_a_value_the_reason_is_said():
    y, x = simulated(60, 5.0, 5.0, 0.5)
    flat = lead_lag(y, collapse(x.times, np.full(len(x), 3.0)))
    assert flat.lag_ms is None and flat.reason == "the price of x does not vary"
    assert np.isnan(flat.correlation).all() and len(flat.correlation) == len(flat.lags_ms)
    assert "0 ticks of y and 0 of x" in lead_lag(collapse([], []), x).reason
    few = lead_lag(y.between(0, 8_000), x.between(0, 8_000))
    assert few.leader == "" and few.lag_ms is not None
    for lags in ([1, 2], [0, 0], [3, 0]):
        with pytest.raises(ValueError, match="ascend"):
            lead_lag(y, x, np.array(lags))
