"""Fault matrix, rows 4 to 8: streams that stay silent, acknowledgements, and the daily cut."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.config import Endpoints
from quantdesk.feed.binance import Route
from quantdesk.simulator.faults import Faults
from quantdesk.simulator.streams import ControlSeen
from quantdesk.types import Light
from tests.faults.harness import GENEROUS, PAIR, QUICK, VENUE, Market, Session, check, market, session, until

MUTE = "ethusdt@aggTrade"


def assert_paced(at: Market, most: int = 5) -> None:
    """Require that no connection sent more control messages than the exchange allows in any second."""
    by_connection: dict[int, list[int]] = {}
    for control in at.server.streams.controls:
        by_connection.setdefault(control.connection, []).append(control.at_ms)
    for times in by_connection.values():
        assert all(b - a >= 1_000 for a, b in zip(times, times[most:], strict=False))


async def test_row_4_one_silent_stream_is_renewed_and_no_other(tmp_path: Path) -> None:
    async with market(40.0) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        await until(run.is_live)
        asked = len(at.server.streams.controls)
        at.faults = Faults(silent=frozenset({MUTE}), renewable=True)
        since: list[ControlSeen] = []

        def renewed() -> bool:
            since[:] = [c for c in list(at.server.streams.controls)[asked:] if c.method != "LIST_SUBSCRIPTIONS"]
            return {c.method for c in since} == {"SUBSCRIBE", "UNSUBSCRIBE"}

        await until(renewed)
        count = len(run.heard.ids["ETHUSDT"])
        await until(lambda: len(run.heard.ids["ETHUSDT"]) > count + 20)
        assert renewed()
        assert {name for c in since for name in c.params} == {MUTE}
        assert run.ingest.status.reconnects == 0
        assert run.ingest.clients[Route.MARKET].generations == 1
        at.faults = Faults()
        await run.healed()
        await check(at, run, tmp_path)


async def test_row_5_a_wrong_route_is_told_in_words(tmp_path: Path) -> None:
    async with market(40.0) as at:
        legacy = Endpoints(f"{at.server.ws_url}/legacy", at.server.rest_url, VENUE)
        async with session(legacy, tmp_path) as run:
            await until(lambda: run.heard.said("subscribed, no data"))
            assert run.alive
            assert not run.heard.ids
            assert_paced(at)


@pytest.mark.parametrize(
    "faults",
    [Faults(no_ack=True), Faults(ack_delay=1.2), Faults(ack_error=-1), Faults(no_ack=True, silent=frozenset({MUTE}))],
    ids=["lost", "late", "error", "lost and silent"],
)
async def test_row_6_acknowledgements_that_fail_are_retried_at_the_pace_allowed(tmp_path: Path, faults: Faults) -> None:
    async with market(40.0, faults=faults) as at, session(at.endpoints, tmp_path) as run:
        await until(lambda: len(at.server.streams.controls) >= 2)
        await asyncio.sleep(2)
        if faults.ack_error is not None:
            await until(lambda: run.heard.said("the exchange refuses a subscription"))
        at.faults = Faults()
        await run.flowing(20)
        await run.healed()
        assert_paced(at)
        assert run.ingest.status.reconnects == 0
        await check(at, run, tmp_path)


async def test_row_7_the_daily_cut_is_forestalled_without_a_gap_or_a_request(tmp_path: Path) -> None:
    limits = replace(QUICK, lifetime=1.5)
    async with (
        market(60.0, limits=replace(GENEROUS, lifetime=4.0)) as at,
        session(at.endpoints, tmp_path, limits=limits) as run,
    ):
        await run.flowing()
        await asyncio.sleep(2.2)  # what is looked up at the start is looked up by now
        asked = at.asked()
        await until(lambda: run.ingest.clients[Route.MARKET].generations >= 5)
        assert_no_gap(at, run, asked)
        found = await check(at, run, tmp_path)
        assert all(each.gaps == [] for each in found.values())


async def test_row_7_an_announced_shutdown_is_left_before_it_comes(tmp_path: Path) -> None:
    async with market(60.0) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        await asyncio.sleep(2.2)
        asked = at.asked()
        for _ in range(2):
            generations = run.ingest.clients[Route.MARKET].generations
            at.faults = Faults(shutdown_in=2.0)
            await asyncio.sleep(2.5)
            assert run.ingest.clients[Route.MARKET].generations == generations + 1
        assert_no_gap(at, run, asked)
        found = await check(at, run, tmp_path)
        assert all(each.gaps == [] for each in found.values())


def assert_no_gap(at: Market, run: Session, asked: int) -> None:
    assert at.asked() == asked, "a handover needs no request"
    assert run.ingest.status.reconnects == 0
    assert run.ingest.status.missing_ids == 0


async def test_row_8_a_hard_cut_is_healed_by_few_requests(tmp_path: Path) -> None:
    async with market(500.0, proxied=True) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        await asyncio.sleep(2.2)
        before = {s: at.asked(symbol=s) for s in PAIR}
        at.ws.refuse()
        await until(lambda: run.ingest.status.light is Light.RED)
        await asyncio.sleep(2.5)
        missing = Counter({s: -run.ingest.legs[s].sequencer.expected for s in PAIR})
        await at.ws.start()
        await until(lambda: all(run.ingest.legs[s].sequencer.gaps.ids for s in PAIR))
        missing.update({s: run.ingest.legs[s].sequencer.expected for s in PAIR})
        await run.healed()
        for symbol in PAIR:
            assert missing[symbol] > 1_000
            assert at.asked(symbol=symbol) - before[symbol] <= -(-missing[symbol] // 1_000) + 2
        await check(at, run, tmp_path)
