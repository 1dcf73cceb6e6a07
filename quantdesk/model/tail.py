"""Judge the bars that are newer than a frame, for display only."""

from __future__ import annotations

import numpy as np

from quantdesk.analytics.attribution import Attribution, attribute
from quantdesk.bars.arrays import BarArrays, FloatArray
from quantdesk.model.frame import NAN, LegColumns, PairFrame, PairTail

#: So many of the newest bars get a z that is not a line's: each of them costs a window.
MOST_JUDGED = 8


def tail_of(frame: PairFrame, y: BarArrays, x: BarArrays) -> PairTail:
    """Return the bars of both legs, all newer than the frame's, with spread, z and its parts as they stand."""
    times = np.union1d(y.open_time, x.open_time)
    leg_y, leg_x = LegColumns.placed(y, times), LegColumns.placed(x, times)
    with np.errstate(all="ignore"):
        close_y, close_x = leg_y.close, leg_x.close
        if frame.settings.log:
            close_y, close_x = np.log(close_y), np.log(close_x)
        spread = close_y - frame.beta * close_x
    return PairTail(times, leg_y, leg_x, spread, _z(frame, close_y, close_x), _parts(frame, close_y, close_x))


def _z(frame: PairFrame, y: FloatArray, x: FloatArray) -> FloatArray:
    if frame.forming is None:
        if frame.walk_z is not None:
            return np.full(len(y), NAN)
        with np.errstate(all="ignore"):
            z = (y - frame.next_alpha - frame.next_beta * x) / frame.next_sigma
        return np.where(np.isfinite(z), z, NAN)
    out = np.full(len(y), NAN)
    for row in np.flatnonzero(np.isfinite(y) & np.isfinite(x))[-MOST_JUDGED:].tolist():
        out[row] = frame.forming.z_of(float(y[row]), float(x[row]), frame.beta)
    return out


def _parts(frame: PairFrame, y: FloatArray, x: FloatArray) -> Attribution | None:
    """Return which leg moved the spread since the newest joined bar, and from bar to bar after it."""
    legs = frame.joined
    if legs is None or not len(legs.times):
        return None
    beta = np.r_[legs.beta[-1], np.full(len(y), frame.beta)]
    parts = attribute(np.r_[legs.y[-1], y], np.r_[legs.x[-1], x], beta)
    return Attribution(parts.from_y[1:], parts.from_x[1:], parts.from_beta[1:], parts.change[1:])
