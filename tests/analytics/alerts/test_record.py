from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.machine import Firing, Kind, State, walk
from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.outcome import Ended, Outcome
from quantdesk.analytics.alerts.record import AlertContext, AlertRecord, from_row, text_of, to_row
from quantdesk.analytics.alerts.rule import z_rule
from quantdesk.config import ConfigError
from quantdesk.types import Origin
from tests.analytics.alerts.drawn import NAN, START, courses, rules

LIVE = AlertContext("binance-um", "BTCUSDT", "ETHUSDT", "1m", Origin.LIVE, "window 60")
SAMPLE = MetricSample(START, {Metric.Z: 2.125, Metric.BETA: 0.1 + 0.2, Metric.SPREAD: NAN}, age_y_ms=12, p=0.01)
FIRING = Firing(z_rule(), SAMPLE, Kind.CROSS, 2.125, 1)


@given(rules(), courses(), st.sampled_from(Origin), st.one_of(st.none(), st.sampled_from(Ended)))
def test_a_record_comes_back_from_its_row(watched, course, origin, ended):
    for firing in walk(watched, State(), course)[1]:
        outcome = None if ended is None else Outcome(ended, 3, 99, 0.1, firing.value)
        record = AlertRecord(firing, replace(LIVE, origin=origin), START + 5, outcome, None if ended is None else START)
        row = to_row(record)
        back = from_row(row)
        assert to_row(back) == row and back.id == record.id
        assert (back.firing.rule, back.firing.value, back.outcome, back.context) == (
            watched, firing.value, outcome, record.context
        )  # fmt: skip


def test_the_snapshot_keeps_every_value_to_the_last_digit():
    back = from_row(to_row(AlertRecord(FIRING, LIVE, START)))
    assert dict(back.firing.sample.values) == {Metric.Z: 2.125, Metric.BETA: 0.1 + 0.2}
    assert (back.firing.sample.age_y_ms, back.firing.sample.age_x_ms, back.firing.sample.p) == (12, None, 0.01)


def test_the_key_is_of_what_was_judged_not_of_when():
    record = AlertRecord(FIRING, LIVE, START)
    assert replace(record, fired_at=START + 9, outcome=Outcome(Ended.OPEN, 0, 0, 0.0, 2.0)).id == record.id
    others = [
        replace(record, context=replace(LIVE, origin=Origin.REPLAY)),
        replace(record, context=replace(LIVE, settings="window 90")),
        replace(record, firing=replace(FIRING, rule=z_rule(1.9))),
        replace(record, firing=replace(FIRING, kind=Kind.AT_START)),
        replace(record, firing=replace(FIRING, sample=replace(SAMPLE, time_ms=START + 1))),
    ]
    assert len({record.id, *(other.id for other in others)}) == 6


def test_the_words_are_the_desks_and_say_what_is_not_the_market():
    assert text_of(FIRING, LIVE) == "BTCUSDT / ETHUSDT  z +2.12  (1m bar of 2024-07-03 09:46:40 UTC)"
    replay = replace(FIRING, kind=Kind.AT_START)
    assert text_of(replay, replace(LIVE, origin=Origin.REPLAY)).startswith("REPLAY: ")
    assert text_of(replay, LIVE).endswith("(already beyond the level at start)")


def broken(**changes: object) -> str:
    return json.dumps(json.loads(to_row(AlertRecord(FIRING, LIVE, START)).snapshot) | changes)


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        ("no", "not JSON"),
        ("[]", "must be an object"),
        (broken(schema=9), "written by a newer quantdesk"),
        (broken(extra=1), "does not know: extra"),
        (broken(kind="moon"), "cannot be read"),
        (broken(values={"moon": 1.0}), "cannot be read"),
        (broken(values=[]), "cannot be read"),
        (broken(value=None), "cannot be read"),
    ],
)
def test_a_row_of_another_version_is_refused_in_words(snapshot, words):
    row = to_row(AlertRecord(FIRING, LIVE, START))
    with pytest.raises(ConfigError, match=words):
        from_row(replace(row, snapshot=snapshot))
    with pytest.raises(ConfigError, match="outcome"):
        from_row(replace(row, outcome='{"schema": 1}'))
