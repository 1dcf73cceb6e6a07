"""Chosen keys outlive the session; what is broken or held twice falls back, in words."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ui.kept_keys import accepted, without_clashes
from quantdesk.ui.key_words import canonical, why_fixed
from quantdesk.ui.settings_store import SettingsStore

FIRST = {"a": "Ctrl+A", "b": "Ctrl+B", "c": "Ctrl+L", "d": "", "e": "F5"}
NAMES = st.sampled_from([*FIRST, "unknown"])
KEYS = st.sampled_from(["", "Ctrl+A", "Ctrl+B", "Ctrl+L", "F5", "F6", "Ctrl+K"])


@pytest.mark.parametrize(
    "text", ["rubbish", "Ctrl+", "Ctrl", "Shift", "Ctrl+Shift", "Ctrl+K, Ctrl+S", "K" * 90, "\x00"]
)
def test_a_text_that_names_no_single_key_is_none(text: str) -> None:
    assert canonical(text) is None


@pytest.mark.parametrize(
    ("text", "keys"), [("ctrl+shift+p", "Ctrl+Shift+P"), ("Ctrl++", "Ctrl++"), ("", ""), ("F12", "F12"), ("7", "7")]
)
def test_a_key_has_one_way_to_be_written(text: str, keys: str) -> None:
    assert canonical(text) == keys


def test_broken_entries_fall_back_and_are_said(tmp_path: Path) -> None:
    text = json.dumps({"keys": {"a": "Ctrl+K", "b": 7, "c": "rubbish", "d": "Left", "e": ""}, "theme": "light"})
    (tmp_path / "settings.json").write_text(text, encoding="utf-8")
    store = SettingsStore(tmp_path)
    assert store.settings.keys == {"a": "Ctrl+K", "e": ""} and store.settings.theme == "light"
    assert store.problem.startswith("3 of 5 chosen keys cannot be used") and "\n" not in store.problem
    assert [p.read_text(encoding="utf-8") for p in tmp_path.glob("settings.keys-*.json")] == [text]


@pytest.mark.parametrize("held", [[1], "Ctrl+K", 7, None, True])
def test_keys_that_are_no_table_are_said(held: object) -> None:
    keys, words = accepted({"keys": held})
    assert keys == {} and "first keys" in words


def test_settings_without_keys_say_nothing() -> None:
    assert accepted({}) == ({}, "")


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=12) | st.none() | st.integers()))
def test_what_is_accepted_is_written_as_keys_are_and_may_be_given(held: dict[str, object]) -> None:
    keys, words = accepted({"keys": held})
    assert all(canonical(one) == one and not why_fixed(one) for one in keys.values())
    assert (len(keys) == len(held)) == (not words)
    assert accepted({"keys": keys}) == (keys, "")


@given(st.dictionaries(NAMES, KEYS))
def test_no_choice_leaves_two_actions_with_one_key(chosen: dict[str, str]) -> None:
    kept = without_clashes(FIRST, chosen)
    counts = Counter(keys for keys in {**FIRST, **kept}.values() if keys)
    assert max(counts.values(), default=0) <= 1
    assert kept.items() <= chosen.items() and "unknown" not in kept
    assert without_clashes(FIRST, kept) == kept


def test_a_clash_drops_no_more_than_it_must() -> None:
    assert without_clashes(FIRST, {"a": "F6", "b": "F6", "d": "Ctrl+K"}) == {"a": "F6", "d": "Ctrl+K"}
    assert without_clashes(FIRST, {"d": "F5"}) == {}
    assert without_clashes(FIRST, {"d": "F5", "e": ""}) == {"d": "F5", "e": ""}
    assert without_clashes(FIRST, {"a": "Ctrl+B", "b": "Ctrl+A"}) == {"a": "Ctrl+B", "b": "Ctrl+A"}
