"""Turn a Dickey-Fuller or Engle-Granger statistic into p and critical values by MacKinnon's surfaces.

The figures are published: J. G. MacKinnon (1994), "Approximate asymptotic distribution functions
for unit-root and cointegration tests", J. Bus. Econ. Stat. 12, tables 3 and 4 (p-values), and
J. G. MacKinnon (2010), "Critical values for cointegration tests", Queen's Economics Department
working paper 1227, table 2 (critical values; those without constant are of 1996). statsmodels
carries the same ones and is the oracle in the tests; it takes a second to import, these do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, inf, sqrt
from types import MappingProxyType
from typing import Literal

#: Deterministic terms of the test: none, constant, constant and linear trend.
Terms = Literal["n", "c", "ct"]

LEVELS = ("1%", "5%", "10%")


@dataclass(frozen=True, slots=True)
class _Surface:
    """Hold one test's figures: p is the normal distribution of a polynomial, of two below and above ``star``."""

    least: float
    star: float
    most: float
    small: tuple[float, ...]
    large: tuple[float, ...]
    critical: tuple[tuple[float, ...], ...]


#: By deterministic terms and number of series (1: Dickey-Fuller, 2: Engle-Granger with two legs).
_SURFACES: dict[tuple[str, int], _Surface] = {
    ("n", 1): _Surface(
        least=-19.04,
        star=-1.04,
        most=inf,
        small=(0.6344, 1.2378, 0.032496),
        large=(0.4797, 0.93557, -0.06999, 0.033066),
        critical=((-2.56574, -2.2358, -3.627), (-1.941, -0.2686, -3.365, 31.223), (-1.61682, 0.2656, -2.714, 25.364)),
    ),
    ("c", 1): _Surface(
        least=-18.83,
        star=-1.61,
        most=2.74,
        small=(2.1659, 1.4412, 0.038269),
        large=(1.7339, 0.93202, -0.12745, -0.010368),
        critical=(
            (-3.43035, -6.5393, -16.786, -79.433),
            (-2.86154, -2.8903, -4.234, -40.04),
            (-2.56677, -1.5384, -2.809),
        ),
    ),
    ("c", 2): _Surface(
        least=-18.86,
        star=-2.62,
        most=0.92,
        small=(2.92, 1.5012, 0.039796),
        large=(2.1945, 0.64695, -0.29198, -0.042377),
        critical=((-3.89644, -10.9519, -33.527), (-3.33613, -6.1101, -6.823), (-3.04445, -4.2412, -2.72)),
    ),
    ("ct", 1): _Surface(
        least=-16.18,
        star=-2.89,
        most=0.7,
        small=(3.2512, 1.6047, 0.049588),
        large=(2.5261, 0.61654, -0.37956, -0.060285),
        critical=(
            (-3.95877, -9.0531, -28.428, -134.155),
            (-3.41049, -4.3904, -9.036, -45.374),
            (-3.12705, -2.5856, -3.925, -22.38),
        ),
    ),
    ("ct", 2): _Surface(
        least=-21.15,
        star=-3.19,
        most=0.63,
        small=(3.6646, 1.5419, 0.036448),
        large=(2.85, 0.5272, -0.36622, -0.051695),
        critical=(
            (-4.32762, -15.4387, -35.679),
            (-3.78057, -9.5106, -12.074),
            (-3.49631, -7.0815, -7.538, 21.892),
        ),
    ),
}


def p_value(statistic: float, terms: Terms = "c", series: int = 1) -> float:
    """Return the asymptotic p of a statistic (MacKinnon 1994): 0 .. 1, NaN for NaN.

    ``series`` is 1 for a unit root test, 2 for Engle-Granger on two legs. Raises ValueError for
    terms and series without figures.
    """
    surface = _surface(terms, series)
    if statistic > surface.most or statistic == inf:
        return 1.0
    if statistic < surface.least:
        return 0.0
    coefficients = surface.small if statistic <= surface.star else surface.large
    return 0.5 * erfc(-_polynomial(coefficients, statistic) / sqrt(2.0))


def critical_values(observations: float, terms: Terms = "c", series: int = 1) -> Mapping[str, float]:
    """Return the critical values at 1 %, 5 % and 10 % for a sample size, infinity included (MacKinnon 2010)."""
    rows = _surface(terms, series).critical
    return MappingProxyType(
        {level: _polynomial(row, 1.0 / observations) for level, row in zip(LEVELS, rows, strict=True)}
    )


def _surface(terms: str, series: int) -> _Surface:
    found = _SURFACES.get((terms, series))
    if found is None:
        raise ValueError(f'no figures for {series} series with terms "{terms}"')
    return found


def _polynomial(coefficients: tuple[float, ...], value: float) -> float:
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * value + coefficient
    return total
