"""Bring the ledger of one store into that of another, so that it never claims more than is held. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import accumulate

from quantdesk.store.base import IdRun
from quantdesk.store.ledger_report import HOLES, reconciled
from quantdesk.types import Gap, GapState

_RANK = {
    GapState.OPEN: 0, GapState.FILLING: 0, GapState.EXPIRED: 1,
    GapState.MISSING: 2, GapState.DROPPED: 2, GapState.FILLED: 3,
}  # fmt: skip

Rows = Mapping[int, Gap]  #: by first id


def merged(ours: Gap, theirs: Gap | None) -> Gap:
    """Return the row to keep of two with one first id: the more settled; of two holes the one that lacks less."""
    if theirs is None or _RANK[ours.state] > _RANK[theirs.state]:
        return ours
    if _RANK[ours.state] < _RANK[theirs.state]:
        return theirs
    return theirs if ours.state in HOLES and theirs.last_id < ours.last_id else ours


def rows_before(ours: Sequence[Gap], theirs: Rows) -> list[Gap]:
    """Return the rows to store before the trades: those that say that something is missing."""
    return [row for row in ours if row.state in HOLES and row.first_id not in theirs]


def rows_after(ours: Sequence[Gap], theirs: Rows) -> list[Gap]:
    """Return the rows to store once the trades are there: whatever is not yet as it should be."""
    wanted = ((row.first_id, merged(row, theirs.get(row.first_id))) for row in ours)
    return [row for key, row in wanted if row != theirs.get(key)]


def narrowed(symbol: str, rows: Rows, own: Set[int], runs: Sequence[IdRun]) -> list[Gap]:
    """Return what changes in the rows of holes some of whose ids are held by now, or explained by other rows.

    ``own`` are the keys of the rows that were copied; those explain the ids of the others. A row of
    ids beyond all that are held stays: what it waits for has not come.
    """
    if not runs:
        return []
    known = {key: row for key, row in rows.items() if row.state not in HOLES}
    changed: list[Gap] = []
    for mine in (True, False):
        holes = [row for key, row in rows.items() if row.state in HOLES and (key in own) is mine]
        absent = unexplained(symbol, known.values(), runs) if holes else []
        for row in holes:
            left = list(_left(row, absent, runs))
            changed += [part for part in left if part != row]
            known.update((part.first_id, part) for part in left)
    return changed


def _left(row: Gap, absent: Sequence[Gap], runs: Sequence[IdRun]) -> Iterator[Gap]:
    """Yield the rows that take the place of a row: of the ids still absent, and one with its key."""
    filled = replace(row, state=GapState.FILLED)
    if row.size <= 0:
        around = [run for run in runs if run.first_id <= row.first_id <= run.last_id]
        yield filled if any(run.first_ts <= row.start_ts and run.last_ts >= row.end_ts for run in around) else row
        return
    if row.first_id < runs[0].first_id or row.last_id > runs[-1].last_id:
        yield row
        return
    index = bisect_left(absent, row.first_id, key=lambda gap: gap.last_id)
    parts = []
    while index < len(absent) and absent[index].first_id <= row.last_id:
        gap = absent[index]
        first, last = max(gap.first_id, row.first_id), min(gap.last_id, row.last_id)
        start_ts, end_ts = max(gap.start_ts, row.start_ts), min(gap.end_ts, row.end_ts)
        parts.append(replace(row, first_id=first, last_id=last, start_ts=start_ts, end_ts=max(start_ts, end_ts)))
        index += 1
    if [(part.first_id, part.last_id) for part in parts] == [(row.first_id, row.last_id)]:
        yield row
        return
    if not parts or parts[0].first_id > row.first_id:
        yield replace(filled, last_id=parts[0].first_id - 1) if parts else filled
    yield from parts


def unexplained(symbol: str, rows: Iterable[Gap], runs: Sequence[IdRun]) -> list[Gap]:
    """Return the holes between stored ids that no row explains, ascending and disjoint."""
    known = sorted((row for row in rows if row.state is not GapState.FILLED), key=lambda row: row.first_id)
    firsts = [row.first_id for row in known]
    reach = list(accumulate((row.last_id for row in known), max))

    def is_known(gap: Gap) -> bool:
        before = bisect_right(firsts, gap.first_id)
        return before > 0 and reach[before - 1] >= gap.first_id

    found = (gap for gap in reconciled(symbol, known, runs) if gap.state is GapState.OPEN and not is_known(gap))
    return sorted(found, key=lambda gap: gap.first_id)


def seams(symbol: str, rows: Rows, runs: Sequence[IdRun], first_id: int, last_id: int) -> list[Gap]:
    """Return holes that no row explains beside what is copied, the ids first_id to last_id, as open rows.

    What a store was recording last was no finished bar; amid another store's trades it would pass for one.
    """
    found = unexplained(symbol, rows.values(), runs)
    return [gap for gap in found if gap.first_id == last_id + 1 or gap.last_id == first_id - 1]
