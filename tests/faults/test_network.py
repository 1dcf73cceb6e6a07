"""Fault matrix, rows 1 to 3 and 21: what networks do to a connection."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from quantdesk.feed.binance import Route
from quantdesk.simulator.faults import Faults
from quantdesk.types import Light
from tests.faults.harness import check, market, session, until
from tests.faults.proxy import Toxics

#: Words in which a reset may be told, depending on what was going on at that moment.
BROKEN = ("the connection broke", "connection reset", "connection lost")


async def test_row_1_random_resets_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    async with market(130.0, proxied=True) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        for _ in range(10):
            await asyncio.sleep(chance.uniform(0.1, 0.9))
            at.ws.reset()
        assert at.ws.resets >= 10
        await run.healed(30)
        assert run.ingest.status.reconnects >= 5
        assert any(words in BROKEN for words in run.ingest.clients[Route.MARKET].reasons)
        await check(at, run, tmp_path)


async def test_row_2_every_way_to_close_is_told_and_healed(tmp_path: Path) -> None:
    async with market(60.0) as at, session(at.endpoints, tmp_path) as run:
        client = run.ingest.clients[Route.MARKET]
        for code in (1000, 1001, 1008, 1011, 1012, 1006):
            await run.flowing()
            await until(run.is_live)
            before = client.reconnects
            at.faults = Faults(close_every=0.05, close_code=code)
            await until(lambda before=before: client.reconnects > before)
            at.faults = Faults()
            words = [f"({code} "] if code != 1006 else list(BROKEN)
            assert any(w in reason for reason in client.reasons for w in words), (code, client.reasons)
        await run.healed()
        await check(at, run, tmp_path)


@pytest.mark.parametrize("where", ["both", "rest too"])
async def test_row_3_a_black_hole_is_noticed_and_left(tmp_path: Path, where: str) -> None:
    async with market(60.0, proxied=True) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        await until(run.is_live)
        market_client, public_client = (run.ingest.clients[route] for route in (Route.MARKET, Route.PUBLIC))
        at.ws.toxics = Toxics(black_hole=True)
        if where == "rest too":
            at.rest.toxics = Toxics(black_hole=True)
        await until(lambda: any(r.startswith("no data for") for r in market_client.reasons))
        await until(lambda: any(r.startswith("no data for") for r in public_client.reasons))
        await until(lambda: run.ingest.status.light is Light.RED)
        at.ws.toxics = at.rest.toxics = Toxics()
        await run.healed()
        await check(at, run, tmp_path)


async def test_row_21_a_thin_line_loses_no_trade(tmp_path: Path) -> None:
    async with market(100.0, proxied=True) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        at.ws.toxics = Toxics(rate=20_000)
        await asyncio.sleep(4)
        at.ws.toxics = Toxics()
        await run.healed()
        await check(at, run, tmp_path)


async def test_row_21_segments_of_a_few_bytes_change_nothing(tmp_path: Path) -> None:
    async with market(30.0, proxied=True) as at:
        at.ws.toxics = at.rest.toxics = Toxics(slices=True, latency=0.01)
        async with session(at.endpoints, tmp_path) as run:
            await run.flowing(60)
            assert run.ingest.status.reconnects == 0
            assert run.ingest.status.quarantined == 0
            at.rest.toxics = Toxics()
            await check(at, run, tmp_path)
