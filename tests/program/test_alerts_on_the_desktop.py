"""Popups reach the desktop for the live market only; a double of the desktop writes down what comes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from quantdesk.ui.theme_tokens import DARK
from tests.program.desks import Program, Screen, need, pixels_of, running, until

#: A restless rule: every few seconds a bar of one second crosses it.
RULE = {"theme": "dark", "interval": "1s", "window": 20, "correlation_window": 20, "formation_bars": 30,
        "alert_level": 0.9, "alert_rearm": 0.9, "ask_on_close": False}  # fmt: skip


@dataclass
class Desktop:
    """Know what reached the double."""

    address: str
    path: Path

    def entries(self, kind: str) -> list[dict[str, str]]:
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        return [entry for line in lines if (entry := json.loads(line))["kind"] == kind]


@pytest.fixture
def double(folder: Path, env: dict[str, str]) -> Iterator[Desktop]:
    need("dbus-run-session")
    log = folder / "double.ndjson"
    words = ["dbus-run-session", "--", sys.executable, str(Path(__file__).with_name("tray_double.py")), str(log)]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Desktop(process.stdout.readline().strip(), log)
        finally:
            process.terminate()


@contextmanager
def exchange(env: dict[str, str]) -> Iterator[dict[str, str]]:
    """Run a local exchange; yield the environment of a desk that takes it for the market."""
    with running(env, "simulate", "--seed", "11") as program:
        until(lambda: program.out.read_text("utf-8").endswith("\n"), "the exchange")
        told = json.loads(program.out.read_text("utf-8"))
        yield {**env, "QUANTDESK_WS_URL": told["ws_url"], "QUANTDESK_REST_URL": told["rest_url"]}
        program.process.send_signal(signal.SIGTERM)
        assert program.ended() == (0, "")


def restless(folder: Path, **more: object) -> Path:
    """Return a data folder whose settings alert at little."""
    data = folder / "data"
    (data / "config").mkdir(parents=True)
    (data / "config" / "settings.json").write_text(json.dumps({**RULE, **more}), "utf-8")
    return data


def shown_alerts(screen: Screen, folder: Path) -> int:
    """Count the alert colour at the right, where table and toasts are."""
    picture = folder / "screen.png"
    screen.picture(picture)
    return pixels_of(picture, DARK.level, left=0.74)


def left_well(desk: Program) -> None:
    desk.process.send_signal(signal.SIGTERM)
    assert desk.ended() == (0, "")


def test_a_live_alert_pops_up_where_there_is_a_tray(folder, desktop, screen, double) -> None:
    env = {**desktop, "DBUS_SESSION_BUS_ADDRESS": double.address}
    with exchange(env) as there, running(there, "--data-dir", restless(folder), options=("-X", "dev")) as desk:
        popup = until(lambda: double.entries("popup"), "a popup", 60)[0]
        assert double.entries("icon"), "the popup came by the tray's icon"
        assert popup["title"].startswith("z ")
        assert "BTCUSDT / ETHUSDT" in popup["title"]
        assert not any(word in popup["text"] for word in ("SIMULATED", "HISTORY"))
        left_well(desk)


def test_a_muted_desk_pops_nothing_up_but_shows_the_alert(folder, desktop, screen, double) -> None:
    env = {**desktop, "DBUS_SESSION_BUS_ADDRESS": double.address}
    with exchange(env) as there, running(there, "--data-dir", restless(folder, muted=True)) as desk:
        screen.wait("LIVE.* – quantdesk$", desk)
        until(lambda: shown_alerts(screen, folder) > 20, "an alert in the window")
        left_well(desk)
    assert double.entries("popup") == []


def test_simulated_alerts_never_reach_the_desktop(folder, desktop, screen, double) -> None:
    env = {**desktop, "DBUS_SESSION_BUS_ADDRESS": double.address}
    with running(env, "--simulate", "--data-dir", restless(folder), options=("-X", "dev")) as desk:
        screen.wait("SIMULATED – quantdesk$", desk)
        until(lambda: shown_alerts(screen, folder) > 20, "an alert in the window")
        left_well(desk)
    assert double.entries("popup") == []
