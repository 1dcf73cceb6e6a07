"""The program writes into its data, settings and log folders alone; where it is installed nothing changes."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program.desks import ROOT, dead_port, environment, running, until

#: Notes every file that Python code opens for writing, makes, moves or binds, as a JSON line each.
WATCH = """
import json, os, runpy, sys
out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
def note(event, place):
    if isinstance(place, (str, bytes, os.PathLike)):
        os.write(out, (json.dumps([event, os.path.abspath(os.fsdecode(place))]) + "\\n").encode())
def hook(event, given):
    if event == "open" and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        note(event, given[0])
    elif event in ("os.mkdir", "os.truncate", "os.chmod"):
        note(event, given[0])
    elif event in ("os.rename", "os.link", "os.symlink"):
        note(event, given[1])
    elif event == "sqlite3.connect" and not str(given[0]).startswith("file:"):
        note(event, given[0])
    elif event == "socket.bind" and given[1] and isinstance(given[1], (str, bytes)):
        note(event, given[1])
sys.addaudithook(hook)
sys.argv = ["quantdesk", *sys.argv[2:]]
runpy.run_module("quantdesk", run_name="__main__", alter_sys=True)
"""


class Installed:
    """Own a read-only copy of the program, a home, and a folder to start it in; tell what has changed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.app, self.data = folder, folder / "app", folder / "data"
        self.app.mkdir()
        skipped = shutil.ignore_patterns("__pycache__")
        for name in ("quantdesk", "resources"):
            shutil.copytree(ROOT / name, self.app / name, ignore=skipped)
        shutil.copy(ROOT / "docker-compose.db.yml", self.app)
        assert compileall.compile_dir(self.app, quiet=2)  # as an installer does
        (folder / "started here").mkdir()
        self.env = {**environment(folder), "PYTHONPATH": str(self.app), "QT_QPA_PLATFORM": "offscreen"}
        self._log = folder / "watched.ndjson"
        self._log.touch()
        self._lock(True)
        self._before = self._state()

    def start(self, *words: str | Path, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", WATCH, str(self._log), *(str(word) for word in words)],
            env={**self.env, **more}, cwd=self.folder / "started here",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def changed(self) -> set[str]:
        """Return what is new, gone or different anywhere below the folder, home and temporary files among it."""
        return {name for name, _ in self._before ^ self._state()}

    def written(self) -> list[tuple[str, Path]]:
        """Return what the watch has noted: (event, path)."""
        lines = self._log.read_text("utf-8").splitlines()
        return [(event, Path(place)) for event, place in map(json.loads, lines)]

    def release(self) -> None:
        self._lock(False)

    def _state(self) -> set[tuple[str, object]]:
        found: set[tuple[str, object]] = set()
        for path in self.folder.rglob("*"):
            known = path.lstat()
            if path != self._log:
                mark = "" if path.is_dir() else (known.st_size, known.st_mtime_ns)
                found.add((str(path.relative_to(self.folder)), mark))
        return found

    def _lock(self, on: bool) -> None:
        for place in (self.app, *self.app.rglob("*")):
            mode = 0o555 if place.is_dir() else 0o444
            place.chmod(mode if on else mode | 0o200)


@pytest.fixture
def installed(folder: Path) -> Iterator[Installed]:
    made = Installed(folder)
    yield made
    made.release()


@pytest.fixture
def nowhere() -> Iterator[dict[str, str]]:
    with dead_port() as port:
        urls = {"QUANTDESK_WS_URL": f"ws://127.0.0.1:{port}", "QUANTDESK_REST_URL": f"http://127.0.0.1:{port}"}
        yield urls


def check(installed: Installed, *allowed: str) -> None:
    """Fail unless all that was written lies below the allowed folders or the system's temporary one, left empty."""
    places = [installed.folder / name for name in allowed]
    changed = {name for name in installed.changed() if not any(_below(installed.folder / name, p) for p in places)}
    assert changed == set()
    places += [Path(installed.env["TMPDIR"]), Path(os.devnull)]
    outside = [(event, path) for event, path in installed.written() if not any(_below(path, p) for p in places)]
    assert outside == []
    assert installed.written(), "the watch has seen something"


def _below(path: Path, place: Path) -> bool:
    return path == place or place in path.parents or path in place.parents


def test_a_picture_is_drawn_without_a_trace_elsewhere(installed: Installed, nowhere) -> None:
    picture = installed.data / "out.png"
    installed.data.mkdir()
    program = installed.start("--data-dir", installed.data, "--screenshot", picture, "--after", "1", **nowhere)
    said = program.communicate(timeout=90)[1]
    assert program.returncode == 0, said
    assert picture.stat().st_size > 10_000
    check(installed, "data")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to end it with on Windows")
@pytest.mark.parametrize("chosen", [True, False], ids=["a folder of one's own", "the system's folders"])
def test_the_desk_writes_into_its_own_folders_alone(installed: Installed, nowhere, chosen: bool) -> None:
    data = installed.data if chosen else installed.folder / "data_home" / "quantdesk"
    program = installed.start(*(("--data-dir", data) if chosen else ()), **nowhere)
    try:
        until(lambda: (data / "quantdesk.sqlite").exists() or program.poll() is not None, "the store")
        program.send_signal(signal.SIGTERM)
        said = program.communicate(timeout=60)[1]
    finally:
        program.kill()
        program.wait()
    assert program.returncode == 0, said
    if chosen:
        assert {path.name for path in data.iterdir()} >= {"quantdesk.sqlite", "config", "logs"}
        check(installed, "data")
    elif sys.platform.startswith("linux"):
        own = ("data_home/quantdesk", "config_home/quantdesk", "state_home/quantdesk")
        assert all((installed.folder / name).is_dir() for name in own)
        check(installed, *own)


def test_a_recording_writes_into_its_folder_alone(installed: Installed, tmp_path: Path) -> None:
    with running(environment(tmp_path), "simulate", "--rate", "5") as exchange:
        until(lambda: exchange.out.read_text("utf-8").endswith("\n"), "the exchange")
        told = json.loads(exchange.out.read_text("utf-8"))
        urls = {"QUANTDESK_WS_URL": told["ws_url"], "QUANTDESK_REST_URL": told["rest_url"]}
        program = installed.start("record", "--seconds", "4", "--data-dir", installed.data, **urls)
        said = program.communicate(timeout=90)
    assert program.returncode in (0, 3), said
    assert "BTCUSDT: " in said[0]
    names = {path.name for path in installed.data.iterdir()}
    assert names == {"quantdesk.sqlite", "quantdesk.sqlite.lock", "logs"}
    check(installed, "data")
