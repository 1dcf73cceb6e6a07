"""A sleep is told from a busy program and from a clock that was set back."""

from __future__ import annotations

from quantdesk.feed.pauses import PauseWatch


def test_only_a_wall_clock_that_ran_ahead_is_a_sleep() -> None:
    mono, wall = 100.0, 1_000.0
    watch = PauseWatch(lambda: mono, lambda: wall)
    mono, wall = 101.0, 1_001.0
    assert not watch.look().is_sleep
    mono, wall = 131.0, 1_031.0
    busy = watch.look()
    assert (busy.passed, busy.is_sleep) == (30.0, False)
    mono, wall = 131.5, 1_026.0
    assert not watch.look().is_sleep
    mono, wall = 132.0, 5_000.0
    slept = watch.look()
    assert slept.is_sleep
    assert slept.passed == 0.5
    assert not watch.look().is_sleep
