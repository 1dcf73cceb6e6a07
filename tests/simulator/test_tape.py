import asyncio
import functools
import json

from websockets.asyncio.client import connect as connect_bounded

from quantdesk.simulator import market

#: These tests read after a burst; a bounded queue would hold back the pongs behind it.
connect = functools.partial(connect_bounded, max_queue=None)


async def collected(socket):
    frames = []
    await (await socket.ping())
    try:
        while True:
            frames.append(json.loads(await asyncio.wait_for(socket.recv(), 0.05)))
    except TimeoutError:
        return frames


async def test_best_quotes_have_every_field_and_rising_ids(server, clock):
    async with connect(server.ws_url + "/public/ws/ethusdt@bookTicker") as socket:
        await clock.advance(2)
        frames = await collected(socket)
    assert len(frames) > 30
    assert set(frames[0]) == {"e", "u", "E", "T", "s", "ps", "b", "B", "a", "A", "st"}
    updates = [f["u"] for f in frames]
    assert updates == sorted(set(updates))
    assert all(float(f["a"]) - float(f["b"]) > 0.005 for f in frames)


async def test_klines_come_four_times_a_second_and_close_as_their_trades_say(server, clock):
    async with connect(server.ws_url + "/market/ws/btcusdt@kline_1m") as socket:
        await clock.advance(35)
        frames = await collected(socket)
    assert len(frames) >= 130
    assert set(frames[0]) == {"e", "E", "s", "k", "st"}
    assert set(frames[0]["k"]) == set("tTsifLochlvnxqVQB")
    closed = [f["k"] for f in frames if f["k"]["x"]]
    assert len(closed) == 1
    listing = server.exchange.symbols["BTCUSDT"]
    bar = server.exchange.bars("BTCUSDT", "1m", closed[0]["t"], closed[0]["t"])[0]
    for key, column in (("o", market.OPEN), ("h", market.HIGH), ("l", market.LOW), ("c", market.CLOSE)):
        assert closed[0][key] == listing.price(int(bar[column]))
    assert closed[0]["v"] == listing.quantity(int(bar[market.VOLUME]))
    assert closed[0]["n"] == bar[market.TRADES]
    after = [f["k"] for f in frames if f["k"]["t"] > closed[0]["t"]]
    assert after
    assert not any(k["x"] for k in after)


async def test_five_minute_klines_close_too(server, clock):
    async with connect(server.ws_url + "/market/ws/btcusdt@kline_5m") as socket:
        await clock.advance(152, step=1.0)
        frames = await collected(socket)
    closed = [f["k"] for f in frames if f["k"]["x"]]
    assert [k["T"] - k["t"] + 1 for k in closed] == [300_000]


async def test_mark_prices_come_every_second_or_every_three(server, clock):
    names = "btcusdt@markPrice@1s/btcusdt@markPrice"
    async with connect(server.ws_url + f"/market/stream?streams={names}") as socket:
        await clock.advance(9)
        frames = await collected(socket)
    counts = {name: sum(f["stream"] == name for f in frames) for name in names.split("/")}
    assert counts == {"btcusdt@markPrice@1s": 9, "btcusdt@markPrice": 3}
    assert set(frames[0]["data"]) == {"e", "E", "s", "p", "ap", "P", "i", "r", "T", "st"}


async def test_a_symbol_of_other_letters_is_served_as_well(server, clock):
    async with connect(server.ws_url + "/market/ws") as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": ["币安人生usdt@markPrice@1s"], "id": 1}))
        await socket.recv()
        await clock.advance(1.1)
        assert json.loads(await socket.recv())["s"] == "币安人生USDT"
