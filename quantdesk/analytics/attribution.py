"""Say which leg moved the spread: the change of each bar in parts of y, of x and of the hedge ratio."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from quantdesk.bars.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Attribution:
    """Hold the change of the spread y - beta x since the bar before, in parts; read-only, n each, NaN = no value.

    ``from_y`` + ``from_x`` is what a position with the hedge ratio of the bar before made;
    ``from_beta`` is what the spread moved because the hedge ratio did, though no price had to.
    ``change`` is (from_y + from_x) + from_beta, to the last digit.
    """

    from_y: FloatArray
    from_x: FloatArray
    from_beta: FloatArray
    change: FloatArray

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.change)

    def over(self, start: int, stop: int) -> Attribution:
        """Return the parts summed since bar ``start``, for the bars start .. stop - 1 (length stop - start).

        The first bar is 0: nothing has moved since. A bar without a value has none here either and
        adds nothing. Each sum ends at its own bar: no value depends on a later one. Raises
        ValueError where the bars are not those of this result.
        """
        if not 0 <= start < stop <= len(self):
            raise ValueError(f"bars {start} to {stop} are not within the {len(self)} bars there are")
        parts = []
        for part in (self.from_y, self.from_x, self.from_beta):
            steps = part[start:stop].copy()
            steps[0] = 0.0
            missing = np.isnan(steps)
            sums = np.cumsum(np.where(missing, 0.0, steps))
            sums[missing] = np.nan
            parts.append(sums)
        return _total(parts)


def attribute(y: FloatArray, x: FloatArray, beta: float | FloatArray) -> Attribution:
    """Return how much of each change of s = y - beta x came from y, from x and from the hedge ratio.

    s_t - s_{t-1} = (y_t - y_{t-1}) - beta_{t-1} (x_t - x_{t-1}) - x_t (beta_t - beta_{t-1}): beta of
    the bar BEFORE (the ratio a position was held with), x of the PRESENT bar. Exact in real numbers,
    whatever the values. ``y``, ``x`` (prices or their logs) and ``beta`` (n, or one number) in, the
    unit of y out. Rows where any of them is not finite have no value; the next row is compared with
    the last one that had all. The first row has none. Raises ValueError where lengths differ.
    """
    y, x = np.asarray(y, np.float64), np.asarray(x, np.float64)
    ratio = np.broadcast_to(np.asarray(beta, np.float64), y.shape) if np.ndim(beta) == 0 else np.asarray(beta)
    if y.ndim != 1 or y.shape != x.shape or y.shape != ratio.shape:
        raise ValueError(f"legs and hedge ratio must be of one length, not {y.shape}, {x.shape} and {ratio.shape}")
    rows = np.flatnonzero(np.isfinite(y) & np.isfinite(x) & np.isfinite(ratio))
    used_y, used_x, used_beta = y[rows], x[rows], ratio[rows]
    columns = []
    for part in (np.diff(used_y), -used_beta[:-1] * np.diff(used_x), -used_x[1:] * np.diff(used_beta)):
        column = np.full(len(y), np.nan)
        column[rows[1:]] = part
        columns.append(column)
    return _total(columns)


def _total(parts: list[FloatArray]) -> Attribution:
    from_y, from_x, from_beta = parts
    return Attribution(from_y, from_x, from_beta, (from_y + from_x) + from_beta)
