"""Latencies are exact percentiles of the last minute, corrected by the exchange's clock, in bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ingest.tally import KEPT_BYTES, KEPT_FRAMES, WINDOW, Tally
from quantdesk.types import Latency

BASE = 1_700_000_000_000


class Bench:
    """Hold a tally whose clock the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.tally = Tally(lambda: self.now)

    def message(self, late_ms: int) -> None:
        self.tally.on_message(BASE + int(self.now * 1_000) - late_ms, self.now)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=300))
def test_the_percentiles_are_those_of_the_samples(late: list[int]) -> None:
    bench = Bench()
    for ms in late:
        bench.message(ms)
    found, ordered = bench.tally.latency(BASE), sorted(late)
    expected = [ordered[-(-len(late) * p // 100) - 1] for p in (50, 95, 99)]
    assert [found.p50, found.p95, found.p99] == pytest.approx(expected, abs=1.0)
    assert found.samples == len(late)


def test_only_the_last_minute_counts_and_memory_stays_bounded() -> None:
    bench = Bench()
    for second in range(500):
        bench.now = 1_000.0 + second
        for ms in range(0, 50):
            bench.message(9_000 if second < 440 else ms)
    found = bench.tally.latency(BASE)
    assert found.p99 is not None
    assert found.p99 < 50
    assert len(bench.tally._lags) <= WINDOW
    bench.now += WINDOW + 1
    assert bench.tally.latency(BASE) == Latency()


def test_without_a_known_offset_or_after_a_sleep_nothing_is_claimed() -> None:
    bench = Bench()
    bench.message(100)
    assert bench.tally.latency(None) == Latency()
    bench.tally.forget_lags()
    assert bench.tally.latency(BASE) == Latency()
    bench.message(7)
    assert bench.tally.latency(BASE).p50 == pytest.approx(7, abs=1)


def test_the_last_hundred_bad_frames_are_kept_clipped_with_reason_and_time() -> None:
    tally = Tally()
    for number in range(KEPT_FRAMES + 20):
        tally.on_bad(b"x" * 10_000, f"reason {number}")
    assert (len(tally.quarantine), tally.quarantined) == (KEPT_FRAMES, KEPT_FRAMES + 20)
    newest = tally.quarantine[-1]
    assert (newest.reason, len(newest.frame)) == (f"reason {KEPT_FRAMES + 19}", KEPT_BYTES)
    assert newest.at > 1_600_000_000
