"""Popups reach the desktop for the live market only; a double of the desktop writes down what comes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.ui.theme_tokens import DARK
from tests.program.day import Popups, live_market, tray_double
from tests.program.desks import Program, Screen, pixels_of, running, until

#: A restless rule: every few seconds a bar of one second crosses it.
RULE = {"theme": "dark", "interval": "1s", "window": 20, "correlation_window": 20, "formation_bars": 30,
        "alert_level": 0.9, "alert_rearm": 0.9, "ask_on_close": False}  # fmt: skip


@pytest.fixture
def double(folder: Path) -> Iterator[Popups]:
    """Return a desktop that has a tray."""
    with tray_double(folder) as popups:
        yield popups


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
    with (
        live_market(env) as market,
        running(market.desk_env, "--data-dir", restless(folder), options=("-X", "dev")) as desk,
    ):
        popup = until(lambda: double.entries("popup"), "a popup", 60)[0]
        assert double.entries("icon"), "the popup came by the tray's icon"
        assert popup["title"].startswith("z ")
        assert "BTCUSDT / ETHUSDT" in popup["title"]
        assert not any(word in popup["text"] for word in ("SIMULATED", "HISTORY"))
        left_well(desk)


def test_a_muted_desk_pops_nothing_up_but_shows_the_alert(folder, desktop, screen, double) -> None:
    env = {**desktop, "DBUS_SESSION_BUS_ADDRESS": double.address}
    with live_market(env) as market, running(market.desk_env, "--data-dir", restless(folder, muted=True)) as desk:
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
