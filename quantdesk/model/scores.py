"""Score a pair's spread by the kind of z that was chosen, and keep the signal whatever is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.held_z import FormingZ, forming, held_z
from quantdesk.analytics.pairs import PairSeries
from quantdesk.analytics.spread import regression_z
from quantdesk.analytics.zscore import ZKind, z_series
from quantdesk.bars.arrays import FloatArray
from quantdesk.model.frame import PairSettings


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Hold the z shown of n joined bars, and what judges the forming bar by it.

    ``signal`` is the walk-forward z where another kind is shown, None where it is the one shown;
    ``forming`` is None for walk-forward, whose line is the frame's ``next_*``.
    """

    z: FloatArray
    signal: FloatArray | None = None
    forming: FormingZ | None = None


def scores_of(settings: PairSettings, series: PairSeries, beta: FloatArray, fitted_until: int | None) -> Scores:
    """Return the scores of a pair's joined bars; ``beta`` (n) is the ratio in force at each.

    Kinds without a line of their own judge the spread of that ratio. A ratio that was fitted on bars
    up to ``fitted_until`` (open time, ms) gives no value to those bars nor to any before: they helped
    to choose it. "full-sample" fits its own ratio on all bars and looks ahead.
    """
    kind, window = settings.z_kind, settings.window
    if kind is ZKind.WALK_FORWARD:
        return Scores(series.z)
    if kind is ZKind.FULL_SAMPLE:
        return Scores(z_series(kind, series.y, series.x, window).z, series.z)
    if kind is ZKind.REGRESSION:
        z = regression_z(series.y, series.x, window).z
        return Scores(z, series.z, forming(kind, series.y, series.x, beta, window))
    z, state = held_z(kind, series.y, series.x, beta, window)
    if fitted_until is not None:
        z = np.where(series.times > fitted_until, z, np.nan)
        z.setflags(write=False)
    return Scores(z, series.z, forming(kind, series.y, series.x, beta, window, state))
