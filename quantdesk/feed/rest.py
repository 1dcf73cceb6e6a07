"""Ask the exchange's REST interface within its limits, and trust nothing of the answer."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import aiohttp
import msgspec

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import Endpoints, FeedLimits
from quantdesk.feed.binance import MAX_MS, BadFrame, number
from quantdesk.feed.certificates import tls_context
from quantdesk.feed.clock_offset import ClockOffset
from quantdesk.feed.failures import error_words, retry_after, status_words
from quantdesk.feed.pace import WINDOW, WeightBudget
from quantdesk.feed.proxy import proxy_for
from quantdesk.types import UNKNOWN_STEP, SymbolInfo, Tick

PAGE = 1_000
AGG_TRADES_WEIGHT = 20
_KLINE_WEIGHTS = ((100, 1), (500, 2), (1_001, 5))
_BANNED = {418: 120.0, 429: 30.0}
_MINUTES = {"SECOND": 1 / 60, "MINUTE": 1.0, "HOUR": 60.0, "DAY": 1_440.0}
T = TypeVar("T")


class RestError(Exception):
    """Say in plain words why REST gave no data; trying again later may help."""


class RestUnreachableError(RestError):
    """The network, the name, TLS or a proxy is in the way."""


class RestLimitedError(RestError):
    """The exchange wants no request for ``wait`` seconds (429, 418)."""

    def __init__(self, words: str, wait: float) -> None:
        super().__init__(words)
        self.wait = wait


class RestRefusedError(RestError):
    """A firewall or the region is in the way (401, 403, 407, 451); asking soon again is useless."""


class RestFaultError(RestError):
    """The exchange has a fault (5xx) or answers with nonsense; nothing of the answer is used."""


class RestRejectedError(RestError):
    """The exchange understood and says no, e.g. -1121 for an unknown symbol."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"the exchange says: {message} ({code})")
        self.code = code


class _AggTrade(msgspec.Struct):
    a: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    p: str
    q: str
    f: int
    l: int  # noqa: E741  # the exchange's name
    T: Annotated[int, msgspec.Meta(ge=1, le=MAX_MS)]
    m: bool


class _Time(msgspec.Struct):
    serverTime: Annotated[int, msgspec.Meta(ge=1, le=MAX_MS)]  # noqa: N815  # the exchange's name


class _RateLimit(msgspec.Struct):
    rateLimitType: str  # noqa: N815
    limit: int
    interval: str = "MINUTE"
    intervalNum: int = 1  # noqa: N815


class _Symbol(msgspec.Struct):
    symbol: str
    status: str = "TRADING"
    contractType: str = ""  # noqa: N815
    baseAsset: str = ""  # noqa: N815
    quoteAsset: str = ""  # noqa: N815
    filters: list[dict[str, Any]] = []


class _Info(msgspec.Struct):
    symbols: list[_Symbol]
    rateLimits: list[_RateLimit] = []  # noqa: N815


class _Refusal(msgspec.Struct):
    code: int
    msg: str = ""


class RestClient:
    """Ask one exchange; ``limits`` bound time, size and weight. Close it with ``close``.

    ``proxy_of`` tells for each URL which proxy it is asked through.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        limits: FeedLimits,
        clock: Callable[[], float] = time.monotonic,
        *,
        proxy_of: Callable[[str], str | None] = proxy_for,
    ) -> None:
        self._base, self._proxy_of = endpoints.rest_url, proxy_of
        self._limits = limits
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Lock()
        self._no_request_before = 0.0
        self._sent_at = self._came_at = 0.0  # of the last request
        self.budget = WeightBudget(limits)
        self.offset = ClockOffset()
        self.requests = 0

    @property
    def clock_offset_ms(self) -> float | None:
        """Return the exchange's clock minus this computer's (ms), None while unknown."""
        base = self.offset.base_ms
        return None if base is None else base + self._clock() * 1_000 - time.time() * 1_000

    @property
    def exchange_ms(self) -> float | None:
        """Return the exchange's time (ms) as estimated, None while unknown."""
        base = self.offset.base_ms
        return None if base is None else base + self._clock() * 1_000

    @property
    def banned_for(self) -> float:
        """Return for how many seconds no request may go out."""
        return max(0.0, self._no_request_before - self._clock())

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def time(self) -> int:
        """Return the exchange's clock (ms) and learn its offset to ours."""
        answer = _decode(await self._get("/fapi/v1/time", {}, 1), _Time)
        self.offset.add(self._sent_at, self._came_at, answer.serverTime)
        return answer.serverTime

    async def exchange_info(self) -> list[SymbolInfo]:
        """Return every symbol, tradable ones first, and learn the weight limit."""
        info = _decode(await self._get("/fapi/v1/exchangeInfo", {}, 1), _Info)
        for rule in info.rateLimits:
            minutes = _MINUTES.get(rule.interval, 0.0) * rule.intervalNum
            if rule.rateLimitType == "REQUEST_WEIGHT" and rule.limit > 0 and minutes > 0:
                self.budget.limit = max(1, int(rule.limit / minutes))
        found = [_symbol_info(row) for row in info.symbols if row.symbol]
        return sorted(found, key=lambda row: row.status != "TRADING")

    async def agg_trades(
        self,
        symbol: str,
        from_id: int | None = None,
        start: int | None = None,
        end: int | None = None,
        limit: int = PAGE,
    ) -> list[Tick]:
        """Return trades ascending by id, from ``from_id`` on or with start <= T <= end (ms, less than 1 h apart)."""
        query = {"symbol": symbol, "fromId": from_id, "startTime": start, "endTime": end, "limit": limit}
        body = await self._get("/fapi/v1/aggTrades", query, AGG_TRADES_WEIGHT)
        ticks = [_tick(symbol, row) for row in _decode(body, list[_AggTrade])]
        ids = [tick.agg_id for tick in ticks]
        if any(b <= a for a, b in pairwise(ids)) or (ids and ids[0] < (from_id or 0)):
            raise RestFaultError("the trades came in the wrong order")
        return ticks

    async def klines(
        self, symbol: str, interval: str, start: int | None = None, end: int | None = None, limit: int = PAGE
    ) -> BarArrays:
        """Return closed bars ascending, at most 1,500; the exchange's clock says which are closed."""
        if self.exchange_ms is None:
            await self.time()
        query = {"symbol": symbol, "interval": interval, "startTime": start, "endTime": end, "limit": limit}
        weight = next((w for below, w in _KLINE_WEIGHTS if limit < below), 10)
        body = await self._get("/fapi/v1/klines", query, weight)
        now = (self.exchange_ms or 0.0) - (self.offset.error_ms or 0.0)
        rows = [_bar(row) for row in _decode(body, list[list[Any]])]
        times = [bar[0] for bar, _ in rows]
        if any(b <= a for a, b in pairwise(times)):
            raise RestFaultError("the bars came in the wrong order")
        return BarArrays.from_rows([bar for bar, close_time in rows if close_time < now])

    async def _get(self, path: str, query: Mapping[str, str | int | None], weight: int) -> bytes:
        """Return the body of a good answer. One request at a time: the budget is known before each."""
        async with self._gate:
            while True:
                if (banned := self.banned_for) > 0:
                    raise RestLimitedError(f"the exchange wants no request for {math.ceil(banned)} s", banned)
                wait = self.budget.wait(weight, self._clock())
                if wait <= 0:
                    break
                await asyncio.sleep(min(wait, 1.0))
            self.budget.spend(weight, self._clock())
            self.requests += 1
            self._sent_at = self._clock()
            try:
                body = await self._request(path, {k: str(v) for k, v in query.items() if v is not None})
                self._came_at = self._clock()
                return body
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                raise RestUnreachableError(error_words(error)) from error

    async def _request(self, path: str, query: dict[str, str]) -> bytes:
        if self._session is None:
            # The system's proxy is looked up for each request; .netrc is none of our business.
            patience = aiohttp.ClientTimeout(total=self._limits.rest_timeout)
            self._session = aiohttp.ClientSession(timeout=patience, connector=aiohttp.TCPConnector(ssl=tls_context()))
        url = self._base + path
        proxy = self._proxy_of(url)
        async with self._session.get(url, params=query, allow_redirects=False, proxy=proxy) as answer:
            self._heed(answer.headers)
            if answer.status in _BANNED:
                wait = retry_after(answer.headers.get("Retry-After"), _BANNED[answer.status])
                self._no_request_before = max(self._no_request_before, self._clock() + wait)
                raise RestLimitedError(status_words(answer.status), wait)
            body = await self._body(answer)
            if answer.status == 200:
                return body
            raise _failure(answer.status, body)

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for part in answer.content.iter_chunked(1 << 16):
            size += len(part)
            if size > self._limits.max_body_bytes:
                raise RestFaultError(f"the answer is longer than {self._limits.max_body_bytes} bytes")
            parts.append(part)
        return b"".join(parts)

    def _heed(self, headers: Mapping[str, str]) -> None:
        text = headers.get("X-MBX-USED-WEIGHT-1M", "")
        if text.isascii() and text.isdigit():
            self.budget.report(min(int(text[:9]), 10**8), self._clock(), _rest_of_minute(headers.get("Date")))


def _rest_of_minute(date: str | None) -> float:
    """Return how long a used-weight report holds: the exchange counts by minutes of its own clock."""
    try:
        return 61.0 - parsedate_to_datetime(date).second if date else WINDOW
    except (ValueError, TypeError):
        return WINDOW


def _failure(status: int, body: bytes) -> RestError:
    if status in (401, 403, 407, 451):
        return RestRefusedError(status_words(status))
    if status < 500:
        try:
            refusal = msgspec.json.decode(body, type=_Refusal)
        except (msgspec.MsgspecError, UnicodeError):
            return RestFaultError(status_words(status))
        return RestRejectedError(refusal.code, refusal.msg[:200])
    return RestFaultError(status_words(status))


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RestFaultError("the answer is not what was asked for") from error


def _tick(symbol: str, row: _AggTrade) -> Tick:
    try:
        price, quantity = number(row.p, "price", above=True), number(row.q, "quantity", above=True)
    except BadFrame as error:
        raise RestFaultError(f"a trade of the answer is damaged: {error}") from error
    if row.l < row.f or row.f < 0:
        raise RestFaultError("a trade of the answer is damaged: its ids")
    return Tick(symbol, row.a, price, quantity, row.T, row.m, row.l - row.f + 1, 0, row.f)


def _bar(row: list[Any]) -> tuple[tuple[int, float, float, float, float, float, float, int], int]:
    try:
        open_time, close_time, trades = int(row[0]), int(row[6]), int(row[8])
        prices = [number(row[i], "price", above=True) for i in (1, 2, 3, 4)]
        volume, quote = number(row[5], "volume"), number(row[7], "quote volume")
    except (BadFrame, IndexError, TypeError, ValueError) as error:
        raise RestFaultError(f"a bar of the answer is damaged: {error}") from error
    if not 0 < open_time <= close_time <= MAX_MS or prices[1] != max(prices) or prices[2] != min(prices):
        raise RestFaultError("a bar of the answer contradicts itself")
    return (open_time, *prices, volume, quote, trades), close_time  # type: ignore[return-value]  # four prices


def _symbol_info(row: _Symbol) -> SymbolInfo:
    found = {str(f.get("filterType")): f for f in row.filters}
    tick = _step(found.get("PRICE_FILTER", {}).get("tickSize"))
    step = _step(found.get("LOT_SIZE", {}).get("stepSize"))
    return SymbolInfo(row.symbol, row.status, row.contractType, row.baseAsset, row.quoteAsset, tick, step)


def _step(text: object) -> Decimal:
    try:
        step = Decimal(str(text))
    except InvalidOperation:
        return UNKNOWN_STEP
    return step if step.is_finite() and UNKNOWN_STEP <= step <= 10**9 else UNKNOWN_STEP
