"""Offer every kind of z-score of a pair by one name, each saying what it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from quantdesk.analytics.hedge import ols
from quantdesk.analytics.online import ExponentialMoments
from quantdesk.analytics.rolling import ROUNDING, rolling_moments
from quantdesk.analytics.spread import ZSeries, joint_rows, regression_z, scattered, walk_forward_z
from quantdesk.bars.arrays import FloatArray

#: |z| of a value within its own window cannot exceed (w - 1)/sqrt(w): fewer rows bound it below 4.25.
FEWEST = 20


class ZKind(StrEnum):
    """Name the kinds of z; the first is the signal, the last a look-ahead for judging the past only."""

    WALK_FORWARD = "walk-forward"
    REGRESSION = "regression"
    ROLLING = "rolling"
    EXPANDING = "expanding"
    EWM = "ewm"
    FULL_SAMPLE = "full-sample"

    @property
    def look_ahead(self) -> bool:
        """Return whether a value depends on later bars."""
        return self is ZKind.FULL_SAMPLE

    @property
    def fits_own_line(self) -> bool:
        """Return whether the kind brings its own line; the others need a hedge ratio."""
        return self in (ZKind.WALK_FORWARD, ZKind.REGRESSION)

    @property
    def takes_ratio(self) -> bool:
        """Return whether the kind judges the spread of a ratio that is given to it."""
        return not (self.fits_own_line or self.look_ahead)


@dataclass(frozen=True, slots=True)
class ZScores:
    """Hold one kind of z: z = (y - beta x - centre) / sigma, n rows each, read-only, NaN = no value.

    ``window`` counts joint rows: the window, for "expanding" the rows before the first value, for
    "ewm" the half-life. ``look_ahead`` says that values depend on later rows: show it under a badge.
    """

    kind: ZKind
    window: int
    z: FloatArray
    beta: FloatArray
    centre: FloatArray
    sigma: FloatArray
    look_ahead: bool

    @property
    def label(self) -> str:
        """Return the kind with everything a reader needs to repeat it."""
        words = {
            ZKind.WALK_FORWARD: f"regression of the {self.window} bars before each bar",
            ZKind.REGRESSION: f"regression of {self.window} bars, the bar itself among them",
            ZKind.ROLLING: f"spread about its mean over {self.window} bars, ddof 1",
            ZKind.EXPANDING: f"spread about its mean so far, from the {self.window}th bar, ddof 1",
            ZKind.EWM: f"spread about its weighted mean, half-life {self.window} bars, unbiased",
            ZKind.FULL_SAMPLE: "LOOK-AHEAD: spread about its mean over the whole sample, ddof 1",
        }
        return f"{self.kind}: {words[self.kind]}"


def z_series(
    kind: ZKind | str,
    y: FloatArray,
    x: FloatArray,
    window: int,
    *,
    beta: float | FloatArray | None = None,
    formation: int | None = None,
) -> ZScores:
    """Return the z of a pair by kind, on prices or logs of n rows.

    walk-forward, regression: see ``walk_forward_z`` and ``regression_z``; they fit their own line. The others
    judge the spread y - beta x: "rolling" by mean and deviation (ddof 1) of its last ``window`` values,
    "expanding" by those of all so far, "ewm" by weights that halve every ``window`` values
    (``ExponentialMoments``), "full-sample" by all rows. Each value is among those it is judged by.

    ``beta`` is one number or one a row, known without these rows; or ``formation`` fits it by OLS on
    that many first joint rows, and there are no values before their end. "full-sample" may have neither: it
    is fitted on all rows. Rows in which a leg is not finite have no value and are in no window. A spread
    that does not vary gives NaN. Raises ValueError for a window below 20 (3 for the regressions, 1
    for the half-life), an unknown kind, or a beta that is missing or not asked for.
    """
    kind = ZKind(kind)
    y, x = np.asarray(y, np.float64), np.asarray(x, np.float64)
    if y.shape != x.shape or y.ndim != 1:
        raise ValueError(f"the legs must be of one length, not {y.shape} and {x.shape}")
    if kind.fits_own_line:
        if beta is not None or formation is not None:
            raise ValueError(f"the {kind} z fits its own line: it takes no hedge ratio")
        series: ZSeries = (walk_forward_z if kind is ZKind.WALK_FORWARD else regression_z)(y, x, window)
        return ZScores(kind, window, series.z, series.beta, series.alpha, series.sigma, False)
    if window < (1 if kind is ZKind.EWM else FEWEST):
        raise ValueError(f"the {kind} z needs a window of at least {FEWEST} bars, not {window}")
    rows = joint_rows(y, x)
    used_y, used_x = (y, x) if rows is None else (y[rows], x[rows])
    if isinstance(beta, np.ndarray) and beta.shape == y.shape and rows is not None:
        beta = beta[rows]
    betas, hidden = _betas(kind, used_y, used_x, beta, formation)
    with np.errstate(all="ignore"):
        hedge = betas * used_x
        spread = used_y - hedge
        centre, sigma = _judge(kind, spread, window)
        if not _clear(sigma, used_y, hedge):
            # A spread carries the rounding of its legs: one that varies by no more does not vary.
            sigma[~(sigma > ROUNDING * np.maximum(np.abs(used_y), np.abs(hedge)))] = np.nan
        z = np.subtract(spread, centre, out=hedge)
        z /= sigma
    z[:hidden] = np.nan
    if not np.isfinite(z.min(where=~np.isnan(z), initial=0.0)):
        z[~np.isfinite(z)] = np.nan
    z, betas, centre, sigma = (scattered(values, rows, len(y)) for values in (z, betas, centre, sigma))
    return ZScores(kind, window, z, betas, centre, sigma, kind.look_ahead)


def _clear(sigma: FloatArray, y: FloatArray, hedge: FloatArray) -> bool:
    """Return whether every deviation that exists is far above the rounding of every price."""
    if len(sigma) == 0:
        return True
    first = int(np.isnan(sigma).argmin())
    level = max(y.max(), -y.min(), hedge.max(), -hedge.min())
    return bool(sigma[first:].min() > ROUNDING * level)


def _betas(
    kind: ZKind, y: FloatArray, x: FloatArray, beta: float | FloatArray | None, formation: int | None
) -> tuple[FloatArray, int]:
    """Return beta at each joint row and how many first rows its fit used up."""
    if (beta is None) == (formation is None) and not (kind is ZKind.FULL_SAMPLE and beta is None):
        raise ValueError(f"the {kind} z needs a hedge ratio or a formation to fit it on, one of them")
    if beta is not None:
        betas = np.asarray(beta, np.float64)
        if betas.ndim and betas.shape != y.shape:
            raise ValueError(f"beta must be one number or one a row, not {betas.shape}")
        return np.broadcast_to(betas, y.shape).copy(), 0
    if formation is None:
        return np.full(len(y), ols(y, x).beta), 0
    if formation < FEWEST:
        raise ValueError(f"a hedge ratio needs a formation of at least {FEWEST} bars, not {formation}")
    return np.full(len(y), ols(y[:formation], x[:formation]).beta), min(formation, len(y))


def _judge(kind: ZKind, spread: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Return centre and deviation at each row; rows without a finite spread are in no window."""
    finite = np.isfinite(spread)
    values = spread if bool(finite.all()) else spread[finite]
    first, centre, sigma = 0, np.empty(0), np.empty(0)
    if kind is ZKind.ROLLING:
        first = window - 1
        centre, sigma = rolling_moments(values, window)
    elif kind is ZKind.FULL_SAMPLE:
        if len(values) >= FEWEST:
            mean = values.mean()
            mean += (values - mean).mean()
            centre = np.full(len(values), mean)
            sigma = np.full(len(values), np.sqrt(((values - mean) ** 2).sum() / (len(values) - 1)))
        else:
            first = len(values)
    else:
        moments = ExponentialMoments(np.inf if kind is ZKind.EXPANDING else window)
        first = (window if kind is ZKind.EXPANDING else FEWEST) - 1
        pairs = np.array([moments.append(value) for value in values.tolist()]).reshape(-1, 2)
        centre, sigma = pairs[first:, 0], pairs[first:, 1]
    out = np.empty((2, len(spread)))
    if values is spread:
        out[:, :first] = np.nan
        out[0, first:], out[1, first:] = centre, sigma
    else:
        out[:] = np.nan
        places = np.flatnonzero(finite)[first:]
        out[0, places], out[1, places] = centre, sigma
    return out[0], out[1]
