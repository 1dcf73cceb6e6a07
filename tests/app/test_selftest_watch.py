"""A check that hangs or crashes is one row, and hides no other; nothing stays behind."""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from quantdesk.app.selftest.findings import Result, Row
from quantdesk.app.selftest.plan import CHECKS, PLATFORM
from quantdesk.app.selftest.watch import watched
from quantdesk.cli import desk_parser, main
from tests.program.desks import ROOT, command, environment, until

#: From the window on, without the picture, which takes its time.
SCREEN = [check for check in CHECKS if check.name in (PLATFORM, "fonts")]


@pytest.fixture
def args(tmp_path: Path) -> argparse.Namespace:
    made = desk_parser().parse_args(["--data-dir", str(tmp_path / "data"), "--selftest"])
    assert isinstance(made, argparse.Namespace)
    return made


def rows_of(args: argparse.Namespace, folder: Path, limit: float) -> dict[str, Row]:
    checks = [replace(check, limit=limit) if check.name == PLATFORM else check for check in SCREEN]
    found: dict[str, Row] = {}
    rows = watched(args, folder, checks)
    for row in rows:
        found[row.check] = row
        if row.check == "fonts":
            break
    rows.close()  # type: ignore[attr-defined]  # it is a generator
    return found


def test_a_crash_of_qt_is_one_failed_row(args, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "nonsense")
    monkeypatch.setenv("DISPLAY", "somewhere:1")
    rows = rows_of(args, tmp_path, 60)
    found = rows[PLATFORM].finding
    assert found.result is Result.FAILED
    assert "crashed (SIGABRT)" in found.words
    assert 'Could not find the Qt platform plugin "nonsense"' in found.words
    assert rows["fonts"].finding.result is Result.OK


@contextmanager
def silent_screen() -> Iterator[str]:
    """Be an X server that takes connections and never says a word; yield its DISPLAY."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        number = next(n for n in range(700, 800) if not bound(server, n))
        server.listen()
        yield f":{number}"


def bound(server: socket.socket, number: int) -> bool:
    """Say whether the display is taken; take it otherwise."""
    try:
        server.bind(f"\0/tmp/.X11-unix/X{number}")
    except OSError:
        return True
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="X11's abstract sockets are Linux's")
def test_a_screen_that_hangs_is_one_failed_row(args, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    with silent_screen() as display:
        monkeypatch.setenv("DISPLAY", display)
        rows = rows_of(args, tmp_path, 3)
    assert rows[PLATFORM].finding.result is Result.FAILED
    assert rows[PLATFORM].finding.words == "did not end within 3 s"
    assert rows["fonts"].finding.result is Result.OK
    left = [child.cmdline() for child in psutil.Process().children()]
    assert not any("--selftest-part" in line for line in left)


@pytest.mark.skipif(sys.platform != "linux", reason="X11's abstract sockets are Linux's")
def test_a_part_that_hangs_leaves_with_the_program_that_started_it(tmp_path) -> None:
    report = tmp_path / "part.ndjson"
    words = command("--selftest-part", PLATFORM, "--report", report)
    with silent_screen() as display:
        env = environment(tmp_path, DISPLAY=display, QT_QPA_PLATFORM="xcb")
        with subprocess.Popen(words, env=env, cwd=ROOT, stdin=subprocess.PIPE) as part:
            try:
                until(lambda: report.exists() and report.read_text("utf-8"), "the check to begin")
                assert part.poll() is None
                part.stdin.close()
                assert part.wait(30) == 1
            finally:
                part.kill()
    assert "result" not in report.read_text("utf-8")


def test_a_self_test_that_is_told_to_stop_leaves_nothing(tmp_path) -> None:
    env = environment(tmp_path)
    with subprocess.Popen(command("--selftest"), env=env, cwd=ROOT, stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        until(lambda: psutil.Process(run.pid).children(), "a part")
        run.terminate()
        assert run.wait(30) == 143
    assert list(Path(env["TMPDIR"]).iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("--selftest", "a.csv"),
        ("--selftest", "--simulate"),
        ("--selftest", "--screenshot", "a.png"),
        ("--report", "r.txt"),
        ("--selftest", "--database", "postgresql://me:geheim@host/base"),
        ("--selftest-part", "no such check", "--report", "r.txt"),
        ("--selftest-part", "fonts"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_beside_it_is_wrong_use(words, capsys) -> None:
    assert main(list(words)) == 2
    assert "geheim" not in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_told(tmp_path, capsys) -> None:
    assert main(["--selftest", "--report", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err
