"""Killed while it spills or replays, or stopped by a full disk, a writer loses nothing it has put on disk."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantdesk.store.embedded import open_embedded
from quantdesk.types import Interval
from tests.store.samples import BTC, reference, rows, trades

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no limit on Windows")
ROOT = Path(__file__).resolve().parents[2]
COUNT = 30_000

_WRITE = """
import sys, time
from pathlib import Path
from quantdesk.config import StoreLimits
from quantdesk.store import sqlite_file
from quantdesk.store.embedded import open_embedded
from quantdesk.store.writer import StoreWriter
from tests.store.samples import BTC, trades
sqlite_file.BUSY_SECONDS = 0.02
limits = StoreLimits(batch_seconds=0.01, spill_after=0.0, first_retry=0.002, last_retry=0.01)
writer = StoreWriter(lambda: open_embedded(Path(sys.argv[1])), limits)
writer.start()
print("open", flush=True)
at, ticks = int(sys.stdin.readline()), trades(30_000)
while at < len(ticks):
    if writer.put_ticks(BTC, ticks[at : at + 20]):
        at += 20
    while writer.status.queued:
        time.sleep(0.0005)
    print(at, flush=True)
sys.stdin.readline()
"""


def child(path: Path, code: str = _WRITE) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None and process.stdout.readline() == "open\n"
    return process


def tell(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{text}\n")
    process.stdin.flush()


def killed(process: subprocess.Popen[str], words: int, seconds: float) -> int:
    """Kill a child some time after so many words; return how many trades it has said to be on disk."""
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(words)]
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    said += [int(line) for line in process.stdout.readlines() if line.endswith("\n")]
    process.wait(20)
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    return said[-1] if said else 0


def held(path: Path) -> list[int]:
    reader = open_embedded(path, read_only=True)
    try:
        return [int(i) for block in reader.load_ticks(BTC) for i in block.agg_id]
    finally:
        reader.close()


def test_kill_9_while_spilling_and_while_replaying_loses_nothing_on_disk(tmp_path: Path) -> None:
    path, chance = tmp_path / "store.sqlite", random.Random(6)
    open_embedded(path).close()
    safe = 0
    for turn in range(6):
        process = child(path)
        if turn % 2 == 0:  # killed while spilling: the database is locked by another program
            other = sqlite3.connect(path, isolation_level=None, timeout=20)
            other.execute("BEGIN EXCLUSIVE")
            tell(process, str(safe))
            safe = max(safe, killed(process, 4, chance.uniform(0.0, 0.3)))
            assert path.with_name("store.sqlite.spill").exists()
            other.execute("ROLLBACK")
            other.close()
        else:  # killed while what the one before has spilled is replayed, and new trades come
            tell(process, str(safe))
            safe = max(safe, killed(process, 0, chance.uniform(0.0, 0.15)))
    process = child(path)
    tell(process, str(COUNT))
    tell(process, "")
    process.communicate(timeout=60)
    store = open_embedded(path)  # what the last child left is replayed by the next writer only
    store.close()
    from quantdesk.store.writer import StoreWriter

    writer = StoreWriter(lambda: open_embedded(path))
    writer.start()
    assert writer.flush(30) and writer.call(lambda _: None).result(30) is None
    assert writer.stop(30)
    ids = held(path)
    assert ids == list(range(1, len(ids) + 1)) and len(ids) >= safe > 100
    reader = open_embedded(path, read_only=True)
    for interval in Interval:
        assert rows(reader.load_bars(BTC, interval.value).bars) == rows(reference(trades(COUNT)[: len(ids)], interval))
    reader.close()
    assert not path.with_name("store.sqlite.spill").exists()


_FULL = """
import resource, sys, time
from dataclasses import replace
from pathlib import Path
from quantdesk.config import StoreLimits
from quantdesk.store.embedded import open_embedded
from quantdesk.store.writer import StoreWriter
from tests.store.samples import BTC, trades
limits = StoreLimits(batch_seconds=0.01, spill_after=0.0, first_retry=0.002, last_retry=0.01, queue_rows=2_000)
writer = StoreWriter(lambda: open_embedded(Path(sys.argv[1])), limits)
writer.start()
print("open", flush=True)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
taken = 0
for tick in trades(60_000):
    while not (done := writer.put_ticks(BTC, [tick])) and "recording has stopped" not in writer.status.text:
        time.sleep(0.001)  # merely slow
    if not done:
        break
    taken = tick.agg_id
    if taken % 500 == 0:
        time.sleep(0.01)
print(writer.status.text, flush=True)
print(writer.status.spilled, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
assert writer.flush(30)
print(writer.status.light.value, flush=True)
writer.stop()
print(taken, flush=True)
"""


def test_a_full_disk_refuses_loudly_and_keeps_what_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    open_embedded(path).close()
    process = child(path, _FULL)
    out, _ = process.communicate(timeout=90)
    words, spilled, light, taken = out.splitlines()
    assert "recording has stopped and new trades are refused" in words and "spill file" in words
    assert int(spilled) > 0 and light == "green"
    assert 2_000 < int(taken) < 60_000
    assert held(path) == list(range(1, int(taken) + 1))
