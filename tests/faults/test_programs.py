"""Fault matrix, rows 16, 19 and 27, with the real program: clocks, crashes, a stopped process."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from asyncio.subprocess import Process
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from quantdesk.bars.arrays import BarArrays
from tests.faults import programs
from tests.faults.harness import PAIR, Held, Market, held, market, until
from tests.faults.programs import Point

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no SIGSTOP on Windows")

#: Where a recording may be killed, and what has just happened there.
POINTS = [
    Point("quantdesk.store.sqlite_file", "create_tables", after=True),
    Point("quantdesk.ingest.leg", "Leg.open"),
    Point("quantdesk.store.embedded", "EmbeddedStore.save_gaps", after=True),
    Point("quantdesk.store.embedded", "EmbeddedStore.append_ticks", after=True),
    Point("quantdesk.store.sql_writer", "refresh", nth=2),
    Point("quantdesk.ingest.leg", "Leg.close_seam"),
    Point("quantdesk.ingest.leg", "Leg.close_seam", after=True),
    Point("quantdesk.ingest.leg", "Leg.deliver", nth=3),
    Point("quantdesk.store.embedded", "EmbeddedStore.append_ticks", nth=7),
    Point("quantdesk.store.write_queue", "WriteQueue.committed", nth=9),
    Point("quantdesk.store.embedded", "EmbeddedStore.save_gaps", nth=4),
    Point("quantdesk.ingest.live", "Ingest.finish", after=True),
]
GATE_POINTS = (3, 4, 7)


def _settled(bars: BarArrays, start: int, end: int) -> dict[str, bytes]:
    rows = (bars.open_time >= start) & (bars.open_time < end)
    return {f.name: np.ascontiguousarray(getattr(bars, f.name)[rows]).tobytes() for f in fields(bars)}


async def test_row_16_no_clock_of_this_computer_touches_a_bar(tmp_path: Path) -> None:
    worlds = {
        "plain": "",
        "-1.5 s": programs.shifted(-1.5),
        "+90 s": programs.shifted(90.0),
        "step -5 s": programs.shifted(step=-5.0),
        "step +40 s": programs.shifted(step=40.0),
        "zone": programs.travelling(),
    }
    async with market(10.0) as at:
        began = at.now_ms()
        runs = [programs.record(at.endpoints, tmp_path / name, 9.0, world=world) for name, world in worlds.items()]
        for name, (code, out, err) in zip(worlds, await asyncio.gather(*runs), strict=True):
            assert (code, err) == (0, ""), (name, out)
        for name in worlds:
            programs.assert_recorded(at, programs.store(tmp_path / name), began + 5_000, since=began)
        for symbol in PAIR:
            found = {n: held(programs.store(tmp_path / n), symbol, programs.venue(at.endpoints)) for n in worlds}
            _assert_same_bars(found)


def _assert_same_bars(found: dict[str, Held]) -> None:
    for interval, length in (("1s", 1_000), ("1m", 60_000), ("5m", 300_000)):
        bars = {name: each.bars[interval] for name, each in found.items()}
        start = max(int(each.open_time[0]) for each in bars.values()) + length
        end = min(int(each.open_time[-1]) for each in bars.values())
        plain = _settled(bars["plain"], start, end)
        assert plain["open_time"] or interval == "5m"
        for name, each in bars.items():
            assert _settled(each, start, end) == plain, f"{interval} bars differ with the clock {name}"


async def crash(at: Market, data: Path, point: Point) -> None:
    """Kill a first and a second session there, then require that a third one makes all whole."""
    began = at.now_ms()
    code, out, err = await programs.record(at.endpoints, data, 8.0, world=point.world)
    assert code == -signal.SIGKILL, (str(point), code, out, err)
    # The second may not come by the same point, which is as well.
    code, out, err = await programs.record(at.endpoints, data, 8.0, world=point.world)
    assert code in (-signal.SIGKILL, 0), (str(point), code, out, err)
    await heal(at, data, began)


async def heal(at: Market, data: Path, began: int) -> None:
    """Start the program on what a killed one has left: live within 10 s, and whole in the end."""
    started = time.monotonic()
    process = await programs.start(at.endpoints, data)
    await programs.live(process)
    assert time.monotonic() - started < 10
    await asyncio.sleep(1)
    through = at.now_ms()
    process.send_signal(signal.SIGTERM)
    code, out, err = await programs.ended(process)
    assert (code, err) == (0, ""), out
    programs.assert_recorded(at, programs.store(data), through, since=began + 10_000)


async def _crash_all(points: list[Point], tmp_path: Path, seed: int) -> None:
    async with market(10.0, seed=seed) as at:
        for number, point in enumerate(points):
            await crash(at, tmp_path / str(number), point)


async def test_row_19_a_kill_at_named_points_is_healed(tmp_path: Path) -> None:
    await _crash_all([POINTS[i] for i in GATE_POINTS], tmp_path, 1)


async def _kill_at_random(tmp_path: Path, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    async with market(10.0, seed=seed) as at:
        began = at.now_ms()
        for _ in range(kills):
            process = await programs.start(at.endpoints, tmp_path)
            await asyncio.sleep(chance.uniform(0.3, 3.0))
            process.kill()
            await process.communicate()
        await heal(at, tmp_path, began + kills * 5_000)


async def test_row_19_kills_at_random_times_are_healed(tmp_path: Path) -> None:
    await _kill_at_random(tmp_path, 1, 3)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_row_19_every_named_point(tmp_path: Path, seed: int) -> None:
    await _crash_all(POINTS, tmp_path, seed)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_row_19_fifty_random_kills(tmp_path: Path, seed: int) -> None:
    await _kill_at_random(tmp_path, seed, 50)


async def _stopped(process: Process, seconds: float) -> None:
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("seconds", [3.0, pytest.param(45.0, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
async def test_row_27_a_stopped_program_carries_on(tmp_path: Path, seconds: float) -> None:
    async with market(20.0, proxied=True) as at:
        began = at.now_ms()
        process = await programs.start(at.endpoints, tmp_path)
        await programs.live(process)
        await _stopped(process, seconds)
        await asyncio.sleep(1)
        await _stopped(process, seconds)
        at.ws.freeze()  # the connections did not survive the sleep, and nobody says so
        connects = at.ws.connects
        routes = 1 if seconds < 10 else 2  # the quiet route takes half a minute to be sure
        await until(lambda: at.ws.connects >= connects + routes, 60)
        await asyncio.sleep(1)
        through = at.now_ms()
        process.send_signal(signal.SIGTERM)
        code, out, err = await programs.ended(process, 100)
        assert (code, err) == (0, ""), out
        programs.assert_recorded(at, programs.store(tmp_path), through, since=began + 10_000)
