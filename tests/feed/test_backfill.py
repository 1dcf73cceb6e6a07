"""Gaps are filled lowest first, a page closing all within it; what cannot be had is said once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import pytest_asyncio
from aiohttp import web

from quantdesk.config import Endpoints, FeedLimits
from quantdesk.feed.backfill import Account, Backfill
from quantdesk.feed.rest import RestClient
from quantdesk.feed.sequencer import Sequencer
from quantdesk.types import Gap, GapState, Tick
from tests.feed.conftest import Script

NOW = 1_700_000_000_000


class Bench:
    """Hold one symbol with its gaps and a backfill whose clock the test moves."""

    def __init__(self, script: Script) -> None:
        self.now = 1_000.0
        self.limits = FeedLimits(rest_timeout=2.0)
        self.rest = RestClient(Endpoints("ws://x", script.url), self.limits, lambda: self.now)
        self.sequencer = Sequencer("X", 1, NOW)
        self.got: list[int] = []
        self.lacking: set[int] = set()
        self.newest = 10_000
        account = Account("X", self.sequencer.gaps, self.deliver, lambda: False)
        self.backfill = Backfill(self.rest, self.limits, lambda: [account], lambda: NOW, lambda: self.now)
        self.script = script

    def deliver(self, ticks: Sequence[Tick]) -> None:
        self.got += [t.agg_id for t in ticks if self.sequencer.on_tick(t).is_news]

    def live(self, *ids: int, ts: int = NOW) -> None:
        for ident in ids:
            self.sequencer.on_tick(Tick("X", ident, 1.0, 1.0, ts, False))

    def page(self, request: web.Request) -> web.StreamResponse:
        first = int(request.query["fromId"])
        ids = [i for i in range(first, self.newest + 1) if i not in self.lacking][:1_000]
        rows = [{"a": i, "p": "1", "q": "1", "f": i, "l": i, "T": NOW, "m": False} for i in ids]
        return web.Response(body=json.dumps(rows).encode())

    async def run(self, steps: int = 50) -> list[int]:
        """Make steps until nothing is due; return the ids that were asked for."""
        before = len(self.script.asked)
        self.script.answers.extend([self.page] * steps)
        for _ in range(steps):
            if not await self.backfill.step():
                break
        self.script.answers.clear()
        return [int(request.query["fromId"]) for request in self.script.asked[before:]]

    @property
    def open(self) -> Sequence[Gap]:
        return self.sequencer.gaps.active()


@pytest_asyncio.fixture
async def bench(script: Script) -> AsyncIterator[Bench]:
    made = Bench(script)
    yield made
    await made.rest.close()


async def test_one_page_closes_every_gap_inside_it(bench: Bench) -> None:
    bench.live(*range(2, 600, 2))
    assert await bench.run() == [1]
    assert not bench.open
    assert bench.got[:300] == list(range(1, 600, 2))


async def test_a_long_gap_is_paged_from_the_lowest_id_upwards(bench: Bench) -> None:
    bench.live(3_500, 3_502)
    assert await bench.run() == [1, 1_001, 2_001, 3_001]
    assert not bench.open


async def test_ids_that_the_exchange_lacks_become_missing_after_a_second_look(bench: Bench) -> None:
    bench.lacking = {5, 6}
    bench.live(20)
    assert await bench.run() == [1]
    assert [(g.first_id, g.last_id) for g in bench.open] == [(5, 6)]
    bench.now += 3
    assert await bench.run() == [5]
    assert not bench.open
    assert bench.sequencer.gaps.missing_ids == 2
    bench.now += 1_000
    assert await bench.run() == []


async def test_trades_that_rest_does_not_have_yet_are_asked_for_again_with_patience(bench: Bench) -> None:
    bench.live(20)
    bench.newest = 10
    assert await bench.run() == [1]
    assert await bench.run() == []
    bench.now += 1
    assert await bench.run() == [11]
    bench.newest = 30
    bench.now += 2
    assert await bench.run() == [11]
    assert not bench.open
    assert bench.sequencer.gaps.missing_ids == 0


async def test_a_gap_out_of_reach_expires_without_a_request(bench: Bench) -> None:
    old = NOW - 49 * 3_600_000
    bench.sequencer.last_ts = old - 1
    bench.live(20, ts=old)
    assert await bench.run() == []
    assert bench.sequencer.gaps.expired_ids == 19
    _, after = bench.sequencer.gaps.drain(bench.now)
    assert [row.state for row in after] == [GapState.EXPIRED]


async def test_a_failing_rest_is_left_alone_for_a_while_and_said(bench: Bench) -> None:
    bench.live(20)
    bench.script.add("", 503)
    assert await bench.backfill.step()
    assert "a fault (503)" in bench.backfill.trouble
    assert await bench.run() == []
    bench.now += 2
    assert await bench.run() == [1]
    assert bench.backfill.trouble == ""


async def test_a_ban_stops_the_filling_for_exactly_as_long(bench: Bench) -> None:
    bench.live(20)
    bench.script.add("", 418, Retry_After="30")
    await bench.backfill.step()
    bench.now += 29.9
    assert await bench.run() == []
    bench.now += 0.2
    assert await bench.run() == [1]
