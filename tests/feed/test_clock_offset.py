"""The exchange's clock is known to within half of the shortest round trip, whatever the wall clock does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.feed.clock_offset import KEPT, VALID, ClockOffset

TRUE_BASE = 1_700_000_000_000.0


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), min_size=1, max_size=30))
def test_the_estimate_is_off_by_no_more_than_it_says(ways: list[tuple[float, float]]) -> None:
    offset, now = ClockOffset(), 0.0
    for there, back in ways:
        sent, now = now, now + there + back
        offset.add(sent, now, round((sent + there) * 1_000 + TRUE_BASE))
        now += 1.0
    assert offset.base_ms is not None
    assert offset.error_ms is not None
    assert abs(offset.base_ms - TRUE_BASE) <= offset.error_ms + 1
    assert offset.error_ms <= min(a + b for a, b in ways[-KEPT:]) * 500 + 1e-6


def test_old_measurements_and_those_before_a_sleep_do_not_count() -> None:
    offset = ClockOffset()
    assert offset.base_ms is None
    offset.add(0.0, 0.001, 5_000)
    offset.add(VALID + 1, VALID + 3, 9_000_000)
    assert offset.error_ms == 1_000
    offset.forget()
    assert offset.base_ms is None
    assert offset.error_ms is None
