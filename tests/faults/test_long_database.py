"""The server's part of the fault matrix in its long form. By hand: ``pytest -m long tests/faults``."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from quantdesk.config import StoreLimits
from quantdesk.store.base import Reader
from quantdesk.store.opening import open_reader
from quantdesk.types import Instrument
from tests.faults import programs
from tests.faults.databases import Database, accounts, database, recovered, told, whole
from tests.faults.harness import PAIR, REAL, Market, Session, market, session
from tests.faults.readers import ask_reader, start_reader
from tests.servers import DatabaseServer

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="the server for tests runs on Linux"),
]
seeds = pytest.mark.parametrize("seed", [1, 2, 3])
MINUTES = 5.0


@pytest.fixture
def base(own_server: DatabaseServer, tmp_path: Path) -> Iterator[Database]:
    with database(own_server, tmp_path) as made:
        yield made


async def _watch(run: Session, most: list[int]) -> None:
    """Note the most trades that ever waited in memory, and the most memory taken."""
    process = psutil.Process()
    while True:
        most[0] = max(most[0], run.writer.status.queued)
        most[1] = max(most[1], process.memory_info().rss)
        await asyncio.sleep(0.05)


@seeds
async def test_row_18_twenty_kills_of_the_server_under_load(base: Database, seed: int) -> None:
    chance, limits = random.Random(seed), StoreLimits()
    async with market(300.0, seed=seed) as at, session(at.endpoints, base.address, limits=REAL, store=limits) as run:
        await run.flowing(100)
        begun, most = psutil.Process().memory_info().rss, [0, 0]
        watching = asyncio.create_task(_watch(run, most))
        for _ in range(20):
            await asyncio.sleep(chance.uniform(0.2, 3.0))
            await base.kill()
            await asyncio.sleep(chance.uniform(0.0, 3.0))
            await base.restart()
        over = time.monotonic()
        await recovered(run, 60)
        seconds = time.monotonic() - over
        watching.cancel()
        print(
            f"seed {seed}: caught up {seconds:.1f} s after the last of 20 restarts,"
            f" at most {most[0]:,} trades in memory, {(most[1] - begun) / 1e6:.0f} MB more than at the start"
        )
        assert seconds < 30
        assert most[0] <= limits.queue_rows
        assert most[1] - begun < 200e6
        await run.flowing()
        await whole(at, run, base.address)


async def test_row_18_a_locked_table_is_told_and_waited_for(base: Database) -> None:
    async with market(60.0) as at, session(at.endpoints, base.address, limits=REAL) as run:
        await run.flowing(50)
        holding = asyncio.create_task(
            base.sql("BEGIN", "LOCK TABLE quantdesk.ticks IN EXCLUSIVE MODE", "SELECT pg_sleep(9)", "COMMIT")
        )
        await told(run, "is busy: another program holds a lock")
        await holding
        await recovered(run)
        await whole(at, run, base.address)


@dataclass
class _Recorders:
    """Hold two recording programs, and kill one of them now and then."""

    at: Market
    base: Database
    folder: Path
    chance: random.Random
    running: list[Process] = field(default_factory=list)
    kills: int = 0

    async def start(self) -> None:
        process = await programs.start(self.at.endpoints, self.folder, database=self.base.address)
        self.running.append(process)
        await programs.live(process)

    async def kill_one(self) -> None:
        process = self.running.pop(self.chance.randrange(2))
        process.kill()
        await process.communicate()
        self.kills += 1

    async def end(self) -> list[tuple[int, str, str]]:
        said = []
        for process in self.running:
            process.send_signal(signal.SIGTERM)
            said.append(await programs.ended(process))
        return said


async def _stall(reader: Reader, venue: str, worst: list[float]) -> None:
    """Note the longest time in which nothing new was stored of a symbol."""
    instruments = [Instrument(venue, symbol) for symbol in PAIR]
    seen = {each: ((0, 0), time.monotonic()) for each in instruments}
    while True:
        for each in instruments:
            last = await asyncio.to_thread(reader.last_tick, each)
            if last is not None and last != seen[each][0]:
                seen[each] = last, time.monotonic()
            worst[0] = max(worst[0], time.monotonic() - seen[each][1])
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("seed", [1])
async def test_two_recorders_and_three_readers_for_five_minutes(base: Database, tmp_path: Path, seed: int) -> None:
    chance, worst = random.Random(seed), [0.0]
    async with market(40.0, seed=seed) as at:
        began, venue = at.now_ms(), programs.venue(at.endpoints)
        both = _Recorders(at, base, tmp_path, chance)
        await both.start()
        await both.start()
        await asyncio.sleep(3)
        readers = [await start_reader(base.address, tmp_path, venue, PAIR) for _ in range(3)]
        own = open_reader(base.address)
        watching = asyncio.create_task(_stall(own, venue, worst))
        until = time.monotonic() + MINUTES * 60
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(5.0, 20.0))
            await both.kill_one()
            await asyncio.sleep(chance.uniform(0.0, 3.0))
            await both.start()
        await asyncio.sleep(16)  # the last one killed may have been the one that wrote
        through = at.now_ms()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        own.close()
        said = await both.end()
        assert [code for code, _, _ in said] == [0, 0], said
        seen = [await ask_reader(reader) for reader in readers]
        print(f"{both.kills} kills, nothing new for at most {worst[0]:.1f} s, looks {[each['looks'] for each in seen]}")
        assert worst[0] < 15
        for each in seen:
            assert (each["troubles"], each["back"]) == ([], 0)
            assert each["digests"] == seen[0]["digests"]
        await asyncio.to_thread(programs.assert_recorded, at, base.address, through, since=began + 10_000)
        for account in await asyncio.to_thread(accounts, base.address, PAIR, venue):
            assert account.complete
            print(f"{account.instrument.symbol}: {account.stored:,} trades, {len(account.gaps)} gaps were filled")
