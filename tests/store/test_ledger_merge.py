"""Rows of two ledgers become one that never says more is held than is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantdesk.store.base import IdRun
from quantdesk.store.ledger_merge import merged, narrowed, rows_after, rows_before, seams, unexplained
from quantdesk.types import Gap, GapState

OPEN, FILLING, FILLED, EXPIRED, MISSING = (
    GapState.OPEN, GapState.FILLING, GapState.FILLED, GapState.EXPIRED, GapState.MISSING,
)  # fmt: skip


def row(first: int, last: int, state: GapState = OPEN) -> Gap:
    return Gap("BTCUSDT", first, last, 10 * (first - 1), 10 * (last + 1), 7, state)


def run(first: int, last: int) -> IdRun:
    return IdRun(first, last, 10 * first, 10 * last)


def by_key(*rows: Gap) -> dict[int, Gap]:
    return {gap.first_id: gap for gap in rows}


def spans(rows: list[Gap]) -> list[tuple[int, int, GapState]]:
    return [(gap.first_id, gap.last_id, gap.state) for gap in rows]


@pytest.mark.parametrize(
    ("ours", "theirs", "kept"),
    [
        (row(5, 9), None, row(5, 9)),
        (row(5, 9, FILLED), row(5, 9), row(5, 9, FILLED)),
        (row(5, 9), row(5, 9, EXPIRED), row(5, 9, EXPIRED)),
        (row(5, 9, EXPIRED), row(5, 9, MISSING), row(5, 9, MISSING)),
        (row(5, 9, MISSING), row(5, 9, FILLED), row(5, 9, FILLED)),
        (row(5, 9), row(5, 7), row(5, 7)),
        (row(5, 7), row(5, 9), row(5, 7)),
        (row(5, 9, FILLING), row(5, 9), row(5, 9, FILLING)),
        (row(5, 9, FILLED), row(5, 7, FILLED), row(5, 9, FILLED)),
    ],
)
def test_the_more_settled_row_is_kept_and_of_two_holes_the_one_that_lacks_less(
    ours: Gap, theirs: Gap | None, kept: Gap
) -> None:
    assert merged(ours, theirs) == kept
    assert merged(ours, kept) == kept


def test_holes_are_stored_before_the_trades_and_the_rest_behind_them() -> None:
    ours = [row(5, 9), row(20, 29, FILLED), row(40, 40, MISSING), row(50, 59, EXPIRED)]
    before = rows_before(ours, {})
    assert spans(before) == [(5, 9, OPEN), (50, 59, EXPIRED)]
    assert spans(rows_after(ours, by_key(*before))) == [(20, 29, FILLED), (40, 40, MISSING)]
    assert rows_after(ours, by_key(*ours)) == []
    assert rows_before(ours, by_key(row(5, 9, FILLED), row(50, 52))) == []


def test_what_no_row_explains_is_found() -> None:
    runs = [run(1, 10), run(21, 30), run(41, 50)]
    assert spans(unexplained("BTCUSDT", [], runs)) == [(11, 20, OPEN), (31, 40, OPEN)]
    assert spans(unexplained("BTCUSDT", [row(11, 15), row(31, 40, MISSING)], runs)) == [(16, 20, OPEN)]
    assert spans(unexplained("BTCUSDT", [row(11, 20, FILLED)], runs))[0] == (11, 20, OPEN)


def test_a_hole_beside_the_copied_ids_is_a_seam_and_others_are_not() -> None:
    runs = [run(1, 10), run(21, 30), run(41, 50), run(61, 70)]
    assert spans(seams("BTCUSDT", {}, runs, 21, 50)) == [(11, 20, OPEN), (51, 60, OPEN)]
    assert spans(seams("BTCUSDT", by_key(row(51, 60, EXPIRED)), runs, 21, 50)) == [(11, 20, OPEN)]


def test_rows_shrink_to_what_is_absent_and_no_other_row_explains() -> None:
    runs = [run(1, 109), run(111, 149), run(160, 200)]
    rows = by_key(row(60, 80), row(90, 120), row(110, 110), row(140, 159), row(195, 300), row(50, 55, FILLED))
    changed = by_key(*narrowed("BTCUSDT", rows, {110}, runs))
    assert spans([changed[key] for key in sorted(changed)]) == [
        (60, 80, FILLED),  # all of it is held by now
        (90, 120, FILLED),  # what is absent of it the row of 110 tells
        (140, 149, FILLED),
        (150, 159, OPEN),
    ]
    assert (changed[150].start_ts, changed[150].end_ts) == (1490, 1600)
    settled = {**rows, **changed}
    assert narrowed("BTCUSDT", settled, {110}, runs) == []


def test_a_mark_without_ids_is_cleared_once_the_trades_around_it_are_held() -> None:
    mark = replace(row(50, 49, EXPIRED), start_ts=400, end_ts=510)
    assert spans(narrowed("BTCUSDT", by_key(mark), set(), [run(30, 60)])) == [(50, 49, FILLED)]
    assert narrowed("BTCUSDT", by_key(mark), set(), [run(45, 60)]) == []
    assert narrowed("BTCUSDT", by_key(mark), set(), [run(51, 60)]) == []
    assert narrowed("BTCUSDT", by_key(mark), set(), []) == []
