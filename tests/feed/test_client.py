"""A route stays connected through refusals, bad frames and silence, never in a tight loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from quantdesk.config import FeedLimits
from quantdesk.feed.binance import Route
from quantdesk.feed.client import StreamClient
from quantdesk.feed.pace import ConnectBudget
from quantdesk.types import MarketEvent, Tick

LIMITS = FeedLimits(
    ack_timeout=0.3, first_frame_timeout=0.5, open_timeout=0.5, close_timeout=0.3, market_silence=0.6,
    first_backoff=0.05, reconnect_cap=0.2, handshake_cap=0.3, stable_after=0.1, max_frame_bytes=1_000,
)  # fmt: skip
NOW = 1_721_347_022_956


def trade(ident: int) -> str:
    data = {"e": "aggTrade", "E": NOW, "s": "X", "a": ident, "p": "1", "q": "1", "f": 1, "l": 1, "T": NOW, "m": True}
    return json.dumps({"stream": "x@aggTrade", "data": data})


MARK = json.dumps({"e": "markPriceUpdate", "E": NOW, "s": "X", "p": "1", "i": "1", "r": "0", "T": NOW})

Play = Callable[[ServerConnection], Awaitable[None]]


class Got:
    """Keep what a client delivers."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.bad: list[str] = []
        self.back = 0

    def on_event(self, event: MarketEvent) -> None:
        if isinstance(event, Tick):
            self.ids.append(event.agg_id)

    def on_bad(self, frame: bytes, reason: str) -> None:
        self.bad.append(reason)

    def on_back(self) -> None:
        self.back += 1


@asynccontextmanager
async def connected(
    play: Play, got: Got, refuse: Callable[[ServerConnection, Request], Response | None] | None = None
) -> AsyncIterator[StreamClient]:
    async with serve(play, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        client = StreamClient(
            f"ws://127.0.0.1:{port}",
            Route.MARKET,
            LIMITS,
            ConnectBudget(LIMITS),
            got.on_event,
            got.on_bad,
            got.on_back,
        )
        client.want(["X"])
        task = asyncio.create_task(client.run())
        try:
            yield client
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.01)


async def beat(connection: ServerConnection, first: int = 1) -> None:
    """Acknowledge, then send trades and the heartbeat until the other side leaves."""
    message = json.loads(await connection.recv())
    with suppress(ConnectionClosed):
        await connection.send(json.dumps({"result": None, "id": message["id"]}))
        ident = first
        while True:
            await connection.send(trade(ident))
            await connection.send(MARK)
            ident += 1
            await asyncio.sleep(0.02)


async def test_it_subscribes_on_the_route_and_delivers() -> None:
    got, asked = Got(), []

    async def play(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request.path)
        await beat(connection)

    async with connected(play, got) as client:
        await until(lambda: len(got.ids) > 3)
        assert client.is_live
        await until(lambda: client.words() == "")
        await until(lambda: got.back == 1)
    assert asked == ["/market/stream"]


async def test_bad_frames_are_reported_and_close_nothing() -> None:
    got = Got()

    async def play(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(trade(1))
        for frame in (b"\xff\xfe", "{", "null", '"' + "x" * 3_000 + '"', trade(1).replace('"1"', '"NaN"')):
            await connection.send(frame)
        await connection.send(trade(2))
        await connection.send(MARK)
        await connection.wait_closed()

    async with connected(play, got) as client:
        await until(lambda: got.ids == [1, 2])
        assert len(got.bad) == 5
        assert client.reconnects == 0


@pytest.mark.parametrize(
    ("status", "words"), [(403, "firewall"), (418, "banned"), (429, "too many"), (451, "region"), (503, "fault")]
)
async def test_a_refused_handshake_is_said_and_tried_again_without_haste(status: int, words: str) -> None:
    got, attempts = Got(), []

    def refuse(connection: ServerConnection, request: Request) -> Response | None:
        attempts.append(status)
        response = connection.respond(status, "no\n")
        response.headers["Retry-After"] = "0"
        return response

    async with connected(beat, got, refuse) as client:
        await until(lambda: words in client.words())
        assert client.words().startswith("no connection to the exchange: ")
        await asyncio.sleep(0.6)
    assert 1 < len(attempts) < 8


async def test_a_silent_connection_is_left_and_the_next_one_delivers() -> None:
    got, count = Got(), 0

    async def play(connection: ServerConnection) -> None:
        nonlocal count
        count += 1
        if count == 1:
            await connection.recv()
            await connection.send(MARK)
            await connection.send(trade(1))
            await connection.wait_closed()
        await beat(connection, 10)

    async with connected(play, got) as client:
        await until(lambda: 10 in got.ids)
        assert client.reconnects == 1
        assert any(reason.startswith("no data for") for reason in client.reasons)
        await until(lambda: got.back == 2)


async def test_an_announced_shutdown_is_handed_over_before_the_cut() -> None:
    got, count = Got(), 0

    async def play(connection: ServerConnection) -> None:
        nonlocal count
        count += 1
        if count > 1:
            await beat(connection, 3)
        await connection.recv()
        for ident in (1, 2, 3):
            await connection.send(trade(ident))
        await connection.send(MARK)
        await connection.send('{"e":"serverShutdown","E":1721347022956}')
        with suppress(ConnectionClosed):
            while True:
                await connection.send(MARK)
                await asyncio.sleep(0.05)

    async with connected(play, got) as client:
        await until(lambda: got.ids and max(got.ids) > 5)
        await until(lambda: len(client._connections) == 1)
        assert client.reconnects == 0
    assert sorted(set(got.ids)) == list(range(1, max(got.ids) + 1))


async def test_control_messages_never_exceed_the_pace() -> None:
    got, stamps = Got(), []

    async def play(connection: ServerConnection) -> None:
        loop = asyncio.get_running_loop()
        async for message in connection:
            stamps.append(loop.time())
            await connection.send(json.dumps({"error": {"code": 1, "msg": "no"}, "id": json.loads(message)["id"]}))

    async with connected(play, got) as client:
        for turn in range(12):
            client.want(["X", f"Y{turn}"])
            await asyncio.sleep(0.1)
    assert all(sum(start <= t < start + 1 for t in stamps) <= 5 for start in stamps)


async def test_a_thousand_changes_of_the_symbols_leave_nothing_behind() -> None:
    got = Got()
    async with connected(beat, got) as client:
        await until(lambda: got.ids)
        tasks = len(asyncio.all_tasks())
        for turn in range(1_000):
            client.want(["X", f"Y{turn}"])
            if turn % 100 == 0:
                await asyncio.sleep(0)
        client.want(["X"])
        await until(lambda: client.words() == "")
        assert len(asyncio.all_tasks()) <= tasks + 1
