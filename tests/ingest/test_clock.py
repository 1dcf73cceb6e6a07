"""The exchange's clock runs by its events, not by ours."""

from __future__ import annotations

from quantdesk.ingest.clock import FREE_RUN_MS, GRACE_MS, ExchangeClock

T = 1_700_000_000_000


def test_it_runs_on_between_events_and_never_goes_back() -> None:
    clock = ExchangeClock()
    assert clock.now(0.0) is None
    clock.on_event(T, 10.0)
    clock.on_event(T - 5_000, 10.5)
    assert clock.now(11.0) == T + 1_000


def test_bars_do_not_close_because_the_line_stalls() -> None:
    clock = ExchangeClock()
    clock.on_event(T, 0.0)
    assert clock.closing(1.0) == T + 1_000 - GRACE_MS
    assert clock.closing(600.0) == T + FREE_RUN_MS - GRACE_MS


def test_a_lone_stamp_far_ahead_is_not_believed_but_a_real_jump_is() -> None:
    clock = ExchangeClock()
    clock.on_event(T, 0.0)
    clock.on_event(T * 2, 0.1)
    assert clock.now(0.1) == T + 100
    for _ in range(5):
        clock.on_event(T + 3_600_000, 0.2)
    assert clock.now(0.2) == T + 3_600_000
