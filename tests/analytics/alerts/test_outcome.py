from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.machine import Firing, Kind, State, walk
from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.outcome import Ended, Outcome, begin, follow, rule_record
from quantdesk.analytics.alerts.rule import Comparison, Rule, z_rule
from tests.analytics.alerts.drawn import MINUTE, NAN, courses, rule, rules, samples


def fired(watched: Rule, value: float, kind: Kind = Kind.CROSS) -> Firing:
    return Firing(watched, samples([value], watched.metric)[0], kind, value, watched.side_of(value))


def outcome_of(watched: Rule, values: list[float], **more) -> Outcome:
    firing = fired(watched, values[0])
    found = begin(firing)
    for sample in samples(values, watched.metric)[1:]:
        found = follow(firing, found, sample, **more)
    return found


def test_a_score_is_back_at_its_mean_and_keeps_its_worst_excursion():
    assert outcome_of(z_rule(), [2.0, 2.5, 1.0, -0.1, 3.0]) == Outcome(Ended.REVERTED, 3, 3 * MINUTE, 0.5, 2.5)
    assert outcome_of(z_rule(), [-2.0, -2.75, 0.0]) == Outcome(Ended.REVERTED, 2, 2 * MINUTE, 0.75, -2.75)
    assert outcome_of(z_rule(), [2.0, 1.0]) == Outcome(Ended.OPEN, 1, MINUTE, 0.0, 2.0)


def test_exit_stop_and_horizon_end_it_in_words():
    exits = rule(exit=0.5, stop=3.0)
    assert outcome_of(exits, [2.0, 0.5]).ended is Ended.REVERTED
    assert outcome_of(exits, [2.0, -4.0]).ended is Ended.REVERTED, "it passed its exit on the way"
    assert outcome_of(exits, [2.0, 3.5]) == Outcome(Ended.STOPPED, 1, MINUTE, 1.5, 3.5)
    assert outcome_of(exits, [2.0, 1.0, 1.0, 0.0], horizon_bars=2) == Outcome(Ended.EXPIRED, 2, 2 * MINUTE, 0.0, 2.0)


def test_without_a_mean_it_is_back_where_the_rule_is_armed_again():
    low = rule(Comparison.AT_MOST, 0.5, 0.7, metric=Metric.CORRELATION)
    assert outcome_of(low, [0.4, 0.25, 0.7]).ended is Ended.OPEN
    found = outcome_of(low, [0.5, 0.25, 0.8])
    assert found == Outcome(Ended.REVERTED, 2, 2 * MINUTE, 0.25, 0.25)


def test_a_rule_that_waits_for_the_mean_does_not_return_to_it():
    close = rule(Comparison.AT_MOST, 0.2, 0.5)
    assert outcome_of(close, [0.1, 0.0]).ended is Ended.OPEN
    assert outcome_of(close, [0.1, 0.6]).ended is Ended.REVERTED


def test_bars_that_cannot_be_judged_count_as_time():
    assert outcome_of(z_rule(), [2.0, NAN, -1.0]) == Outcome(Ended.REVERTED, 2, 2 * MINUTE, 0.0, 2.0)
    assert outcome_of(z_rule(), [2.0, NAN, NAN], horizon_bars=2).ended is Ended.EXPIRED
    firing = fired(z_rule(), 2.0)
    partial = replace(samples([2.0, -1.0])[1], complete=False)
    assert follow(firing, begin(firing), partial).ended is Ended.OPEN


@given(rules(), courses(), st.integers(0, 30))
def test_what_has_ended_stays_and_no_bar_counts_twice(watched, course, cut):
    for firing in walk(watched, State(), course[:cut])[1]:
        found = begin(firing)
        for sample in course:
            after = follow(firing, found, sample)
            assert after.worst >= found.worst >= 0 and after.bars - found.bars in (0, 1)
            assert found.ended is Ended.OPEN or after == found
            assert follow(firing, after, sample) == after
            found = after
        assert found.bars == sum(s.time_ms > firing.time_ms for s in course) or found.ended is not Ended.OPEN


def test_the_record_counts_what_ended_how():
    watched = rule(exit=0.5, stop=3.0)
    pairs = [
        (fired(watched, 2.0), Outcome(Ended.REVERTED, 4, 400, 0.5, 2.5)),
        (fired(watched, 2.0), Outcome(Ended.REVERTED, 8, 900, 0.1, 2.1)),
        (fired(watched, 2.0), Outcome(Ended.STOPPED, 2, 200, 1.5, 3.5)),
        (fired(watched, 2.0), Outcome(Ended.EXPIRED, 500, 9, 0.2, 2.2)),
        (fired(watched, 2.0), Outcome(Ended.OPEN, 2, 9, 0.0, 2.0)),
        (fired(watched, 2.0, Kind.AT_START), Outcome(Ended.REVERTED, 1, 1, 9.0, 9.0)),
    ]
    record = rule_record(pairs)
    assert (record.firings, record.open, record.reverted, record.stopped, record.expired, record.at_start) == (
        5,
        1,
        2,
        1,
        1,
        1,
    )
    assert (record.share_reverted, record.median_bars, record.median_ms, record.worst) == (0.5, 6, 650, 1.5)
    none = rule_record([])
    assert (none.firings, none.share_reverted, none.median_bars, none.worst) == (0, None, None, None)
