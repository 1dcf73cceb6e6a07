"""REST is asked within its limits and nothing damaged of it is used."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from quantdesk.config import Endpoints, FeedLimits
from quantdesk.feed.rest import (
    RestClient,
    RestError,
    RestFaultError,
    RestLimitedError,
    RestRefusedError,
    RestRejectedError,
    RestUnreachableError,
)
from quantdesk.types import Tick
from tests.feed.conftest import Script

ROW = {"a": 5, "p": "1.50", "q": "2", "f": 10, "l": 12, "T": 1_700_000_000_000, "m": True, "nq": "2"}
BAR = [1_700_000_000_000, "2", "4", "1", "3", "9", 1_700_000_059_999, "27", 5, "1", "2", "0"]


@pytest_asyncio.fixture
async def rest(script: Script) -> AsyncIterator[RestClient]:
    client = RestClient(Endpoints("ws://x", script.url), FeedLimits(rest_timeout=1.0, max_body_bytes=1 << 16))
    yield client
    await client.close()


async def test_a_page_of_trades_is_asked_by_id_and_read(script: Script, rest: RestClient) -> None:
    script.add(json.dumps([ROW, {**ROW, "a": 6}]))
    ticks = await rest.agg_trades("BTCUSDT", from_id=5)
    assert ticks[0] == Tick("BTCUSDT", 5, 1.5, 2.0, 1_700_000_000_000, True, 3)
    assert dict(script.asked[0].query) == {"symbol": "BTCUSDT", "fromId": "5", "limit": "1000"}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([{**ROW, "p": "0"}]),
        json.dumps([{**ROW, "q": "NaN"}]),
        json.dumps([{**ROW, "a": 4}]),
        json.dumps([ROW, ROW]),
        json.dumps([{**ROW, "a": None}]),
        json.dumps([{**ROW, "l": 1}]),
        json.dumps([ROW])[:-5],
        '{"code":0}',
        "<html>hello</html>",
        "",
        "[" + " " * 70_000 + "]",
    ],
)
async def test_a_damaged_page_is_refused_as_a_whole(script: Script, rest: RestClient, body: str) -> None:
    script.add(body)
    with pytest.raises(RestFaultError):
        await rest.agg_trades("BTCUSDT", from_id=5)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (500, "", RestFaultError, "a fault (500)"),
        (503, "{}", RestFaultError, "a fault (503)"),
        (403, "<html>", RestRefusedError, "firewall"),
        (451, "", RestRefusedError, "region"),
        (404, "<html>", RestFaultError, "404"),
        (301, "", RestFaultError, "unexpected answer (301)"),
        (400, '{"code":-1121,"msg":"Invalid symbol."}', RestRejectedError, "Invalid symbol. (-1121)"),
    ],
)
async def test_each_refusal_has_its_class_and_its_words(
    script: Script, rest: RestClient, status: int, body: str, kind: type[RestError], words: str
) -> None:
    script.add(body, status)
    with pytest.raises(kind, match=words.replace("(", r"\(").replace(")", r"\)")):
        await rest.agg_trades("BTCUSDT", from_id=5)


@pytest.mark.parametrize("status", [429, 418])
async def test_no_request_goes_out_before_retry_after_is_over(script: Script, rest: RestClient, status: int) -> None:
    script.add("", status, Retry_After="1")
    begun = time.monotonic()
    with pytest.raises(RestLimitedError) as caught:
        await rest.time()
    assert caught.value.wait == 1.0
    script.add('{"serverTime":1700000000000}')
    while True:
        try:
            await rest.time()
            break
        except RestLimitedError:
            assert len(script.asked) == 1
    assert time.monotonic() - begun >= 1.0
    assert len(script.asked) == 2


async def test_a_half_body_and_a_closed_port_are_unreachable(script: Script, rest: RestClient) -> None:
    script.add("[]", Content_Length="2")
    await rest.agg_trades("X", from_id=1)
    dead = RestClient(Endpoints("ws://x", "http://127.0.0.1:9"), FeedLimits())
    with pytest.raises(RestUnreachableError, match="connection refused"):
        await dead.time()
    await dead.close()


async def test_the_used_weight_is_heeded(script: Script, rest: RestClient) -> None:
    script.add('{"serverTime":1700000000000}', X_MBX_USED_WEIGHT_1M="2399")
    await rest.time()
    assert rest.budget.used(time.monotonic()) == 2_399
    assert rest.budget.wait(20, time.monotonic()) > 0


async def test_exchange_info_tells_steps_from_the_filters_and_the_weight_limit(
    script: Script, rest: RestClient
) -> None:
    symbols = [
        {"symbol": "OLDUSDT", "status": "SETTLING", "filters": []},
        {
            "symbol": "币安人生USDT",
            "status": "TRADING",
            "pricePrecision": 7,
            "filters": [
                {"filterType": "PRICE_FILTER", "tickSize": "0.0100"},
                {"filterType": "LOT_SIZE", "stepSize": "1"},
                {"filterType": "MARKET_LOT_SIZE", "stepSize": "5"},
            ],
        },
    ]
    limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 600}]
    script.add(json.dumps({"symbols": symbols, "rateLimits": limits}))
    infos = await rest.exchange_info()
    assert [info.symbol for info in infos] == ["币安人生USDT", "OLDUSDT"]
    assert (infos[0].tick_size, infos[0].step_size) == (Decimal("0.01"), Decimal(1))
    assert rest.budget.limit == 600


async def test_the_recorded_exchange_info_of_2021_is_read(script: Script, rest: RestClient, shared_data: Path) -> None:
    body = (shared_data / "binance_2021" / "BINANCE_FUTURES.0").read_text().splitlines()[0].split(": ", 1)[1]
    client = RestClient(Endpoints("ws://x", script.url), FeedLimits())
    script.add(body)
    infos = {info.symbol: info for info in await client.exchange_info()}
    await client.close()
    assert infos["BTCUSDT"].tick_size == Decimal("0.01")
    assert len(infos) > 100


async def test_only_closed_bars_are_returned_by_the_exchanges_clock(script: Script, rest: RestClient) -> None:
    script.add(json.dumps({"serverTime": 1_700_000_060_500}))
    script.add(json.dumps([BAR, [1_700_000_060_000, *BAR[1:6], 1_700_000_119_999, *BAR[7:]]]))
    bars = await rest.klines("BTCUSDT", "1m")
    assert bars.open_time.tolist() == [1_700_000_000_000]
    assert (bars.high[0], bars.quote_volume[0], bars.trades[0]) == (4.0, 27.0, 5)
    script.add(json.dumps([[*BAR[:2], "1", *BAR[3:]]]))
    with pytest.raises(RestFaultError, match="contradicts"):
        await rest.klines("BTCUSDT", "1m")
