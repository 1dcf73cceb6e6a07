"""The exchange's faults: each does what it says, to the frames, connections and requests it should."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_bounded
from websockets.exceptions import ConnectionClosed

from quantdesk.simulator.clock import VirtualClock
from quantdesk.simulator.faults import Faults, RestFault
from quantdesk.simulator.lacking import Lack, LackingSource
from quantdesk.simulator.schedule import Player, Schedule, Step
from quantdesk.simulator.server import SimulatorServer
from quantdesk.simulator.synthetic import SyntheticSource

TRADES = "btcusdt@aggTrade"
connect = functools.partial(connect_bounded, max_queue=None)


async def ids(socket: ClientConnection, count: int) -> list[int]:
    return [json.loads(await asyncio.wait_for(socket.recv(), 10))["a"] for _ in range(count)]


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110  # the server has no event for it
        await asyncio.sleep(0.01)


@pytest.fixture
def address(server: SimulatorServer) -> str:
    return f"{server.ws_url}/market/ws/{TRADES}"


async def test_the_next_frames_are_lost_and_counted(server: SimulatorServer, address: str, clock: VirtualClock) -> None:
    async with connect(address) as socket:
        await clock.advance(1)
        (first, *_) = before = await ids(socket, server.streams.sent)
        server.faults = Faults(drop_next=7)
        await clock.advance(2)
        (after,) = await ids(socket, 1)
        assert after == first + len(before) + 7
        assert server.streams.wire.dropped[TRADES] == 7


async def test_a_stall_holds_all_and_its_end_sends_all_in_order(
    server: SimulatorServer, address: str, clock: VirtualClock
) -> None:
    async with connect(address) as socket:
        server.faults = Faults(stall=True)
        await clock.advance(3)
        assert server.streams.sent == 0
        server.faults = Faults()
        sent = server.streams.sent
        assert sent > 20
        got = await ids(socket, sent)
        assert got == list(range(got[0], got[0] + sent))


async def test_frames_overtake_each_other_and_none_is_lost(
    server: SimulatorServer, address: str, clock: VirtualClock
) -> None:
    async with connect(address) as socket:
        server.faults = Faults(delay=0.05, reorder=0.2, seed=1)
        await clock.advance(3)
        await asyncio.sleep(0.4)
        got = await ids(socket, server.streams.sent)
        assert got != sorted(got)
        assert sorted(got) == list(range(min(got), min(got) + len(got)))


async def test_a_replay_sends_the_last_frames_again(server: SimulatorServer, address: str, clock: VirtualClock) -> None:
    async with connect(address) as socket:
        await clock.advance(2)
        sent = server.streams.sent
        first = await ids(socket, sent)
        server.faults = Faults(replay=10)
        assert await ids(socket, 10) == first[-10:]
        assert server.streams.wire.doubled[TRADES] == 10


async def test_any_frame_can_be_injected(server: SimulatorServer, address: str) -> None:
    async with connect(address) as socket:
        server.faults = Faults(inject=("{", b"\xff", "x" * 10))
        assert [await socket.recv() for _ in range(3)] == ["{", b"\xff", "x" * 10]


async def test_an_announced_shutdown_cuts_those_who_were_there(
    server: SimulatorServer, address: str, clock: VirtualClock
) -> None:
    async with connect(address) as old:
        server.faults = Faults(shutdown_in=5.0)
        assert json.loads(await old.recv())["e"] == "serverShutdown"
        async with connect(address) as new:
            await clock.advance(6)
            with pytest.raises(ConnectionClosed) as cut:
                while True:
                    await old.recv()
            assert cut.value.rcvd is not None
            assert cut.value.rcvd.code == 1012
            await new.ping()
            assert await ids(new, 5)


async def test_a_silent_stream_comes_back_when_it_is_renewed(
    server: SimulatorServer, address: str, clock: VirtualClock
) -> None:
    async with connect(address) as socket:
        server.faults = Faults(silent=frozenset({TRADES}), renewable=True)
        await clock.advance(2)
        assert server.streams.sent == 0
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [TRADES], "id": 1}))
        assert json.loads(await socket.recv()) == {"result": None, "id": 1}
        await clock.advance(1)
        assert await ids(socket, 3)
        (seen,) = server.streams.controls
        assert (seen.method, seen.params) == ("SUBSCRIBE", (TRADES,))


async def test_acknowledgements_come_late_or_as_errors(server: SimulatorServer, address: str) -> None:
    request = json.dumps({"method": "SUBSCRIBE", "params": ["ethusdt@aggTrade"], "id": 4})
    async with connect(address) as socket:
        server.faults = Faults(ack_error=-7)
        await socket.send(request)
        assert json.loads(await socket.recv())["error"]["code"] == -7
        assert server.streams.streams_wanted("market") == [TRADES]
        server.faults = Faults(ack_delay=0.2)
        await socket.send(request)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.05)
        assert json.loads(await socket.recv()) == {"result": None, "id": 4}


async def test_a_slow_handshake_keeps_the_client_waiting(server: SimulatorServer, address: str) -> None:
    server.faults = Faults(handshake_delay=30.0)
    with pytest.raises(TimeoutError):
        await connect(address, open_timeout=0.2)
    assert server.streams.handshakes == 1


@pytest.mark.parametrize("fault", list(RestFault))
async def test_answers_are_spoiled_in_the_way_named(server: SimulatorServer, fault: RestFault) -> None:
    server.faults = Faults(rest_fault=fault)
    url = f"{server.rest_url}/fapi/v1/aggTrades?symbol=BTCUSDT"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as http:
        if fault in (RestFault.TIMEOUT, RestFault.HALF):
            with pytest.raises((TimeoutError, aiohttp.ClientError)):
                await (await http.get(url)).read()
        else:
            answer = await (await http.get(url)).json()
            assert answer == {"result": "try later"} or all(float(row["p"]) < 0 for row in answer)
    assert server.rest is not None
    assert [(r.path, r.symbol, r.status) for r in server.rest.seen] == [("/fapi/v1/aggTrades", "BTCUSDT", 200)]


async def test_the_reach_of_rest_and_its_clock_can_be_changed(server: SimulatorServer, clock: VirtualClock) -> None:
    server.faults = Faults(reach_ms=60_000, time_offset_ms=-1_500)
    async with aiohttp.ClientSession() as http:
        rows = await (await http.get(f"{server.rest_url}/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=0")).json()
        told = await (await http.get(f"{server.rest_url}/fapi/v1/time")).json()
    assert clock.now_ms() - 60_000 <= rows[0]["T"] < clock.now_ms() - 50_000
    assert told["serverTime"] == clock.now_ms() - 1_500


async def test_a_schedule_sets_faults_in_the_exchanges_time(exchange: object, clock: VirtualClock) -> None:
    steps = (Step(1.0, Faults(drop=0.5)), Step(2.0, Faults(hang=True)), Step(3.0, Faults()))
    server = SimulatorServer(exchange, schedule=Schedule(steps))  # type: ignore[arg-type]
    await server.start()
    try:
        seen = [server.faults]
        for _ in range(4):
            await clock.advance(1)
            seen.append(server.faults)
        assert seen == [Faults(), Faults(drop=0.5), Faults(hang=True), Faults(), Faults()]
    finally:
        await server.stop()


def test_a_drawn_schedule_is_the_same_for_the_same_seed_and_ends_without_faults() -> None:
    kinds = [Faults(drop=0.1), Faults(hang=True)]
    one, again, other = (Schedule.drawn(seed, 60.0, kinds) for seed in (1, 1, 2))
    assert one == again != other
    assert one.steps[-1].faults == Faults()
    assert one.seconds <= 60
    assert [f for s in range(61) for f in Player(one).due(s)][-1] == Faults()
    with pytest.raises(ValueError, match="ascend"):
        Schedule((Step(2.0, Faults()), Step(1.0, Faults())))


def test_a_market_can_lack_trades_whose_ids_are_used_up() -> None:
    whole = SyntheticSource(3, 10.0)
    start = 29_900_000 * 60_000
    source = LackingSource(whole, [Lack("BTCUSDT", start + 10_000, start + 12_000)])
    all_there, some = whole.trades("BTCUSDT", 29_900_000), source.trades("BTCUSDT", 29_900_000)
    gone = set(all_there.ids.tolist()) - set(some.ids.tolist())
    assert gone == set(all_there.ids[(all_there.ts >= start + 10_000) & (all_there.ts < start + 12_000)].tolist())
    assert gone
    assert source.first_id("BTCUSDT", 29_900_001) == whole.first_id("BTCUSDT", 29_900_001)
    assert len(source.trades("ETHUSDT", 29_900_000)) == len(whole.trades("ETHUSDT", 29_900_000))
