import numpy as np
import pytest

from quantdesk.analytics.breaks import cusum
from quantdesk.analytics.dickey_fuller import rolling_engle_granger
from quantdesk.analytics.effective_sample import effective_sample
from quantdesk.analytics.evidence import gather
from quantdesk.analytics.hedge import ols
from quantdesk.analytics.hurst import hurst
from quantdesk.analytics.johansen import johansen
from quantdesk.analytics.kpss import kpss
from quantdesk.analytics.stationarity import adf, combined_p, engle_granger, half_life

MINUTE = 60_000


@pytest.fixture
def legs(walk_pair) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, x = walk_pair
    return np.arange(1_000, dtype=np.int64) * MINUTE, y[:1_000], x[:1_000]


def test_every_test_is_of_the_stated_sample_and_spread(legs) -> None:
    times, y, x = legs
    found = gather(times, y, x, lag=2)
    spread = y - ols(y, x).beta * x
    np.testing.assert_array_equal(found.spread, spread)
    forth, back = engle_granger(y, x, lag=2), engle_granger(x, y, lag=2, direction="x on y")
    assert (found.engle_granger, found.engle_granger_reverse) == (forth, back)
    assert found.combined_p == combined_p(forth, back)
    assert found.adf == adf(spread, lag=2, fitted_beta=True)
    assert found.kpss == kpss(spread, fitted_beta=True)
    assert found.half_life == half_life(spread)
    assert found.effective == effective_sample(spread)
    assert found.hurst is not None and found.hurst.exponent == hurst(spread).exponent
    assert found.cusum is not None and found.cusum.statistic == cusum(y, x).statistic
    assert found.johansen is not None
    np.testing.assert_array_equal(found.johansen.trace, johansen(y, x, 2).trace)
    assert {name: test.lags for name, test in found.by_criterion.items()} == {
        name: engle_granger(y, x, autolag=name).lags for name in ("AIC", "BIC")
    }
    assert found.rolling_beta is not None and found.rolling_beta.window == 100
    assert found.p_over_time is not None
    expected = rolling_engle_granger(y, x, 200, found.p_over_time.step, 2)
    np.testing.assert_array_equal(found.p_over_time.p_value, expected.p_value)
    assert 150 < len(expected.rows) <= 240
    assert found.reasons == {}
    assert (found.beta_given, found.beta) == (False, ols(y, x).beta)


def test_without_a_given_lag_johansen_takes_one_and_the_criterion_is_not_run_twice(legs) -> None:
    found = gather(*legs, autolag="AIC")
    assert found.johansen is not None and found.johansen.k_ar_diff == 1
    assert found.by_criterion["AIC"] is found.engle_granger
    assert found.by_criterion["BIC"].lag_method == "BIC"


def test_a_given_beta_makes_the_spread_and_the_adf_its_own_test(legs) -> None:
    times, y, x = legs
    found = gather(times, y, x, beta=0.05)
    spread = y - 0.05 * x
    np.testing.assert_array_equal(found.spread, spread)
    assert found.adf == adf(spread, fitted_beta=False)
    assert found.kpss == kpss(spread, fitted_beta=False)
    assert found.beta_given
    assert found.verdict is not None and "the ADF rejects a unit root" in found.verdict.remarks[0]


def test_what_does_not_exist_is_none_with_its_reason(legs) -> None:
    times, y, x = legs
    names = ("engle_granger", "engle_granger_reverse", "adf", "kpss", "johansen", "hurst", "effective", "cusum")
    for rows, flat in ((5, False), (0, False), (200, True)):
        found = gather(times[:rows], y[:rows], np.full(rows, 3.0) if flat else x[:rows])
        for name in names:
            if getattr(found, name) is None:
                assert found.reasons[name], name
        assert found.engle_granger is None and found.combined_p is None
        assert found.reasons["combined_p"] == found.reasons["engle_granger"]
        assert found.verdict is not None and found.verdict.headline.startswith("Undecided: ")
    assert found.rolling_beta is not None
    short = gather(times[:50], y[:50], x[:50])
    assert "needs more than" in short.reasons["rolling_beta"]
    assert "needs more than 100 bars" in short.reasons["p_over_time"]


def test_nothing_in_it_can_be_written_to(legs) -> None:
    found = gather(*legs)
    assert found.cusum is not None and found.hurst is not None and found.rolling_beta is not None
    arrays = (found.times, found.spread, found.cusum.path, found.hurst.variances, found.rolling_beta.beta)
    assert not any(array.flags.writeable for array in arrays)
    with pytest.raises(TypeError):
        found.reasons["adf"] = ""  # type: ignore[index]
    assert legs[0].flags.writeable
