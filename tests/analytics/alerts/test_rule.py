from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.rule import Comparison, Gates, Notice, z_rule
from quantdesk.analytics.alerts.rule_json import (
    rule_from_dict,
    rule_from_json,
    rule_to_dict,
    rule_to_json,
)
from quantdesk.config import ConfigError
from tests.analytics.alerts.drawn import NAN, rule, rules


@given(rules())
def test_a_rule_comes_back_from_its_json(drawn):
    assert rule_from_json(rule_to_json(drawn)) == drawn


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"enter": 2.0, "rearm": 2.5}, "arms it again must not lie beyond"),
        ({"exit": 2.0}, "exit level must lie nearer"),
        ({"exit": 1.7}, "exit level must not lie beyond the level that arms"),
        ({"stop": 2.0}, "stop level must lie beyond"),
        ({"enter": NAN}, "enter level must be a number"),
        ({"stop": float("inf")}, "stop level must be a number"),
        ({"enter": -2.0, "rearm": -3.0}, "cannot be below 0"),
        ({"rearm": 0.0}, "must be above 0"),
        ({"dwell_bars": 0}, "at least one bar"),
        ({"dwell_seconds": -1.0}, "dwell must be 0 or more"),
        ({"cooldown_seconds": NAN}, "cooldown must be 0 or more"),
    ],
)
def test_a_senseless_rule_is_refused_in_words(more, words):
    with pytest.raises(ConfigError, match=words):
        rule(**more)


def test_names_gates_and_notices_are_checked():
    for change in ({"name": " "}, {"id": ""}, {"name": "a\nb"}, {"id": "x" * 81}):
        with pytest.raises(ConfigError, match="1 to 80 characters"):
            replace(z_rule(), **change)
    with pytest.raises(ConfigError, match="p of a gate"):
        Gates(p_below=0.0)
    with pytest.raises(ConfigError, match="largest age"):
        Gates(max_age_seconds=NAN)
    with pytest.raises(ConfigError, match="sound needs a name"):
        Notice(sound_name="")
    with pytest.raises(ConfigError, match="none of"):
        Notice(text="{value.real}")


def test_levels_of_a_falling_comparison_are_ordered_downwards():
    low = rule(Comparison.AT_MOST, -2.0, -1.5, exit=-0.5, stop=-3.0)
    assert low.is_beyond(-2.1) and not low.is_beyond(-1.9) and low.is_near(-1.4)
    assert low.stop_met(-3.2, -1) and low.target_met(-0.4, -1) and not low.target_met(-0.6, -1)
    with pytest.raises(ConfigError, match="stop level must lie beyond"):
        rule(Comparison.AT_MOST, -2.0, -1.5, stop=-1.0)


def test_gates_say_what_holds_back():
    gates = Gates(p_below=0.05, max_age_seconds=2.0)
    good = MetricSample(1, {}, True, True, 1_000, 2_000, 0.04)
    assert gates.shut(good) == ""
    assert gates.shut(replace(good, p=0.23)) == "cointegration p 0.23 ≥ 0.05"
    assert gates.shut(replace(good, p=None)) == gates.shut(replace(good, p=NAN)) == "no cointegration p is known"
    assert gates.shut(replace(good, age_x_ms=3_100)) == "the price of x is 3.1 s old (at most 2 s)"
    assert gates.shut(replace(good, age_y_ms=None)) == "the age of y's price is not known"
    assert gates.shut(replace(good, window_full=False)) == "the window is not full"
    assert gates.shut(replace(good, complete=False)) == "trades of the bar are missing"
    assert Gates(complete=False, window_full=False).shut(MetricSample(1, {}, False, False)) == ""


def plain(**changes) -> dict:
    return rule_to_dict(z_rule()) | changes


@pytest.mark.parametrize(
    ("given_plain", "words"),
    [
        (plain(colour="red"), "field colour that this version does not know"),
        (plain(gates=plain()["gates"] | {"moon": 1}), "field gates.moon that this version"),
        (plain(schema=2), "written by a newer quantdesk .schema 2; this one knows 1."),
        (plain(schema=True), "does not say which schema"),
        ({k: v for k, v in plain().items() if k != "schema"}, "does not say which schema"),
        ({k: v for k, v in plain().items() if k != "enter"}, "has no enter"),
        (plain(enter="2"), "enter of the rule must be a number, not '2'"),
        (plain(enter=True), "enter of the rule must be a number"),
        (plain(enter=None), "enter of the rule must be a number"),
        (plain(enabled=1), "enabled of the rule must be true or false"),
        (plain(dwell_bars=1.5), "dwell_bars of the rule must be a whole number"),
        (plain(name=3), "name of the rule must be a text"),
        (plain(metric="moon"), "metric 'moon' is none of z, regression_z"),
        (plain(comparison="=="), "comparison '==' is none of"),
        (plain(metric=4), "metric of the rule must be a text"),
        (plain(gates=[]), "gates of a rule must be an object"),
        (plain(enter=10**400), "too large"),
        ([], "must be an object"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(given_plain, words):
    with pytest.raises(ConfigError, match=words):
        rule_from_dict(given_plain)


def test_texts_that_are_no_json_or_say_things_twice_are_refused():
    with pytest.raises(ConfigError, match="is not JSON"):
        rule_from_json("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        rule_from_json("[" * 100_000)
    with pytest.raises(ConfigError, match="names a field twice"):
        rule_from_json('{"schema": 1, "schema": 1}')
    with pytest.raises(ConfigError, match="enter level must be a number"):
        rule_from_json(json.dumps(plain(enter=NAN)))


def test_fields_left_out_have_their_defaults_and_whole_numbers_are_levels():
    found = rule_from_dict(
        {"schema": 1, "id": "a", "name": "b", "metric": "spread", "comparison": ">=", "enter": 3, "rearm": 2}
    )
    assert found == rule(Comparison.AT_LEAST, 3.0, 2.0, metric=Metric.SPREAD).__class__(
        "a", "b", Metric.SPREAD, Comparison.AT_LEAST, 3.0, 2.0
    )
    assert isinstance(found.enter, float)


def test_a_rule_without_a_webhook_is_written_as_it_was_before_there_were_any():
    plain = rule_to_dict(z_rule())
    assert "webhook" not in plain["notice"] and rule_from_dict(plain) == z_rule()
    posting = replace(z_rule(), notice=replace(z_rule().notice, webhook=True))
    assert rule_to_dict(posting)["notice"]["webhook"] is True
    assert rule_from_dict(rule_to_dict(posting)) == posting
