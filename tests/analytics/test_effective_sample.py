import numpy as np
import pytest

from quantdesk.analytics.effective_sample import effective_sample
from quantdesk.analytics.stationarity import NoValueError


def test_the_size_is_the_stated_formula() -> None:
    spread = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 4.0])
    deviation = spread - spread.mean()
    rho = (deviation[1:] * deviation[:-1]).sum() / (deviation**2).sum()
    found = effective_sample(spread)
    assert found.rho == pytest.approx(rho)
    assert found.size == pytest.approx(6 * (1 - rho) / (1 + rho))


def test_it_is_the_sample_whose_mean_varies_as_much() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(2_000, 1_000))
    spread = noise.copy()
    for row in range(1, 1_000):
        spread[:, row] += 0.5 * spread[:, row - 1]
    expected = spread.var() / spread.mean(axis=1).var()
    assert np.mean([effective_sample(s).size for s in spread[:200]]) == pytest.approx(expected, rel=0.12)


def test_alternating_values_count_no_more_than_they_are() -> None:
    found = effective_sample(np.tile([1.0, -1.0], 50))
    assert found.rho < 0
    assert found.size == 100


@pytest.mark.parametrize("spread", [np.full(50, 2.0), np.arange(3.0), np.array([])])
def test_what_has_no_autocorrelation_says_why(spread: np.ndarray) -> None:
    with pytest.raises(NoValueError):
        effective_sample(spread)
