"""Fault matrix, row 27: a cable out, a sleep that kills the connections, a proxy that refuses."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from quantdesk.config import Endpoints
from quantdesk.feed.binance import Route
from quantdesk.types import Light
from tests.faults.harness import VENUE, check, market, session, until
from tests.faults.http_proxy import HttpProxy
from tests.faults.proxy import Toxics


async def test_row_27_a_cable_out_is_healed_when_it_is_back(tmp_path: Path) -> None:
    async with market(60.0, proxied=True) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        for proxy in (at.ws, at.rest):
            proxy.toxics = Toxics(black_hole=True)
        await asyncio.sleep(1)
        for proxy in (at.ws, at.rest):
            proxy.refuse()
            proxy.toxics = Toxics()
        await until(lambda: run.ingest.status.light is Light.RED)
        await asyncio.sleep(1.5)
        for proxy in (at.ws, at.rest):
            await proxy.start()
        back = time.monotonic()
        await run.flowing()
        assert time.monotonic() - back < 2, "back within 2 s of the exchange being reachable"
        await run.healed()
        await check(at, run, tmp_path)


async def test_row_27_connections_that_died_in_a_sleep_are_renewed(tmp_path: Path) -> None:
    asleep = [0.0]
    async with (
        market(60.0, proxied=True) as at,
        session(at.endpoints, tmp_path, clock=lambda: time.monotonic() + asleep[0]) as run,
    ):
        await run.flowing()
        await until(run.is_live)
        at.ws.freeze()
        asleep[0] = 3_600.0  # the clock that the feed reads says: an hour has passed at once
        client = run.ingest.clients[Route.MARKET]
        await until(lambda: client.reconnects)
        await run.flowing()
        await run.healed()
        asleep[0] = 7_200.0  # a sleep that the connections survived
        await run.flowing(100)
        await run.healed()
        await check(at, run, tmp_path)


async def test_row_27_a_proxy_that_refuses_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with market(60.0) as at:
        proxy = HttpProxy({"stream.exchange.test": at.server.ws_url, "rest.exchange.test": at.server.rest_url})
        await proxy.start()
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "localhost")
        where = Endpoints("ws://stream.exchange.test:80", "http://rest.exchange.test:80", VENUE)
        try:
            async with session(where, tmp_path) as run:
                await run.flowing(20)
                proxy.refuses = True
                proxy.cut()
                await until(lambda: run.heard.said("the proxy refuses: refused by a firewall"))
                begun, asked = time.monotonic(), proxy.asked
                await asyncio.sleep(1.5)
                assert proxy.asked - asked <= 12 * (time.monotonic() - begun) + 12, "a tight loop"
                proxy.refuses = False
                await run.flowing(20)
                await run.healed()
                await check(at, run, tmp_path)
        finally:
            await proxy.stop()
