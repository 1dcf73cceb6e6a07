"""Score a pair's spread by the kind of z that was chosen, and keep the signal whatever is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.held_z import FormingZ, forming, held_z
from quantdesk.analytics.pairs import PairSeries
from quantdesk.analytics.spread import regression_z
from quantdesk.analytics.zscore import ZKind, z_series
from quantdesk.bars.arrays import FloatArray
from quantdesk.model.frame import JoinedLegs, PairSettings


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Hold the z shown of n joined bars, and what judges the forming bar by it.

    ``signal`` is the walk-forward z where another kind is shown, None where it is the one shown;
    ``forming`` is None for walk-forward, whose line is the frame's ``next_*``.
    """

    z: FloatArray
    signal: FloatArray | None = None
    forming: FormingZ | None = None


def scores_of(settings: PairSettings, series: PairSeries, legs: JoinedLegs) -> Scores:
    """Return the scores of a pair's joined bars, ``legs`` those of ``series``.

    Kinds without a line of their own judge the spread of the ratio in force. "full-sample" fits its own ratio
    on all bars and looks ahead.
    """
    kind, window = settings.z_kind, settings.window
    if kind is ZKind.WALK_FORWARD:
        return Scores(series.z)
    if kind is ZKind.FULL_SAMPLE:
        return Scores(z_series(kind, series.y, series.x, window).z, series.z)
    z, judge = judged(kind, legs, window)
    return Scores(z, series.z, judge)


def z_of_kind(kind: ZKind, legs: JoinedLegs, window: int) -> FloatArray:
    """Return one kind of z of the joined bars (n, read-only): "regression", "rolling", "expanding" or "ewm".

    A ratio gives no value to the bars it was fitted on nor to any before: they helped to choose it.
    """
    return judged(kind, legs, window)[0]


def judged(kind: ZKind, legs: JoinedLegs, window: int) -> tuple[FloatArray, FormingZ]:
    """Return ``z_of_kind`` and what judges the bar after the joined ones by it."""
    if kind is ZKind.REGRESSION:
        return regression_z(legs.y, legs.x, window).z, forming(kind, legs.y, legs.x, legs.beta, window)
    z, moments = held_z(kind, legs.y, legs.x, legs.beta, window)
    if legs.fitted_until is not None:
        z = np.where(legs.known, z, np.nan)
        z.setflags(write=False)
    return z, forming(kind, legs.y, legs.x, legs.beta, window, moments)
