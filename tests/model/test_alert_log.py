"""What fired is kept, followed to its end and counted, over sessions too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.outcome import HORIZON_BARS, Ended, Outcome, begin, follow
from quantdesk.analytics.alerts.record import outcome_from_json
from quantdesk.analytics.alerts.rule import Comparison, Gates, Rule, z_rule
from quantdesk.config import ConfigError
from quantdesk.model.alert_samples import Look
from quantdesk.model.alerts import AT_START, CROSS, MOST_RULES, AlertModel
from quantdesk.model.frame import LegColumns, PairFrame
from quantdesk.model.rule_trial import try_rule
from quantdesk.types import AlertRow, Origin
from tests.model.conftest import MINUTE, START
from tests.model.test_alerts import frame

NAN = float("nan")


class Store:
    """Take what the log tells of, as a store does."""

    def __init__(self, model: AlertModel) -> None:
        self.rows: dict[str, AlertRow] = {}
        model.log.kept.connect(lambda row: self.rows.setdefault(row.id, row))
        model.log.ended.connect(self.end)

    def end(self, key: str, outcome: str, at: int) -> None:
        self.rows[key] = replace(self.rows[key], outcome=outcome, outcome_at=at)


def run(model: AlertModel, z: list[float], begun: int = 1, **more: object) -> None:
    for end in range(begun, len(z) + 1):
        model.judge(frame(z[:end], **more))  # type: ignore[arg-type]


def priced(prices: list[float], z: float = 0.0) -> PairFrame:
    base = frame([z] * len(prices))
    return replace(base, y=replace(base.y, close=np.array(prices, float)))


def test_a_firing_is_kept_with_its_snapshot_and_its_end():
    model = AlertModel(now_ms=lambda: 77)
    store = Store(model)
    run(model, [0.0, 2.5, 3.0, 1.0, 0.1])
    (row,) = store.rows.values()
    assert (row.rule_id, row.bar_time, row.fired_at, row.outcome) == ("z", START + MINUTE, 77, None)
    assert '"z": 2.5' in row.snapshot and row.settings == "window 60, log no"
    assert model.events[0].outcome == Outcome(Ended.OPEN, 3, 3 * MINUTE, 0.5, 3.0)
    told: list[list[object]] = []
    model.followed.connect(told.append)
    run(model, [0.0, 2.5, 3.0, 1.0, 0.1, -0.2], 6)
    (row,) = store.rows.values()
    assert outcome_from_json(str(row.outcome)) == Outcome(Ended.REVERTED, 4, 4 * MINUTE, 0.5, 3.0)
    assert [event.outcome for event in told[0]] == [outcome_from_json(str(row.outcome))]
    assert model.events[0].outcome.ended is Ended.REVERTED


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=50), st.data())
def test_an_outcome_is_the_same_bar_by_bar_in_blocks_and_over_a_restart(z, data):
    z = [0.0, *z]
    begun = AlertModel()
    kept = Store(begun)
    run(begun, z)
    cut = data.draw(st.integers(1, len(z)))
    first = AlertModel()
    store = Store(first)
    run(first, z[:cut])
    second = AlertModel()
    second.log.ended.connect(store.end)
    second.restore(list(store.rows.values()))
    run(second, z, len(z))
    for event in begun.events:
        if event.time_ms < START + cut * MINUTE and event.kind is CROSS:
            assert next(e.outcome for e in second.events if e.id == event.id) == event.outcome
            ended = kept.rows[event.id].outcome
            assert (ended is None) == (event.outcome.ended is Ended.OPEN) and store.rows[event.id].outcome == ended


def test_the_newest_bar_waits_until_both_legs_have_closed_it():
    model = AlertModel()
    run(model, [0.0, 2.5, NAN])
    assert model.events[0].outcome.bars == 0
    run(model, [0.0, 2.5, -0.5, NAN], 4)
    assert model.events[0].outcome.ended is Ended.REVERTED


def test_a_firing_whose_bars_are_not_loaded_waits_and_is_over_beyond_the_horizon():
    model = AlertModel()
    store = Store(model)
    run(model, [0.0, 2.5])
    rows = list(store.rows.values())

    def later(bars: int) -> AlertModel:
        again = AlertModel()
        again.restore(rows)
        again.judge(replace(frame([1.0, 1.0]), times=START + MINUTE * np.arange(bars, bars + 2)))
        return again

    assert later(100).events[0].outcome.ended is Ended.OPEN
    assert later(HORIZON_BARS + 10).events[0].outcome.ended is Ended.EXPIRED


def test_another_pair_window_venue_or_origin_does_not_end_a_firing():
    model = AlertModel()
    run(model, [0.0, 2.5])
    back = frame([0.0, 2.5, 0.0])
    for settings in (replace(back.settings, window=90), replace(back.settings, x="SOLUSDT")):
        model.judge(replace(back, settings=settings, epoch=2))
    model.judge(replace(back, origin=Origin.SIMULATED, epoch=3))
    model.judge(replace(back, epoch=4), Look("another venue"))
    assert model.events[0].outcome.ended is Ended.OPEN
    model.judge(replace(back, epoch=5))
    assert model.events[0].outcome.ended is Ended.REVERTED


def test_earlier_firings_stand_before_todays_and_are_not_told_again():
    first = AlertModel()
    store = Store(first)
    run(first, [0.0, 2.5, 0.0])
    second = AlertModel()
    told: list[object] = []
    second.fired.connect(told.append)
    run(second, [0.0, 2.5, 0.0, -3.0], 3)
    row = next(iter(store.rows.values()))
    bad = replace(row, id="other", snapshot="{}")
    assert second.restore([row, bad]) == 1
    assert [(e.z, e.earlier) for e in second.events] == [(2.5, True), (-3.0, False)]
    assert len(told) == 1
    assert second.restore([row]) == 0 and len(second.events) == 2


def test_the_same_bar_of_the_same_view_is_one_alert():
    model = AlertModel()
    assert [e.kind for e in model.judge(frame([0.0, 2.5]))] == [AT_START]
    model.judge(frame([0.0, 0.0], epoch=2))
    assert model.judge(frame([0.0, 2.5], epoch=3)) == []
    model.clear()
    assert model.judge(frame([0.0, 2.5], epoch=4)) == []


def test_a_record_counts_a_rule_as_it_stands_and_the_data_on_screen():
    model = AlertModel()
    run(model, [0.0, 2.5, -0.1, 3.0, 2.9])
    (rule,) = model.rules
    record = model.record_of(rule)
    assert (record.firings, record.reverted, record.open) == (2, 1, 1)
    assert (record.share_reverted, record.median_bars) == (1.0, 1.0)
    assert model.last_fired(rule) == START + 3 * MINUTE
    louder = replace(rule, name="louder", enabled=False)
    assert model.record_of(louder) == record
    assert model.record_of(replace(rule, enter=2.2)).firings == 0
    model.judge(frame([0.0], Origin.SIMULATED, epoch=9))
    assert model.record_of(rule).firings == 0


def test_several_rules_judge_the_same_bars_each_by_its_own_metric():
    high = Rule("high", "dear", Metric.PRICE_Y, Comparison.CROSSES_UP, 100.0, 95.0)
    model = AlertModel([z_rule(), high])
    model.judge(priced([90.0]))
    found = model.judge(replace(priced([90.0, 101.0]), z=np.array([0.0, 2.5])))
    assert [(e.rule.id, e.value, e.z) for e in found] == [("z", 2.5, 2.5), ("high", 101.0, 2.5)]
    model.set_rules([high])
    assert model.judge(priced([90.0, 101.0, 94.0, 102.0], 3.0))[-1].value == 102.0
    assert {e.rule.id for e in model.events} == {"z", "high"}
    model.set_rules([])
    assert model.judge(priced([90.0, 101.0, 94.0, 102.0, 90.0, 110.0])) == []


def test_a_gate_holds_an_alert_back_until_it_opens_and_says_why():
    model = AlertModel([replace(z_rule(), gates=Gates(max_age_seconds=5))])
    model.judge(frame([0.0]))
    assert model.judge(frame([0.0, 2.5]), Look("", None, 900, 61_000)) == []
    assert "61.0 s old" in model.held("z")
    (event,) = model.judge(frame([0.0, 2.5, 2.6]), Look("", None, 900, 1_000))
    assert event.z == 2.6 and event.record.firing.sample.age_x_ms == 1_000 and model.held("z") == ""


def test_bars_before_the_first_one_judged_are_no_history_when_they_heal():
    whole, none = frame([0.0, 3.0, 0.0, 0.0, 0.0]), LegColumns.empty(4)
    z, times = np.array([0.0, NAN, 0.0, 0.0]), whole.times[:4]
    lacking = replace(whole, z=z, times=times, left_out=times[1:2], y=none, x=none)
    model = AlertModel()
    model.judge(lacking)
    assert model.judge(whole) == []


def test_rules_of_one_id_and_too_many_rules_are_refused():
    with pytest.raises(ConfigError):
        AlertModel([z_rule(), z_rule(3.0)])
    with pytest.raises(ConfigError):
        AlertModel([z_rule(rule_id=str(i)) for i in range(MOST_RULES + 1)])


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=60))
def test_a_trial_finds_what_the_desk_would_have_found(z):
    model = AlertModel()
    run(model, [0.0, *z])
    trial = try_rule(z_rule(enabled=False), frame([0.0, *z]))
    assert (trial.bars, trial.firings) == (len(z) + 1, len(model.events))
    assert trial.record == model.record_of(model.rules[0])


def test_a_trial_leaves_open_what_past_bars_cannot_be_asked_and_says_so():
    gates = Gates(p_below=0.05, max_age_seconds=5)
    trial = try_rule(replace(z_rule(), gates=gates), frame([0.0, 2.5, 0.0, 2.5]))
    assert trial.firings == 2 and trial.without == ("cointegration p", "age of prices")


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=30))
def test_what_is_followed_in_frames_is_what_the_pure_rules_follow(z):
    model = AlertModel()
    run(model, [0.0, 3.0, *z])
    event = next(e for e in model.events if e.time_ms == START + MINUTE)
    outcome = begin(event.record.firing)
    for row, value in enumerate(z):
        sample = replace(event.record.firing.sample, time_ms=START + (row + 2) * MINUTE, values={Metric.Z: value})
        outcome = follow(event.record.firing, outcome, sample)
    assert event.outcome == outcome
