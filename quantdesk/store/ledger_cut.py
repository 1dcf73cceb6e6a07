"""Cut the rows of a ledger where trades have come or gone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from quantdesk.store.base import IdRun
from quantdesk.store.ledger_report import HOLES
from quantdesk.types import Gap, GapState

#: Ids in one of these states are not held.
ABSENT = (*HOLES, GapState.MISSING, GapState.DROPPED)


def rows_filled_by(rows: Iterable[Gap], runs: Sequence[IdRun]) -> list[Gap]:
    """Return what changes in the rows once the ids of ``runs`` (ascending, disjoint) are held.

    The times of a run bound what it fills: a mark without ids, which says that a bar lacks its beginning,
    is filled by a run that reaches across it in ids and in time.
    """
    changed: list[Gap] = []
    for row in rows:
        if row.state not in ABSENT:
            continue
        if row.size <= 0:
            over = any(
                run.first_id <= row.first_id <= run.last_id
                and run.first_ts <= row.start_ts
                and row.end_ts <= run.last_ts
                for run in runs
            )
            changed += [replace(row, state=GapState.FILLED)] if over else []
            continue
        near = [run for run in runs if run.first_id <= row.last_id and run.last_id >= row.first_id]
        if near:
            changed += _parts(row, near)
    return changed


def _parts(row: Gap, runs: Sequence[IdRun]) -> Iterator[Gap]:
    """Yield the rows that take the place of one: its key stays taken, by what is filled or still absent."""
    left: list[Gap] = []
    first, start_ts = row.first_id, row.start_ts
    for run in runs:
        if run.first_id > first:
            end_ts = min(max(start_ts, run.first_ts), row.end_ts)
            left.append(replace(row, first_id=first, last_id=run.first_id - 1, start_ts=start_ts, end_ts=end_ts))
        first, start_ts = max(first, run.last_id + 1), min(max(start_ts, run.last_ts), row.end_ts)
    if first <= row.last_id:
        left.append(replace(row, first_id=first, start_ts=start_ts))
    if not left or left[0].first_id > row.first_id:
        end = left[0].first_id - 1 if left else row.last_id
        end_ts = left[0].start_ts if left else row.end_ts
        yield replace(row, last_id=end, end_ts=end_ts, state=GapState.FILLED)
    yield from left


def rows_of_dropped(symbol: str, rows: Sequence[Gap], runs: Sequence[IdRun], now: int) -> list[Gap]:
    """Return the rows to store before the ids of ``runs`` are deleted: dropped, and what had their keys elsewhere.

    ``now`` (ms) is when that was asked for.
    """
    held = {row.first_id: row for row in rows}
    made = [Gap(symbol, r.first_id, r.last_id, r.first_ts, r.last_ts, now, GapState.DROPPED) for r in runs]
    taken = {row.first_id for row in made} | set(held)
    moved: list[Gap] = []
    for row in made:
        old = held.get(row.first_id)
        if old is not None and old.size <= 0 and old.state in HOLES:  # a mark for bars that stay
            key = old.first_id
            while key in taken:
                key -= 1
            taken.add(key)
            moved.append(replace(old, first_id=key, last_id=key - 1))
    return [*moved, *made]


def uncovered(first_id: int, last_id: int, rows: Iterable[Gap]) -> list[tuple[int, int]]:
    """Return the parts [first, last] of ids that no row of absent ids explains, ascending."""
    parts: list[tuple[int, int]] = []
    known = sorted((row for row in rows if row.state in ABSENT and row.size > 0), key=lambda row: row.first_id)
    for row in known:
        if row.last_id < first_id:
            continue
        if row.first_id > last_id:
            break
        if row.first_id > first_id:
            parts.append((first_id, row.first_id - 1))
        first_id = max(first_id, row.last_id + 1)
    return [*parts, (first_id, last_id)] if first_id <= last_id else parts
