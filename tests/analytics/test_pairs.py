from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics import pairs
from quantdesk.analytics.correlation import rolling_correlation
from quantdesk.analytics.hedge import ols
from quantdesk.analytics.pairs import PairSnapshot, evaluate
from quantdesk.analytics.spread import walk_forward_z
from quantdesk.analytics.stationarity import adf, engle_granger, half_life

MINUTE = 60_000
COLUMNS = ("times", "y", "x", "z", "correlation")


@pytest.fixture
def snapshot(walk_pair) -> PairSnapshot:
    y, x = walk_pair
    times = np.arange(len(y), dtype=np.int64) * MINUTE
    return PairSnapshot(times, y, times, x)


def _cut(snapshot: PairSnapshot, rows: int) -> PairSnapshot:
    legs = ("times_y", "closes_y", "times_x", "closes_x")
    return replace(snapshot, **{name: getattr(snapshot, name)[:rows] for name in legs})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(60, 500), st.booleans(), st.data())
def test_no_series_depends_on_the_future(seed: int, cut: int, log: bool, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    times = np.arange(500, dtype=np.int64) * MINUTE
    y, x = np.round(1_000 * np.exp(0.002 * rng.standard_normal((2, 500)).cumsum(axis=1)), 2)
    keep_y, keep_x = np.flatnonzero(rng.random(500) < 0.95), np.flatnonzero(rng.random(500) < 0.95)
    y[rng.random(500) < 0.02] = np.nan
    whole = PairSnapshot(times[keep_y], y[keep_y], times[keep_x], x[keep_x], 30, 30, log)
    part_y, part_x = keep_y[keep_y < cut], keep_x[keep_x < cut]
    part = PairSnapshot(times[part_y], y[part_y], times[part_x], x[part_x], 30, 30, log)
    y[cut:], x[cut:] = data.draw(st.sampled_from([np.nan, 1e9, 1.0])), 7.0
    changed = replace(whole, closes_y=y[keep_y], closes_x=x[keep_x])
    expected = evaluate(part)
    for other in (evaluate(whole), evaluate(changed)):
        for name in COLUMNS:
            column = getattr(expected, name)
            np.testing.assert_array_equal(getattr(other, name)[: len(column)], column, err_msg=name)


def test_z_and_correlation_are_those_of_the_joined_closes(snapshot: PairSnapshot) -> None:
    series = evaluate(snapshot)
    np.testing.assert_array_equal(series.z, walk_forward_z(snapshot.closes_y, snapshot.closes_x, 60).z)
    np.testing.assert_array_equal(series.correlation, rolling_correlation(snapshot.closes_y, snapshot.closes_x, 60))


def test_legs_are_joined_on_time_and_never_carried(snapshot: PairSnapshot) -> None:
    kept = np.delete(np.arange(3_000), [100, 101, 1_500])
    holed = replace(snapshot, times_x=snapshot.times_x[kept], closes_x=snapshot.closes_x[kept])
    series = evaluate(holed)
    both = replace(holed, times_y=snapshot.times_y[kept], closes_y=snapshot.closes_y[kept])
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(series, name), getattr(evaluate(both), name))
    np.testing.assert_array_equal(series.y, snapshot.closes_y[kept])


def test_logs_are_used_for_the_legs_and_z(snapshot: PairSnapshot) -> None:
    series = evaluate(replace(snapshot, log=True))
    log_y, log_x = np.log(snapshot.closes_y), np.log(snapshot.closes_x)
    np.testing.assert_array_equal(series.z, walk_forward_z(log_y, log_x, 60).z)
    np.testing.assert_array_equal(series.correlation, evaluate(snapshot).correlation)


@pytest.mark.parametrize("rows", [0, 1, 2, 19, 60, 61])
def test_short_data_have_no_value_and_no_error(snapshot: PairSnapshot, rows: int) -> None:
    short = _cut(snapshot, rows)
    series = evaluate(short)
    assert len(series) == rows
    assert int(np.isfinite(series.z).sum()) == max(0, rows - 60)
    evidence = pairs.test(short)
    assert (evidence.engle_granger is None) == (rows < 12)
    assert ("engle_granger" in evidence.reasons) == (evidence.engle_granger is None)


def test_results_and_snapshots_cannot_be_written_to(walk_pair) -> None:
    y, x = (leg.copy() for leg in walk_pair)
    times = np.arange(len(y), dtype=np.int64)
    snapshot = PairSnapshot(times, y, times, x)
    y[:] = 0.0
    assert snapshot.closes_y[0] != 0.0
    series = evaluate(snapshot)
    for name in COLUMNS:
        assert not getattr(series, name).flags.writeable


def test_the_evidence_is_that_of_the_newest_bars(snapshot: PairSnapshot) -> None:
    evidence = pairs.test(snapshot, bars=500, lag=2)
    y, x = snapshot.closes_y[-500:], snapshot.closes_x[-500:]
    spread = y - ols(y, x).beta * x
    assert (evidence.observations, evidence.start, evidence.end) == (500, 2_500 * MINUTE, 2_999 * MINUTE)
    assert evidence.engle_granger == engle_granger(y, x, lag=2)
    assert evidence.adf == adf(spread, lag=2, fitted_beta=True)
    assert evidence.half_life == half_life(spread)
    assert evidence.reasons == {}


def test_wrong_settings_are_refused_in_words(snapshot: PairSnapshot) -> None:
    with pytest.raises(ValueError, match="at least 20 bars"):
        replace(snapshot, window=19)
    with pytest.raises(ValueError, match="one close for each time"):
        replace(snapshot, closes_y=snapshot.closes_y[1:])
