"""Run a second program that writes trades to a store: it can be killed, stopped and asked, as another recorder can."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quantdesk.store.address import StoreAddress
from tests.faults.programs import secret_url

ROOT = Path(__file__).resolve().parents[2]

_PROGRAM = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from quantdesk.config import StoreLimits
from quantdesk.store.address import parse_address
from quantdesk.store.opening import open_store
from quantdesk.store.writer import StoreWriter
from tests.store.samples import BTC, trades
url, folder, lease = json.loads(sys.stdin.readline())
limits = StoreLimits(lease_seconds=lease)
writer = StoreWriter(lambda: open_store(parse_address(url, Path(folder)), limits), limits)
writer.start()
print("ready", flush=True)
for line in sys.stdin:
    word, *numbers = line.split()
    if word == "put":
        first, last = map(int, numbers)
        writer.put_ticks(BTC, trades(last)[first - 1:])
        flushed = writer.flush(60)
    said = {**asdict(writer.status), "takeovers": len(writer.takeovers()), "flushed": word != "put" or flushed}
    print(json.dumps(said), flush=True)
writer.stop()
"""


class Rival:
    """Hold the other program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, words: str = "status") -> dict[str, Any]:
        """Let it do something ("put 1 100": write these ids) and return its status then."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def end(self) -> None:
        """Let it stop cleanly."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0


@contextmanager
def rival(address: StoreAddress, folder: Path, lease: float) -> Iterator[Rival]:
    """Run another program on a server around a block."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = secret_url(address)
        process.stdin.write(json.dumps([url, str(folder), lease]) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        yield Rival(process)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
