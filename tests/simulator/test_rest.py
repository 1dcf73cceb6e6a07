import json

import pytest
from aiohttp import ClientSession

from quantdesk.simulator.faults import Faults, Limits
from quantdesk.simulator.server import SimulatorServer

HOUR = 3_600_000


async def get(server, path, **query):
    async with ClientSession(server.rest_url) as session, session.get("/fapi/v1/" + path, params=query) as reply:
        body = await reply.text()
        return reply.status, reply.headers, json.loads(body) if reply.content_type == "application/json" else body


async def test_time_and_ping_answer(server, clock):
    assert (await get(server, "time"))[2] == {"serverTime": clock.now_ms()}
    assert (await get(server, "ping"))[2] == {}


async def test_exchange_info_names_limits_filters_and_symbols(server):
    info = (await get(server, "exchangeInfo"))[2]
    limit = info["rateLimits"][0]
    assert (limit["rateLimitType"], limit["interval"], limit["limit"]) == ("REQUEST_WEIGHT", "MINUTE", 2_400)
    symbols = {s["symbol"]: s for s in info["symbols"]}
    assert list(symbols)[:3] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    filters = {f["filterType"]: f for f in symbols["BTCUSDT"]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.10"
    assert filters["LOT_SIZE"]["stepSize"] == "0.001"
    assert symbols["BTCUSDT"]["status"] == "TRADING"
    assert not max(symbols).isascii()


async def test_aggregate_trades_are_those_generated(server):
    generated = server.exchange.generated("BTCUSDT")
    first = int(generated.ids[100])
    page = (await get(server, "aggTrades", symbol="BTCUSDT", fromId=first, limit=1_000))[2]
    assert [row["a"] for row in page] == generated.ids[100:1_100].tolist()
    assert set(page[0]) == {"a", "p", "q", "nq", "f", "l", "T", "m"}
    start, end = page[0]["T"], page[50]["T"]
    window = (await get(server, "aggTrades", symbol="BTCUSDT", startTime=start, endTime=end, limit=1_000))[2]
    assert [row for row in window if page[0]["a"] <= row["a"] <= page[50]["a"]] == page[:51]
    newest = (await get(server, "aggTrades", symbol="BTCUSDT"))[2]
    assert [row["a"] for row in newest] == generated.ids[-500:].tolist()


async def test_klines_have_twelve_columns_and_the_last_may_be_forming(server, clock):
    rows = (await get(server, "klines", symbol="ETHUSDT", interval="1m", limit=1_500))[2]
    assert len(rows) == 1_500
    assert {len(row) for row in rows} == {12}
    assert rows[-1][0] <= clock.now_ms() <= rows[-1][6]
    assert all(isinstance(value, str) for value in (*rows[0][1:6], rows[0][7], *rows[0][9:]))
    part = (await get(server, "klines", symbol="ETHUSDT", interval="1m", startTime=rows[7][0] - 5, limit=3))[2]
    assert part == rows[7:10]
    ending = (await get(server, "klines", symbol="ETHUSDT", interval="1m", endTime=rows[9][0], limit=3))[2]
    assert ending == rows[7:10]
    between = {"startTime": rows[3][0], "endTime": rows[5][6]}
    assert (await get(server, "klines", symbol="ETHUSDT", interval="1m", **between))[2] == rows[3:6]


@pytest.mark.parametrize("interval", ["5m", "15m", "1h", "1d"])
async def test_other_intervals_are_served_too(server, interval):
    rows = (await get(server, "klines", symbol="BTCUSDT", interval=interval, limit=20))[2]
    assert len(rows) == 20


async def test_quotes_and_marks_come_for_one_or_all(server):
    one = (await get(server, "ticker/bookTicker", symbol="BTCUSDT"))[2]
    assert float(one["askPrice"]) > float(one["bidPrice"])
    assert len((await get(server, "ticker/bookTicker"))[2]) == 4
    mark = (await get(server, "premiumIndex", symbol="BTCUSDT"))[2]
    assert float(mark["markPrice"]) > 0
    assert len((await get(server, "premiumIndex"))[2]) == 4


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("aggTrades", {"symbol": "NOPE"}, -1121),
        ("aggTrades", {}, -1102),
        ("aggTrades", {"symbol": "BTCUSDT", "limit": 1_001}, -1130),
        ("aggTrades", {"symbol": "BTCUSDT", "fromId": "x"}, -1100),
        ("aggTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}, -1128),
        ("aggTrades", {"symbol": "BTCUSDT", "startTime": 0, "endTime": HOUR}, -1127),
        ("klines", {"symbol": "BTCUSDT"}, -1102),
        ("klines", {"symbol": "BTCUSDT", "interval": "1s"}, -1120),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 1_501}, -1130),
        ("premiumIndex", {"symbol": "NOPE"}, -1121),
    ],
)
async def test_a_bad_request_has_the_exchanges_error_body(server, path, query, code):
    status, _, body = await get(server, path, **query)
    assert status == 400
    assert body["code"] == code
    assert body["msg"]


async def test_an_unknown_path_is_not_found(server):
    assert (await get(server, "order"))[0] == 404


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("aggTrades", {"symbol": "BTCUSDT"}, 20),
        *[
            ("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": limit}, weight)
            for limit, weight in ((99, 1), (100, 2), (499, 2), (500, 5), (1_000, 5), (1_001, 10))
        ],
        ("time", {}, 1),
    ],
)
async def test_every_answer_tells_the_weight_used_this_minute(server, clock, path, query, weight):
    assert (await get(server, path, **query))[1]["X-MBX-USED-WEIGHT-1M"] == str(weight)
    assert (await get(server, "time"))[1]["X-MBX-USED-WEIGHT-1M"] == str(weight + 1)
    clock.jump(60)
    assert (await get(server, "time"))[1]["X-MBX-USED-WEIGHT-1M"] == "1"


async def test_over_the_limit_comes_429_and_then_a_ban_each_with_a_time_to_wait(exchange, clock):
    server = SimulatorServer(exchange, limits=Limits(weight_per_minute=40, refusals_before_ban=2))
    await server.start()
    answers = [await get(server, "aggTrades", symbol="BTCUSDT") for _ in range(5)]
    assert [status for status, *_ in answers] == [200, 200, 429, 429, 418]
    assert answers[2][1]["Retry-After"] == "30"
    assert answers[4][1]["Retry-After"] == "120"
    clock.jump(119)
    assert (await get(server, "time"))[0] == 418
    clock.jump(1)
    assert (await get(server, "time"))[0] == 200
    await server.stop()


async def test_every_request_is_answered_with_the_chosen_fault(server):
    server.faults = Faults(rest_status=429, retry_after=9)
    status, headers, _ = await get(server, "time")
    assert (status, headers["Retry-After"]) == (429, "9")
    server.faults = Faults(rest_status=403)
    status, _, body = await get(server, "time")
    assert status == 403
    assert body.startswith("<html>")
    server.faults = Faults()
    assert (await get(server, "time"))[0] == 200
    assert server.rest.requests == {"/fapi/v1/time": 3}


async def test_price_ticker_and_funding_rate_answer_for_one_symbol_and_for_all(server, clock):
    newest = (await get(server, "aggTrades", symbol="BTCUSDT", limit=1))[2][0]
    one = (await get(server, "ticker/price", symbol="BTCUSDT"))[2]
    assert (one["symbol"], one["price"]) == ("BTCUSDT", newest["p"])
    assert {row["symbol"] for row in (await get(server, "ticker/price"))[2]} == set(server.exchange.symbols)
    rates = (await get(server, "fundingRate", symbol="ETHUSDT", limit=3))[2]
    times = [row["fundingTime"] for row in rates]
    assert len(times) == 3 and times == sorted(times)
    assert times[-1] == clock.now_ms() // (8 * HOUR) * 8 * HOUR
    since = (await get(server, "fundingRate", symbol="ETHUSDT", startTime=times[1], endTime=times[2]))[2]
    assert since == rates[1:]
    assert (await get(server, "fundingRate", symbol="NOPE"))[0] == 400
