"""Start the real program: a clean environment, a screen of its own, keys pressed into its windows."""

from __future__ import annotations

import math
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtGui import QImage

ROOT = Path(__file__).resolve().parents[2]
#: The longest wait (s) for anything; a loaded machine is slow, a passing test never waits so long.
PATIENCE = 30.0
T = TypeVar("T")
#: Right and down from a window's corner, in pixels.
Point = tuple[int, ...]
_GRAB = """
import sys
from PySide6.QtGui import QGuiApplication
app = QGuiApplication(sys.argv[:1])
sys.exit(not app.primaryScreen().grabWindow(0).save(sys.argv[1]))
"""


def until(look: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """Return the first true answer; fail the test with ``what`` if none comes."""
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.05)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing outside the folder is read or written."""
    found = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(folder)}
    for name in ("DATA_HOME", "CONFIG_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR"):
        place = folder / name.lower()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        found[f"XDG_{name}"] = str(place)
    temporary = folder / "t"
    temporary.mkdir(exist_ok=True)
    found["TMPDIR"] = str(temporary)
    return {**found, **more}


def command(*words: str | Path, options: Sequence[str] = ()) -> list[str]:
    """Return the command line of the program."""
    return [sys.executable, *options, "-m", "quantdesk", *(str(word) for word in words)]


def quantdesk(
    env: dict[str, str], *words: str | Path, options: Sequence[str] = (), timeout: float = 90
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        command(*words, options=options),
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class Program:
    """Run the program in the background, its output in files."""

    def __init__(self, env: dict[str, str], *words: str | Path, options: Sequence[str] = ()) -> None:
        folder = Path(env["HOME"])
        number = len(list(folder.glob("out*.txt")))
        self.out, self.err = folder / f"out{number}.txt", folder / f"err{number}.txt"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command(*words, options=options), env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    @property
    def errors(self) -> str:
        """Return what it wrote to stderr."""
        return self.err.read_text("utf-8", "replace")

    @property
    def runs(self) -> bool:
        """Say whether it has not ended yet."""
        return self.process.poll() is None

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return (exit code, stderr and what its log calls an error)."""
        until(lambda: not self.runs, f"the program to end; stderr so far: {self.errors}")
        return self.process.returncode, self.errors + self._logged()

    def _logged(self) -> str:
        logs = [path.read_text("utf-8") for path in self.out.parent.rglob("quantdesk.log")]
        return "".join(log[log.index(" ERROR ") :] for log in logs if " ERROR " in log)

    def end(self) -> None:
        """Make sure that it is gone."""
        if self.runs:
            self.process.kill()
        self.process.wait()


@contextmanager
def running(env: dict[str, str], *words: str | Path, options: Sequence[str] = ()) -> Iterator[Program]:
    """Run the program for the length of a block."""
    program = Program(env, *words, options=options)
    try:
        yield program
    finally:
        program.end()


class Screen:
    """Own an X server with a window manager and press keys in its windows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._env = environment(folder)
        read, write = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read, "rb") as told:
            number = told.readline().strip().decode()
        if not number:
            self._server.wait()
            raise RuntimeError("Xvfb did not start")
        self.display = f":{number}"
        self._env["DISPLAY"] = self.display
        self._manager = subprocess.Popen(
            ["openbox"], env=self._env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: self._xdotool("get_num_desktops").returncode == 0, "the window manager")

    def close(self) -> None:
        """End both."""
        for process in (self._manager, self._server):
            process.terminate()
            process.wait()

    def window(self, title: str) -> str:
        """Return the id of the visible window whose title matches, or nothing."""
        return self._xdotool("search", "--onlyvisible", "--name", title).stdout.strip().partition("\n")[0]

    def wait(self, title: str, program: Program) -> str:
        """Wait for a window; return its id."""

        def look() -> str:
            assert program.runs, f"it left with {program.process.returncode}: {program.errors}"
            return self.window(title)

        return until(look, f"a window titled {title!r}")

    def gone(self, title: str) -> None:
        """Wait until no such window is visible."""
        until(lambda: not self.window(title), f"the window titled {title!r} to go")

    def front(self, title: str, program: Program) -> None:
        """Wait until that window has the keyboard."""
        window = self.wait(title, program)

        def look() -> bool:
            if re.search(title, self._xdotool("getactivewindow", "getwindowname").stdout):
                return True
            self._xdotool("windowactivate", window)
            return False

        until(look, f"the window titled {title!r} to come to the front")

    def key(self, *keys: str) -> None:
        """Press keys, one after the other."""
        self._xdotool("key", "--clearmodifiers", "--delay", "40", *keys)

    def type(self, text: str) -> None:
        """Type into what has the keyboard, in place of what stands there."""
        self.key("ctrl+a")
        self._xdotool("type", "--clearmodifiers", "--delay", "12", text)

    def choose_file(self, keys: str, dialog: str, program: Program, *texts: str | Path) -> None:
        """Press the keys that open a file dialog and accept each text typed in it; the last one closes it."""
        self._open(keys, dialog, program)
        self.front(dialog, program)
        for text in texts:
            self.type(str(text))
            self.key("Return")

        def closed() -> bool:
            for _ in range(20):
                if not self.window(dialog):
                    return True
                time.sleep(0.05)
            self.key("Return")  # the list of completions may have taken the first one
            return False

        until(closed, f"the dialog {dialog!r} to close")

    def _open(self, keys: str, dialog: str, program: Program) -> None:
        """Press keys until the dialog is there: an action is off while there is nothing for it to do."""

        def opened() -> bool:
            self.front("quantdesk$", program)
            self.key(*keys.split())
            for _ in range(40):
                if self.window(dialog):
                    return True
                time.sleep(0.05)
            self.key("Escape")  # a menu that stays open
            return False

        until(opened, f"the dialog {dialog!r}")

    def write(self, text: str) -> None:
        """Type into what has the keyboard, sign by sign."""
        self._xdotool("type", "--clearmodifiers", "--delay", "30", text)

    def title(self, window: str) -> str:
        """Return what a window is called now."""
        return self._xdotool("getwindowname", window).stdout.strip()

    def fit(self, window: str, width: int, height: int) -> None:
        """Give a window a size, so that what lies in it can be pointed at."""
        self._xdotool("windowsize", "--sync", window, str(width), str(height))

    def minimise(self, window: str) -> None:
        """Put a window away."""
        self._xdotool("windowminimize", window)

    def corner(self, window: str) -> tuple[int, int]:
        """Return where on the screen a window's own area begins."""
        self.point(window, (0, 0))
        told = self._xdotool("getmouselocation", "--shell").stdout
        x, y = (int(line.partition("=")[2]) for line in told.splitlines()[:2])
        return x, y

    def point(self, window: str, at: Point) -> None:
        """Move the pointer to a place in a window."""
        self._xdotool("mousemove", "--window", window, *map(str, at))

    def click(self, window: str, at: Point, *, times: int = 1, button: int = 1) -> None:
        """Press and release a button of the pointer there, quickly enough for a double click."""
        self.point(window, at)
        self._xdotool("click", "--repeat", str(times), "--delay", "60", str(button))

    def wheel(self, window: str, at: Point, notches: int) -> None:
        """Turn the wheel there: towards the screen above 0."""
        self.click(window, at, times=abs(notches), button=4 if notches > 0 else 5)

    def drag(self, window: str, start: Point, end: Point, steps: int = 8) -> None:
        """Take hold at one place of a window, move to another in steps, let go."""
        self.point(window, start)
        self._xdotool("mousedown", "1")
        for step in range(1, steps + 1):
            share = step / steps
            self.point(window, tuple(round(a + (b - a) * share) for a, b in zip(start, end, strict=True)))
        self._xdotool("mouseup", "1")

    def ask_to_close(self, title: str, program: Program) -> None:
        """Close a window as its title bar does."""
        self.front(title, program)
        self.key("alt+F4")

    def picture(self, path: Path) -> None:
        """Save what the screen shows."""
        subprocess.run([sys.executable, "-c", _GRAB, str(path)], env=self._env, check=True, capture_output=True)

    def _xdotool(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["xdotool", *words], env=self._env, capture_output=True, text=True, timeout=30, check=False
        )


def need(*tools: str) -> None:
    """Skip without the tools; where the gate installs them (CI) their absence is a failure."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        words = f"not installed: {', '.join(missing)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)


@contextmanager
def dead_port() -> Iterator[int]:
    """Hold a loopback port on which nobody answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def pixels_of(path: Path, *colours: str, left: float = 0.0) -> int:
    """Count the pixels of a PNG, from a share of its width on, that have one of the colours (#rrggbb) exactly."""
    picture = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    assert not picture.isNull(), f"{path} is no picture"
    values = np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), -1) & 0xFFFFFF
    values = values[:, int(left * values.shape[1]) :]
    return int(np.isin(values, [int(colour[1:], 16) for colour in colours]).sum())


def write_pair(folder: Path, rows: int = 300) -> tuple[Path, Path]:
    """Write two files of daily bars that belong together."""
    paths = folder / "first leg.csv", folder / "zweites Bein ü.csv"
    for leg, path in enumerate(paths):
        lines = ["Date,Open,High,Low,Close,Volume"]
        for row in range(rows):
            wave = 3 * math.sin(row / 9) + 1.5 * math.sin(row / 2.3 + 1)
            close = (100 + wave) if leg else (40 + 1.5 * (100 + wave) + math.sin(row / 3.1))
            day = time.strftime("%Y-%m-%d", time.gmtime(1_600_000_000 + row * 86_400))
            lines.append(f"{day},{close - 0.5:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f},{1000 + row}")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths
