"""Take a rule's levels for values of its metric, and move one of them without breaking the rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from quantdesk.analytics.alerts.rule import Comparison, Rule


class Part(StrEnum):
    """Name one level of a rule; the value is its field."""

    ENTER = "enter"
    REARM = "rearm"
    EXIT = "exit"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Level:
    """Hold one value of the metric at which a rule acts; a |value| has each of its levels on both sides."""

    part: Part
    value: float


def levels_of(rule: Rule) -> tuple[Level, ...]:
    """Return a rule's levels as values of its metric, the enter level first."""
    found = []
    for part in Part:
        size = getattr(rule, part)
        if size is not None:
            both = rule.comparison is Comparison.BEYOND and size > 0
            found += [Level(part, size), Level(part, -size)] if both else [Level(part, size)]
    return tuple(found)


def with_level(rule: Rule, part: Part, value: float, step: float) -> Rule:
    """Return the rule with one level at a value of its metric, or as near as the others allow; ``step`` > 0 keeps
    apart what must not meet.

    The level that arms it again follows an enter level that comes nearer than it; exit and stop stay.
    """
    signed = -1 if rule.comparison.sign < 0 else 1
    reach = rule.reach(value)
    least = step if rule.comparison is Comparison.BEYOND else float("-inf")
    enter, exit_, stop = (None if size is None else rule.reach(size) for size in (rule.enter, rule.exit, rule.stop))
    assert enter is not None
    rearm = rule.reach(rule.rearm)
    if part is Part.ENTER:
        low = least if exit_ is None else max(least, exit_ + step)
        reach = min(max(reach, low), float("inf") if stop is None else max(low, stop - step))
        return replace(rule, enter=signed * reach, rearm=signed * min(rearm, reach))
    if part is Part.REARM:
        return replace(rule, rearm=signed * min(max(reach, least if exit_ is None else max(least, exit_)), enter))
    if part is Part.EXIT:
        floor = 0.0 if rule.comparison is Comparison.BEYOND else float("-inf")
        return replace(rule, exit=signed * max(floor, min(reach, rearm, enter - step)))
    return replace(rule, stop=signed * max(reach, enter + step))
