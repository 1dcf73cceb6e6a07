"""Each bar's quality follows from the ledger: against a reference that looks at one bar and gap at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.bars.quality import BarQuality, behind, judge, missing_times
from quantdesk.types import Gap, GapState

MS = 60_000
FLAGS = st.lists(st.booleans(), min_size=20, max_size=20)
GAPS = st.lists(
    st.tuples(st.integers(-2 * MS, 22 * MS), st.integers(0, 4 * MS), st.sampled_from(list(GapState))), max_size=6
)


def reference(time: int, built: bool, held: bool, partial: bool, late: bool, gaps: list[Gap]) -> BarQuality:
    states = {gap.state for gap in gaps if gap.start_ts < time + MS and gap.end_ts >= time}
    lacking = bool(states & {GapState.OPEN, GapState.FILLING, GapState.EXPIRED})
    if not held:
        return BarQuality.MISSING if lacking else BarQuality.COMPLETE
    if not built:
        return BarQuality.KLINES
    if lacking or partial:
        return BarQuality.PARTIAL
    return BarQuality.REPAIRED if late or GapState.FILLED in states else BarQuality.COMPLETE


@given(FLAGS, FLAGS, FLAGS, FLAGS, GAPS)
def test_the_quality_of_every_bar_follows_from_what_is_known(
    built: list[bool], held: list[bool], partial: list[bool], late: list[bool], drawn: list[tuple[int, int, GapState]]
) -> None:
    gaps = [Gap("X", n, n, start, start + length, 0, state) for n, (start, length, state) in enumerate(drawn)]
    times = np.arange(20, dtype=np.int64) * MS
    flags = [np.array(f) for f in (built, held, partial, late)]
    found = judge(times, MS, flags[0], gaps=gaps, held=flags[1], partial=flags[2], repaired=flags[3])
    expected = [
        reference(int(t), b, h, p, r, gaps)
        for t, b, h, p, r in zip(times, built, held, partial, late, strict=True)
    ]  # fmt: skip
    assert found.tolist() == expected


@given(GAPS, FLAGS)
def test_the_missing_bars_are_those_within_a_hole_that_nothing_stands_at(
    drawn: list[tuple[int, int, GapState]], held: list[bool]
) -> None:
    gaps = [Gap("X", n, n, start, start + length, 0, state) for n, (start, length, state) in enumerate(drawn)]
    times = np.flatnonzero(held).astype(np.int64) * MS
    expected = [
        t
        for t in range(-3 * MS, 30 * MS, MS)
        if t not in times and reference(t, False, False, False, False, gaps) is BarQuality.MISSING
    ]
    assert missing_times(times, MS, gaps).tolist() == expected


def test_a_click_on_a_bar_finds_the_gaps_behind_it_and_only_whole_bars_count() -> None:
    gaps = [Gap("X", 1, 2, 30, MS - 1, 0), Gap("X", 5, 9, MS, 3 * MS, 0, GapState.FILLED)]
    assert behind(0, MS, gaps) == (gaps[0],)
    assert behind(MS, MS, gaps) == (gaps[1],)
    assert [quality for quality in BarQuality if quality.is_whole] == [0, 1, 2]
    assert judge(np.array([0]), MS, np.array([True])).tolist() == [BarQuality.COMPLETE]
