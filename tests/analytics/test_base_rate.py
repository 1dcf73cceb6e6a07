import numpy as np
import pytest

from quantdesk.analytics.base_rate import base_rate
from quantdesk.analytics.zscore import ZKind, z_series


def test_a_rolling_60_z_of_a_random_walk_is_beyond_two_on_13_7_percent_of_bars() -> None:
    assert base_rate("rolling", 60).random_walk == pytest.approx(0.137, abs=0.005)


@pytest.mark.parametrize("kind", [ZKind.WALK_FORWARD, ZKind.REGRESSION, ZKind.ROLLING, ZKind.EWM])
@pytest.mark.parametrize("threshold", [1.0, 2.5])
def test_the_rate_is_that_of_walks_seen_by_the_kind_itself(kind: ZKind, threshold: float) -> None:
    y, x = 1_000 + np.random.default_rng(77).standard_normal((2, 60_000)).cumsum(axis=1)
    options = {} if kind.fits_own_line else {"beta": 0.0}
    z = z_series(kind, y, x, 30, **options).z[600:]
    assert base_rate(kind, 30, threshold).random_walk == pytest.approx((np.abs(z) >= threshold).mean(), abs=0.02)


@pytest.mark.parametrize("kind", [ZKind.EXPANDING, ZKind.FULL_SAMPLE])
def test_the_rate_of_kinds_without_a_window_is_that_of_many_walks(kind: ZKind) -> None:
    rates = []
    for walk in np.random.default_rng(5).standard_normal((300, 300)).cumsum(axis=1):
        z = z_series(kind, walk, np.ones(300), 60, beta=0.0).z
        rates.append(float((np.abs(z[np.isfinite(z)]) >= 1.5).mean()))
    assert base_rate(kind, 60, 1.5).random_walk == pytest.approx(np.mean(rates), abs=0.04)


def test_long_windows_take_the_rate_of_a_walk_without_a_scale() -> None:
    assert base_rate("rolling", 1_000).random_walk == base_rate("rolling", 240).random_walk
    walk = np.random.default_rng(3).standard_normal(500_000).cumsum()
    z = z_series("rolling", walk, np.ones(500_000), 1_000, beta=0.0).z
    expected = float((np.abs(z[np.isfinite(z)]) >= 2).mean())
    assert base_rate("rolling", 1_000).random_walk == pytest.approx(expected, abs=0.02)


def test_the_rate_falls_with_the_threshold_from_one_to_nothing() -> None:
    rates = [base_rate("walk-forward", 60, level).random_walk for level in (0.0, 1.0, 2.0, 3.0, 100.0)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(1.0, abs=1e-3)
    assert rates[-1] == 0.0


def test_history_counts_its_own_bars_alone() -> None:
    z = np.array([np.nan, 0.0, 2.0, -3.0, 1.9])
    found = base_rate("rolling", 60, 2.0, z)
    assert (found.history, found.bars) == (0.5, 4)
    assert "on 50.0 % of the last 4 bars" in found.label
    assert base_rate("rolling", 60, 2.0, np.full(3, np.nan)).history is None
    assert base_rate("rolling", 60).history is None


def test_the_same_question_has_the_same_answer_and_bad_ones_none() -> None:
    assert base_rate("rolling", 60) == base_rate(ZKind.ROLLING, 60)
    for kind, window, threshold in (("rolling", 2, 2.0), ("rolling", 60, -1.0), ("other", 60, 2.0)):
        with pytest.raises(ValueError, match=r"window|threshold|other"):
            base_rate(kind, window, threshold)
