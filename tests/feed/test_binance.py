"""The exchange's frames become messages, and nothing malformed does."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.feed.binance import (
    Ack,
    BadFrame,
    ControlError,
    Route,
    control,
    parse,
    stream_of,
    stream_url,
    streams_of,
)
from quantdesk.recording import Recording
from quantdesk.trades import RawTrade
from quantdesk.types import BookTicker, Kline, MarkPrice, ServerShutdown, Tick

TRADE: dict[str, Any] = {
    "e": "aggTrade", "E": 1721347022956, "s": "BTCUSDT", "a": 2200000000, "p": "63943.90", "q": "0.021",
    "f": 5182005737, "l": 5182005739, "T": 1721347022801, "m": True,
}  # fmt: skip
BOOK: dict[str, Any] = {
    "e": "bookTicker", "u": 7, "E": 1721347022507, "T": 1721347022507, "s": "BTCUSDT",
    "b": "63943.90", "B": "46.371", "a": "63944.00", "A": "0.095",
}  # fmt: skip
MARK: dict[str, Any] = {
    "e": "markPriceUpdate", "E": 1721347023000, "s": "BTCUSDT", "p": "63940.1", "i": "63939.9", "P": "0",
    "r": "-0.00010000", "T": 1721376000000,
}  # fmt: skip
BAR: dict[str, Any] = {
    "t": 1721347020000, "T": 1721347079999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 3, "o": "2", "c": "3", "h": "4",
    "l": "1", "v": "0", "n": 0, "x": False, "q": "0", "V": "0", "Q": "0", "B": "0",
}  # fmt: skip
KLINE: dict[str, Any] = {"e": "kline", "E": 1721347022507, "s": "BTCUSDT", "k": BAR}


def raw(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def test_an_aggregate_trade_is_a_tick_bare_and_combined_and_with_new_keys() -> None:
    tick = Tick("BTCUSDT", 2200000000, 63943.90, 0.021, 1721347022801, True, 3, 1721347022956)
    assert parse(raw(TRADE)) == tick
    assert parse(raw(TRADE).decode()) == tick
    assert parse(raw({"stream": "btcusdt@aggTrade", "data": TRADE})) == tick
    assert parse(raw({"data": TRADE, "stream": "btcusdt@aggTrade"})) == tick
    assert parse(raw({**TRADE, "nq": "0.02", "st": 1, "zz": [1]})) == tick


def test_the_other_events_are_read() -> None:
    book, mark, kline = parse(raw(BOOK)), parse(raw(MARK)), parse(raw(KLINE))
    assert isinstance(book, BookTicker)
    assert (book.bid, book.ask) == (63943.90, 63944.00)
    assert isinstance(mark, MarkPrice)
    assert mark.funding_rate == -0.0001
    assert isinstance(kline, Kline)
    assert (kline.open, kline.high, kline.low, kline.close, kline.closed) == (2, 4, 1, 3, False)
    assert parse(raw({"e": "serverShutdown", "E": 5})) == ServerShutdown(5)
    assert parse(raw({"e": "trade", "E": 2, "T": 1, "s": "X", "t": 9, "p": "1", "q": "2", "X": "ADL", "m": True})) == (
        RawTrade("X", 9, 1.0, 2.0, 1, True, "ADL", 2)
    )


def test_coin_margined_and_unknown_events_are_nothing() -> None:
    assert parse(raw({**TRADE, "st": 2})) is None
    assert parse(raw({"e": "depthUpdate", "s": 5})) is None
    assert parse(raw({"stream": "!ticker@arr", "data": [1]})) is None


def test_answers_to_control_messages_are_told_from_events() -> None:
    assert parse(b'{"result":null,"id":3}') == Ack(3)
    assert parse(b'{"result":["a@b"],"id":3}') == Ack(3, ("a@b",))
    assert parse(b'{"error":{"code":2,"msg":"no"},"id":4}') == ControlError(4, 2, "no")
    assert parse(b'{"code":2,"msg":"no"}') == ControlError(None, 2, "no")


@pytest.mark.parametrize(
    "change",
    [
        {"p": "NaN"}, {"p": "Infinity"}, {"p": "0"}, {"p": "0.0"}, {"p": "-1"}, {"p": None}, {"p": "1_0"}, {"p": ""},
        {"p": "١"}, {"p": 5}, {"q": "-0.1"}, {"q": "0"}, {"a": -1}, {"a": 2**63}, {"a": 10**300}, {"a": 1.5},
        {"a": "5"}, {"T": 0}, {"T": 10**18}, {"T": 1721347022956 + 60_001}, {"E": None}, {"f": 9, "l": 8}, {"s": ""},
        {"s": "X" * 99}, {"m": "true"}, {"s": None}, {"p": "9" * 65}, {"q": "1e99"},
    ],
)  # fmt: skip
def test_a_malformed_trade_is_a_bad_frame(change: dict[str, Any]) -> None:
    with pytest.raises(BadFrame):
        parse(raw({**TRADE, **change}))


@pytest.mark.parametrize("key", list(TRADE))
def test_a_missing_field_is_a_bad_frame(key: str) -> None:
    with pytest.raises(BadFrame):
        parse(raw({k: v for k, v in TRADE.items() if k != key}))


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x00\xff\xfe", b"nonsense", raw(TRADE)[:-9], b"null", b"[]", b"5", b"{}", b"[" * 5_000, b'{"e":5}',
     raw({**KLINE, "k": {**BAR, "h": "2.5"}}), raw({**KLINE, "k": {**BAR, "v": "-1"}}), raw({**BOOK, "b": "0"}),
     b'{"stream":"x","data":5}', b'"' + b"x" * (2 << 20) + b'"'],
)  # fmt: skip
def test_anything_else_is_a_bad_frame(frame: bytes) -> None:
    with pytest.raises(BadFrame):
        parse(frame)


def test_a_symbol_may_hold_letters_of_any_script() -> None:
    event = parse(raw({**TRADE, "s": "币安人生USDT"}))
    assert isinstance(event, Tick)
    assert stream_of(event) == "币安人生usdt@aggTrade"


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_bad_frame(frame: bytes) -> None:
    with suppress(BadFrame):
        parse(frame)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_value_in_any_field_raises_anything_but_bad_frame(value: Any) -> None:
    for base in (TRADE, BOOK, MARK, KLINE):
        for key in base:
            with suppress(BadFrame):
                parse(json.dumps({**base, key: value}))


def test_routes_and_names_are_the_exchanges_own() -> None:
    assert stream_url("wss://h", Route.MARKET) == "wss://h/market/stream"
    assert streams_of("BTCUSDT", Route.PUBLIC) == ("btcusdt@bookTicker",)
    assert streams_of("BTCUSDT", Route.MARKET) == ("btcusdt@aggTrade", "btcusdt@kline_1m", "btcusdt@markPrice@1s")
    assert json.loads(control("SUBSCRIBE", ["a"], 7)) == {"method": "SUBSCRIBE", "params": ["a"], "id": 7}


def test_the_recorded_frames_of_2021_all_parse(shared_data: Path) -> None:
    kinds: Counter[str] = Counter()
    ids: dict[str, list[int]] = {}
    for _, frame in Recording(shared_data / "binance_2021" / "BINANCE_FUTURES.ws.1.0"):
        event = parse(frame)
        kinds[type(event).__name__] += 1
        if isinstance(event, Tick):
            ids.setdefault(event.symbol, []).append(event.agg_id)
    assert kinds == {"NoneType": 764, "BookTicker": 613, "Tick": 91, "Kline": 67}
    assert all(got == list(range(got[0], got[0] + len(got))) for got in ids.values())
