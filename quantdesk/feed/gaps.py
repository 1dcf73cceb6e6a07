"""Keep the ledger of missing aggregate trade ids of one symbol: open, fill, split, expire. Pure."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from enum import Enum, auto

from quantdesk.types import Gap, GapState

#: So many holes are kept; beyond, the sequencer refuses trades that would open another.
MAX_HOLES = 50_000

#: Holes farther apart in time than this (ms) lie in different windows.
WINDOW_MS = 3_600_000

_ACTIVE = (GapState.OPEN, GapState.FILLING)


class Fill(Enum):
    """Say what a trade id was to the ledger."""

    NONE = auto()  #: not in any hole
    UNSEEN = auto()  #: nobody had it
    UNSTORED = auto()  #: it was shown when it came; only the store lacks it


class Hole:
    """Hold one run of missing ids [first, last]; times are the loop's monotonic seconds."""

    __slots__ = (
        "alive",
        "calls",
        "due",
        "end_ts",
        "first",
        "lacks",
        "last",
        "opened_at",
        "saved",
        "seen",
        "settles",
        "start_ts",
    )

    def __init__(self, first: int, last: int, start_ts: int, end_ts: int, opened_at: int) -> None:
        self.first, self.last = first, last
        self.start_ts, self.end_ts, self.opened_at = start_ts, end_ts, opened_at
        self.calls = self.lacks = 0
        self.due = self.settles = 0.0
        self.seen = False
        self.saved = False  # a row of the stored ledger covers it
        self.alive = True

    def __lt__(self, other: Hole) -> bool:
        return self.first < other.first

    def part(self, first: int, last: int, start_ts: int, end_ts: int) -> Hole:
        """Return a copy with other bounds."""
        hole = Hole(first, last, start_ts, end_ts, self.opened_at)
        hole.calls, hole.lacks = self.calls, self.lacks
        hole.due, hole.settles = self.due, self.settles
        hole.seen, hole.saved = self.seen, self.saved
        return hole


class Gaps:
    """Hold the active holes of one symbol, disjoint and ascending, and what changed for the stored ledger.

    A hole may be young: within its settling time it is neither shown nor stored nor asked for,
    because a trade that was merely overtaken closes it.
    """

    def __init__(self, symbol: str, limit: int = MAX_HOLES) -> None:
        self.symbol = symbol
        self._limit = limit
        self._holes: list[Hole] = []
        self._young: list[Hole] = []
        self._dirty: set[Hole] = set()
        self._done: list[Gap] = []
        self._keys: set[int] = set()  # first ids of stored rows that are still active
        self.expired_ids = self.missing_ids = 0
        self.requests = 0  # made for any hole; a hole's own count goes to all its parts

    def __len__(self) -> int:
        return len(self._holes)

    @property
    def is_full(self) -> bool:
        """Tell whether no further hole may be opened."""
        return len(self._holes) >= self._limit

    @property
    def has_news(self) -> bool:
        """Tell whether the stored ledger lacks a row that has settled for good."""
        return bool(self._done) or any(hole.settles <= 0 for hole in self._dirty)

    @property
    def calls(self) -> int:
        """Return how many requests were made for the holes that are active now."""
        return sum(hole.calls for hole in self._holes)

    @property
    def ids(self) -> int:
        """Return how many ids are missing now."""
        return sum(hole.last - hole.first + 1 for hole in self._holes)

    def active(self, now: float = float("inf")) -> tuple[Gap, ...]:
        """Return the holes that have settled by ``now``, ascending."""
        return tuple(self._row(hole) for hole in self._holes if hole.settles <= now)

    def load(self, rows: list[Gap], last_stored: int) -> None:
        """Take over the active rows of the stored ledger; what lies above the last stored id is not a hole yet."""
        for row in rows:
            if row.state in _ACTIVE and row.first_id <= last_stored:
                self.open(row.first_id, min(row.last_id, last_stored), row.start_ts, row.end_ts, row.opened_at)
                self._keys.add(row.first_id)
                index = self._at(row.first_id)
                if index is not None:
                    self._holes[index].calls, self._holes[index].saved = row.calls, True

    def adopt(self, rows: Sequence[Gap], last: int, *, shown_from: int | None) -> None:
        """Take in active rows of the stored ledger up to the id ``last``; ids from ``shown_from`` on were shown."""
        for row in rows:
            if row.state not in _ACTIVE or row.first_id > last:
                continue
            edge = row.last_id + 1 if shown_from is None else shown_from
            bounds = (row.start_ts, row.end_ts, row.opened_at)
            self.open(row.first_id, min(row.last_id, last, edge - 1), *bounds)
            self.open(max(row.first_id, edge), min(row.last_id, last), *bounds, seen=True)
            self._keys.add(row.first_id)
            for hole in self.within(row.first_id, min(row.last_id, last)):
                hole.saved = True  # the stored row is to be closed, however soon it is filled
        self._dirty.update(self._holes)  # who kept the ledger until now did not know of ours

    def open(
        self,
        first: int,
        last: int,
        start_ts: int,
        end_ts: int,
        opened_at: int,
        *,
        settles: float = 0.0,
        seen: bool = False,
    ) -> None:
        """Open a hole over [first, last], less what is open already; ``seen`` ids only the store lacks."""
        for low, high in self._uncovered(first, last):
            hole = Hole(low, high, start_ts, max(start_ts, end_ts), opened_at)
            hole.settles, hole.seen = settles, seen
            insort(self._holes, hole)
            self._dirty.add(hole)
            if settles > 0:
                self._young.append(hole)

    def fill(self, ident: int, ts: int) -> Fill:
        """Take one id out of the ledger; ``ts`` (ms) tightens the bounds of what is left."""
        index = self._at(ident)
        if index is None:
            return Fill.NONE
        found = Fill.UNSTORED if self._holes[index].seen else Fill.UNSEEN
        self._cut(index, ident, ident, ts, GapState.FILLED)
        return found

    def end(self, first: int, last: int, state: GapState) -> int:
        """Give up every missing id within [first, last] as ``state``; return how many there were."""
        given_up = 0
        while (hole := self._overlapping(first, last)) is not None:
            low, high = max(first, hole.first), min(last, hole.last)
            given_up += high - low + 1
            self._cut(self._holes.index(hole), low, high, None, state)
        if state is GapState.EXPIRED:
            self.expired_ids += given_up
        elif state is GapState.MISSING:
            self.missing_ids += given_up
        return given_up

    def asked(self, hole: Hole) -> None:
        """Count a request made for a hole."""
        hole.calls += 1
        self.requests += 1
        self._dirty.add(hole)

    def lacked(self, first: int, last: int, due: float) -> list[Hole]:
        """Note that an answer lacked these ids; ask again at ``due``. Return the holes concerned."""
        holes = self.within(first, last)
        for hole in holes:
            hole.lacks += 1
            hole.due = due
        return holes

    def put_off(self, ident: int, due: float) -> None:
        """Do not ask for the hole around an id before ``due``."""
        index = self._at(ident)
        if index is not None:
            self._holes[index].due = due

    def within(self, first: int, last: int) -> list[Hole]:
        """Return the holes that overlap [first, last], ascending."""
        start = bisect_right(self._holes, first, key=lambda hole: hole.last + 1)
        stop = bisect_right(self._holes, last, key=lambda hole: hole.first)
        return self._holes[start:stop]

    def lowest(self, now: float) -> Hole | None:
        """Return the lowest hole that has settled and may be asked for now."""
        return next((hole for hole in self._holes if hole.settles <= now and hole.due <= now), None)

    def newest_window(self, now: float, urgent_ts: int = 0) -> Hole | None:
        """Return the lowest hole to ask for now in the newest window; windows lie ``WINDOW_MS`` apart.

        Within a window it is always the lowest, so that one page closes every hole inside it. Holes that
        began before ``urgent_ts`` go first: they will be out of reach soon.
        """
        due = [hole for hole in self._holes if hole.settles <= now and hole.due <= now]
        if not due or due[0].start_ts < urgent_ts:
            return due[0] if due else None
        place = len(due) - 1
        while place > 0 and due[place].start_ts - due[place - 1].end_ts <= WINDOW_MS:
            place -= 1
        return due[place]

    def oldest(self) -> Hole | None:
        """Return the lowest hole, whether it may be asked for or not."""
        return self._holes[0] if self._holes else None

    def settle(self) -> None:
        """End the settling time of every hole and every wait, for the last pass of a session."""
        for hole in self._holes:
            hole.settles = hole.due = 0.0

    def held_from(self, now: float) -> int | None:
        """Return the lowest id of a hole that has not settled: ids above it wait before they are stored."""
        self._young = [hole for hole in self._young if hole.alive and hole.settles > now]
        return min((hole.first for hole in self._young), default=None)

    def drain(self, now: float) -> tuple[list[Gap], list[Gap]]:
        """Return the ledger rows to store before the trades that came meanwhile, and those to store after them.

        A row that says more is missing goes first, one that says less goes last: whenever the
        program dies between, the stored ledger never claims more than the store holds.
        """
        before: list[Gap] = []
        after, self._done = self._done, []
        for hole in sorted(hole for hole in self._dirty if hole.settles <= now):
            self._dirty.discard(hole)
            if hole.alive:
                (after if hole.first in self._keys else before).append(self._row(hole))
                self._keys.add(hole.first)
                hole.saved = True
        return before, after

    def forget(self, state: GapState = GapState.EXPIRED) -> None:
        """Give up every hole, e.g. when the exchange has started to count anew."""
        if self._holes:
            self.end(self._holes[0].first, self._holes[-1].last, state)

    def _row(self, hole: Hole) -> Gap:
        state = GapState.FILLING if hole.calls else GapState.OPEN
        bounds = (hole.first, hole.last, hole.start_ts, hole.end_ts, hole.opened_at)
        return Gap(self.symbol, *bounds, state, hole.calls)

    def _at(self, ident: int) -> int | None:
        index = bisect_right(self._holes, ident, key=lambda hole: hole.first) - 1
        return index if index >= 0 and ident <= self._holes[index].last else None

    def _overlapping(self, first: int, last: int) -> Hole | None:
        return next(iter(self.within(first, last)), None)

    def _uncovered(self, first: int, last: int) -> list[tuple[int, int]]:
        parts = []
        for hole in self.within(first, last):
            if first < hole.first:
                parts.append((first, hole.first - 1))
            first = hole.last + 1
        return [*parts, (first, last)] if first <= last else parts

    def _cut(self, index: int, low: int, high: int, ts: int | None, state: GapState) -> None:
        """Take [low, high] out of a hole; it ended in ``state``."""
        hole = self._holes[index]
        stamp = None if ts is None else min(max(ts, hole.start_ts), hole.end_ts)
        left_end, right_start = (hole.end_ts, hole.start_ts) if stamp is None else (stamp, stamp)
        if hole.saved or state is not GapState.FILLED:
            self._finish(hole, low, high, stamp, state)
        rest = []
        if low > hole.first:
            rest.append(hole.part(hole.first, low - 1, hole.start_ts, left_end))
        if high < hole.last:
            rest.append(hole.part(high + 1, hole.last, right_start, hole.end_ts))
        hole.alive = False
        self._dirty.discard(hole)
        self._dirty.update(rest)
        self._young += [part for part in rest if part.settles > 0]
        self._holes[index : index + 1] = rest

    def _finish(self, hole: Hole, low: int, high: int, stamp: int | None, state: GapState) -> None:
        key = low in self._keys
        self._keys.discard(low)
        last = self._done[-1] if self._done else None
        end_ts = hole.end_ts if stamp is None or high == hole.last else stamp
        start_ts = hole.start_ts if stamp is None or low == hole.first else stamp
        if last is not None and not key and last.last_id == low - 1 and last.state is state:
            low, start_ts = last.first_id, last.start_ts
            self._done.pop()
        self._done.append(Gap(self.symbol, low, high, start_ts, end_ts, hole.opened_at, state, hole.calls))
