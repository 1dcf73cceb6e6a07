"""What is covered and what is missing together are the span, each id once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.feed.coverage import coverage
from quantdesk.types import Coverage, Gap, GapState

STATES = st.sampled_from(list(GapState))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), STATES), max_size=8))
def test_every_id_of_the_span_is_covered_or_in_a_gap_that_lacks_it(drawn: list[tuple[int, int, GapState]]) -> None:
    gaps = [Gap("X", low, low + size, low * 10, (low + size) * 10, 0, state) for low, size, state in drawn]
    found = coverage(Coverage(5, 50, 50, 500), gaps)
    lacking = {
        ident
        for gap in gaps
        if gap.state not in (GapState.FILLED, GapState.MISSING)
        for ident in range(gap.first_id, gap.last_id + 1)
    }
    covered = [ident for part in found for ident in range(part.first_id, part.last_id + 1)]
    assert covered == sorted(set(range(5, 51)) - lacking)
    assert all(part.start_ts <= part.end_ts for part in found)


def test_nothing_held_is_nothing_covered_and_a_mark_without_ids_cuts_nothing() -> None:
    assert coverage(None, []) == ()
    span = Coverage(5, 50, 50, 500)
    assert coverage(span, [Gap("X", 10, 9, 0, 100, 0, GapState.EXPIRED)]) == (span,)
