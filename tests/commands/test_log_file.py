"""The log rotates, also while two programs write it, and never troubles the one who logs."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.commands.log_file import FILE_NAME, SharedLogFile, start_log, stop_log

ROOT = Path(__file__).resolve().parents[2]
LINES = 2_000


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("quantdesk.tests.log")
    found.propagate = False
    found.setLevel(logging.INFO)
    yield found
    for target in list(found.handlers):
        found.removeHandler(target)
        target.close()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def text_of(folder: Path) -> list[str]:
    return [line for path in folder.iterdir() for line in path.read_text("utf-8").splitlines()]


def test_full_files_are_kept_up_to_a_number_and_no_line_is_split(tmp_path: Path, logger) -> None:
    logger.addHandler(SharedLogFile(tmp_path / "a.log", most_bytes=1_000, kept=2))
    for number in range(100):
        logger.info("%04d %s", number, "x" * 40)
    assert len(files(tmp_path)) == 3
    assert files(tmp_path)[0] == "a.log"
    lines = text_of(tmp_path)
    assert all(len(line) == 45 for line in lines)
    assert max(lines)[:4] == "0099"
    assert all(path.stat().st_size <= 1_046 for path in tmp_path.iterdir())


def test_two_programs_share_a_file_that_rotates_and_lose_no_line(tmp_path: Path) -> None:
    code = (
        "import logging, sys; from pathlib import Path\n"
        "from quantdesk.commands.log_file import SharedLogFile\n"
        "log = logging.getLogger('shared'); log.setLevel(logging.INFO)\n"
        "log.addHandler(SharedLogFile(Path(sys.argv[1]), most_bytes=20_000, kept=400))\n"
        f"for k in range({LINES}): log.info('%s %04d %s', sys.argv[2], k, 'x' * 30)\n"
    )
    path = tmp_path / "a.log"
    command = [sys.executable, "-c", code, str(path)]
    running = [subprocess.Popen([*command, name], cwd=ROOT, stderr=subprocess.PIPE, text=True) for name in "ab"]
    said = [program.communicate(timeout=60)[1] for program in running]
    assert said == ["", ""]
    lines = text_of(tmp_path)
    assert sorted(line[:6] for line in lines) == sorted(f"{name} {k:04d}" for name in "ab" for k in range(LINES))
    assert all(line.endswith("x" * 30) for line in lines)
    assert len(files(tmp_path)) > 5, "it has rotated"


def test_a_file_that_may_not_be_renamed_is_written_on(tmp_path: Path, logger, monkeypatch, capsys) -> None:
    """Windows refuses to rename a file that another program has open this moment."""
    logger.addHandler(SharedLogFile(tmp_path / "a.log", most_bytes=100, kept=2))

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        for number in range(4):
            logger.info("%04d %s", number, "x" * 40)
        assert [line[:4] for line in text_of(tmp_path)] == ["0000", "0001", "0002", "0003"]
        for number in range(4, 100):
            logger.info("%04d %s", number, "x" * 40)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 700
        assert files(tmp_path) == ["a.log"]
    for number in range(100, 110):
        logger.info("%04d %s", number, "x" * 40)
    assert len(files(tmp_path)) == 3, "it rotates again"
    assert capsys.readouterr().err == ""


def test_lines_wait_for_a_disk_that_takes_none(tmp_path: Path, logger, monkeypatch, capsys) -> None:
    logger.addHandler(SharedLogFile(tmp_path / "a.log"))

    def full(self: Path, *words: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", full)
        logger.info("first")
        logger.error("second")
    assert text_of(tmp_path) == []
    logger.info("third")
    assert text_of(tmp_path) == ["first", "second", "third"]
    assert capsys.readouterr().err == ""


def test_a_log_that_was_deleted_begins_anew(tmp_path: Path, logger) -> None:
    logger.addHandler(SharedLogFile(tmp_path / "a.log"))
    logger.info("first")
    (tmp_path / "a.log").unlink()
    # Past the logger: pytest keeps what goes through it, and cannot pass half a character on.
    logger.handlers[-1].handle(logging.makeLogRecord({"msg": "second ü\ud800", "levelno": logging.INFO}))
    assert text_of(tmp_path) == ["second ü\\ud800"]


def test_the_log_starts_below_its_folder_and_stops(tmp_path: Path, capsys) -> None:
    before = list(logging.getLogger().handlers)
    try:
        assert start_log(tmp_path / "logs", terminal=True) == tmp_path / "logs" / FILE_NAME
        logging.getLogger("quantdesk.some").warning("a warning")
        logging.getLogger("aiohttp.access").info("noise")
    finally:
        stop_log()
    (line,) = text_of(tmp_path / "logs")
    assert line.endswith("quantdesk.some: a warning")
    assert "a warning" in capsys.readouterr().err
    assert logging.getLogger().handlers == before


def test_without_a_place_for_it_there_is_no_log_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    assert start_log(tmp_path / "logs") is None
