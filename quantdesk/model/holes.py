"""Know which stretches of time lack trades, and so which bars are partial."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import IntArray
from quantdesk.types import Gap, GapState, Tick

#: An expired gap can no longer be asked for: its trades stay missing.
_LACKING = (GapState.OPEN, GapState.FILLING, GapState.EXPIRED)


#: The ledger settles and tells a gap within this time (ms, exchange); what it does not tell is none.
JUDGED_AFTER_MS = 4_000
_MOST_JUMPS = 64


class Jumps:
    """Remember jumps of the trade id until the ledger has judged them: a bar closed meanwhile may be partial.

    Without them an alert could fire on a bar whose gap is known a second too late.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._newest_ts = 0
        self._open: list[tuple[Gap, set[int]]] = []

    def on_tick(self, tick: Tick) -> bool:
        """Take a trade; return whether a jump came or was filled."""
        newest, before = self._newest, self._newest_ts
        if newest is None or tick.agg_id > newest:
            self._newest, self._newest_ts = tick.agg_id, tick.ts
            if newest is None or tick.agg_id == newest + 1:
                return False
            gap = Gap(tick.symbol, newest + 1, tick.agg_id - 1, min(before, tick.ts), tick.ts, tick.ts)
            self._open = [*self._open[1 - _MOST_JUMPS :], (gap, set())]
            return True
        for gap, come in self._open:
            if gap.first_id <= tick.agg_id <= gap.last_id:
                come.add(tick.agg_id)
        held = len(self._open)
        self._open = [(gap, come) for gap, come in self._open if len(come) < gap.size]
        return len(self._open) != held

    def forget(self, exchange_ms: int) -> bool:
        """Drop what the ledger has had time to judge; return whether there was any."""
        held = len(self._open)
        self._open = [(gap, come) for gap, come in self._open if gap.opened_at + JUDGED_AFTER_MS > exchange_ms]
        return len(self._open) != held

    def leave_to(self, ledger: Iterable[Gap]) -> None:
        """Drop the jumps that the ledger tells of: from now on its word counts."""
        told = [(gap.first_id, gap.last_id) for gap in ledger]
        self._open = [
            (gap, come)
            for gap, come in self._open
            if not any(first <= gap.last_id and gap.first_id <= last for first, last in told)
        ]

    def gaps(self) -> tuple[Gap, ...]:
        """Return the jumps not judged yet."""
        return tuple(gap for gap, _ in self._open)


class Holes:
    """Hold merged stretches [start, end] of trade time (ms, both inclusive) that lack trades."""

    def __init__(self, gaps: Iterable[Gap] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted((g.start_ts, max(g.start_ts, g.end_ts)) for g in gaps if g.state in _LACKING):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Holes) and (self._starts, self._ends) == (other._starts, other._ends)

    __hash__ = None  # type: ignore[assignment]  # compared, never a key

    @property
    def span(self) -> tuple[int, int] | None:
        """Return the first and the last moment of all stretches, or None."""
        return (self._starts[0], self._ends[-1]) if self._starts else None

    def touch(self, open_time: int, interval_ms: int) -> bool:
        """Return whether the bar [open_time, open_time + interval_ms) may lack a trade."""
        if not self._starts:
            return False
        place = bisect_right(self._starts, open_time + interval_ms - 1) - 1
        return place >= 0 and self._ends[place] >= open_time

    def touched(self, open_times: IntArray, interval_ms: int) -> npt.NDArray[np.bool_]:
        """Return ``touch`` of each open time."""
        if not self._starts or len(open_times) == 0:
            return np.zeros(len(open_times), bool)
        place = np.searchsorted(np.array(self._starts), open_times + (interval_ms - 1), "right") - 1
        ends = np.array(self._ends)[np.maximum(place, 0)]
        return np.asarray((place >= 0) & (ends >= open_times), np.bool_)
