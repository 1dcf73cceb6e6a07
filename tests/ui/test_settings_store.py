"""Settings survive sessions, and no file on disk can keep the desk from starting."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.model.frame import PairSettings
from quantdesk.store.base import Retention
from quantdesk.ui.settings_store import MAX_RECENT, MAX_UNPOSTED, Settings, SettingsStore


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(text, encoding="utf-8")


def test_what_was_saved_is_loaded_again(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "new" / "config")
    store.settings.take_pair(PairSettings("SOLUSDT", "币安人生USDT", "5m", 90, 45, True, 300, 120))
    store.settings.theme, store.settings.muted = "light", True
    store.settings.remember_file(tmp_path / "a.csv")
    assert store.save()
    again = SettingsStore(tmp_path / "new" / "config")
    assert again.settings == store.settings
    assert again.settings.pair() == store.settings.pair()
    assert not again.problem


def test_recent_files_are_ten_without_doubles_newest_first(tmp_path: Path) -> None:
    settings = Settings()
    for number in range(14):
        settings.remember_file(tmp_path / f"{number}.csv")
    settings.remember_file(tmp_path / "8.csv")
    assert len(settings.recent) == MAX_RECENT
    assert settings.recent[0].endswith("8.csv") and len(set(settings.recent)) == MAX_RECENT


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "\x00\x01", '{"theme": "dark"', "[" * 5_000])
def test_a_broken_file_is_set_aside_with_words(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    store = SettingsStore(tmp_path)
    assert store.settings == Settings()
    assert "damaged" in store.problem and "\n" not in store.problem
    assert [p.read_text(encoding="utf-8") for p in tmp_path.glob("settings.broken-*.json")] == [text]
    assert store.save() and SettingsStore(tmp_path).settings == Settings()


@given(st.dictionaries(st.sampled_from([f.name for f in fields(Settings)]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)))  # fmt: skip
def test_no_value_in_the_file_reaches_a_model_out_of_bounds(
    tmp_path_factory: pytest.TempPathFactory, read: dict[str, object]
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    write(folder, json.dumps(read))
    settings = SettingsStore(folder).settings
    settings.pair()
    settings.rules()
    assert all(type(getattr(settings, f.name)) is type(getattr(Settings(), f.name)) for f in fields(Settings))


def test_settings_of_a_newer_version_are_kept(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"workspaces": ["a"], "theme": "light"}))
    store = SettingsStore(tmp_path)
    store.settings.muted = True
    store.save()
    held = json.loads(store.path.read_text(encoding="utf-8"))
    assert held["workspaces"] == ["a"] and held["theme"] == "light" and held["muted"] is True


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SettingsStore(tmp_path / "file" / "config")
    assert not store.save()
    assert "cannot be saved" in store.problem


def test_nothing_is_written_twice_and_no_part_file_stays(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path)
    store.save()
    stamp = store.path.stat().st_mtime_ns
    store.save()
    assert store.path.stat().st_mtime_ns == stamp
    assert [p.name for p in tmp_path.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("interval", ["", "0m", "soon", "m", "1x"])
def test_an_interval_that_is_none_falls_back_to_the_default(tmp_path: Path, interval: str) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({"interval": interval}), encoding="utf-8")
    assert SettingsStore(tmp_path).settings.pair().interval == "1m"


def test_a_stores_url_is_kept_without_its_password(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"database": "postgresql://trader:s3cret@db/desk?sslmode=require&sslpassword=s3cret"}))
    store = SettingsStore(tmp_path)
    assert store.settings.database == "postgresql://trader@db:5432/desk?sslmode=require"
    store.settings.muted = True
    assert store.save() and "s3cret" not in store.path.read_text(encoding="utf-8")
    address = store.settings.store_address(tmp_path)
    assert address is not None and address.words == "trader@db:5432/desk"
    store.settings.take_store(address.with_password("s3cret"))
    assert store.save() and "s3cret" not in store.path.read_text(encoding="utf-8")
    store.settings.take_store(None)
    assert store.settings.store_address(tmp_path) is None


@pytest.mark.parametrize(
    "url", ["mysql://a@b/c", "postgresql://nobody", "sqlite:///", "sqlite:///~nobody-here/x", "\x00", "a" * 9_999]
)
def test_a_url_that_names_no_store_falls_back_to_the_file(tmp_path: Path, url: str) -> None:
    write(tmp_path, json.dumps({"database": url}))
    assert SettingsStore(tmp_path).settings.store_address(tmp_path) is None


def test_limits_of_the_store_outside_their_bounds_fall_back(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"keep_ticks_days": -1, "keep_ticks_gb": -0.1, "compress_after_days": 1_000_000}))
    settings = SettingsStore(tmp_path).settings
    assert (settings.keep_ticks_days, settings.keep_ticks_gb, settings.compress_after_days) == (0, 10.0, 7)
    write(tmp_path, json.dumps({"keep_ticks_days": 90, "keep_ticks_gb": 250, "compress_after_days": 3}))
    settings = SettingsStore(tmp_path).settings
    assert settings.retention() == Retention(90, 250_000_000_000, 3)
    limits = settings.store_limits()
    assert (limits.max_tick_age_days, limits.max_tick_bytes) == (90, 250_000_000_000)
    settings.take_retention(Retention(0, 1_500_000_000, 0))
    assert (settings.keep_ticks_days, settings.keep_ticks_gb, settings.compress_after_days) == (0, 1.5, 0)


def test_alerts_that_no_webhook_took_are_remembered_newest_last_and_bounded(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path)
    for number in range(MAX_UNPOSTED + 20):
        store.settings.note_post(f"alert {number}", taken=False)
    store.settings.note_post("alert 219", taken=True)
    store.settings.note_post("alert 100", taken=False)
    kept = store.settings.unposted
    assert len(kept) == MAX_UNPOSTED - 1 and kept[0] == "alert 20" and kept[-2:] == ["alert 218", "alert 100"]
    assert store.save()
    assert SettingsStore(tmp_path).settings.unposted == kept
