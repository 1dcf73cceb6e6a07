"""The settings know of a webhook what anybody may read, and give up what makes no sense with a word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantdesk.ui.kept_webhooks import KeptWebhook, WebhookDraft, accepted, kept_of
from quantdesk.ui.settings_store import SettingsStore

GOOD = {"url": "https://example.org", "key": "ab12", "private": False, "signed": True}


def test_addresses_come_back_as_they_were(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path)
    store.settings.webhooks["z"] = dict(GOOD)
    assert store.save()
    again = SettingsStore(tmp_path)
    assert again.settings.webhooks == {"z": GOOD} and not again.problem
    kept = kept_of(again.settings.webhooks["z"])
    assert kept == KeptWebhook("https://example.org", "ab12", private=False, signed=True) and kept.in_keyring


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://example.org?token=t0ken"},
        {"url": "https://example.org/t0ken"},
        {"url": "https://me:t0ken@example.org/"},
        {"url": "ftp://example.org/"},
        {"url": 7},
        {"key": ""},
        {"key": "../x"},
        {"private": 1},
        {"signed": None},
    ],
)
def test_what_makes_no_sense_or_holds_a_secret_is_left_out_with_a_word(tmp_path: Path, change: dict) -> None:
    held = {"webhooks": {"z": GOOD | change, "other": GOOD}}
    (tmp_path / "settings.json").write_text(json.dumps(held), encoding="utf-8")
    store = SettingsStore(tmp_path)
    assert store.settings.webhooks == {"other": GOOD}
    assert "1 of 2 addresses of webhooks cannot be read: enter them in the rules again." in store.problem
    assert "t0ken" not in store.problem


def test_no_table_is_none() -> None:
    assert accepted({}) == ({}, "")
    assert accepted({"webhooks": [1]})[0] == {} and kept_of("x") is None


def test_a_draft_shows_none_of_what_it_holds() -> None:
    assert "t0ken" not in repr(WebhookDraft("z", "https://example.org/?t0ken", "t0ken"))
