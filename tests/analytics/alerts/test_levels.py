"""A level that is moved goes where it may: the rule stays a rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.levels import Level, Part, levels_of, with_level
from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Rule, z_rule


def rule_of(comparison: Comparison) -> Rule:
    sizes = (1.0, 1.5, 2.0, 3.0) if comparison.sign >= 0 else (3.0, 2.5, 2.0, 1.0)
    return Rule("r", "r", Metric.Z, comparison, sizes[2], sizes[1], sizes[0], sizes[3])


def test_a_size_stands_on_both_sides_and_a_value_on_one() -> None:
    assert levels_of(z_rule()) == (
        Level(Part.ENTER, 2.0), Level(Part.ENTER, -2.0), Level(Part.REARM, 1.5), Level(Part.REARM, -1.5),
    )  # fmt: skip
    assert [level.value for level in levels_of(rule_of(Comparison.AT_MOST))] == [2.0, 2.5, 3.0, 1.0]
    assert levels_of(replace(z_rule(), exit=0.0))[-1] == Level(Part.EXIT, 0.0)


@given(st.sampled_from(Comparison), st.sampled_from(Part), st.floats(-10, 10))
def test_wherever_a_level_is_let_go_the_rule_is_valid_and_no_other_level_but_the_arming_one_moves(
    comparison: Comparison, part: Part, value: float
) -> None:
    before = rule_of(comparison)
    after = with_level(before, part, value, 0.01)
    for other in Part:
        if other is not part and not (part is Part.ENTER and other is Part.REARM):
            assert getattr(after, other) == getattr(before, other)
    assert (after.id, after.metric, after.comparison) == (before.id, before.metric, before.comparison)


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        (Part.ENTER, 2.4, 2.4),
        (Part.ENTER, -2.4, 2.4),
        (Part.STOP, -4.0, 4.0),
        (Part.REARM, 1.2, 1.2),
        (Part.EXIT, 0.5, 0.5),
    ],
)
def test_a_level_within_its_room_goes_exactly_there(part: Part, value: float, expected: float) -> None:
    assert getattr(with_level(rule_of(Comparison.BEYOND), part, value, 0.01), part) == expected


def test_the_arming_level_follows_an_enter_level_that_comes_nearer() -> None:
    moved = with_level(z_rule(), Part.ENTER, 1.1, 0.01)
    assert (moved.enter, moved.rearm) == (1.1, 1.1)
    assert with_level(z_rule(), Part.ENTER, 2.5, 0.01).rearm == 1.5


def test_what_must_not_meet_is_kept_apart() -> None:
    rule = rule_of(Comparison.BEYOND)
    assert with_level(rule, Part.ENTER, 5.0, 0.01).enter == pytest.approx(2.99)
    assert with_level(rule, Part.ENTER, 0.2, 0.01).enter == pytest.approx(1.01)
    assert with_level(rule, Part.STOP, 0.0, 0.01).stop == pytest.approx(2.01)
    assert with_level(z_rule(), Part.ENTER, 0.0, 0.05).enter == 0.05
