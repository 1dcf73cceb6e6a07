"""Speak the exchange's protocol: routes, stream names, control messages, and frames into messages.

Pure and total: ``parse`` reads no clock, does no I/O and raises nothing but ``BadFrame``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from quantdesk.trades import MARKET, RawTrade
from quantdesk.types import BookTicker, Kline, MarketEvent, MarkPrice, ServerShutdown, Tick

#: A trade time may run ahead of the event time by this much (ms); more is a damaged frame.
MAX_AHEAD_MS = 60_000
#: No stamp beyond the year 9999 is a time.
MAX_MS = 253_402_300_800_000
#: USD-M events carry st = 1 or nothing; 2 is COIN-M.
USD_M = 1

#: No price, quantity or volume reaches this; sums of steps stay within 64 bits.
MAX_NUMBER = 1e15

KLINE_INTERVAL = "1m"


class Route(StrEnum):
    """Name the websocket routes; a stream on the wrong one is acknowledged and stays silent."""

    PUBLIC = "public"
    MARKET = "market"


class BadFrame(ValueError):  # noqa: N818  # it names the frame, not the program's state
    """Say why a frame cannot be used; it goes to the quarantine and harms nothing else."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Carry the exchange's answer to a control message; ``result`` is a list for LIST_SUBSCRIPTIONS."""

    id: int | None
    result: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ControlError:
    """Carry the exchange's refusal of a control message."""

    id: int | None
    code: int
    message: str


Parsed = MarketEvent | RawTrade | Ack | ControlError


def streams_of(symbol: str, route: Route) -> tuple[str, ...]:
    """Return the stream names that a symbol needs on a route."""
    name = symbol.lower()
    if route is Route.PUBLIC:
        return (f"{name}@bookTicker",)
    return f"{name}@aggTrade", f"{name}@kline_{KLINE_INTERVAL}", f"{name}@markPrice@1s"


def stream_of(event: Parsed) -> str | None:
    """Return the name of the stream that an event came on, or None where it has none."""
    match event:
        case Tick():
            return f"{event.symbol.lower()}@aggTrade"
        case BookTicker():
            return f"{event.symbol.lower()}@bookTicker"
        case MarkPrice():
            return f"{event.symbol.lower()}@markPrice@1s"
        case Kline():
            return f"{event.symbol.lower()}@kline_{event.interval}"
        case RawTrade():
            return f"{event.symbol.lower()}@trade"
    return None


def is_heartbeat(stream: str) -> bool:
    """Tell whether a stream speaks every second, whatever the market does."""
    return stream.endswith("@markPrice@1s")


def is_trade_stream(stream: str) -> bool:
    """Tell whether a stream carries aggregate trades."""
    return stream.endswith("@aggTrade")


def stream_url(base: str, route: Route) -> str:
    """Return the address of a route's combined stream; subscriptions follow as control messages."""
    return f"{base}/{route.value}/stream"


def control(method: str, streams: Sequence[str], ident: int) -> str:
    """Return a SUBSCRIBE, UNSUBSCRIBE or (without streams) LIST_SUBSCRIPTIONS message."""
    params = {"params": list(streams)} if streams else {}
    return msgspec.json.encode({"method": method, **params, "id": ident}).decode()


_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Ms = Annotated[int, msgspec.Meta(ge=1, le=MAX_MS)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
_Text = Annotated[str, msgspec.Meta(max_length=64)]


class _Event(msgspec.Struct, tag_field="e", kw_only=True):
    E: _Ms
    st: int = USD_M


class _AggTrade(_Event, tag="aggTrade", kw_only=True):
    s: _Name
    a: _Id
    p: _Text
    q: _Text
    f: _Id
    l: _Id  # noqa: E741  # the exchange's name
    T: _Ms
    m: bool


class _Book(_Event, tag="bookTicker", kw_only=True):
    u: _Id
    s: _Name
    b: _Text
    B: _Text
    a: _Text
    A: _Text
    T: _Ms


class _Mark(_Event, tag="markPriceUpdate", kw_only=True):
    s: _Name
    p: _Text
    i: _Text = "0"
    r: _Text = "0"
    T: Annotated[int, msgspec.Meta(ge=0, le=MAX_MS)] = 0


class _Bar(msgspec.Struct):
    t: _Ms
    T: _Ms
    i: _Text
    o: _Text
    c: _Text
    h: _Text
    l: _Text  # noqa: E741  # the exchange's name
    v: _Text
    q: _Text
    n: _Id
    x: bool


class _KlineEvent(_Event, tag="kline", kw_only=True):
    s: _Name
    k: _Bar


class _Trade(_Event, tag="trade", kw_only=True):
    T: _Ms
    s: _Name
    t: _Id
    p: _Text
    q: _Text
    m: bool
    X: _Text = MARKET


class _Shutdown(msgspec.Struct, tag_field="e", tag="serverShutdown"):
    E: Annotated[int, msgspec.Meta(ge=0, le=MAX_MS)] = 0


_AnyEvent = _AggTrade | _Book | _Mark | _KlineEvent | _Trade | _Shutdown
_KNOWN = {"aggTrade", "bookTicker", "markPriceUpdate", "kline", "trade", "serverShutdown"}


class _Combined(msgspec.Struct):
    stream: str
    data: _AnyEvent


_combined = msgspec.json.Decoder(_Combined)
_plain = msgspec.json.Decoder(_AnyEvent)
_anything = msgspec.json.Decoder()

_NUMBER = re.compile(r"-?\d{1,24}(?:\.\d{1,24})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


def parse(frame: str | bytes, max_bytes: int = 1 << 20) -> Parsed | None:
    """Return what a frame says, None for an event that we do not use; raise BadFrame for a malformed one.

    Takes bare payloads and ``{"stream", "data"}`` ones. Unknown keys are ignored, new ones not required.
    """
    if len(frame) > max_bytes:
        raise BadFrame(f"longer than {max_bytes} bytes")
    try:
        data: _AnyEvent = _combined.decode(frame).data if _is_combined(frame) else _plain.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return _other(frame, error)
    return _event(data)


def _is_combined(frame: str | bytes) -> bool:
    return frame.startswith('{"stream"') if isinstance(frame, str) else frame.startswith(b'{"stream"')


def _other(frame: str | bytes, reason: Exception) -> Parsed | None:
    """Sort out what is not one of our events in the usual form."""
    try:
        body: Any = _anything.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadFrame(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadFrame("not an object")
    payload = body.get("data", body)
    if not isinstance(payload, dict):
        if "stream" in body and isinstance(payload, list):
            return None  # an array stream, such as all mini tickers
        raise BadFrame("data is not an object")
    if "e" not in payload:
        return _answer(payload, reason)
    if not isinstance(payload["e"], str):
        raise BadFrame("the event has no name")
    if payload["e"] not in _KNOWN:
        return None
    try:
        return _event(msgspec.convert(payload, _AnyEvent))
    except msgspec.ValidationError as error:
        raise BadFrame(f"{payload['e']}: {error}") from error


def _answer(body: dict[str, Any], reason: Exception) -> Ack | ControlError:
    ident = body.get("id")
    ident = ident if isinstance(ident, int) else None
    error = body.get("error", body)
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        return ControlError(ident, error["code"], str(error.get("msg", ""))[:200])
    if "result" in body:
        result = body["result"]
        return Ack(ident, tuple(s for s in result if isinstance(s, str)) if isinstance(result, list) else None)
    raise BadFrame(f"no event: {reason}")


def number(text: str, name: str, *, least: float = 0.0, above: bool = False) -> float:
    """Return a decimal number that is finite and at least (or ``above``) ``least``; else raise BadFrame."""
    if _NUMBER.fullmatch(text) is None:
        raise BadFrame(f"{name} is no number: {text[:40]!r}")
    value = float(text)
    if not value < MAX_NUMBER or value < least or (above and value <= least):
        raise BadFrame(f"{name} is out of range: {text[:40]}")
    return value


def _positive(text: str, name: str) -> float:
    return number(text, name, above=True)


def _event(data: _AnyEvent) -> Parsed | None:
    if isinstance(data, _Shutdown):
        return ServerShutdown(data.E)
    if data.st != USD_M:
        return None
    if isinstance(data, _AggTrade):
        return _tick(data)
    if isinstance(data, _Book):
        return _book(data)
    if isinstance(data, _Mark):
        return _mark(data)
    return _kline(data) if isinstance(data, _KlineEvent) else _raw_trade(data)


def _check_ahead(trade_time: int, event_time: int) -> None:
    if trade_time > event_time + MAX_AHEAD_MS:
        raise BadFrame("the trade time lies ahead of the event time")


def _tick(data: _AggTrade) -> Tick:
    _check_ahead(data.T, data.E)
    if data.l < data.f:
        raise BadFrame("the last trade id is below the first")
    price, quantity = _positive(data.p, "price"), _positive(data.q, "quantity")
    return Tick(data.s, data.a, price, quantity, data.T, data.m, data.l - data.f + 1, data.E, data.f)


def _book(data: _Book) -> BookTicker:
    _check_ahead(data.T, data.E)
    bid, ask = _positive(data.b, "bid"), _positive(data.a, "ask")
    return BookTicker(
        data.s, data.u, bid, number(data.B, "bid quantity"), ask, number(data.A, "ask quantity"), data.T, data.E
    )


def _mark(data: _Mark) -> MarkPrice:
    index, rate = number(data.i or "0", "index price"), number(data.r or "0", "funding rate", least=-1e3)
    return MarkPrice(data.s, _positive(data.p, "mark price"), index, rate, data.T, data.E)


def _kline(data: _KlineEvent) -> Kline:
    bar = data.k
    first, close = _positive(bar.o, "open"), _positive(bar.c, "close")
    high, low = _positive(bar.h, "high"), _positive(bar.l, "low")
    if bar.t > bar.T or high < max(first, close, low) or low > min(first, close):
        raise BadFrame("the kline contradicts itself")
    volume, quote = number(bar.v, "volume"), number(bar.q, "quote volume")
    return Kline(data.s, bar.i, bar.t, bar.T, first, high, low, close, volume, quote, bar.n, bar.x, data.E)


def _raw_trade(data: _Trade) -> RawTrade:
    _check_ahead(data.T, data.E)
    usual = data.X == MARKET  # the others may carry zeros; they only use up an id
    price, quantity = number(data.p, "price", above=usual), number(data.q, "quantity", above=usual)
    return RawTrade(data.s, data.t, price, quantity, data.T, data.m, data.X, data.E)
