"""The real program is killed and comes back with its workspace, its windows and what they showed."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program.desks import Program, Screen, environment, running, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
SECOND = "window 2 – quantdesk$"


@pytest.fixture
def market(tmp_path: Path) -> Iterator[dict[str, str]]:
    with running(environment(tmp_path), "simulate", "--rate", "5") as exchange:
        until(lambda: exchange.out.read_text("utf-8").endswith("\n"), "the exchange")
        told = json.loads(exchange.out.read_text("utf-8"))
        yield {"QUANTDESK_WS_URL": told["ws_url"], "QUANTDESK_REST_URL": told["rest_url"]}


def kept(data: Path) -> dict[str, Any]:
    try:
        return json.loads((data / "config" / "workspaces.json").read_text("utf-8"))
    except OSError:
        return {"active": "", "workspaces": []}


def windows(data: Path) -> list[dict[str, Any]]:
    found = kept(data)
    return next((one["windows"] for one in found["workspaces"] if one["name"] == found["active"]), [])


def test_killed_in_the_middle_it_comes_back_with_every_window(
    desktop: dict[str, str], screen: Screen, market: dict[str, str], folder: Path
) -> None:
    env, data = {**desktop, **market}, folder / "data"
    with running(env, "--data-dir", data) as program:
        screen.front("LIVE – quantdesk$", program)
        screen.choose_file("alt+w n", "^New workspace", program, "Night & day")
        screen.front("Night & day – quantdesk$", program)
        screen.key("ctrl+shift+n")
        screen.front(SECOND, program)
        screen.key("alt+s", "5", "alt+g")  # swap the legs, bars of five minutes, link group A
        screen.wait("ETHUSDT / BTCUSDT · 5m .*" + SECOND, program)
        until(lambda: [w["interval"] for w in windows(data)] == ["1m", "5m"], "both windows to be kept")
        until(lambda: windows(data)[1]["link_group"] == "A", "the link to be kept")
        program.process.send_signal(signal.SIGKILL)
        program.process.wait()
    assert not list((data / "config").glob("*.part")), "nothing is half written"
    with running(env, "--data-dir", data, options=("-X", "dev")) as program:
        back(program, screen)
        program.process.send_signal(signal.SIGTERM)
        code, errors = program.ended()
    assert (code, errors) == (0, "")
    assert kept(data)["active"] == "Night & day"
    assert [(w["y"], w["interval"]) for w in windows(data)] == [("BTCUSDT", "1m"), ("ETHUSDT", "5m")]


def back(program: Program, screen: Screen) -> None:
    screen.wait("BTCUSDT / ETHUSDT · 1m · LIVE · Night & day – quantdesk$", program)
    screen.wait("ETHUSDT / BTCUSDT · 5m · LIVE · " + SECOND, program)
