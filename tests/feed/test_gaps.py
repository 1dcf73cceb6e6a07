"""The ledger of missing ids opens, fills, splits, ends and survives a restart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.feed.gaps import Fill, Gaps
from quantdesk.types import Gap, GapState


def spans(gaps: Gaps) -> list[tuple[int, int]]:
    return [(gap.first_id, gap.last_id) for gap in gaps.active()]


def test_a_young_gap_is_neither_shown_nor_stored_until_it_has_settled() -> None:
    gaps = Gaps("X")
    gaps.open(1, 5, 10, 20, 20, settles=2.0)
    assert gaps.active(1.0) == ()
    assert gaps.lowest(1.0) is None
    assert gaps.held_from(1.0) == 1
    assert gaps.drain(1.0) == ([], [])
    assert spans(gaps) == [(1, 5)]
    assert gaps.held_from(2.0) is None
    assert [row.first_id for row in gaps.drain(2.0)[0]] == [1]


def test_a_trade_that_was_merely_overtaken_leaves_no_trace() -> None:
    gaps = Gaps("X")
    gaps.open(1, 1, 10, 20, 20, settles=2.0)
    assert gaps.fill(1, 15) is Fill.UNSEEN
    assert not gaps
    assert gaps.drain(5.0) == ([], [])


def test_filling_from_the_left_tightens_the_time_of_what_is_left() -> None:
    gaps = Gaps("X")
    gaps.open(1, 10, 100, 200, 200)
    gaps.fill(1, 150)
    (gap,) = gaps.active()
    assert (gap.first_id, gap.start_ts, gap.end_ts) == (2, 150, 200)


def test_opening_over_an_open_gap_adds_only_what_is_new() -> None:
    gaps = Gaps("X")
    gaps.open(5, 8, 0, 1, 1)
    gaps.open(1, 12, 0, 1, 1)
    assert spans(gaps) == [(1, 4), (5, 8), (9, 12)]
    assert gaps.ids == 12


def test_missing_and_expired_ids_are_counted_and_leave_the_list() -> None:
    gaps = Gaps("X")
    gaps.open(1, 10, 0, 1, 1)
    assert gaps.end(4, 5, GapState.MISSING) == 2
    assert gaps.end(9, 99, GapState.EXPIRED) == 2
    assert spans(gaps) == [(1, 3), (6, 8)]
    assert (gaps.missing_ids, gaps.expired_ids) == (2, 2)
    _, after = gaps.drain(0.0)
    assert {(row.first_id, row.last_id, row.state) for row in after} >= {(4, 5, GapState.MISSING)}


def test_a_restart_takes_over_open_rows_only_and_only_below_the_last_stored_id() -> None:
    rows = [
        Gap("X", 1, 5, 0, 1, 1, GapState.FILLED),
        Gap("X", 6, 9, 0, 1, 1, GapState.FILLING, 3),
        Gap("X", 20, 25, 0, 1, 1, GapState.MISSING),
        Gap("X", 30, 50, 0, 1, 1),
        Gap("X", 90, 95, 0, 1, 1),
    ]
    gaps = Gaps("X")
    gaps.load(rows, 40)
    assert spans(gaps) == [(6, 9), (30, 40)]
    assert gaps.active()[0].calls == 3


def test_a_full_ledger_says_so() -> None:
    gaps = Gaps("X", limit=2)
    gaps.open(1, 1, 0, 0, 0)
    assert not gaps.is_full
    gaps.open(3, 3, 0, 0, 0)
    assert gaps.is_full


@given(
    st.lists(
        st.tuples(st.sampled_from(["open", "seen", "fill", "end"]), st.integers(0, 40), st.integers(0, 8)),
        max_size=60,
    )
)
def test_the_ledger_agrees_with_a_plain_set_of_ids(acts: list[tuple[str, int, int]]) -> None:
    gaps, model, seen = Gaps("X"), set[int](), set[int]()
    for act, first, size in acts:
        ids = set(range(first, first + size + 1))
        if act in ("open", "seen"):
            gaps.open(first, first + size, 0, 1, 1, seen=act == "seen")
            seen = (seen | (ids - model)) if act == "seen" else seen - (ids - model)
            model |= ids
        elif act == "fill":
            expected = Fill.NONE if first not in model else Fill.UNSTORED if first in seen else Fill.UNSEEN
            assert gaps.fill(first, 0) is expected
            model.discard(first)
        else:
            assert gaps.end(first, first + size, GapState.MISSING) == len(ids & model)
            model -= ids
    held = [i for first, last in spans(gaps) for i in range(first, last + 1)]
    assert held == sorted(model)


def test_an_adopted_hole_that_is_filled_at_once_closes_its_stored_row() -> None:
    gaps = Gaps("X")
    gaps.adopt([Gap("X", 5, 6, 100, 200, 200), Gap("X", 8, 8, 200, 300, 300, GapState.EXPIRED)], 20, shown_from=6)
    assert gaps.fill(5, 150) is Fill.UNSEEN
    assert gaps.fill(6, 160) is Fill.UNSTORED
    before, after = gaps.drain(0.0)
    assert before == []
    assert [(row.first_id, row.last_id, row.state) for row in after] == [(5, 6, GapState.FILLED)]


def test_adoption_stops_at_the_last_id_seen_and_keeps_what_is_open_already() -> None:
    gaps = Gaps("X")
    gaps.open(11, 12, 100, 200, 200)
    gaps.adopt([Gap("X", 10, 14, 100, 200, 200), Gap("X", 30, 40, 300, 400, 400)], 13, shown_from=12)
    assert spans(gaps) == [(10, 10), (11, 12), (13, 13)]
    assert [gaps.fill(i, 150) for i in (10, 11, 12, 13)] == [Fill.UNSEEN, Fill.UNSEEN, Fill.UNSEEN, Fill.UNSTORED]
    rows = [row for rows in gaps.drain(0.0) for row in rows]
    assert {row.state for row in rows} == {GapState.FILLED}
    assert min(row.first_id for row in rows) == 10
