"""A person who types commands: the palette of the real desk under X."""

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
