"""Workspaces survive sessions, come from older settings, and no file on disk can keep the desk from starting."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantdesk.ui.settings_store import Settings, SettingsStore
from quantdesk.ui.window_settings import WINDOW_FIELDS, WindowSettings
from quantdesk.ui.workspaces.store import MOST_WINDOWS, MOST_WORKSPACES, Workspace, WorkspaceStore


def write(folder: Path, text: str) -> None:
    (folder / "workspaces.json").write_text(text, encoding="utf-8")


def test_what_was_saved_is_loaded_again_and_the_settings_take_the_main_window(tmp_path: Path) -> None:
    store = WorkspaceStore(tmp_path, Settings())
    second = WindowSettings(y="SOLUSDT", x="ETHUSDT", interval="5m", link_group="B", link_interval=False)
    main = WindowSettings(y="ETHUSDT", x="BTCUSDT", interval="1s", price_scale="log", window=90)
    store.put(Workspace("Scalping", (main, second)))
    store.activate("Scalping")
    assert store.save()
    chosen = Settings()
    again = WorkspaceStore(tmp_path, chosen)
    assert again.names == ("Default", "Scalping") and again.active == Workspace("Scalping", (main, second))
    assert chosen.window_part() == main and not again.problem


def test_settings_of_the_version_before_become_the_workspace_default_with_nothing_lost(tmp_path: Path) -> None:
    old = {
        "theme": "light", "time_zone": "local", "both_legs": True, "price_scale": "percent",
        "geometry": "Z2Vv", "layout": "bGF5", "layout_version": 3, "metrics_shown": False,
        "charts": {"version": 1, "sizes": [1, 2, 3, 4, 5], "hidden": ["z"], "leg": "x"},
        "symbols": ["BTCUSDT", "SOLUSDT"], "y": "SOLUSDT", "x": "BTCUSDT", "interval": "5m", "window": 77,
        "correlation_window": 44, "log": True, "formation_bars": 300, "refit_every": 60, "z_kind": "rolling",
        "hedge": "kalman", "formation_end": 5, "muted": True, "recent": ["a.csv"], "keys": {"view.reset": "Ctrl+9"},
        "keep_ticks_days": 12, "tick_minutes": 5, "of a newer version": 1,
    }  # fmt: skip
    (tmp_path / "settings.json").write_text(json.dumps(old), encoding="utf-8")
    kept = SettingsStore(tmp_path)
    store = WorkspaceStore(tmp_path, kept.settings)
    assert store.names == ("Default",) and not store.problem and not kept.problem
    for name in WINDOW_FIELDS:
        if name in old:
            assert getattr(store.active.main, name) == old[name], name
    assert kept.save() and store.save()
    written = json.loads((tmp_path / "settings.json").read_text("utf-8"))
    assert {name: written[name] for name in old} == old


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[1]", "null", '{"version": 1}', '{"version": 9, "workspaces": []}'),
        '{"version": 1, "workspaces": []}',
        '{"version": 1, "workspaces": [{"name": "", "windows": [{}]}, {"name": "a", "windows": []}, 3]}',
    ],
)
def test_a_broken_file_is_set_aside_with_words_and_the_settings_stand_in(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    chosen = Settings(y="SOLUSDT", x="BTCUSDT")
    store = WorkspaceStore(tmp_path, chosen)
    assert store.names == ("Default",) and store.active.main == chosen.window_part()
    assert "damaged" in store.problem and "\n" not in store.problem
    assert [p.read_text("utf-8") for p in tmp_path.glob("workspaces.broken-*.json")] == [text]
    assert store.save() and not WorkspaceStore(tmp_path, Settings()).problem


def test_one_workspace_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    good = {"name": "Good", "windows": [{"y": "SOLUSDT"}]}
    write(tmp_path, json.dumps({"version": 1, "active": "gone", "workspaces": [good, {"name": 5}, good]}))
    store = WorkspaceStore(tmp_path, Settings())
    assert store.names == ("Good",) and store.active.main.y == "SOLUSDT"
    assert "2 of 3 workspaces" in store.problem and len(list(tmp_path.glob("workspaces.part-*.json"))) == 1


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(WINDOW_FIELDS), _JUNK))
def test_no_value_of_a_window_reaches_a_model_out_of_bounds(tmp_path: Path, read: dict[str, object]) -> None:
    write(tmp_path, json.dumps({"version": 1, "workspaces": [{"name": "a", "windows": [read, read]}]}))
    store = WorkspaceStore(tmp_path, Settings())
    for window in store.active.windows:
        pair = window.pair()
        assert pair.y != pair.x and window.link_group in ("", "A", "B", "C", "D")
        assert type(window.charts) is dict and type(window.geometry) is str


def test_workspaces_and_windows_are_bounded(tmp_path: Path) -> None:
    many = [{"name": f"w{n}", "windows": [{}] * 30} for n in range(30)]
    write(tmp_path, json.dumps({"version": 1, "workspaces": many}))
    store = WorkspaceStore(tmp_path, Settings())
    assert len(store.names) == MOST_WORKSPACES and store.is_full
    assert len(store.active.windows) == MOST_WINDOWS
    assert "21 of 30" in store.problem


def test_a_name_is_said_to_be_taken_empty_or_too_long(tmp_path: Path) -> None:
    store = WorkspaceStore(tmp_path, Settings())
    assert "already" in store.refusal("dEFAULT ") and store.refusal("  ") and "40" in store.refusal("x" * 41)
    assert not store.refusal("default", but="Default") and not store.refusal("Night")
    store.put(replace(store.active, name="Night"))
    with pytest.raises(ValueError, match="already"):
        store.rename("Night", "default")
    store.rename("Default", "Day")
    assert store.names == ("Day", "Night") and store.active.name == "Day"
    with pytest.raises(ValueError, match="in use"):
        store.remove("Day")


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = WorkspaceStore(tmp_path / "file" / "config", Settings())
    assert not store.save() and "cannot be saved" in store.problem
