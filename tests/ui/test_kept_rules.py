"""Alert rules outlive the session; the level of old settings becomes a rule; nothing unreadable is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.rule import z_rule
from quantdesk.analytics.alerts.rule_json import rule_to_dict
from quantdesk.ui.kept_rules import accepted, rules_of
from quantdesk.ui.settings_store import SettingsStore
from tests.analytics.alerts.drawn import rules

OWN = (z_rule(),)


def started(folder: Path, text: str) -> SettingsStore:
    (folder / "settings.json").write_text(text, encoding="utf-8")
    return SettingsStore(folder)


@given(st.lists(rules(), max_size=5, unique_by=lambda rule: rule.id))
def test_rules_come_back_as_they_were_and_none_stays_none(tmp_path_factory: pytest.TempPathFactory, kept: list) -> None:
    folder = tmp_path_factory.mktemp("config")
    store = SettingsStore(folder)
    store.settings.take_rules(kept)
    assert store.save()
    again = SettingsStore(folder)
    assert again.settings.rules() == tuple(kept) and not again.problem


def test_a_first_start_has_the_desks_own_rule(tmp_path: Path) -> None:
    assert SettingsStore(tmp_path).settings.rules() == OWN


def test_the_level_of_old_settings_becomes_the_rule_and_leaves(tmp_path: Path) -> None:
    old = {"alert_level": 3.0, "alert_rearm": 0.5, "alerts_enabled": False, "muted": True, "window": 90}
    store = started(tmp_path, json.dumps(old))
    assert store.settings.rules() == (z_rule(3.0, 0.5, enabled=False),)
    assert store.settings.muted and store.settings.window == 90 and not store.problem
    assert store.save()
    held = json.loads(store.path.read_text("utf-8"))
    assert "alert_level" not in held and held["alert_rules"]["rules"][0]["enter"] == 3.0
    assert SettingsStore(tmp_path).settings.rules() == store.settings.rules()


@pytest.mark.parametrize("level", ["high", -1, 0, True, None, float("nan")])
def test_an_old_level_that_makes_no_sense_falls_back(tmp_path: Path, level: object) -> None:
    assert started(tmp_path, json.dumps({"alert_level": level})).settings.rules() == OWN


def test_a_rule_that_cannot_be_read_is_told_kept_aside_and_costs_no_other(tmp_path: Path) -> None:
    good = replace(z_rule(), id="good", name="good")
    newer = {**rule_to_dict(z_rule()), "schema": 99}
    text = json.dumps({"alert_rules": {"schema": 1, "rules": [newer, rule_to_dict(good), rule_to_dict(good)]}})
    store = started(tmp_path, text)
    assert store.settings.rules() == (good,)
    assert store.problem.startswith("2 of 3 alert rules cannot be read (the rule was written by a newer quantdesk")
    (aside,) = tmp_path.glob("settings.rules-*.json")
    assert aside.name in store.problem and aside.read_text("utf-8") == text


@pytest.mark.parametrize("held", [[], "rules", 7, None, {"schema": 1}, {"rules": []}, {"schema": 9, "rules": []}])
def test_a_list_that_is_none_falls_back_in_words(tmp_path: Path, held: object) -> None:
    store = started(tmp_path, json.dumps({"alert_rules": held}))
    assert store.settings.rules() == OWN
    assert "desk's own rule is used" in store.problem and list(tmp_path.glob("settings.rules-*.json"))


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["schema", "rules", "id"]), inner),
    max_leaves=8,
))  # fmt: skip
def test_whatever_is_there_gives_rules(held: object) -> None:
    plain, problem = accepted({"alert_rules": held})
    assert rules_of(plain) or held == {"schema": 1, "rules": []}
    assert not problem or plain == {}
