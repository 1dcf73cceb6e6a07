"""A route comes back by itself: after a cut, after a sleep, and beside a lost generation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve

from quantdesk.config import FeedLimits
from quantdesk.feed.binance import Route, streams_of
from quantdesk.feed.client import StreamClient
from quantdesk.feed.pace import ConnectBudget
from tests.feed.test_client import LIMITS, MARK, Got, trade, until


class Station:
    """Send the same trades to every connection, as an exchange does; ``deaf`` ones get nothing any more."""

    def __init__(self) -> None:
        self.ident = 0
        self.held: list[ServerConnection] = []
        self.deaf: list[ServerConnection] = []
        self.asked: list[str] = []
        self.forgets: set[str] = set()
        self._server: Server | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await serve(self._play, "127.0.0.1", self.port)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def send(self) -> None:
        while True:
            self.ident += 1
            hearing = [c for c in self.held if c not in self.deaf]
            broadcast(hearing, trade(self.ident))
            broadcast(hearing, MARK)
            await asyncio.sleep(0.02)

    async def _play(self, connection: ServerConnection) -> None:
        subscribed: set[str] = set()
        async for message in connection:
            body = json.loads(message)
            self.asked.append(body["method"])
            subscribed |= set(body.get("params", ())) if body["method"] == "SUBSCRIBE" else set()
            listed = sorted(subscribed - self.forgets) if body["method"] == "LIST_SUBSCRIPTIONS" else None
            self.forgets = set() if listed is not None else self.forgets
            await connection.send(json.dumps({"result": listed, "id": body["id"]}))
            if connection not in self.held:
                self.held.append(connection)


@asynccontextmanager
async def receiving(
    station: Station, got: Got, limits: FeedLimits = LIMITS, slept: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[StreamClient]:
    await station.open()
    clock = asyncio.get_running_loop().time
    client = StreamClient(
        f"ws://127.0.0.1:{station.port}",
        Route.MARKET,
        limits,
        ConnectBudget(limits),
        got.on_event,
        got.on_bad,
        got.on_back,
        clock=clock,
        wall=lambda: 1_700_000_000 + clock() + slept(),
    )
    client.want(["X"])
    tasks = [asyncio.create_task(client.run()), asyncio.create_task(station.send())]
    try:
        yield client
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await station.close()


async def test_after_a_cut_it_is_back_within_two_seconds_of_the_exchange_being_reachable() -> None:
    station, got, clock = Station(), Got(), asyncio.get_running_loop().time
    async with receiving(station, got, replace(FeedLimits(), stable_after=0.2)) as client:
        await until(lambda: got.back == 1)
        await asyncio.sleep(0.3)
        await station.close()
        await until(lambda: not client.is_live)
        await asyncio.sleep(2.5)
        await station.open()
        reachable = clock()
        await until(lambda: got.back == 2)
        took = clock() - reachable
        report = client.report()
    assert took < 2.0
    assert report.reconnects == 1
    assert report.cuts[-1].delivered
    assert "1001" in report.cuts[-1].reason


async def test_a_wall_clock_that_was_set_costs_an_overlapping_generation_and_no_trade() -> None:
    station, got, ahead = Station(), Got(), 0.0
    async with receiving(station, got, slept=lambda: ahead) as client:
        await until(lambda: len(got.ids) > 5)
        ahead = 90.0
        await until(lambda: client.generations == 2 and client.report().generation == 2)
        seen = len(got.ids)
        await until(lambda: len(got.ids) > seen + 5)
        assert (client.reconnects, client.sleeps) == (0, 1)
        ahead = -5.0
        await asyncio.sleep(0.6)
        assert client.generations == 2
    assert sorted(set(got.ids)) == list(range(min(got.ids), max(got.ids) + 1))


async def test_a_sleep_from_which_the_line_does_not_wake_is_left_at_once() -> None:
    station, got, ahead = Station(), Got(), 0.0
    limits = replace(LIMITS, market_silence=60.0)  # silence alone would not tell within this test
    async with receiving(station, got, limits, lambda: ahead) as client:
        await until(lambda: len(got.ids) > 5)
        station.deaf += station.held
        ahead = 3_600.0
        lost = max(got.ids)
        await until(lambda: max(got.ids) > lost + 5)
        await until(lambda: got.back == 2)
        assert [cut.reason for cut in client.cuts] == ["no data after a pause of this computer"]
        assert client.report().generation == 2


async def test_the_subscriptions_are_compared_with_the_exchanges_list() -> None:
    station, got = Station(), Got()
    station.forgets = {streams_of("X", Route.MARKET)[1]}
    async with receiving(station, got, replace(LIMITS, first_frame_timeout=30.0)) as client:
        await until(lambda: client.report().lost_subscriptions == 1)
        await until(lambda: client.report().verified_seconds_ago is not None)
    assert station.asked[:4] == ["SUBSCRIBE", "LIST_SUBSCRIPTIONS", "SUBSCRIBE", "LIST_SUBSCRIPTIONS"]


async def test_a_report_tells_streams_rates_and_queues() -> None:
    station, got = Station(), Got()
    async with receiving(station, got) as client:
        await until(lambda: client.report().frames_per_second > 0)
        report = client.report()
    silences = {stream.name: stream.silence for stream in report.streams}
    assert set(silences) == set(streams_of("X", Route.MARKET))
    assert silences["x@kline_1m"] is None
    assert silences["x@aggTrade"] is not None
    assert (report.route, report.generation, report.words) == ("market", 1, "")
    assert 0 <= report.queued <= report.queue_limit
