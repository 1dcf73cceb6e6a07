"""The parts of a day at the desk: a market that stands for the live one, the window, what it shows and keeps."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtGui import QImage

from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.program.desks import Program, Screen, environment, need, running, until

#: What is written here is relative to a window of this size, its docks as they are at a first start.
SIZE = (1500, 900)
#: The plot of the price panel: its middle, its left edge and its axis.
MIDDLE, LEFT, AXIS = (560, 270), (8, 270), (1155, 270)
#: Left, top, right and bottom of where its candles are.
CANDLES = (0, 165, 1115, 395)
#: The left edge of where a banner stands, in the colour of its kind; and the table of alerts, below its head.
BANNER, TABLE = (0, 60, 4, 130), (1200, 90, 1495, 600)
#: The middle of the panel of z.
Z = (560, 700)
#: The title of the main window of the first workspace: others say their number or their workspace.
MAIN = "(LIVE|FILE|SIMULATED)( · Default)? – quantdesk$"
VISIBLE = "^Export the visible range"


@dataclass
class Popups:
    """Stand for a desktop with a tray: tell what popped up there, and click it."""

    process: subprocess.Popen[str]
    address: str
    path: Path

    def entries(self, kind: str) -> list[dict[str, str]]:
        """Return what reached the double, oldest first."""
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        return [entry for line in lines if (entry := json.loads(line))["kind"] == kind]

    def click(self, number: int) -> None:
        """Click a popup, the first being 1."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()


@contextmanager
def tray_double(folder: Path) -> Iterator[Popups]:
    """Run a double of tray and notification service on a session bus of its own."""
    need("dbus-run-session")
    log = folder / "double.ndjson"
    words = ["dbus-run-session", "--", sys.executable, str(Path(__file__).with_name("tray_double.py")), str(log)]
    with subprocess.Popen(
        words, env=environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None and process.stdin is not None
            yield Popups(process, process.stdout.readline().strip(), log)
        finally:
            # Killed from outside, dbus-run-session would leave its children behind: the double leaves by itself.
            process.stdin.close()
            process.wait(timeout=30)


@dataclass
class Market:
    """Hold a local exchange that a desk takes for the market; it can go and come back at the same address."""

    env: dict[str, str]
    program: Program
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def desk_env(self) -> dict[str, str]:
        """Return the environment of a desk on this market."""
        return {**self.env, "QUANTDESK_WS_URL": self.told["ws_url"], "QUANTDESK_REST_URL": self.told["rest_url"]}

    def kill(self) -> None:
        """Pull the cable: every connection breaks at once."""
        self.program.end()

    def come_back(self) -> None:
        """Serve at the same ports again; the market is a function of seed and time, so its ids went on."""
        ports = [url.rpartition(":")[2] for url in (self.told["ws_url"], self.told["rest_url"])]
        self.program = served(self.env, "--port", ports[0], "--rest-port", ports[1])[0]


def served(env: dict[str, str], *words: str) -> tuple[Program, dict[str, Any]]:
    """Start a local exchange; return it and what it told of itself."""
    program = Program(env, "simulate", "--seed", "11", *words)

    def told() -> bool:
        assert program.runs, program.errors
        return program.out.read_text("utf-8").endswith("\n")

    until(told, "the exchange")
    return program, json.loads(program.out.read_text("utf-8"))


@contextmanager
def live_market(env: dict[str, str]) -> Iterator[Market]:
    """Run a local exchange for the length of a block."""
    program, told = served(env)
    market = Market(env, program, told)
    try:
        yield market
        market.program.process.send_signal(signal.SIGTERM)
        assert market.program.ended() == (0, "")
    finally:
        market.program.end()


class Desk:
    """A desk with a person before it: its window, its keys, and what can be read of it."""

    def __init__(self, program: Program, screen: Screen, folder: Path, data: Path) -> None:
        self.program, self.screen, self.folder, self.data = program, screen, folder, data
        self.window = screen.wait(MAIN, program)
        screen.front(MAIN, program)
        screen.fit(self.window, *SIZE)

    # -- what it says --------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """Return the title of the window."""
        return self.screen.title(self.window)

    def titled(self, pattern: str) -> None:
        """Wait for a title."""

        def look() -> bool:
            assert self.program.runs, self.program.errors
            return re.search(pattern, self.title) is not None

        until(look, f"a title like {pattern!r}; it is {self.title!r}")

    def kept(self, name: str) -> Any:
        """Return what a file of its settings holds, nothing while there is none."""
        path = self.data / "config" / f"{name}.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    def visible(self) -> list[dict[str, str]]:
        """Export what is in sight; return its rows."""
        path = self.folder / f"in sight {len(list(self.folder.glob('in sight *.csv')))}.csv"
        self.screen.choose_file("ctrl+e", VISIBLE, self.program, path)
        until(path.exists, "the exported rows")
        self.screen.front("quantdesk$", self.program)
        return rows_of(path)

    def ends_at(self) -> int:
        """Return the time (ms) of the newest bar in sight."""
        return span_of(self.visible())[1]

    def shows_candles(self) -> None:
        """Wait until the price panel is full of candles."""
        until(lambda: self.rows_in(CANDLES, DARK.up, DARK.down, LIGHT.up, LIGHT.down).sum() > 3_000, "candles")

    def shows_z(self) -> None:
        """Wait until the panel of z has a line."""
        left, top = Z
        box = (0, top - 40, 2 * left, top + 60)
        until(lambda: self.rows_in(box, DARK.z, LIGHT.z, DARK.level, LIGHT.level).sum() > 500, "a line of z")

    def picture(self) -> np.ndarray:
        """Return the colours of the window, 0xrrggbb, row by row."""
        path = self.folder / "screen.png"
        self.screen.picture(path)
        image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
        colours = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1) & 0xFFFFFF
        left, top = self.screen.corner(self.window)
        return colours[top : top + SIZE[1], left : left + SIZE[0]].copy()

    def rows_in(self, box: tuple[int, int, int, int], *colours: str) -> np.ndarray:
        """Return in how many columns of a box each of its pixel rows has one of the colours."""
        left, top, right, bottom = box
        wanted = [int(colour[1:], 16) for colour in colours]
        return np.isin(self.picture()[top:bottom, left:right], wanted).sum(axis=1)

    # -- what is done --------------------------------------------------------------------------

    def interval(self, typed: str) -> None:
        """Type an interval over the charts."""
        self.screen.write(typed)
        self.screen.key("Return")
        self.titled(f"· {typed} ·")

    def quit(self) -> None:
        """Leave by the key; it must end well."""
        self.screen.front("quantdesk$", self.program)
        self.screen.key("ctrl+q")
        assert self.program.ended() == (0, "")


@contextmanager
def desk(env: dict[str, str], screen: Screen, folder: Path, *words: str | Path, **settings: object) -> Iterator[Desk]:
    """Start the desk with a person before it; ``settings`` are written at the first start of the folder."""
    data = folder / "data"
    path = data / "config" / "settings.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"theme": "dark", "ask_on_close": False, **settings}), "utf-8")
    with running(env, "--data-dir", data, *words) as program:
        yield Desk(program, screen, folder, data)
    screen.gone("quantdesk$")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def span_of(rows: list[dict[str, str]]) -> tuple[int, int]:
    """Return the times (ms) of the first and the last of exported bars."""
    assert rows, "nothing was in sight"
    return int(rows[0]["open_time_ms"]), int(rows[-1]["open_time_ms"])


def extent(rows: np.ndarray) -> int:
    """Return over how many pixel rows something is spread."""
    there = np.flatnonzero(rows)
    return int(there[-1] - there[0]) if len(there) else 0
