"""Keep the ledger true while whole days of trades are brought into a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from quantdesk.store.base import IdRun, LeasedElsewhereError, Reader, Store, StoreError, TickEdge
from quantdesk.store.ledger_cut import ABSENT, rows_filled_by, uncovered
from quantdesk.store.ledger_report import HOLES
from quantdesk.types import Gap, GapState, Instrument

DAY_MS = 86_400_000


class MisfitError(StoreError):
    """Trades do not fit those that are held: nothing of them was written."""


@dataclass(frozen=True, slots=True)
class DayIds:
    """Name a UTC day by its start (ms) and the ids [first, last] of its trades."""

    start: int
    first_id: int
    last_id: int

    @property
    def end(self) -> int:
        """Return the start of the next day (ms)."""
        return self.start + DAY_MS


def is_whole(reader: Reader, instrument: Instrument, start: int) -> bool:
    """Tell whether a whole day was brought in and is still held."""
    rows = reader.load_gaps(instrument)
    mark = next((row for row in rows if row.state is GapState.FILLED and _is_mark(row, start)), None)
    if mark is None:
        return False
    return reader.count_ticks(instrument, start, start + DAY_MS) >= mark.size - _absent_ids(rows, mark)


def check_fits(reader: Reader, instrument: Instrument, day: DayIds) -> None:
    """Raise MisfitError where the day's ids do not lie between those that are held before and after it."""
    before, after = _beside(reader, instrument, day)
    if before is not None and before.agg_id >= day.first_id:
        raise MisfitError(f"its first id {day.first_id} is not above id {before.agg_id}, which is held of a day before")
    if after is not None and after.agg_id <= day.last_id:
        raise MisfitError(f"its last id {day.last_id} is not below id {after.agg_id}, which is held of a day after")


def begin_day(store: Store, instrument: Instrument, day: DayIds, now: int) -> None:
    """Say in the ledger that a day is being filled; what a hole has beyond it stays a hole of its own.

    So does what was dropped: the mark takes no more of it than the key.
    """
    rows = store.load_gaps(instrument)
    beyond = [
        replace(row, first_id=day.last_id + 1, start_ts=min(max(row.start_ts, day.end), row.end_ts))
        for row in rows
        if row.state in ABSENT and row.first_id <= day.last_id < row.last_id
    ]
    dropped = [row for row in rows if row.state is GapState.DROPPED and row.first_id == day.first_id and row.size > 1]
    moved = [replace(row, first_id=row.first_id + 1) for row in dropped]
    store.save_gaps(instrument, [*beyond, *moved, _mark(instrument, day, now, GapState.FILLING)])


def end_day(store: Store, instrument: Instrument, day: DayIds, now: int, reach_from: int) -> int:
    """Say that a day is whole, book what is absent within it and beside it; return how many ids it lacks.

    What was traded before ``reach_from`` (ms) nobody can be asked for any more.
    """
    runs = store.id_runs(instrument, day.start, day.end)
    bounds = _bounded(runs, day)
    mark = _mark(instrument, day, now, GapState.FILLED)
    rows = {row.first_id: row for row in store.load_gaps(instrument)}
    rows[mark.first_id] = mark
    changed = {mark.first_id: mark}

    def note(found: Sequence[Gap]) -> None:
        for row in found:
            rows[row.first_id] = changed[row.first_id] = row

    note([row for row in rows_filled_by(rows.values(), bounds) if row.first_id != mark.first_id])
    inside = list(_inside(instrument, runs, list(rows.values()), reach_from))
    note(inside)
    before, after = _beside(store, instrument, day)
    if before is not None:
        start_ts = min(_whole_until(rows.values(), before), day.start - 1)
        note(_seam(instrument, (before.agg_id + 1, day.first_id - 1), (start_ts, day.start - 1), rows, reach_from))
    if after is not None:
        end_ts = max(_whole_from(rows.values(), after), day.end)
        note(_seam(instrument, (day.last_id + 1, after.agg_id - 1), (day.end, end_ts), rows, reach_from))
    store.save_gaps(instrument, list(changed.values()))
    return sum(row.size for row in rows.values() if row.state in HOLES and _is_within(row, day))


def settle_days(store: Store, now: int, reach_ms: int) -> int:
    """Give up the days that a program was filling as it died; return how many. Nothing here may be filling one yet.

    What of such a day is not held is a hole again, open where it lies within ``reach_ms`` of ``now``, or dropped as
    before; one that had come whole is booked as such. What another program fills is left to it.
    """
    settled = 0
    for held in store.instruments():
        instrument = held.instrument
        marks = [row for row in store.load_gaps(instrument) if row.state is GapState.FILLING and not row.calls]
        marks = [row for row in marks if _is_mark(row, row.start_ts) and row.start_ts % DAY_MS == 0]
        if not marks:
            continue
        try:
            for mark in marks:
                _settle(store, instrument, mark, now, now - reach_ms)
        except LeasedElsewhereError:
            continue
        store.release(instrument)
        settled += len(marks)
    return settled


def _settle(store: Store, instrument: Instrument, mark: Gap, now: int, reach_from: int) -> None:
    day = DayIds(mark.start_ts, mark.first_id, mark.last_id)
    runs = store.id_runs(instrument, day.start, day.end)
    if [(run.first_id, run.last_id) for run in runs] == [(day.first_id, day.last_id)]:
        end_day(store, instrument, day, now, reach_from)
        return
    others = {row.first_id: row for row in store.load_gaps(instrument) if row.first_id != day.first_id}
    changed = {row.first_id: row for row in rows_filled_by(others.values(), runs)}
    others |= changed
    if runs or None not in _beside(store, instrument, day):  # else the day is none that was ever begun
        for first_id, last_id, start_ts, end_ts in _absent(day, runs):
            for first, last in uncovered(first_id, last_id, others.values()):
                changed[first] = _hole(instrument, first, last, start_ts, end_ts, reach_from)
    begins = bool(runs) and runs[0].first_id == day.first_id
    moved = others.get(day.first_id + 1)
    if begins:
        changed[day.first_id] = replace(mark, last_id=runs[0].last_id, end_ts=runs[0].last_ts, state=GapState.FILLED)
    elif moved is not None and moved.state is GapState.DROPPED:
        changed[day.first_id] = replace(moved, first_id=day.first_id)
        changed[moved.first_id] = replace(moved, last_id=moved.first_id - 1, state=GapState.FILLED)
    elif day.first_id not in changed:
        changed[day.first_id] = replace(mark, last_id=day.first_id - 1, state=GapState.FILLED)
    store.save_gaps(instrument, list(changed.values()))


def _absent(day: DayIds, runs: Sequence[IdRun]) -> Iterator[tuple[int, int, int, int]]:
    """Yield what a day lacks beside its runs: first and last id, and from when to when (ms)."""
    first, start_ts = day.first_id, day.start
    for run in runs:
        if run.first_id > first:
            yield first, run.first_id - 1, *sorted((start_ts, run.first_ts))  # type: ignore[misc]  # two of them
        first, start_ts = run.last_id + 1, run.last_ts
    if first <= day.last_id:
        yield first, day.last_id, start_ts, day.end - 1


def _mark(instrument: Instrument, day: DayIds, now: int, state: GapState) -> Gap:
    return Gap(instrument.symbol, day.first_id, day.last_id, day.start, day.end - 1, now, state)


def _is_mark(row: Gap, start: int) -> bool:
    return row.start_ts == start and row.end_ts == start + DAY_MS - 1 and row.size > 0


def _is_within(row: Gap, day: DayIds) -> bool:
    return row.size > 0 and day.first_id <= row.first_id and row.last_id <= day.last_id


def _absent_ids(rows: Sequence[Gap], mark: Gap) -> int:
    """Count the ids of a day that the file lacked, too; what was deleted since is to be brought again."""
    lacked = (*HOLES, GapState.MISSING)
    inside = (row for row in rows if row.state in lacked and mark.first_id <= row.first_id <= mark.last_id)
    return sum(max(0, min(row.last_id, mark.last_id) - row.first_id + 1) for row in inside)


def _bounded(runs: Sequence[IdRun], day: DayIds) -> list[IdRun]:
    """Return the runs of a day; nothing was traded between its ends and the first and the last of them."""
    bounds = list(runs)
    bounds[0] = replace(bounds[0], first_ts=day.start - 1)
    bounds[-1] = replace(bounds[-1], last_ts=day.end)
    return bounds


def _inside(instrument: Instrument, runs: Sequence[IdRun], rows: Sequence[Gap], reach_from: int) -> Iterator[Gap]:
    for one, other in pairwise(runs):
        start_ts, end_ts = sorted((one.last_ts, other.first_ts))
        for first, last in uncovered(one.last_id + 1, other.first_id - 1, rows):
            yield _hole(instrument, first, last, start_ts, end_ts, reach_from)


def _seam(
    instrument: Instrument, ids: tuple[int, int], times: tuple[int, int], rows: dict[int, Gap], reach_from: int
) -> list[Gap]:
    """Return holes for the ids between a day and what is held beside it, as far as no row explains them."""
    parts = uncovered(*ids, rows.values())
    return [_hole(instrument, first, last, *times, reach_from) for first, last in parts]


def _hole(instrument: Instrument, first: int, last: int, start_ts: int, end_ts: int, reach_from: int) -> Gap:
    state = GapState.OPEN if start_ts >= reach_from else GapState.EXPIRED
    return Gap(instrument.symbol, first, last, start_ts, end_ts, end_ts, state)


def _beside(reader: Reader, instrument: Instrument, day: DayIds) -> tuple[TickEdge | None, TickEdge | None]:
    return reader.newest_tick(instrument, 0, day.start), reader.first_tick(instrument, day.end)


def _whole_until(rows: Iterable[Gap], edge: TickEdge) -> int:
    """Return up to when (ms) all that was traded is held behind a trade: the end of its day where that is whole."""
    day = edge.ts - edge.ts % DAY_MS
    return day + DAY_MS if any(_is_whole_mark(row, day) for row in rows) else edge.ts


def _whole_from(rows: Iterable[Gap], edge: TickEdge) -> int:
    """Return from when on (ms) all that was traded is held before a trade."""
    day = edge.ts - edge.ts % DAY_MS
    return day - 1 if any(_is_whole_mark(row, day) for row in rows) else edge.ts


def _is_whole_mark(row: Gap, day: int) -> bool:
    return row.state is GapState.FILLED and _is_mark(row, day)
