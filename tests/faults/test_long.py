"""The fault matrix in its long form: three seeds, real times. By hand: ``pytest -m long tests/faults``."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.config import Endpoints
from quantdesk.feed.binance import Route
from quantdesk.simulator.faults import Faults
from quantdesk.simulator.schedule import Schedule
from quantdesk.types import Light
from tests.faults.harness import REAL, VENUE, check, market, session, until
from tests.faults.proxy import Toxics

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
seeds = pytest.mark.parametrize("seed", [1, 2, 3])


@seeds
async def test_row_1_fifty_resets_in_two_minutes(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with market(130.0, seed=seed, proxied=True) as at, session(at.endpoints, tmp_path, limits=REAL) as run:
        await run.flowing()
        begun = time.monotonic()
        for moment in sorted(chance.uniform(0, 120) for _ in range(50)):
            await asyncio.sleep(max(0.0, begun + moment - time.monotonic()))
            at.ws.reset()
        over = time.monotonic()
        await run.healed(60)
        print(f"{at.ws.resets} resets, healed {time.monotonic() - over:.1f} s after the last")
        assert time.monotonic() - over < 30
        await check(at, run, tmp_path)


@seeds
async def test_row_3_a_black_hole_is_noticed_in_real_time(tmp_path: Path, seed: int) -> None:
    async with market(60.0, seed=seed, proxied=True) as at, session(at.endpoints, tmp_path, limits=REAL) as run:
        await run.flowing()
        await until(run.is_live)
        at.ws.toxics = Toxics(black_hole=True)
        begun, noticed = time.monotonic(), {}
        while len(noticed) < 2:
            await asyncio.sleep(0.05)
            for route, client in run.ingest.clients.items():
                if client.reasons:
                    noticed.setdefault(route, time.monotonic() - begun)
            assert time.monotonic() - begun < 60
        print({route.value: round(seconds, 2) for route, seconds in noticed.items()})
        assert noticed[Route.MARKET] < 15
        assert noticed[Route.PUBLIC] < 30
        at.ws.toxics = Toxics()
        await run.healed()
        await check(at, run, tmp_path)


async def test_row_5_a_wrong_route_is_told_within_15_s(tmp_path: Path) -> None:
    async with market(40.0) as at:
        legacy = Endpoints(f"{at.server.ws_url}/legacy", at.server.rest_url, VENUE)
        begun = time.monotonic()
        async with session(legacy, tmp_path, limits=REAL) as run:
            await until(lambda: run.heard.said("subscribed, no data"))
            assert time.monotonic() - begun < 15


@seeds
async def test_row_24_slow_handshakes_and_refusals_in_real_time(tmp_path: Path, seed: int) -> None:
    async with market(40.0, seed=seed, faults=Faults(handshake_delay=20.0)) as at:
        begun = time.monotonic()
        async with session(at.endpoints, tmp_path, limits=REAL) as run:
            await until(lambda: run.heard.said("no answer"))
            at.faults = Faults(handshake_status=503)
            await asyncio.sleep(60)
            assert run.ingest.status.light is Light.RED
            assert at.server.streams.handshakes < 2 * (time.monotonic() - begun)
            at.faults = Faults()
            await run.flowing()
            await run.healed()
            await check(at, run, tmp_path)


#: Everything that a schedule of an ordinary bad day may hold.
BAD_DAY = (
    Faults(drop=0.1, duplicate=0.1),
    Faults(drop=0.01, reorder=1.5),
    Faults(delay=1.0, duplicate=0.05),
    Faults(stall=True),
    Faults(drop_next=500),
    Faults(replay=1_000),
    Faults(inject=("{", b"\xff\x00", "null", '{"e":"aggTrade"}')),
    Faults(close_every=0.7, close_code=1006),
    Faults(close_every=0.7, close_code=1012),
    Faults(shutdown_in=1.0),
    Faults(hang=True),
    Faults(handshake_status=503, close_every=0.5),
    Faults(silent=frozenset({"btcusdt@aggTrade"}), renewable=True),
    Faults(no_ack=True, close_every=0.5),
    Faults(ack_error=-1, close_every=0.5),
    Faults(rest_status=503, drop=0.1),
    Faults(rest_status=429, retry_after=2, drop=0.1),
)


@seeds
async def test_a_schedule_of_every_fault_loses_nothing(tmp_path: Path, seed: int) -> None:
    schedule = Schedule.drawn(seed, 120.0, BAD_DAY, each=2.0, rest=2.0)
    limits = replace(REAL, market_silence=2.0, public_silence=4.0, refused_pause=5.0)
    async with market(100.0, seed=seed, schedule=schedule) as at, session(at.endpoints, tmp_path, limits=limits) as run:
        await asyncio.sleep(schedule.seconds + 1)
        await run.healed(60)
        print(f"{len(schedule.steps)} steps, {run.ingest.status.reconnects} reconnects")
        await check(at, run, tmp_path)
