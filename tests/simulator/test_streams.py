import asyncio
import functools
import json

import pytest
from websockets.asyncio.client import connect as connect_bounded
from websockets.exceptions import ConnectionClosed, InvalidStatus

from quantdesk.simulator.faults import Faults, Limits
from quantdesk.simulator.server import SimulatorServer
from quantdesk.simulator.streams import read_path

TRADES = "btcusdt@aggTrade"
#: These tests read after a burst; a bounded queue would hold back the pongs behind it.
connect = functools.partial(connect_bounded, max_queue=None)


async def ask(socket, method, params=None, number=1):
    request = {"method": method, "id": number} | ({} if params is None else {"params": params})
    await socket.send(json.dumps(request))
    return json.loads(await socket.recv())


async def until(holds):
    while not holds():  # noqa: ASYNC110  # the server has no event for it
        await asyncio.sleep(0.01)


async def silent(socket, clock, seconds=3.0):
    """Say that nothing arrives while the exchange's time passes."""
    await clock.advance(seconds)
    await (await socket.ping())
    try:
        await asyncio.wait_for(socket.recv(), 0.05)
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/market/ws", ("market", False, [])),
        ("/public/ws/a@x/b@y", ("public", False, ["a@x", "b@y"])),
        ("/market/stream?streams=a@x/b@y", ("market", True, ["a@x", "b@y"])),
        ("/market/stream", ("market", True, [])),
        ("/ws/a@x", ("", False, ["a@x"])),
        ("/stream?streams=a@x", ("", True, ["a@x"])),
        ("/", ("", False, [])),
        ("/private/ws/a@x", ("", False, [])),
        ("/market/ws/%E5%B8%81@aggTrade", ("market", False, ["币@aggTrade"])),
    ],
)
def test_a_path_names_route_form_and_streams(path, expected):
    assert read_path(path) == expected


async def test_a_subscription_is_acknowledged_then_served_in_order(server, clock):
    async with connect(server.ws_url + "/market/ws") as socket:
        assert await ask(socket, "SUBSCRIBE", [TRADES]) == {"result": None, "id": 1}
        await clock.advance(3)
        frames = [json.loads(await socket.recv()) for _ in range(20)]
    assert set(frames[0]) == {"e", "E", "s", "a", "p", "q", "nq", "f", "l", "T", "m", "st"}
    assert [f["a"] for f in frames] == list(range(frames[0]["a"], frames[0]["a"] + 20))
    assert all(f["e"] == "aggTrade" and f["T"] < f["E"] for f in frames)
    assert frames[0]["p"].partition(".")[2].endswith("0")
    assert len(frames[0]["q"].partition(".")[2]) == 3


async def test_streams_in_the_path_are_served_wrapped_or_bare(server, clock):
    raw, combined = f"/market/ws/{TRADES}", f"/market/stream?streams={TRADES}"
    async with connect(server.ws_url + raw) as bare, connect(server.ws_url + combined) as wrapped:
        await clock.advance(1)
        payload, frame = json.loads(await bare.recv()), json.loads(await wrapped.recv())
    assert frame["stream"] == TRADES
    assert set(frame["data"]) == set(payload)


@pytest.mark.parametrize(
    ("path", "stream"),
    [
        ("/ws", TRADES),
        ("/stream", TRADES),
        ("/public/ws", TRADES),
        ("/market/ws", "btcusdt@bookTicker"),
        ("/market/ws", "nosuchusdt@aggTrade"),
        ("/market/ws", "btcusdt@kline_1s"),
        ("/market/ws", "BTCUSDT@aggTrade"),
    ],
)
async def test_a_wrong_route_or_stream_is_acknowledged_and_stays_silent(server, clock, path, stream):
    async with connect(server.ws_url + path) as socket:
        assert await ask(socket, "SUBSCRIBE", [stream]) == {"result": None, "id": 1}
        assert await silent(socket, clock)


async def test_subscriptions_are_listed_and_given_up(server, clock):
    async with connect(server.ws_url + "/market/ws") as socket:
        await ask(socket, "SUBSCRIBE", ["a@aggTrade", "b@aggTrade"])
        assert await ask(socket, "UNSUBSCRIBE", ["a@aggTrade"], 2) == {"result": None, "id": 2}
        assert await ask(socket, "LIST_SUBSCRIPTIONS", number=3) == {"result": ["b@aggTrade"], "id": 3}
        assert await silent(socket, clock)


@pytest.mark.parametrize(
    ("message", "code", "number"),
    [
        ("{", 3, None),
        ("[]", 2, None),
        ('{"method":"SUBSCRIBE","params":["a"]}', 2, None),
        ('{"method":"SUBSCRIBE","params":"a","id":4}', 2, 4),
        ('{"method":"SUBSCRIBE","params":[],"id":5}', 2, 5),
        ('{"method":"LOGIN","id":6}', 2, 6),
    ],
)
async def test_a_bad_request_is_answered_in_one_of_the_two_forms(server, message, code, number):
    async with connect(server.ws_url + "/market/ws") as socket:
        await socket.send(message)
        answer = json.loads(await socket.recv())
    error = answer if number is None else answer["error"]
    assert error["code"] == code
    assert error["msg"]
    assert answer.get("id") == number


async def test_more_than_ten_messages_in_a_second_are_cut(server):
    async with connect(server.ws_url + "/market/ws") as socket:
        for number in range(11):
            await socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(12):
                await socket.recv()
    assert closed.value.rcvd.code == 1008


async def test_a_connection_lives_24_hours(server, clock):
    async with connect(server.ws_url + "/market/ws") as socket:
        await clock.advance(1)
        clock.jump(24 * 3_600)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd.code == 1001


async def test_the_shutdown_is_announced(server):
    async with connect(server.ws_url + "/market/ws") as socket:
        await ask(socket, "LIST_SUBSCRIPTIONS")
        server.streams.announce_shutdown()
        assert json.loads(await socket.recv())["e"] == "serverShutdown"


async def test_a_client_that_answers_no_pings_is_cut(exchange):
    server = SimulatorServer(exchange, limits=Limits(ping_interval=0.05, ping_timeout=0.1))
    await server.start()
    async with connect(server.ws_url + f"/market/ws/{TRADES}", ping_interval=None, close_timeout=0.1) as socket:
        await asyncio.wait_for(until(lambda: server.streams.wanted("market", TRADES)), 20)
        socket.transport.pause_reading()
        await asyncio.wait_for(until(lambda: not server.streams.wanted("market", TRADES)), 20)
    await server.stop()


async def test_too_many_connects_are_refused_with_a_time_to_wait(exchange):
    server = SimulatorServer(exchange, limits=Limits(connects=1))
    await server.start()
    async with connect(server.ws_url + "/market/ws"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.ws_url + "/market/ws")
    await server.stop()
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "300"


async def test_more_streams_than_allowed_are_an_error(exchange):
    server = SimulatorServer(exchange, limits=Limits(streams=2))
    await server.start()
    async with connect(server.ws_url + "/market/ws") as socket:
        assert "error" in await ask(socket, "SUBSCRIBE", ["a@aggTrade", "b@aggTrade", "c@aggTrade"])
    await server.stop()


async def received(server, clock, seconds):
    """Return the ids that arrive on a fresh connection in so much time, and those generated in it."""
    async with connect(server.ws_url + f"/market/ws/{TRADES}") as socket:
        before = int(server.exchange.last_trades("BTCUSDT", 1).ids[-1])
        await clock.advance(seconds)
        last = int(server.exchange.last_trades("BTCUSDT", 1).ids[-1])
        await (await socket.ping())
        ids = []
        try:
            while True:
                ids.append(json.loads(await asyncio.wait_for(socket.recv(), 0.05))["a"])
        except TimeoutError:
            return ids, list(range(before + 1, last + 1))


async def test_nothing_is_lost_without_faults_and_some_with_them_by_seed(server, clock):
    ids, generated = await received(server, clock, 10)
    assert ids == generated
    server.faults = Faults(drop=0.3, seed=4)
    ids, generated = await received(server, clock, 10)
    assert 0.1 < 1 - len(ids) / len(generated) < 0.5
    server.faults = Faults(duplicate=0.3, seed=4)
    ids, generated = await received(server, clock, 10)
    assert sorted(set(ids)) == generated
    assert len(ids) > 1.1 * len(generated)


async def test_a_silent_stream_leaves_its_siblings_alone(server, clock):
    server.faults = Faults(silent=frozenset({TRADES}))
    async with connect(server.ws_url + f"/market/stream?streams={TRADES}/ethusdt@aggTrade") as socket:
        await clock.advance(2)
        assert {json.loads(await socket.recv())["stream"] for _ in range(20)} == {"ethusdt@aggTrade"}


@pytest.mark.parametrize("code", [1000, 1011, 1012])
async def test_all_connections_are_closed_every_so_often_with_the_chosen_code(server, clock, code):
    async with connect(server.ws_url + "/market/ws") as socket:
        server.faults = Faults(close_every=5, close_code=code)
        await clock.advance(5.2)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd.code == code


async def test_a_reset_sends_no_close_frame(server, clock):
    async with connect(server.ws_url + "/market/ws") as socket:
        await ask(socket, "LIST_SUBSCRIPTIONS")
        server.streams.cut_all(1006)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is None


async def test_a_hanging_exchange_answers_not_even_pings_until_it_comes_back(server, clock):
    async with connect(server.ws_url + f"/market/ws/{TRADES}", ping_interval=None) as socket:
        await clock.advance(1)
        await socket.recv()
        server.faults = Faults(hang=True)
        pong = await socket.ping()
        await clock.advance(5)
        await asyncio.sleep(0.1)
        assert not pong.done()
        server.faults = Faults()
        await pong


async def test_an_acknowledgement_can_be_lost(server, clock):
    server.faults = Faults(no_ack=True)
    async with connect(server.ws_url + "/market/ws") as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [TRADES], "id": 1}))
        await (await socket.ping())
        await clock.advance(1)
        assert json.loads(await socket.recv())["e"] == "aggTrade"


@pytest.mark.parametrize("status", [403, 418, 429, 451, 503])
async def test_a_handshake_is_refused_with_the_chosen_status(server, status):
    server.faults = Faults(handshake_status=status, retry_after=7)
    with pytest.raises(InvalidStatus) as refused:
        await connect(server.ws_url + "/market/ws")
    assert refused.value.response.status_code == status
    assert refused.value.response.headers["Retry-After"] == "7"


async def test_any_frame_can_be_put_among_the_others(server, clock):
    async with connect(server.ws_url + f"/market/stream?streams={TRADES}") as socket:
        await (await socket.ping())
        server.streams.publish("market", TRADES, b"\xff\x00")
        assert await socket.recv() == b"\xff\x00"
