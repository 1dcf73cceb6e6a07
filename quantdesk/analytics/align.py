"""Join two legs on time: a bar that either leg lacks is dropped, never carried forward."""

from __future__ import annotations

import numpy as np

from quantdesk.bars.arrays import IntArray


def inner_join(times_y: IntArray, times_x: IntArray) -> tuple[IntArray, IntArray]:
    """Return (rows_y, rows_x), the rows at which both legs have a bar, ascending in time.

    ``times_y[rows_y]`` equals ``times_x[rows_x]``. Both inputs must ascend strictly (ValueError).
    """
    for name, times in (("y", times_y), ("x", times_x)):
        if len(times) > 1 and not bool((times[1:] > times[:-1]).all()):
            raise ValueError(f"the times of {name} must ascend without repeats")
    if len(times_y) == len(times_x) and np.array_equal(times_y, times_x):
        rows = np.arange(len(times_y), dtype=np.int64)
        return rows, rows
    if len(times_y) == 0 or len(times_x) == 0:
        none = np.empty(0, np.int64)
        return none, none
    place = np.minimum(np.searchsorted(times_x, times_y), len(times_x) - 1)
    rows_y = np.flatnonzero(times_x[place] == times_y).astype(np.int64)
    return rows_y, place[rows_y].astype(np.int64)
