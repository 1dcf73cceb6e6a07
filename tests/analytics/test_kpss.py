import threading
import warnings

import numpy as np
import pytest
from statsmodels.datasets import macrodata, nile, sunspots

from quantdesk.analytics.kpss import SHIN_CRITICAL, kpss
from quantdesk.analytics.stationarity import NoValueError


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_real_gdp_meets_the_number_of_r() -> None:
    """tseries::kpss.stat(realgdp, "Level") of R, as carried by statsmodels' own tests."""
    found = kpss(macrodata.load_pandas().data["realgdp"].to_numpy(), lag=3)
    assert found.statistic == pytest.approx(5.0169, abs=5e-4)
    assert (found.p_value, found.bound, found.p_text) == (0.01, "<", "<0.01")
    assert found.rejects
    assert found.label == "KPSS, constant, n=203, lag 3 (as given)"


@pytest.mark.parametrize(
    ("series", "lag"),
    [
        (macrodata.load_pandas().data["realgdp"], 9),
        (sunspots.load_pandas().data["SUNACTIVITY"], 7),
        (nile.load_pandas().data["volume"], 5),
    ],
)
def test_the_lag_is_that_of_sas(series, lag: int) -> None:
    """SAS 9.3's automatic lags, as carried by statsmodels' own tests."""
    assert kpss(series.to_numpy()).lags == lag


def test_a_clipped_p_says_on_which_side_it_lies() -> None:
    noise = np.random.default_rng(1).normal(size=400)
    calm, between, walk = kpss(noise), kpss(sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()), kpss(noise.cumsum())
    assert (calm.p_text, walk.p_text) == (">0.10", "<0.01")
    assert (calm.rejects, walk.rejects) == (False, True)
    assert between.bound == "" and 0.01 < between.p_value < 0.10
    assert between.p_text == f"{between.p_value:.3f}"


def test_a_fitted_beta_is_judged_by_shin() -> None:
    """Shin (1994), table 1: a residual's 5 % value with a constant and one regressor is 0.314."""
    rng = np.random.default_rng(3)
    statistics = []
    for _ in range(400):
        x, y = rng.normal(size=200).cumsum(), rng.normal(size=200)
        design = np.column_stack([np.ones(200), x])
        residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        statistics.append(kpss(residual, lag=0, fitted_beta=True).statistic)
    assert np.quantile(statistics, 0.95) == pytest.approx(SHIN_CRITICAL["5%"], abs=0.05)
    found = kpss(residual, fitted_beta=True)
    assert found.critical_5 == 0.314
    assert found.critical_values["5%"] == 0.463
    assert "p too large" in found.label


def test_many_threads_neither_warn_nor_leave_a_filter_behind() -> None:
    before = list(warnings.filters)
    walks = np.random.default_rng(2).normal(1, 1, size=(8, 300)).cumsum(axis=1)
    found: list[str] = []
    threads = [threading.Thread(target=lambda w=walk: found.append(kpss(w).p_text)) for walk in walks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["<0.01"] * 8
    assert warnings.filters == before


@pytest.mark.parametrize("series", [np.full(50, 3.0), np.arange(5.0), np.array([]), 1e9 + np.full(50, 1e-9)])
def test_what_cannot_be_tested_says_why(series: np.ndarray) -> None:
    with pytest.raises(NoValueError):
        kpss(series)
    with pytest.raises(NoValueError, match="does not fit"):
        kpss(np.random.default_rng(1).normal(size=50), lag=50)


def test_scale_and_missing_values_change_nothing() -> None:
    walk = np.random.default_rng(4).normal(size=300).cumsum()
    holed = np.insert(walk, [10, 200], np.nan)
    assert kpss(1e-9 * walk + 5).statistic == pytest.approx(kpss(walk).statistic, rel=1e-6)
    assert kpss(holed) == kpss(walk)
