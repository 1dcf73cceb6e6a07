from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.machine import Ending, Kind, Phase, State, changed, healed, step, walk
from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.rule import Comparison, Gates, z_rule
from tests.analytics.alerts.drawn import MINUTE, NAN, START, courses, rule, rules, samples

ARMED = State(Phase.ARMED)


def rows(found) -> list[int]:
    return [(firing.time_ms - START) // MINUTE for firing in found]


def test_the_default_rule_fires_once_until_z_was_small_again():
    _, found = walk(z_rule(), State(), samples([0.1, 2.1, 2.5, 1.6, 2.2, 1.4, -2.0]))
    assert [(f.value, f.kind, f.side) for f in found] == [(2.1, Kind.CROSS, 1), (-2.0, Kind.CROSS, -1)]


def test_a_value_beyond_the_level_at_start_is_told_as_that_once():
    state, found = walk(z_rule(), State(), samples([2.5, 2.6, 1.6, 2.4]))
    assert [(f.kind, f.value) for f in found] == [(Kind.AT_START, 2.5)] and state.phase is Phase.SPENT
    _, none = walk(rule(Comparison.CROSSES_UP), State(), samples([2.5, 2.6]))
    assert none == ()


@given(rules(), courses(), st.integers(0, 30))
def test_a_prefix_gives_the_same_firings_whatever_comes_later(drawn, course, cut):
    state, found = walk(drawn, State(), course[:cut])
    rest = walk(drawn, state, course[cut:])
    whole = walk(drawn, State(), course)
    assert whole == (rest[0], found + rest[1])
    changed_later = course[:cut] + [replace(s, values={Metric.Z: 3.3, Metric.SPREAD: -4.0}) for s in course[cut:]]
    again = walk(drawn, State(), changed_later)[1]
    assert [f for f in again if f.sample in course[:cut]] == list(found)


@given(rules(), courses())
def test_no_alert_fires_against_its_rule(drawn, course):
    state, last = State(), None
    near_since = True
    for sample in course:
        before = state
        state, found = step(drawn, state, sample)
        value = sample.value(drawn.metric)
        near_since = near_since or (value == value and not drawn.passes_over(sample) and drawn.is_near(value))
        assert len(found) <= 1 and (drawn.enabled or not found)
        for firing in found:
            assert drawn.is_beyond(firing.value) and drawn.gates.shut(sample) == "" and firing.sample is sample
            assert near_since or before.phase is Phase.NEW or last is None
            if firing.kind is Kind.CROSS and last is not None:
                assert sample.time_ms - last >= drawn.cooldown_seconds * 1_000
            if firing.kind is Kind.CROSS:
                last = sample.time_ms
            near_since = False
        if drawn.passes_over(sample):
            assert state is before


def test_a_missing_value_neither_fires_nor_arms_nor_breaks_a_dwell():
    _, found = walk(rule(dwell_bars=2), ARMED, samples([2.1, NAN, 2.2, NAN, 3.0]))
    assert rows(found) == [2]
    state, found = walk(z_rule(), ARMED, samples([2.1, NAN, float("inf"), 2.2]))
    assert rows(found) == [0] and state.phase is Phase.IN


def test_a_partial_bar_is_passed_over_and_judged_once_it_is_whole():
    course = samples([0.0, 2.5])
    partial = replace(course[1], complete=False)
    state, found = walk(z_rule(), ARMED, [course[0], partial])
    assert found == () and state.last_time == START
    assert rows(step(z_rule(), state, course[1])[1]) == [1]
    careless = replace(z_rule(), gates=Gates(complete=False))
    assert rows(step(careless, state, partial)[1]) == [1]


def test_a_sample_that_is_not_newer_changes_nothing():
    course = samples([0.0, 2.5])
    state, _ = walk(z_rule(), ARMED, course)
    assert step(z_rule(), state, course[1]) == (state, ()) == step(z_rule(), state, course[0])


def test_the_dwell_in_bars_and_seconds_must_both_be_over():
    assert rows(walk(rule(dwell_bars=3), ARMED, samples([2, 2, 1.9, 2, 2, 2, 2]))[1]) == [5]
    assert rows(walk(rule(dwell_seconds=120.0), ARMED, samples([2, 2, 2, 2]))[1]) == [2]
    assert rows(walk(rule(dwell_bars=4, dwell_seconds=60.0), ARMED, samples([2, 2, 2, 2]))[1]) == [3]


def test_exit_and_stop_end_an_alert_and_only_the_rearm_level_arms_it_again():
    exits = rule(exit=0.5, stop=3.0)
    state, found = walk(exits, ARMED, samples([2.1, 1.4, 2.2, 0.4, 2.0]))
    assert rows(found) == [0, 4] and state.phase is Phase.IN
    state, _ = walk(exits, ARMED, samples([2.1, 3.1]))
    assert (state.phase, state.ending) == (Phase.SPENT, Ending.STOPPED)
    state, found = walk(exits, state, samples([NAN, NAN, 2.5, 1.6, 2.4]))
    assert found == () and state.phase is Phase.SPENT
    state, _ = walk(exits, ARMED, samples([2.1, -2.2]))
    assert (state.phase, state.ending) == (Phase.SPENT, Ending.REVERTED), "it passed its mean, but is far out"
    assert walk(exits, ARMED, samples([2.1, 0.4]))[0].phase is Phase.ARMED


def test_a_shut_gate_holds_a_level_back_until_it_opens_and_says_why():
    gated = rule(gates=Gates(p_below=0.05))
    course = [replace(s, p=p) for s, p in zip(samples([2.1, 2.2, 2.3]), (0.23, 0.06, 0.01), strict=True)]
    state, found = walk(gated, ARMED, course[:1])
    assert found == () and state.phase is Phase.PENDING and state.held == "held back: cointegration p 0.23 ≥ 0.05"
    assert rows(walk(gated, ARMED, course)[1]) == [2]
    state, found = walk(gated, State(), course[:1])
    assert found == () and state.phase is Phase.SPENT


def test_a_crossing_that_is_held_back_is_spent():
    crossing = rule(Comparison.CROSSES_UP, 2.0, 2.0, gates=Gates(p_below=0.05))
    course = [
        replace(s, p=p) for s, p in zip(samples([0, 2.1, 2.2, 1.9, 2.0]), (0.2, 0.2, 0.01, 0.01, 0.01), strict=True)
    ]
    state, _ = walk(crossing, State(), course[:2])
    assert state.phase is Phase.SPENT and state.held == "held back: cointegration p 0.2 ≥ 0.05"
    assert rows(walk(crossing, State(), course)[1]) == [4]
    down = rule(Comparison.CROSSES_DOWN, -2.0, -2.0)
    assert rows(walk(down, State(), samples([0, -2.0, -2.5, -1.9, -2.1]))[1]) == [1, 4]


def test_the_cooldown_holds_back_what_would_come_too_soon():
    cool = rule(cooldown_seconds=180.0)
    state, found = walk(cool, ARMED, samples([2.1, 0.0, 2.1]))
    assert rows(found) == [0] and state.held == "held back: cooling down, 60 s left"
    assert rows(walk(cool, ARMED, samples([2.1, 0.0, 2.1, 2.2]))[1]) == [0, 3]


def test_a_rule_switched_off_keeps_count_and_does_not_catch_up():
    off = replace(z_rule(), enabled=False)
    state, found = walk(off, State(), samples([0.0, 3.0]))
    assert found == ()
    state, found = walk(z_rule(), changed(state, off, z_rule()), samples([NAN, NAN, 3.1, 0.0, 3.0]))
    assert rows(found) == [4]
    assert walk(off, State(), samples([3.0]))[1] == ()


def test_an_edited_level_counts_the_newest_value_as_known():
    state, _ = walk(z_rule(), State(), samples([0.0, 1.8]))
    lower = z_rule(1.7, 1.0)
    state = changed(state, z_rule(), lower)
    course = samples([NAN, NAN, 1.9, 0.9, 1.75])
    assert rows(walk(lower, state, course)[1]) == [4]
    state = changed(walk(lower, state, course)[0], lower, z_rule(2.5, 1.0))
    assert state.phase is Phase.ARMED
    wider = z_rule(2.0, 1.9)
    inside = walk(z_rule(), ARMED, samples([2.1, 1.8]))[0]
    assert changed(inside, z_rule(), wider).phase is Phase.ARMED
    assert changed(inside, z_rule(), replace(z_rule(), metric=Metric.SPREAD)) == State(fired_at=START)
    assert changed(State(), z_rule(), lower) == State()


def test_healed_bars_give_the_crossings_they_would_have_been():
    course = samples([0.0, 2.5, 2.6, 0.0, 2.2])
    assert rows(healed(z_rule(), course, {START + MINUTE})) == [1]
    assert healed(z_rule(), course, {START + 2 * MINUTE}) == ()


@pytest.mark.parametrize("metric", list(Metric))
def test_any_metric_can_be_watched(metric):
    watched = rule(Comparison.AT_LEAST, 2.0, 1.0, metric=metric)
    course = [MetricSample(START + i, {metric: v}) for i, v in enumerate((0.0, 2.0))]
    (firing,) = walk(watched, State(), course)[1]
    assert firing.sample is course[1] and firing.rule is watched
