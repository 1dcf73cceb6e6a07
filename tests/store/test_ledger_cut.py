"""Rows are cut where trades come or go: no id is told twice, none is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.store.base import IdRun
from quantdesk.store.ledger_cut import ABSENT, rows_filled_by, rows_of_dropped, uncovered
from quantdesk.types import Gap, GapState

spans = st.sets(st.integers(1, 60), min_size=1).map(lambda ids: [(run[0], run[-1]) for run in _runs(sorted(ids))])


def _runs(ids: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for one in ids:
        if runs and runs[-1][-1] == one - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def ids_of(rows: list[Gap], *states: GapState) -> list[int]:
    return sorted(i for row in rows if row.state in states for i in range(row.first_id, row.last_id + 1))


def row(first: int, last: int, state: GapState = GapState.EXPIRED) -> Gap:
    return Gap("X", first, last, first * 1_000, last * 1_000, 0, state)


@given(spans, spans)
def test_what_is_held_leaves_the_rows_and_nothing_else_does(holes, held) -> None:
    rows = [row(*hole) for hole in holes]
    runs = [IdRun(a, b, a * 1_000, b * 1_000) for a, b in held]
    kept = {one.first_id: one for one in rows}
    kept |= {one.first_id: one for one in rows_filled_by(rows, runs)}
    after = ids_of(list(kept.values()), *ABSENT)
    have = {i for a, b in held for i in range(a, b + 1)}
    assert after == [i for i in ids_of(rows, *ABSENT) if i not in have]
    assert {one.first_id for one in rows} <= set(kept), "every stored key is written again or stays"
    assert all(one.start_ts <= one.end_ts for one in kept.values())


@given(spans, spans)
def test_uncovered_is_the_rest(rows, asked) -> None:
    known = [row(*one) for one in rows]
    for first, last in asked:
        parts = uncovered(first, last, known)
        told = [i for a, b in parts for i in range(a, b + 1)]
        assert told == [i for i in range(first, last + 1) if i not in ids_of(known, *ABSENT)]


def test_a_mark_without_ids_is_filled_by_a_run_across_it() -> None:
    mark = Gap("X", 10, 9, 5_000, 10_000, 0, GapState.EXPIRED)
    assert rows_filled_by([mark], [IdRun(11, 20, 0, 20_000)]) == []
    assert rows_filled_by([mark], [IdRun(5, 20, 6_000, 20_000)]) == []
    assert [one.state for one in rows_filled_by([mark], [IdRun(5, 20, 4_000, 20_000)])] == [GapState.FILLED]


def test_the_rows_of_what_is_deleted_keep_marks_under_another_key() -> None:
    rows = [Gap("X", 10, 9, 5_000, 10_000, 0, GapState.EXPIRED), row(9, 8)]
    made = rows_of_dropped("X", rows, [IdRun(10, 30, 10_000, 30_000)], 7)
    assert [(one.first_id, one.last_id, one.state) for one in made] == [
        (8, 7, GapState.EXPIRED),
        (10, 30, GapState.DROPPED),
    ]
