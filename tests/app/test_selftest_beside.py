"""The desk runs the self-test beside itself, with progress and Cancel, and can be closed meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from quantdesk.app.selftest.beside import SelfTest
from quantdesk.cli import desk_parser
from quantdesk.ui.self_test import SelfTestFlow


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep temporary folders where they can be counted."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


@pytest.fixture
def run(qtbot: QtBot, place: Path, tmp_path: Path) -> Iterator[SelfTest]:
    made = SelfTest(SelfTestFlow(), desk_parser().parse_args(["--data-dir", str(tmp_path / "data")]))
    yield made
    if made._process is not None:
        made.stop()


def programs(place: Path) -> int:
    """Count the processes, whoever their parent is now, that work below a folder."""
    lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return sum(any(str(place) in word for word in line) for line in lines)


def test_rows_come_one_by_one_and_the_whole_report_at_the_end(qtbot: QtBot, run: SelfTest, place: Path) -> None:
    flow, shares = run._flow, []
    flow.changed.connect(lambda: shares.append(flow.share))
    flow.start()
    flow.start()
    qtbot.waitUntil(lambda: not flow.is_running, timeout=100_000)
    assert flow.report.startswith("quantdesk ")
    assert flow.report.endswith(" failures"), flow.report
    assert flow.words == f"Self-test: {flow.report.splitlines()[-1]}."
    assert " 0 failures" in flow.words, flow.report
    assert len({share for share in shares if 0 < share < 1}) > 2
    assert list(place.iterdir()) == []


def test_cancel_ends_all_of_it_and_it_can_be_run_again(qtbot: QtBot, run: SelfTest, place: Path) -> None:
    flow = run._flow
    flow.start()
    qtbot.waitUntil(lambda: flow.share > 0, timeout=60_000)
    flow.cancel_requested.emit()
    qtbot.waitUntil(lambda: not flow.is_running, timeout=20_000)
    assert flow.words == "The self-test was cancelled."
    assert flow.report.endswith("The self-test was cancelled.")
    qtbot.waitUntil(lambda: not programs(place), timeout=20_000)
    assert list(place.iterdir()) == []
    flow.start()
    assert flow.is_running


def test_a_desk_that_closes_takes_it_along(qtbot: QtBot, run: SelfTest, place: Path) -> None:
    flow = run._flow
    flow.start()
    qtbot.waitUntil(lambda: programs(place) > 1, timeout=60_000)
    run.stop()
    qtbot.waitUntil(lambda: not programs(place), timeout=20_000)
    assert list(place.iterdir()) == []
    flow.cancel_requested.emit()
    run.stop()


def test_a_program_that_does_not_start_is_told(
    qtbot: QtBot, run: SelfTest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(place / "nothing"))
    run._flow.start()
    qtbot.waitUntil(lambda: not run._flow.is_running, timeout=20_000)
    assert run._flow.words.startswith("The self-test did not start: ")
    assert list(place.iterdir()) == []


def test_a_database_goes_through_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from quantdesk.app.selftest.itself import command, environment

    monkeypatch.setenv("QUANTDESK_DATABASE_URL", "postgresql://me:geheim@elsewhere/base")
    url = "postgresql://me@host/base"
    args = desk_parser().parse_args(["--data-dir", str(tmp_path), "--database", url])
    assert url not in command(args)
    assert str(tmp_path) in command(args)
    assert environment(args, {"QUANTDESK_DATABASE_URL": "other"})["QUANTDESK_DATABASE_URL"] == url
    assert not any("geheim" in word for word in command(desk_parser().parse_args([])))
