"""Run a program that only looks at a server's store, again and again, as an attached desk does."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from quantdesk.store.address import StoreAddress
from tests.faults.programs import ROOT, secret_url

_PROGRAM = """
import hashlib, json, sys, threading
from pathlib import Path
from quantdesk.store.address import parse_address
from quantdesk.store.base import StoreError
from quantdesk.store.opening import open_reader
from quantdesk.types import Instrument
url, folder, venue, symbols = json.loads(sys.stdin.readline())
reader = open_reader(parse_address(url, Path(folder)))
pair = [Instrument(venue, symbol) for symbol in symbols]
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
looks, troubles, back = 0, [], 0
last = {each: 0 for each in pair}
while not ended.wait(0.3):
    for each in pair:
        try:
            newest = reader.last_tick(each)
            reader.load_bars(each, "1s", limit=300)
        except StoreError as error:
            troubles.append(str(error))
            continue
        looks += 1
        if newest is not None:
            back += newest[0] < last[each]
            last[each] = newest[0]
digests = {}
for each in pair:
    for interval in ("1s", "1m", "5m"):
        found = reader.load_bars(each, interval)
        columns = [getattr(found.bars, name).tobytes() for name in found.bars.__slots__]
        whole = b"".join(columns) + repr(found.origin).encode()
        digests[f"{each.symbol} {interval}"] = [len(found.bars), hashlib.sha256(whole).hexdigest()]
print(json.dumps({"looks": looks, "troubles": troubles, "back": back, "digests": digests}), flush=True)
"""


async def start_reader(address: StoreAddress, folder: Path, venue: str, symbols: tuple[str, ...]) -> Process:
    """Start a reader."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    assert process.stdin is not None
    process.stdin.write((json.dumps([secret_url(address), str(folder), venue, symbols]) + "\n").encode())
    await process.stdin.drain()
    return process


async def ask_reader(process: Process) -> dict[str, Any]:
    """End a reader; return what it has seen and what it sees now."""
    out, err = await process.communicate(b"")
    assert (process.returncode, err) == (0, b""), err.decode()
    found: dict[str, Any] = json.loads(out)
    return found
