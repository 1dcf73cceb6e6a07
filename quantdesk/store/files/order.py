"""Bring rows into order: sort, drop duplicates, find the interval and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantdesk.bars.arrays import FloatArray, IntArray

_DAY = 86_400_000
_SHORTEST = 1_000
#: In daily data without weekends, up to this many missing weekdays in a row are holidays.
_HOLIDAYS = 2


@dataclass(frozen=True, slots=True)
class Order:
    """Say which rows to keep, ascending in the key, and what was wrong with the order in the file."""

    keep: IntArray
    duplicates: int
    differing: int
    out_of_order: int


def in_order(key: IntArray, columns: Sequence[FloatArray | IntArray]) -> Order:
    """Sort rows by key; of rows with one key the last in the file stays. ``columns`` tell true repeats from changes."""
    out_of_order = int((np.diff(key) < 0).sum())
    order = np.argsort(key, kind="stable") if out_of_order else np.arange(len(key))
    ranked = key[order]
    again = ranked[1:] == ranked[:-1]
    duplicates = int(again.sum())
    differing = 0
    if duplicates:
        before, after = order[:-1][again], order[1:][again]
        changed = np.zeros(duplicates, np.bool_)
        for column in columns:
            changed |= column[before] != column[after]
        differing = int(changed.sum())
        order = order[np.r_[~again, True]]
    return Order(np.asarray(order, np.int64), duplicates, differing, out_of_order)


def usual_interval(times: IntArray) -> int | None:
    """Return the most frequent step between ascending times in ms, at least 1 s; None for a single row."""
    if len(times) < 2:
        return None
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return max(int(steps[counts.argmax()]), _SHORTEST)


def missing_intervals(times: IntArray, interval_ms: int) -> tuple[int, bool]:
    """Count the intervals without a row between the first and the last; tell if weekends were left out.

    Daily data that has no row on a Saturday or Sunday is a week of trading days: weekends and up to
    two weekdays in a row (holidays) are no gap there; from three on every missing weekday counts.
    """
    if len(times) < 2:
        return 0, False
    if interval_ms == _DAY and len(times) >= 5:
        days = times // _DAY
        if not np.isin((days + 3) % 7, (5, 6)).any():  # 1970-01-01 was a Thursday; Monday is 0
            start, end = days.astype("datetime64[D]")[:-1] + 1, days.astype("datetime64[D]")[1:]
            missing = np.busday_count(start, end)
            return int(missing[missing > _HOLIDAYS].sum()), True
    steps = np.rint(np.diff(times) / interval_ms).astype(np.int64) - 1
    return int(steps[steps > 0].sum()), False
