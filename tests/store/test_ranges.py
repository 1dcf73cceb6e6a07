"""Ranges hold exactly the times that were put in and not taken out, whole buckets when asked for them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.store.ranges import Ranges

EDGES = st.tuples(st.integers(0, 60), st.integers(0, 60))
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), EDGES), max_size=25)


def times(ranges: Ranges) -> set[int]:
    return {t for start, end in ranges for t in range(start, end)}


def assert_tidy(ranges: Ranges) -> None:
    held = list(ranges)
    assert all(start < end for start, end in held)
    assert all(before[1] < after[0] for before, after in pairwise(held))
    assert bool(ranges) is bool(held)


def made(steps: list[tuple[str, tuple[int, int]]]) -> tuple[Ranges, set[int]]:
    ranges, model = Ranges(), set()
    for what, (start, end) in steps:
        getattr(ranges, what)(start, end)
        model = model | set(range(start, end)) if what == "add" else model - set(range(start, end))
        assert_tidy(ranges)
        assert times(ranges) == model
    return ranges, model


@given(STEPS)
def test_a_range_put_in_is_held_until_it_is_taken_out(steps: list[tuple[str, tuple[int, int]]]) -> None:
    made(steps)


@given(STEPS, st.sampled_from([1, 3, 10]), st.integers(0, 8))
def test_aligned_ranges_are_the_whole_buckets_before_the_cut_that_hold_a_time(
    steps: list[tuple[str, tuple[int, int]]], ms: int, cut: int
) -> None:
    ranges, model = made(steps)
    whole = ranges.aligned(ms, cut * ms)
    assert all(start % ms == end % ms == 0 and start < end <= cut * ms for start, end in whole)
    assert all(before[1] < after[0] for before, after in pairwise(whole))
    buckets = {start // ms for start, end in whole for start in range(start, end, ms)}
    assert buckets == {t // ms for t in model if t // ms < cut}
    assert times(ranges) == model  # asking changes nothing


@given(STEPS, STEPS, EDGES)
def test_parts_and_differences_are_those_of_sets(
    one: list[tuple[str, tuple[int, int]]], other: list[tuple[str, tuple[int, int]]], edges: tuple[int, int]
) -> None:
    (ranges, model), (others, taken) = made(one), made(other)
    assert times(ranges.less(others)) == model - taken
    assert times(ranges.within(*edges)) == model & set(range(*edges))
    assert times(ranges) == model


@given(STEPS, st.sampled_from([1, 3, 10]))
def test_what_was_refreshed_bucket_by_bucket_leaves_nothing(steps: list[tuple[str, tuple[int, int]]], ms: int) -> None:
    ranges, _ = made(steps)
    for start, end in ranges.aligned(ms, 70 // ms * ms + ms):
        for low in range(start, end, ms):
            ranges.remove(low, low + ms)
    assert not ranges
