import math

import numpy as np
import pytest
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp

from quantdesk.analytics.mackinnon import critical_values, p_value

KINDS = [("n", 1), ("c", 1), ("c", 2), ("ct", 1), ("ct", 2)]


@pytest.mark.parametrize(("terms", "series"), KINDS)
def test_p_values_are_those_of_statsmodels(terms: str, series: int) -> None:
    for statistic in np.r_[np.linspace(-30, 5, 701), -np.inf]:
        expected = mackinnonp(statistic, regression=terms, N=series)
        assert p_value(float(statistic), terms, series) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(("terms", "series"), KINDS)
@pytest.mark.parametrize("observations", [20, 100, 5_000, np.inf])
def test_critical_values_are_those_of_statsmodels(terms: str, series: int, observations: float) -> None:
    found = critical_values(observations, terms, series)
    expected = mackinnoncrit(N=series, regression=terms, nobs=observations)
    assert list(found) == ["1%", "5%", "10%"]
    assert list(found.values()) == pytest.approx(list(expected), rel=1e-13)


def test_a_statistic_at_its_critical_value_has_that_p() -> None:
    for terms, series in KINDS:
        for level, value in critical_values(math.inf, terms, series).items():
            assert p_value(value, terms, series) == pytest.approx(float(level.rstrip("%")) / 100, rel=0.1)


def test_what_has_no_value_or_figures_says_so() -> None:
    assert math.isnan(p_value(math.nan))
    assert p_value(math.inf, "n") == 1.0
    with pytest.raises(ValueError, match="no figures"):
        p_value(-3.0, "c", 3)
