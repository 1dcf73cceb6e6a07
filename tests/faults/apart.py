"""Run an exchange as a program of its own; what it generates is known by its seed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from quantdesk.config import Endpoints
from quantdesk.simulator.market import TradeColumns
from quantdesk.simulator.synthetic import SyntheticSource
from tests.faults.harness import VENUE
from tests.faults.reference import Made, made


@dataclass
class Apart:
    """Hold an exchange that runs as a program of its own; its market is known by the seed."""

    process: asyncio.subprocess.Process
    endpoints: Endpoints
    source: SyntheticSource

    def last_id(self, symbol: str, at_ms: int) -> int:
        """Return the newest id published by a time, at once."""
        for minute in (at_ms // 60_000, at_ms // 60_000 - 1):
            block = self.source.trades(symbol, minute)
            published = block.ids[block.event <= at_ms]
            if len(published):
                return int(published[-1])
        raise ValueError("nothing was published for a minute")

    def made(self, symbol: str, start_ms: int, end_ms: int) -> list[Made]:
        """Return what it generated with T in the minutes of [start, end]."""
        listing = next(each for each in self.source.listings if each.symbol == symbol)
        minutes = range(start_ms // 60_000 - 1, end_ms // 60_000 + 2)
        return made(listing, TradeColumns.joined([self.source.trades(symbol, minute) for minute in minutes]))


@asynccontextmanager
async def apart(rate: float, seed: int = 7) -> AsyncIterator[Apart]:
    """Run ``quantdesk simulate``, so that a busy client does not slow the exchange down."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "quantdesk", "simulate", "--seed", str(seed), "--rate", str(rate)),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    try:
        assert process.stdout is not None
        said = json.loads(await process.stdout.readline())
        yield Apart(process, Endpoints(said["ws_url"], said["rest_url"], VENUE), SyntheticSource(seed, rate))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
