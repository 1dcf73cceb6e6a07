"""Gaps are filled lowest first, a page closing all within it; what cannot be had is said once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from aiohttp import web

from quantdesk.config import Endpoints, FeedLimits
from quantdesk.feed.backfill import Account, Backfill
from quantdesk.feed.gaps import Gaps
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
        self.ledgers = {"X": self.sequencer.gaps}
        self.got: list[int] = []
        self.lacking: set[int] = set()
        self.newest = 10_000
        self.oldest = 1  # ids below are out of REST's reach
        self.refuses_old = ""
        self.symbols = ["X"]
        self.backfill = Backfill(self.rest, self.limits, self.accounts, lambda: NOW, lambda: self.now)
        self.script = script

    def accounts(self) -> list[Account]:
        return [Account(s, self.ledgers.setdefault(s, Gaps(s)), self.deliver, lambda: False) for s in self.symbols]

    def deliver(self, ticks: Sequence[Tick]) -> None:
        self.got += [t.agg_id for t in ticks if self.sequencer.on_tick(t).is_news]

    def live(self, *ids: int, ts: int = NOW) -> None:
        for ident in ids:
            self.sequencer.on_tick(Tick("X", ident, 1.0, 1.0, ts, False))

    def page(self, request: web.Request) -> web.StreamResponse:
        """Answer as an exchange whose trade i has T = NOW - (newest - i) minutes where ids are old, else NOW."""
        if "fromId" in request.query:
            first = int(request.query["fromId"])
            if first < self.oldest and self.refuses_old == "empty":
                return web.Response(body=b"[]")
            if first < self.oldest and self.refuses_old:
                return web.Response(status=400, body=b'{"code":-4166,"msg":"too old"}')
            wanted = range(max(first, self.oldest), self.newest + 1)
        else:
            low, high = int(request.query["startTime"]), int(request.query["endTime"])
            wanted = [i for i in range(self.oldest, self.newest + 1) if low <= self.stamp(i) <= high]  # type: ignore[assignment]  # ids all the same
        ids = [i for i in wanted if i not in self.lacking][:1_000]
        rows = [{"a": i, "p": "1", "q": "1", "f": i, "l": i, "T": self.stamp(i), "m": False} for i in ids]
        return web.Response(body=json.dumps(rows).encode())

    def stamp(self, ident: int) -> int:
        return NOW if self.oldest == 1 else NOW - (self.newest - ident) * 60_000

    async def run(self, steps: int = 50) -> list[int]:
        """Make steps until nothing is due; return the ids that were asked for."""
        before = len(self.script.asked)
        self.script.answers.extend([self.page] * steps)
        for _ in range(steps):
            if not await self.backfill.step():
                break
        self.script.answers.clear()
        return [int(request.query.get("fromId", -1)) for request in self.script.asked[before:]]

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


#: 48 h in minutes, which is how far apart trades are in the tests below.
REACH = 48 * 60


@pytest.mark.parametrize("refuses", ["", "empty", "error"])
async def test_a_gap_across_the_48_hours_is_split_the_rest_filled_and_the_old_part_given_up(
    bench: Bench, refuses: str
) -> None:
    bench.newest, bench.oldest, bench.refuses_old = 4_000, 4_000 - REACH + 2, refuses
    bench.sequencer = Sequencer("X", 500, bench.stamp(499))
    bench.ledgers["X"] = bench.sequencer.gaps
    bench.live(4_000)
    await bench.run()
    bench.now += 2.0
    await bench.run()
    assert not bench.open
    assert bench.sequencer.gaps.missing_ids == 0
    assert sorted(set(bench.got)) == list(range(bench.oldest, 4_000))
    _, rows = bench.sequencer.gaps.drain(bench.now)
    expired = [row for row in rows if row.state is GapState.EXPIRED]
    assert [(row.first_id, row.last_id) for row in expired] == [(500, bench.oldest - 1)]
    assert expired[0].end_ts <= bench.stamp(bench.oldest), "no bar of the filled part is marked"
    asked = len(bench.script.asked)
    bench.now += 10_000
    await bench.run()
    assert len(bench.script.asked) == asked, "what has expired is never asked for again"


async def test_the_newest_window_is_filled_first_and_within_it_the_lowest_gap(bench: Bench) -> None:
    hour = 3_600_000
    gaps = bench.sequencer.gaps
    gaps.open(100, 110, NOW - 40 * hour, NOW - 40 * hour + 10, NOW)
    gaps.open(5_000, 5_010, NOW - hour // 2, NOW - hour // 2 + 10, NOW)
    gaps.open(7_000, 7_010, NOW - 10, NOW, NOW)
    bench.sequencer.expected = 9_000
    assert await bench.run() == [5_000, 7_000, 100]


async def test_a_window_that_will_soon_be_out_of_reach_goes_before_the_newest(bench: Bench) -> None:
    hour = 3_600_000
    gaps = bench.sequencer.gaps
    gaps.open(100, 110, NOW - 47 * hour - 1, NOW - 47 * hour + 10, NOW)
    gaps.open(5_000, 5_010, NOW - 10, NOW, NOW)
    bench.sequencer.expected = 9_000
    assert await bench.run() == [100, 5_000]


async def test_symbols_that_are_looked_at_are_filled_first(bench: Bench) -> None:
    bench.symbols = ["X", "Y", "Z"]
    bench.accounts()
    for n, symbol in enumerate(bench.symbols):
        gaps = bench.ledgers[symbol]
        gaps.open(2_000 * (n + 1), 2_000 * (n + 1) + 5, NOW - 10, NOW, NOW)
    bench.backfill.preferred = frozenset({"Z"})
    await bench.run(1)
    assert [request.query["symbol"] for request in bench.script.asked] == ["Z"]


def test_ids_that_the_ledger_calls_missing_or_expired_are_not_asked_for_by_the_next_session() -> None:
    gaps = Gaps("X")
    rows = [Gap("X", 5, 6, NOW, NOW, NOW, state, 2) for state in (GapState.MISSING, GapState.EXPIRED, GapState.FILLED)]
    gaps.load(rows, 100)
    assert gaps.newest_window(1e9) is None
    gaps.load([Gap("X", 8, 9, NOW, NOW, NOW, GapState.FILLING, 1)], 100)
    assert gaps.newest_window(1e9) is not None
