"""Serve the REST side: market data calls with weights, limits and error bodies."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from aiohttp import web

from quantdesk.simulator import payloads
from quantdesk.simulator.archive import PREFIX, Archive
from quantdesk.simulator.exchange import FUNDING_MS, INTERVALS, Exchange
from quantdesk.simulator.faults import Faults, Limits, RestFault
from quantdesk.simulator.market import MINUTE_MS, Listing

_HOUR_MS = 3_600_000
_MAX_TRADES, _MAX_KLINES = 1_000, 1_500
_FAR_FUTURE = 1 << 53
_REMEMBERED = 10_000
#: A request that is to time out is answered after this (s), if anybody still waits.
_NEVER = 3_600.0

Weight = Callable[[Mapping[str, str]], int]


class _Refusal(Exception):  # noqa: N818  # it is an answer, not a failure of the program
    def __init__(self, code: int, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """Remember a request: when it came (monotonic s), what it asked for, and the status it got."""

    at: float
    path: str
    symbol: str
    from_id: str
    status: int


class _Budget:
    """Count the weight used in the running minute of the exchange's time, and ban who goes on."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._minute = 0
        self._refused = 0
        self._banned_until = 0
        self.used = 0

    def spend(self, weight: int, now_ms: int) -> tuple[int, int]:
        """Return (status, seconds to wait): 200, or 429 over the limit, or 418 when banned."""
        if now_ms < self._banned_until:
            return 418, -(-(self._banned_until - now_ms) // 1_000)
        if now_ms // MINUTE_MS != self._minute:
            self._minute, self.used, self._refused = now_ms // MINUTE_MS, 0, 0
        self.used += weight
        if self.used <= self._limits.weight_per_minute:
            return 200, 0
        self._refused += 1
        if self._refused > self._limits.refusals_before_ban:
            self._banned_until = now_ms + self._limits.ban_seconds * 1_000
            return 418, self._limits.ban_seconds
        return 429, -(-(MINUTE_MS - now_ms % MINUTE_MS) // 1_000)


def _kline_weight(query: Mapping[str, str]) -> int:
    limit = query.get("limit", "500")
    count = int(limit) if limit.isascii() and limit.isdigit() else 500
    return 1 if count < 100 else 2 if count < 500 else 5 if count <= 1_000 else 10


class RestServer:
    """Answer the REST calls of an exchange on a port of its own; ``requests`` counts them by path."""

    def __init__(self, exchange: Exchange, limits: Limits, faults: Callable[[], Faults]) -> None:
        self._exchange = exchange
        self._limits = limits
        self._faults = faults
        self._budget = _Budget(limits)
        self.archive = Archive(exchange, faults)
        self._runner: web.AppRunner | None = None
        self.requests: dict[str, int] = {}
        self.seen: deque[RequestSeen] = deque(maxlen=_REMEMBERED)

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port; raises OSError if it is taken."""
        app = web.Application()
        for path, (weight, answer) in self._ROUTES.items():
            app.router.add_get(path, self._route(weight, answer))
        app.router.add_get(f"{PREFIX}{{path:.*}}", self.archive.answer)
        app.router.add_route("*", "/{path:.*}", self._unknown)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _route(
        self, weight: Weight, answer: Callable[[RestServer, Mapping[str, str]], str]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def reply(request: web.Request) -> web.StreamResponse:
            self.requests[request.path] = self.requests.get(request.path, 0) + 1
            response = self._reply(request, weight, answer)
            asked = (request.query.get("symbol", ""), request.query.get("fromId", ""))
            self.seen.append(RequestSeen(asyncio.get_running_loop().time(), request.path, *asked, response.status))
            fault = self._faults().rest_fault
            return response if fault is None or response.status != 200 else await _spoiled(request, response, fault)

        return reply

    def _reply(
        self, request: web.Request, weight: Weight, answer: Callable[[RestServer, Mapping[str, str]], str]
    ) -> web.Response:
        faults = self._faults()
        if faults.rest_status is not None:
            return _refused(faults.rest_status, -1003, "refused by a fault", faults.retry_after)
        status, wait = self._budget.spend(weight(request.query), self._exchange.now_ms())
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._budget.used)}
        if status != 200:
            return _refused(status, -1003, "Too many requests; slow down.", wait, headers)
        try:
            body = answer(self, request.query)
        except _Refusal as refusal:
            return _refused(refusal.status, refusal.code, str(refusal), None, headers)
        return web.Response(text=body, content_type="application/json", headers=headers)

    async def _unknown(self, request: web.Request) -> web.Response:
        return _refused(404, -5000, f"Path {request.path}, Method {request.method} is invalid")

    def _ping(self, _query: Mapping[str, str]) -> str:
        return "{}"

    def _time(self, _query: Mapping[str, str]) -> str:
        return f'{{"serverTime":{self._exchange.now_ms() + self._faults().time_offset_ms}}}'

    def _info(self, _query: Mapping[str, str]) -> str:
        return payloads.exchange_info(self._exchange, self._limits.weight_per_minute)

    def _agg_trades(self, query: Mapping[str, str]) -> str:
        listing = self._listing(query)
        limit = _limit(query, 500, _MAX_TRADES)
        from_id, start, end = (_integer(query, name) for name in ("fromId", "startTime", "endTime"))
        if from_id is not None:
            if start is not None or end is not None:
                raise _Refusal(-1128, "Combination of optional parameters invalid.")
            trades = self._exchange.trades_from_id(listing.symbol, from_id, limit)
        elif start is None and end is None:
            trades = self._exchange.last_trades(listing.symbol, limit)
        else:
            start = start if start is not None else (end or 0) - _HOUR_MS + 1
            end = end if end is not None else start + _HOUR_MS - 1
            if start > end:
                raise _Refusal(-4166, "startTime must not be later than endTime.")
            if end - start >= _HOUR_MS:
                raise _Refusal(-1127, "Lookup interval is too big. More than 1 hours between startTime and endTime.")
            trades = self._exchange.trades_between(listing.symbol, start, end, limit)
        return payloads.rest_agg_trades(listing, trades)

    def _klines(self, query: Mapping[str, str]) -> str:
        listing = self._listing(query)
        interval = _required(query, "interval")
        length = INTERVALS.get(interval)
        if length is None:
            raise _Refusal(-1120, "Invalid interval.")
        limit = _limit(query, 500, _MAX_KLINES)
        start, end = _integer(query, "startTime"), _integer(query, "endTime")
        last = min(_FAR_FUTURE if end is None else end, self._exchange.now_ms())
        if start is None:
            bars = self._exchange.bars(listing.symbol, interval, last // length * length - (limit - 1) * length, last)
        else:
            first = -(-max(start, self._exchange.listed_ms) // length) * length
            last = min(last, first + (limit - 1) * length)
            bars = self._exchange.bars(listing.symbol, interval, first, last)
        return payloads.rest_klines(listing, interval, bars)

    def _premium_index(self, query: Mapping[str, str]) -> str:
        now = self._exchange.now_ms()
        return _each(query, self._listings(query), lambda at: _premium(self._exchange, at, now))

    def _funding_rate(self, query: Mapping[str, str]) -> str:
        limit = _limit(query, 100, _MAX_TRADES)
        start, end = _integer(query, "startTime"), _integer(query, "endTime")
        last = min(_FAR_FUTURE if end is None else end, self._exchange.now_ms()) // FUNDING_MS
        first = max(last - limit + 1 if start is None else -(-start // FUNDING_MS), 0)
        times = [at * FUNDING_MS for at in range(first, min(last + 1, first + limit))]
        return f"[{','.join(payloads.funding_rate(at.symbol, time) for time in times for at in self._listings(query))}]"

    def _price_ticker(self, query: Mapping[str, str]) -> str:
        now = self._exchange.now_ms()
        return _each(query, self._listings(query), lambda at: self._price_of(at, now))

    def _price_of(self, listing: Listing, now: int) -> str:
        price = listing.price(self._exchange.last_price(listing.symbol))
        return payloads.price_ticker(listing.symbol, price, now)

    def _book_ticker(self, query: Mapping[str, str]) -> str:
        quoted = [(listing, self._exchange.book(listing.symbol)) for listing in self._listings(query)]
        held = {listing: books for listing, books in quoted if len(books)}
        return _each(query, list(held), lambda at: payloads.book_ticker(at, held[at]))

    def _listing(self, query: Mapping[str, str]) -> Listing:
        listing = self._exchange.symbols.get(_required(query, "symbol"))
        if listing is None:
            raise _Refusal(-1121, "Invalid symbol.")
        return listing

    def _listings(self, query: Mapping[str, str]) -> list[Listing]:
        return [self._listing(query)] if "symbol" in query else list(self._exchange.symbols.values())

    _ROUTES: ClassVar[dict[str, tuple[Weight, Callable[[RestServer, Mapping[str, str]], str]]]] = {
        "/fapi/v1/ping": (lambda _query: 1, _ping),
        "/fapi/v1/time": (lambda _query: 1, _time),
        "/fapi/v1/exchangeInfo": (lambda _query: 1, _info),
        "/fapi/v1/aggTrades": (lambda _query: 20, _agg_trades),
        "/fapi/v1/klines": (_kline_weight, _klines),
        "/fapi/v1/premiumIndex": (lambda query: 1 if "symbol" in query else 10, _premium_index),
        "/fapi/v1/fundingRate": (lambda _query: 1, _funding_rate),
        "/fapi/v1/ticker/price": (lambda query: 1 if "symbol" in query else 2, _price_ticker),
        "/fapi/v1/ticker/bookTicker": (lambda query: 2 if "symbol" in query else 5, _book_ticker),
    }


async def _spoiled(request: web.Request, response: web.Response, fault: RestFault) -> web.StreamResponse:
    """Answer as a broken server or line would."""
    if fault is RestFault.TIMEOUT:
        await asyncio.sleep(_NEVER)
    if fault is RestFault.WRONG:
        return web.Response(text='{"result":"try later"}', content_type="application/json")
    text = response.text or ""
    if fault is RestFault.NONSENSE:
        text = text.replace('"p":"', '"p":"-').replace("serverTime", "time").replace('"symbols":[', '"symbols":[7,')
        return web.Response(text=text, content_type="application/json")
    half = web.StreamResponse(headers={"Content-Length": str(len(text.encode()))})
    half.content_type = "application/json"
    await half.prepare(request)
    await half.write(text.encode()[: len(text) // 2])
    if request.transport is not None:
        request.transport.abort()
    return half


def _premium(exchange: Exchange, listing: Listing, now: int) -> str:
    return payloads.premium_index(listing.symbol, exchange.mark(listing.symbol), now)


def _each(query: Mapping[str, str], listings: list[Listing], write: Callable[[Listing], str]) -> str:
    """Write one object for the symbol that was asked for, or a list for all."""
    texts = [write(listing) for listing in listings]
    return texts[0] if "symbol" in query and texts else f"[{','.join(texts)}]"


def _required(query: Mapping[str, str], name: str) -> str:
    value = query.get(name)
    if not value:
        raise _Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return value


def _integer(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise _Refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,18}}$'.")
    return int(value)


def _limit(query: Mapping[str, str], default: int, most: int) -> int:
    limit = _integer(query, "limit")
    if limit is None:
        return default
    if not 1 <= limit <= most:
        raise _Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
    return limit


def _refused(
    status: int, code: int, words: str, wait: int | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    sent = dict(headers or {})
    if wait is not None:
        sent["Retry-After"] = str(wait)
    if status == 403:  # the firewall answers in its own language
        page = "<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>"
        return web.Response(status=status, text=page, content_type="text/html", headers=sent)
    body = json.dumps({"code": code, "msg": words}, separators=(",", ":"))
    return web.Response(status=status, text=body, content_type="application/json", headers=sent)
