"""One process at a time writes to a store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quantdesk.store.base import StoreBusyError, StoreError
from quantdesk.store.embedded import open_embedded
from quantdesk.store.lock import WriterLock
from tests.store.samples import BTC, trades

_HOLD = """
import sys
from pathlib import Path
from quantdesk.store.embedded import open_embedded
store = open_embedded(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path: Path):
    path = tmp_path / "store.sqlite"
    command = [sys.executable, "-c", _HOLD, str(path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    assert holder.stdout is not None and holder.stdout.readline() == "open\n"
    yield holder, path
    holder.kill()
    holder.communicate()


def test_a_second_process_is_told_who_writes_and_may_read(other_process) -> None:
    holder, path = other_process
    with pytest.raises(StoreBusyError, match=f"process {holder.pid}"):
        open_embedded(path)
    reader = open_embedded(path, read_only=True)
    assert reader.instruments() == []
    reader.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_the_lock_of_a_killed_process_is_free_at_once(other_process) -> None:
    holder, path = other_process
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    store = open_embedded(path)
    assert store.append_ticks(BTC, trades(3)) == 3
    store.close()


def test_a_second_store_in_the_same_process_is_refused_until_the_first_closes(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    first = open_embedded(path)
    with pytest.raises(StoreBusyError, match=f"process {os.getpid()}"):
        open_embedded(path)
    first.close()
    open_embedded(path).close()


def test_a_lock_let_go_twice_is_let_go_once(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "store.sqlite")
    lock.release()
    lock.release()
    WriterLock(tmp_path / "store.sqlite").release()


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write beside the store"):
        open_embedded(tmp_path / "absent" / "store.sqlite")
