import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.tools import add_constant

from quantdesk.analytics.hedge import ols, ols_through_origin, total_least_squares


def test_norris_is_met_to_the_certified_digits(nist_line) -> None:
    fit = ols(*nist_line("Norris"))
    assert fit.beta == pytest.approx(1.00211681802045, rel=1e-13)
    assert fit.alpha == pytest.approx(-0.262323073774029, rel=1e-12)
    assert fit.r_squared == pytest.approx(0.999993745883712, rel=1e-13)
    assert fit.stderr_beta == pytest.approx(0.429796848199937e-3, rel=1e-11)


@pytest.mark.parametrize(
    ("name", "slope", "stderr"),
    [("NoInt1", 2.07438016528926, 0.165289256198347e-1), ("NoInt2", 0.727272727272727, 0.420827318078432e-1)],
)
def test_lines_through_the_origin_meet_the_certified_digits(nist_line, name: str, slope: float, stderr: float) -> None:
    fit = ols_through_origin(*nist_line(name))
    assert fit.beta == pytest.approx(slope, rel=1e-14)
    assert fit.stderr_beta == pytest.approx(stderr, rel=1e-12)


def test_ols_agrees_with_statsmodels(walk_pair) -> None:
    y, x = walk_pair
    fit, oracle = ols(y, x), OLS(y, add_constant(x)).fit()
    assert (fit.alpha, fit.beta) == pytest.approx(tuple(oracle.params), rel=1e-9)
    assert fit.r_squared == pytest.approx(oracle.rsquared, rel=1e-10)
    assert fit.stderr_beta == pytest.approx(oracle.bse[1], rel=1e-9)


def test_both_directions_multiply_to_r_squared(walk_pair) -> None:
    y, x = walk_pair
    assert ols(y, x).beta * ols(x, y).beta == pytest.approx(ols(y, x).r_squared, rel=1e-12)


def test_missing_values_are_masked_jointly() -> None:
    y, x = np.array([1.0, 2.0, np.nan, 5.0, 9.0]), np.array([1.0, 2.0, 3.0, np.inf, 10.0])
    assert ols(y, x) == ols(y[[0, 1, 4]], x[[0, 1, 4]])


@pytest.mark.parametrize("x", [[5.0, 5.0, 5.0], [0.1 + 0.2, 0.3, 0.3]])
def test_a_constant_hedge_leg_has_no_line(x: list[float]) -> None:
    fit = ols(np.array([1.0, 2.0, 3.0]), np.array(x))
    assert np.isnan([fit.alpha, fit.beta, fit.r_squared, fit.stderr_beta]).all()


def test_too_few_rows_have_no_line_and_two_no_error() -> None:
    assert np.isnan(ols(np.array([1.0]), np.array([2.0])).beta)
    two = ols(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
    assert two.beta == 2.0
    assert np.isnan(two.stderr_beta)
    assert np.isnan(ols_through_origin(np.array([]), np.array([])).beta)


def test_legs_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        ols(np.zeros(3), np.zeros(4))


def test_total_least_squares_draws_pearsons_own_line() -> None:
    # K. Pearson (1901), "On lines and planes of closest fit to systems of points in space", Phil. Mag. 2:569.
    x = np.array([0.0, 0.9, 1.8, 2.6, 3.3, 4.4, 5.2, 6.1, 6.5, 7.4])
    y = np.array([5.9, 5.4, 4.4, 4.6, 3.5, 3.7, 2.8, 2.8, 2.4, 1.5])
    fit = total_least_squares(y, x)
    assert (fit.alpha, fit.beta) == pytest.approx((5.784, -0.5456), abs=5e-4)


def test_total_least_squares_is_the_first_principal_axis_whichever_leg_is_y(walk_pair) -> None:
    y, x = np.log(walk_pair)
    fit = total_least_squares(y, x)
    vectors = np.linalg.eigh(np.cov(x, y))[1]
    assert fit.beta == pytest.approx(vectors[1, 1] / vectors[0, 1], rel=1e-9)
    assert total_least_squares(x, y).beta * fit.beta == pytest.approx(1.0, rel=1e-12)
    assert total_least_squares(-y, x).beta == pytest.approx(-fit.beta, rel=1e-12)


def test_legs_without_a_common_line_have_no_total_least_squares() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0])
    for y in (np.full(4, 3.0), np.array([1.0, -1.0, -1.0, 1.0])):
        assert np.isnan(total_least_squares(y, x).beta)
    assert np.isnan(total_least_squares(x, np.full(4, 3.0)).beta)
    assert np.isnan(total_least_squares(x[:1], x[:1]).beta)
