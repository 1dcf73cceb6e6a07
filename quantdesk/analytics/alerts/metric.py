"""Name what a rule may watch, and hold one moment's values of all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, nan
from types import MappingProxyType


class Metric(StrEnum):
    """Name a number of a pair; the value is the name in files and in the placeholders of a text."""

    Z = "z"
    REGRESSION_Z = "regression_z"
    ROLLING_Z = "rolling_z"
    EXPANDING_Z = "expanding_z"
    EW_Z = "ew_z"
    SPREAD = "spread"
    RATIO = "ratio"
    BETA = "beta"
    CORRELATION = "correlation"
    HY_CORRELATION = "hy_correlation"
    HALF_LIFE = "half_life"
    COINTEGRATION_P = "cointegration_p"
    PRICE_Y = "price_y"
    PRICE_X = "price_x"
    LEAD_LAG = "lead_lag_ms"
    VOLUME_Y = "volume_y"
    VOLUME_X = "volume_x"

    @property
    def label(self) -> str:
        """Return the name for people."""
        return _WORDS[self][0]

    @property
    def unit(self) -> str:
        """Return the unit, empty for a pure number."""
        return _WORDS[self][1]

    @property
    def mean(self) -> float | None:
        """Return the value that the metric is made to return to: 0 of a z-score, None of anything else."""
        return 0.0 if self in _SCORES else None


_SCORES = frozenset({Metric.Z, Metric.REGRESSION_Z, Metric.ROLLING_Z, Metric.EXPANDING_Z, Metric.EW_Z})
_WORDS: Mapping[Metric, tuple[str, str]] = MappingProxyType(
    {
        Metric.Z: ("z (walk-forward)", "σ"),
        Metric.REGRESSION_Z: ("regression z", "σ"),
        Metric.ROLLING_Z: ("rolling z", "σ"),
        Metric.EXPANDING_Z: ("expanding z", "σ"),
        Metric.EW_Z: ("exponentially weighted z", "σ"),
        Metric.SPREAD: ("spread", "unit of y"),
        Metric.RATIO: ("ratio y / x", ""),
        Metric.BETA: ("hedge ratio β", "x per y"),
        Metric.CORRELATION: ("rolling correlation", ""),
        Metric.HY_CORRELATION: ("Hayashi-Yoshida correlation", ""),
        Metric.HALF_LIFE: ("half-life", "bars"),
        Metric.COINTEGRATION_P: ("cointegration p", ""),
        Metric.PRICE_Y: ("price of y", "quote"),
        Metric.PRICE_X: ("price of x", "quote"),
        Metric.LEAD_LAG: ("lead of y over x", "ms"),
        Metric.VOLUME_Y: ("volume of y", "base"),
        Metric.VOLUME_X: ("volume of x", "base"),
    }
)


@dataclass(frozen=True, slots=True)
class MetricSample:
    """Hold the values of one moment: ``time_ms`` is the bar's open time, or the time of a look between bars.

    A metric that is absent or NaN has no value. ``complete``: no trade of the bar is missing;
    ``window_full``: every window behind the values is full; ``age_*_ms``: how old each leg's newest
    price is, ``p``: the cointegration p of both directions; None = not known.
    """

    time_ms: int
    values: Mapping[Metric, float]
    complete: bool = True
    window_full: bool = True
    age_y_ms: int | None = None
    age_x_ms: int | None = None
    p: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def value(self, metric: Metric) -> float:
        """Return the metric's value, NaN where there is none (an infinity is none)."""
        found = float(self.values.get(metric, nan))
        return found if isfinite(found) else nan
