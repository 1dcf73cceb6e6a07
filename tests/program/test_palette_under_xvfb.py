"""A person who types commands and changes keys: palette and shortcut sheet of the real desk under X."""

from __future__ import annotations

import json
from pathlib import Path

from tests.program.desks import Screen, running


def test_a_command_is_found_by_typing_and_run_by_enter(folder: Path, desktop, screen: Screen) -> None:
    data = folder / "data"
    with running(desktop, "--simulate", "--data-dir", data, options=("-X", "dev")) as desk:
        screen.front("SIMULATED – quantdesk$", desk)
        screen.key("ctrl+shift+p")
        screen.type("mute")
        screen.key("Return")
        screen.key("ctrl+shift+p")
        screen.type("shortcuts keyboard")
        screen.key("Return")
        screen.front("^Keyboard shortcuts", desk)
        screen.key("Escape")
        screen.gone("^Keyboard shortcuts")
        screen.front("SIMULATED – quantdesk$", desk)
        screen.key("ctrl+q")
        assert desk.ended() == (0, "")
    settings = json.loads((data / "config" / "settings.json").read_text("utf-8"))
    assert settings["muted"] is True
    assert settings["palette_used"] == ["help.shortcuts", "alerts.mute"]


def test_a_changed_key_works_at_once_and_after_a_restart(folder: Path, desktop, screen: Screen) -> None:
    data, chooser = folder / "data", "^Open one file"
    with running(desktop, "--simulate", "--data-dir", data, options=("-X", "dev")) as desk:
        screen.front("SIMULATED – quantdesk$", desk)
        screen.key("F1")
        screen.front("^Keyboard shortcuts", desk)
        screen.key("Return", "ctrl+shift+y", "Escape")  # the first key is that of "Open file"
        screen.gone("^Keyboard shortcuts")
        screen.front("SIMULATED – quantdesk$", desk)
        screen.key("ctrl+shift+y")
        screen.front(chooser, desk)
        screen.key("Escape")
        screen.gone(chooser)
        screen.front("SIMULATED – quantdesk$", desk)
        screen.key("ctrl+q")
        assert desk.ended() == (0, "")
    assert json.loads((data / "config" / "settings.json").read_text("utf-8"))["keys"] == {"file.open": "Ctrl+Shift+Y"}
    with running(desktop, "--simulate", "--data-dir", data, options=("-X", "dev")) as desk:
        screen.front("SIMULATED – quantdesk$", desk)
        screen.key("ctrl+shift+y")
        screen.front(chooser, desk)
        screen.key("Escape")
        screen.gone(chooser)
        screen.front("SIMULATED – quantdesk$", desk)
        screen.key("ctrl+q")
        assert desk.ended() == (0, "")
