import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import breaks_cusumolsresid
from statsmodels.tools.tools import add_constant

from quantdesk.analytics.breaks import CUSUM_BOUND_5, bridge_p, cusum, rolling_beta
from quantdesk.analytics.stationarity import NoValueError


def _pair(seed: int, rho: float, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=n).cumsum(), rng.normal(size=n)
    for row in range(1, n):
        noise[row] += rho * noise[row - 1]
    return 2 * x + noise + 5, x


def test_the_plain_statistic_is_statsmodels() -> None:
    y, x = _pair(1, 0.5)
    expected = breaks_cusumolsresid(OLS(y, add_constant(x)).fit().resid, ddof=2)[0]
    assert cusum(y, x).plain_statistic == pytest.approx(expected, rel=1e-9)


def test_the_p_value_is_that_of_r() -> None:
    """strucchange's sctest(type="OLS-CUSUM") of R, as carried by statsmodels' own tests."""
    assert bridge_p(1.055750610401214) == pytest.approx(0.2149567397376543, abs=1e-12)
    assert bridge_p(CUSUM_BOUND_5) == pytest.approx(0.05, abs=2e-4)


def test_the_path_is_the_scaled_sum_of_the_residuals() -> None:
    y, x = _pair(2, 0.0)
    found = cusum(y, x)
    residual = OLS(y, add_constant(x)).fit().resid
    long_run = residual @ residual
    for lag in range(1, found.lags + 1):
        long_run += 2 * (1 - lag / (found.lags + 1)) * residual[lag:] @ residual[:-lag]
    np.testing.assert_allclose(found.path, residual.cumsum() / np.sqrt(long_run), atol=1e-8)
    assert found.statistic == pytest.approx(np.abs(found.path).max())
    assert found.row == np.abs(found.path).argmax()
    assert abs(found.path[-1]) < 1e-8
    assert not found.path.flags.writeable


def test_an_autocorrelated_spread_alone_is_no_break() -> None:
    found = [cusum(*_pair(seed, 0.9)) for seed in range(60)]
    assert sum(f.plain_statistic > CUSUM_BOUND_5 for f in found) > 50
    assert sum(f.breaks for f in found) <= 6


def test_a_shifted_line_is_found_where_it_shifted() -> None:
    y, x = _pair(3, 0.5, 1_000)
    found = cusum(y + np.where(np.arange(1_000) >= 500, 6.0, 0.0), x)
    assert found.breaks
    assert abs(found.row - 500) < 15
    assert found.p_value < 0.05
    assert not cusum(y, x).breaks


@pytest.mark.parametrize(
    ("y", "x"),
    [
        (np.arange(50.0), np.full(50, 2.0)),
        (np.full(50, 2.0), np.arange(50.0)),
        (3 * np.arange(50.0) + 1, np.arange(50.0)),
        (np.arange(5.0), np.arange(5.0) ** 2),
    ],
)
def test_what_has_no_residuals_says_why(y: np.ndarray, x: np.ndarray) -> None:
    with pytest.raises(NoValueError):
        cusum(y, x)


def test_the_rolling_slope_and_its_error_are_those_of_each_window() -> None:
    y, x = _pair(4, 0.3)
    found = rolling_beta(y, x, 50)
    for row in (49, 200, 399):
        fit = OLS(y[row - 49 : row + 1], add_constant(x[row - 49 : row + 1])).fit()
        assert (found.beta[row], found.stderr[row]) == pytest.approx((fit.params[1], fit.bse[1]), rel=1e-7)
    assert np.isnan(found.beta[:49]).all()
    np.testing.assert_allclose(found.upper[49:] - found.lower[49:], 4 * found.stderr[49:], rtol=1e-9)
    assert not found.beta.flags.writeable and not found.stderr.flags.writeable


def test_the_rolling_slope_knows_nothing_of_later_rows() -> None:
    y, x = _pair(5, 0.3)
    part = rolling_beta(y[:250], x[:250], 50)
    np.testing.assert_array_equal(rolling_beta(y, x, 50).beta[:250], part.beta)
    holed = y.copy()
    holed[100] = np.nan
    kept = np.delete(np.arange(400), 100)
    np.testing.assert_array_equal(rolling_beta(holed, x, 50).beta[kept], rolling_beta(y[kept], x[kept], 50).beta)
    with pytest.raises(ValueError, match="at least 3"):
        rolling_beta(y, x, 2)
