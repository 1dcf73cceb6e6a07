"""Fault matrix, rows 21 to 23: a blocked loop, a flood, and many subscriptions."""

from __future__ import annotations

import asyncio
import gc
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from quantdesk.feed.binance import Route
from quantdesk.simulator.faults import Limits
from tests.faults.apart import Apart, apart
from tests.faults.harness import PAIR, QUICK, REAL, Heard, Session, assert_whole, market, session, until

#: Ten times the recorded mean, trades and best quotes of two symbols together (frames a second).
FLOOD = 4_500
QUOTES = 40


async def settle(at: Apart, run: Session, path: Path, began: int) -> None:
    """End a session on an exchange that runs apart, and hold it against what that one generated."""
    through = time.time_ns() // 1_000_000 - 100
    await run.end()
    await asyncio.to_thread(run.writer.flush, 30)
    for symbol in PAIR:
        trades = at.made(symbol, began, through)
        assert_whole(path, trades, symbol, through=through, heard=run.heard)


@pytest.mark.parametrize("seconds", [3.0, pytest.param(10.0, marks=[pytest.mark.long, pytest.mark.timeout(200)])])
async def test_row_21_a_blocked_loop_drops_no_trade_and_joins_quotes(tmp_path: Path, seconds: float) -> None:
    limits = replace(REAL, gap_collect=0.1)
    async with apart(150.0) as at:
        began = time.time_ns() // 1_000_000
        async with session(at.endpoints, tmp_path, limits=limits) as run:
            await run.flowing(50)
            await until(run.is_live)
            messages, quotes = run.ingest.tally.messages, sum(run.heard.quotes.values())
            time.sleep(seconds)  # noqa: ASYNC251  # the point: the screen holds up the loop
            await until(lambda: run.ingest.tally.messages - messages > 300 * seconds)
            await run.healed()
            frames = run.ingest.tally.messages - messages
            shown = sum(run.heard.quotes.values()) - quotes
            assert shown < frames / 4, "the quotes of a blocked time are joined"
            assert run.ingest.status.reconnects == 0, "a block of our own is no fault of the line"
            await settle(at, run, tmp_path, began)


async def _flood(tmp_path: Path, seconds: float, seed: int) -> None:
    async with apart((FLOOD - QUOTES) / 2, seed) as at:
        began = time.time_ns() // 1_000_000
        async with session(at.endpoints, tmp_path, limits=REAL) as run:
            await run.flowing(100)
            messages, started = run.ingest.tally.messages, time.monotonic()
            deepest = 0
            while time.monotonic() - started < seconds:
                await asyncio.sleep(0.25)
                deepest = max(deepest, run.writer.status.queued)
            stop = time.time_ns() // 1_000_000
            rate = (run.ingest.tally.messages - messages) / (time.monotonic() - started)
            ended = time.monotonic()
            due = {s: at.last_id(s, stop) for s in PAIR}
            # Caught up: what had been published when the flood was over is on disk.
            await until(lambda: all(run.ingest.legs[s].sequencer.expected > due[s] for s in PAIR))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(run.writer.flush, 30)
            behind = time.monotonic() - ended
            print(f"{rate:.0f} frames/s, {deepest} rows queued at most, caught up after {behind:.2f} s")
            assert behind < 5
            assert rate > FLOOD * 0.9
            assert run.ingest.status.reconnects == 0
            await settle(at, run, tmp_path, began)


async def test_row_22_a_flood_is_caught_up_with(tmp_path: Path) -> None:
    await _flood(tmp_path, 4.0, 7)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_row_22_a_minute_of_flood_is_caught_up_with(tmp_path: Path, seed: int) -> None:
    await _flood(tmp_path, 60.0, seed)


class Counting(Heard):
    """Count instead of keeping, so that what grows is the program's."""

    def on_status(self, status: object) -> None:
        pass


def sizes() -> tuple[int, int, int]:
    """Return tasks, open files and resident bytes of this process."""
    gc.collect()
    process = psutil.Process()
    files = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    return len(asyncio.all_tasks()), files, process.memory_info().rss


async def _cycles(tmp_path: Path, count: int, warm: int) -> None:
    limits = replace(QUICK, control_per_second=200)
    generous = Limits(weight_per_minute=100_000_000, messages_per_second=100_000)
    async with (
        market(80.0, limits=generous) as at,
        session(at.endpoints, tmp_path, limits=limits, heard=Counting()) as run,
    ):
        await run.flowing()
        before = sizes()
        for number in range(count):
            if number == warm:
                before = sizes()
            told = len(run.heard.ids.get("SOLUSDT", ()))
            await run.ingest.add_symbol("SOLUSDT")
            await until(lambda told=told: len(run.heard.ids.get("SOLUSDT", ())) > told)
            await run.ingest.remove_symbol("SOLUSDT")
            await until(lambda: not any("solusdt" in s for s in at.server.streams.streams_wanted("market")))
        after = sizes()
        print(f"tasks, files, bytes: {before} -> {after}")
        assert after[0] <= before[0] + 3
        assert after[1] <= before[1] + 3
        assert after[2] - before[2] < 32_000_000
        wanted = sum("solusdt@aggTrade" in c.params for c in at.server.streams.controls)
        assert wanted >= min(2 * count, 4_000) * 0.9, "the cycles went over the wire"
        assert run.ingest.status.reconnects == 0
        assert run.ingest.clients[Route.MARKET].generations == 1
        assert list(run.ingest.legs) == list(PAIR)
        await run.end()
    assert len(asyncio.all_tasks()) == 1


async def test_row_23_subscriptions_come_and_go_without_a_trace(tmp_path: Path) -> None:
    await _cycles(tmp_path, 40, 10)


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_row_23_a_thousand_subscriptions_come_and_go(tmp_path: Path) -> None:
    await _cycles(tmp_path, 1_000, 200)
