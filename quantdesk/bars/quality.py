"""Say of each bar how far it can be trusted: from the ledger, its revisions and where it comes from. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import IntArray
from quantdesk.types import Gap, GapState

BoolArray = npt.NDArray[np.bool_]

#: While a gap is in one of these states, trades of the bars it touches are not held.
LACKING = (GapState.OPEN, GapState.FILLING, GapState.EXPIRED)


class BarQuality(IntEnum):
    """Order the qualities from the best to the worst; ``judge`` returns these numbers."""

    COMPLETE = 0  #: every trade is held and came in time
    REPAIRED = 1  #: every trade is held; some came after the bar was closed, or through a gap that was filled
    KLINES = 2  #: the exchange's own bar; its trades are not held
    PARTIAL = 3  #: built from trades of which some are missing
    MISSING = 4  #: trades are missing and no bar stands there

    @property
    def is_whole(self) -> bool:
        """Tell whether statistics and alerts may use such a bar."""
        return self <= BarQuality.KLINES


def touched(open_times: IntArray, interval_ms: int, gaps: Iterable[Gap]) -> BoolArray:
    """Return which bars [open_time, open_time + interval_ms) overlap one of the gaps' stretches of time, n flags."""
    spans = sorted((gap.start_ts, max(gap.start_ts, gap.end_ts)) for gap in gaps)
    if not spans or len(open_times) == 0:
        return np.zeros(len(open_times), bool)
    starts = np.array([start for start, _ in spans], np.int64)
    ends = np.maximum.accumulate(np.array([end for _, end in spans], np.int64))
    place = np.searchsorted(starts, open_times + (interval_ms - 1), "right") - 1
    return np.asarray((place >= 0) & (ends[np.maximum(place, 0)] >= open_times), np.bool_)


def judge(
    open_times: IntArray,
    interval_ms: int,
    from_trades: BoolArray,
    *,
    gaps: Sequence[Gap] = (),
    partial: BoolArray | None = None,
    repaired: BoolArray | None = None,
    held: BoolArray | None = None,
) -> IntArray:
    """Return the BarQuality of each of n bars as a number; all columns have length n.

    ``gaps``: rows of the ledger in any state. ``partial``: known to lack trades for another reason, e.g. as
    stored. ``repaired``: revised after it was closed. ``held``: whether there is a bar at all (default: all);
    where there is none and no gap, nothing was traded, which is complete.
    """
    nothing = np.zeros(len(open_times), bool)
    lacking = touched(open_times, interval_ms, (gap for gap in gaps if gap.state in LACKING))
    filled = touched(open_times, interval_ms, (gap for gap in gaps if gap.state is GapState.FILLED))
    there = ~nothing if held is None else held
    incomplete = lacking | (nothing if partial is None else partial)
    late = filled | (nothing if repaired is None else repaired)
    quality = np.select(
        [~there & lacking, ~there, ~from_trades, incomplete, late],
        [BarQuality.MISSING, BarQuality.COMPLETE, BarQuality.KLINES, BarQuality.PARTIAL, BarQuality.REPAIRED],
        BarQuality.COMPLETE,
    )
    return quality.astype(np.int64)


def missing_times(open_times: IntArray, interval_ms: int, gaps: Iterable[Gap], limit: int = 10_000) -> IntArray:
    """Return the open times at which trades are missing and no bar of the ascending ``open_times`` stands.

    At most ``limit``, the newest.
    """
    found: list[IntArray] = []
    for gap in gaps:
        if gap.state in LACKING:
            first = gap.start_ts // interval_ms
            last = max(gap.start_ts, gap.end_ts) // interval_ms
            found.append(np.arange(max(first, last - limit + 1), last + 1, dtype=np.int64) * interval_ms)
    if not found:
        return np.empty(0, np.int64)
    return np.setdiff1d(np.concatenate(found), open_times)[-limit:]


def behind(open_time: int, interval_ms: int, gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Return the gaps that overlap one bar: they tell why it is not complete."""
    end = open_time + interval_ms
    return tuple(gap for gap in gaps if gap.start_ts < end and max(gap.start_ts, gap.end_ts) >= open_time)
