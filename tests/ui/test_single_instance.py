"""A second start hands its files to the first, through real sockets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from quantdesk.ui.single_instance import SingleInstance, socket_name

ROOT = Path(__file__).resolve().parents[2]
SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from quantdesk.ui.single_instance import SingleInstance
app = QCoreApplication([])
print(SingleInstance(Path(sys.argv[1])).hand_over([Path(p) for p in sys.argv[2:]]))
"""


@pytest.fixture
def first(qtbot: QtBot, tmp_path: Path) -> Iterator[SingleInstance]:
    instance = SingleInstance(tmp_path)
    assert not instance.hand_over([])
    assert instance.listen()
    yield instance
    instance.close()


def second_start(qtbot: QtBot, folder: Path, *files: str) -> str:
    process = subprocess.Popen(
        [sys.executable, "-c", SECOND, str(folder), *files], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    qtbot.waitUntil(lambda: process.poll() is not None, timeout=30_000)
    return process.communicate()[0].strip()


def test_a_second_start_hands_over_its_files(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    got: list[list[Path]] = []
    first.files_received.connect(got.append)
    assert second_start(qtbot, tmp_path, "/data/EWA.csv", "/data/名前 x.csv") == "True"
    assert got == [[Path("/data/EWA.csv"), Path("/data/名前 x.csv")]]


def test_a_second_start_without_files_still_raises_the_window(
    qtbot: QtBot, first: SingleInstance, tmp_path: Path
) -> None:
    got: list[list[Path]] = []
    first.files_received.connect(got.append)
    assert second_start(qtbot, tmp_path) == "True"
    assert got == [[]]


def test_two_data_folders_run_side_by_side(qtbot: QtBot, first: SingleInstance, tmp_path: Path) -> None:
    other = SingleInstance(tmp_path / "other")
    assert not other.hand_over([])
    assert other.listen()
    other.close()


def test_only_one_listens_in_a_folder(first: SingleInstance, tmp_path: Path) -> None:
    assert not SingleInstance(tmp_path).listen()


def test_a_socket_left_by_a_crash_is_replaced(qtbot: QtBot, tmp_path: Path) -> None:
    crash = SECOND.replace("print(SingleInstance(Path(sys.argv[1])).hand_over([Path(p) for p in sys.argv[2:]]))", "")
    crash += "one = SingleInstance(Path(sys.argv[1])); assert one.listen()\nimport os; os._exit(9)"
    assert subprocess.run([sys.executable, "-c", crash, str(tmp_path)], check=False, cwd=ROOT).returncode == 9
    assert Path(socket_name(tmp_path)).exists()
    instance = SingleInstance(tmp_path)
    assert not instance.hand_over([])
    assert instance.listen()
    instance.close()


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b'{"files": [1]}\n', b'{"files": ["rel.csv"]}\n', b"\xff\xfe\n"])
def test_what_is_no_message_of_ours_is_not_answered(
    qtbot: QtBot, first: SingleInstance, tmp_path: Path, line: bytes
) -> None:
    got: list[list[Path]] = []
    first.files_received.connect(got.append)
    socket = QLocalSocket()
    socket.connectToServer(socket_name(tmp_path))
    assert socket.waitForConnected(2_000)
    socket.write(line)
    socket.flush()
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState, timeout=8_000)
    assert bytes(socket.readAll().data()) == b"" and got == []


def test_a_long_path_gets_a_socket_of_a_short_name(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 150)
    assert len(socket_name(deep)) < 60
    assert socket_name(deep) != socket_name(deep / "x")
