"""A writing process that is killed loses no acknowledged trade and leaves a sound store."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from quantdesk.store.embedded import open_embedded
from quantdesk.types import Interval
from tests.store.samples import BTC, reference, rows, trades

_WRITE = """
import sys
from pathlib import Path
from quantdesk.store.embedded import open_embedded
from quantdesk.store.writer import StoreWriter
from tests.store.samples import BTC, trades
writer = StoreWriter(lambda: open_embedded(Path(sys.argv[1])))
writer.start()
last = writer.call(lambda store: store.last_tick(BTC)).result()
ticks = trades(60_000)
at = last[0] if last else 0  # ids start at 1
print(at, flush=True)
while at < len(ticks):
    writer.put_ticks(BTC, ticks[at : at + 20])
    at += 20
    writer.flush(60)
    print(at, flush=True)
"""


def write_until_killed(path: Path, seconds: float) -> int:
    """Return the last id that the process said was stored."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", _WRITE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        killer = threading.Timer(seconds, lambda: os.kill(process.pid, signal.SIGKILL))
        killer.start()
        said += process.stdout.readlines()
        killer.join()
    return int([line for line in said if line.endswith("\n")][-1])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_ten_kills_lose_no_acknowledged_trade_and_double_none(tmp_path: Path) -> None:
    path, chance = tmp_path / "store.sqlite", random.Random(4)
    for _ in range(10):
        acknowledged = write_until_killed(path, chance.uniform(0.0, 0.3))
        reader = open_embedded(path, read_only=True)
        ids = [int(i) for block in reader.load_ticks(BTC) for i in block.agg_id]
        assert ids == list(range(1, len(ids) + 1))
        assert len(ids) >= acknowledged
        ticks = trades(60_000)[: len(ids)]
        for interval in Interval:
            assert rows(reader.load_bars(BTC, interval.value).bars) == rows(reference(ticks, interval))
        assert ids == [] or reader.find("BTCUSDT")[0].ticks == len(ids)
        reader.close()
    store = open_embedded(path)
    store.close()
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_kill_while_the_store_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from quantdesk.store import embedded, sqlite_file, schema\n"
    code += "import os\ndef die(*_): os.kill(os.getpid(), 9)\n"
    for number, place in enumerate(
        ("sqlite_file.create_tables", "embedded.prepare", "embedded.EmbeddedStore.__init__")
    ):
        path = tmp_path / f"{number}.sqlite"
        script = code + f"{place} = die\nembedded.open_embedded(Path(sys.argv[1]))"
        root = Path(__file__).resolve().parents[2]
        assert subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, check=False).returncode == -9
        store = open_embedded(path)
        assert store.append_ticks(BTC, trades(4)) == 4
        store.close()
