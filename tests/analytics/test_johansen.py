import numpy as np
import pytest
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from quantdesk.analytics.johansen import johansen
from quantdesk.analytics.stationarity import NoValueError


@pytest.mark.parametrize("det_order", [-1, 0, 1])
@pytest.mark.parametrize("lags", [0, 1, 4])
def test_it_repeats_statsmodels(walk_pair, det_order: int, lags: int) -> None:
    y, x = walk_pair
    # Near one and about zero statsmodels' own arithmetic is good enough to compare with.
    scaled = np.column_stack([y / y.std(), x / x.std()])
    oracle = coint_johansen(scaled, det_order, lags)
    found = johansen(y, x, lags, det_order)
    assert found.trace == pytest.approx(oracle.trace_stat, rel=1e-6)
    assert found.max_eigen == pytest.approx(oracle.max_eig_stat, rel=1e-6)
    assert found.eigenvalues == pytest.approx(oracle.eig, rel=1e-6)
    np.testing.assert_array_equal(found.critical_values_trace, oracle.trace_stat_crit_vals)
    np.testing.assert_array_equal(found.critical_values_max_eigen, oracle.max_eig_stat_crit_vals)
    assert found.beta == pytest.approx(-oracle.evec[1, 0] / oracle.evec[0, 0] * y.std() / x.std(), rel=1e-6)
    assert (found.observations, found.k_ar_diff, found.det_order) == (3_000, lags, det_order)


def test_it_recovers_the_ratio_that_made_the_pair(walk_pair) -> None:
    found = johansen(*walk_pair)
    assert found.beta == pytest.approx(0.05, rel=0.05)
    assert found.rank("1%") >= 1
    assert found.eigenvector.tolist() == [1.0, -found.beta]
    assert found.label == "Johansen, constant, n=3000, 1 lagged differences"


def test_two_directions_are_one_relation(walk_pair) -> None:
    y, x = walk_pair
    one, other = johansen(y, x), johansen(x, y)
    assert one.beta * other.beta == pytest.approx(1.0, rel=1e-9)
    assert one.trace == pytest.approx(other.trace, rel=1e-9)


@pytest.mark.parametrize("factor", [1e-3, 1e3, 12_345.678])
def test_scaling_the_prices_changes_the_unit_of_beta_alone(walk_pair, factor: float) -> None:
    y, x = walk_pair
    base, scaled = johansen(y, x), johansen(y, factor * x)
    assert scaled.trace == pytest.approx(base.trace, rel=1e-9)
    assert scaled.beta * factor == pytest.approx(base.beta, rel=1e-9)


def test_independent_walks_with_a_drift_are_found_cointegrated_as_often_as_stated() -> None:
    rng = np.random.default_rng(8)
    steps = rng.normal(size=(400, 2, 400)) + np.array([[0.5], [0.3]])
    ranks = np.array([johansen(*legs.cumsum(axis=1)).rank() for legs in steps])
    assert 0.02 < float((ranks > 0).mean()) < 0.09


def test_without_a_drift_the_trace_test_rejects_too_often_and_the_result_says_so() -> None:
    rng = np.random.default_rng(8)
    ranks = np.array([johansen(*legs.cumsum(axis=1)).rank() for legs in rng.normal(size=(400, 2, 400))])
    assert 0.07 < float((ranks > 0).mean()) < 0.18
    assert "11 %" in str(johansen.__doc__)


def test_what_cannot_be_tested_says_why(walk_pair) -> None:
    y, x = walk_pair
    for legs, words in (
        ((np.full(100, 3.0), x[:100]), "y does not vary"),
        ((y[:100], np.full(100, 3.0)), "x does not vary"),
        ((y[:10], x[:10]), "too few"),
        ((2 * x[:100] + 1, x[:100]), "collinear|nothing to test"),
        ((np.full(100, np.nan), x[:100]), "too few"),
    ):
        with pytest.raises(NoValueError, match=words):
            johansen(*legs)
    with pytest.raises(ValueError, match="negative"):
        johansen(y, x, -1)
    with pytest.raises(ValueError, match="deterministic"):
        johansen(y, x, 1, 2)


def test_missing_rows_are_left_out_jointly_and_results_are_read_only(walk_pair) -> None:
    y, x = (leg[:500].copy() for leg in walk_pair)
    y[100] = np.nan
    kept = np.delete(np.arange(500), 100)
    found = johansen(y, x)
    np.testing.assert_array_equal(found.trace, johansen(y[kept], x[kept]).trace)
    with pytest.raises(ValueError, match="read-only"):
        found.trace[0] = 1.0
