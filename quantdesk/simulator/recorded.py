"""Play recorded frames as a market: shifted to now by whole minutes, in laps without end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from quantdesk.bars.arrays import IntArray
from quantdesk.config import ConfigError
from quantdesk.recording import Recording, read_frames
from quantdesk.simulator import market
from quantdesk.simulator.market import MINUTE_MS, BookColumns, Listing, TradeColumns, minute_row
from quantdesk.trades import Aggregator, RawTrade

#: What the exchange takes from the trade to its event, mostly (an aggregate waits 100 ms for more fills).
_LATENCY_MS = 155


class _Trade(msgspec.Struct, tag_field="e", tag="trade"):
    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool
    X: str = "MARKET"


class _AggTrade(msgspec.Struct, tag_field="e", tag="aggTrade"):
    s: str
    f: int
    l: int  # noqa: E741  # the exchange's own letter
    p: str
    q: str
    T: int
    m: bool


class _Book(msgspec.Struct, tag_field="e", tag="bookTicker"):
    s: str
    u: int
    b: str
    B: str
    a: str
    A: str
    T: int
    E: int


_Data = _Trade | _AggTrade | _Book


class _Combined(msgspec.Struct):
    data: _Data


@dataclass(slots=True)
class _Gathered:
    """Gather what the file holds of one symbol; trades are (price, quantity, first, last, ts, maker)."""

    trades: list[tuple[str, str, int, int, int, bool]] = field(default_factory=list)
    books: list[tuple[int, str, str, str, str, int, int]] = field(default_factory=list)
    raw: list[_Trade] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Lap:
    """Hold the recording of one symbol; times are relative to its first minute."""

    listing: Listing
    trades: TradeColumns
    books: BookColumns
    trade_span: int
    book_span: int


class RecordedSource:
    """Repeat a recording from the minute of ``start_ms`` on, and before it: the past has the same laps.

    A lap takes the recording's length rounded up to whole minutes, so minute bars are those of the
    recording. Aggregate ids go on from lap to lap. Raw trades are aggregated by the exchange's rule;
    recorded aggregates are taken as they are.
    """

    def __init__(self, path: Path, start_ms: int) -> None:
        recording = read_frames(path)
        gathered, self.frames = _gather(recording)
        self.path = path
        self.skipped_lines = recording.skipped
        gathered = {name: symbol for name, symbol in gathered.items() if symbol.trades}
        if not gathered:
            raise ConfigError(f"{path}: there are no trades in this recording")
        times = [row[4] for symbol in gathered.values() for row in symbol.trades]
        times += [row[5] for symbol in gathered.values() for row in symbol.books]
        self._origin = min(times) // MINUTE_MS * MINUTE_MS
        self._period = (max(times) - self._origin) // MINUTE_MS + 1
        self._anchor = start_ms // MINUTE_MS
        self._laps = {name: _lap(name, g, self._origin) for name, g in sorted(gathered.items())}
        self._rows: dict[tuple[str, int], IntArray] = {}

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Return the recorded symbols."""
        return tuple(lap.listing for lap in self._laps.values())

    @property
    def latency_ms(self) -> int:
        """Return by how much E is at most later than the end of the minute that holds T."""
        return _LATENCY_MS

    @property
    def truth(self) -> Mapping[str, Any]:
        """Return how the recording is laid into time."""
        return {"recording": self.path.name, "minutes": self._period, "shift_ms": self.shift_ms}

    @property
    def shift_ms(self) -> int:
        """Return what is added to the recorded times in the first lap."""
        return self._anchor * MINUTE_MS - self._origin

    def first_id(self, symbol: str, minute: int) -> int:
        """Return the id of the first trade at or after the minute."""
        lap, offset = divmod(minute - self._anchor, self._period)
        columns = self._laps[symbol].trades
        return self._base(symbol, lap) + int(np.searchsorted(columns.ts, offset * MINUTE_MS))

    def trades(self, symbol: str, minute: int) -> TradeColumns:
        """Return the aggregate trades of a minute."""
        lap, offset = divmod(minute - self._anchor, self._period)
        held = self._laps[symbol]
        rows = _minute_slice(held.trades.ts, offset)
        part = held.trades[rows]
        shift, fills = (minute - offset) * MINUTE_MS, held.trade_span * (lap - self._first_lap)
        return TradeColumns(
            ids=part.ids + self._base(symbol, lap),
            price=part.price,
            quantity=part.quantity,
            first=part.first + fills,
            last=part.last + fills,
            ts=part.ts + shift,
            event=part.event + shift,
            maker=part.maker,
        )

    def books(self, symbol: str, minute: int) -> BookColumns:
        """Return the recorded best quotes of a minute."""
        lap, offset = divmod(minute - self._anchor, self._period)
        held = self._laps[symbol]
        part = held.books[_minute_slice(held.books.ts, offset)]
        shift = (minute - offset) * MINUTE_MS
        return BookColumns(
            part.update + held.book_span * (lap - self._first_lap),
            part.bid,
            part.bid_quantity,
            part.ask,
            part.ask_quantity,
            part.ts + shift,
            part.event + shift,
        )

    def old_minutes(self, symbol: str, start: int, end: int) -> IntArray:
        """Return the bars of minutes [start, end), shape (minutes, 12), built from the laps' trades."""
        rows = [self._minute(symbol, minute) for minute in range(start, end)]
        return np.array(rows, np.int64).reshape(-1, 12)

    @property
    def _first_lap(self) -> int:
        return -(self._anchor // self._period) - 1

    def _base(self, symbol: str, lap: int) -> int:
        """Return the first id of a lap: above zero, and rising from one run of the program to the next."""
        count = len(self._laps[symbol].trades)
        return self._anchor * -(-count // self._period) + lap * count

    def _minute(self, symbol: str, minute: int) -> IntArray:
        lap, offset = divmod(minute - self._anchor, self._period)
        row = self._rows.get((symbol, offset))
        if row is None:
            first = self.trades(symbol, self._anchor + offset)
            row = self._rows[symbol, offset] = minute_row(first, self._anchor + offset)
        moved = row.copy()
        moved[market.OPEN_TIME] = minute * MINUTE_MS
        if row[market.FIRST] >= 0:
            moved[market.FIRST :] += lap * self._laps[symbol].trade_span
        return moved


def _minute_slice(ts: IntArray, offset: int) -> slice:
    begin, end = np.searchsorted(ts, [offset * MINUTE_MS, (offset + 1) * MINUTE_MS])
    return slice(int(begin), int(end))


def _gather(recording: Recording) -> tuple[dict[str, _Gathered], int]:
    """Read the trades and best quotes of each symbol; return them and the number of frames used."""
    combined, bare = msgspec.json.Decoder(_Combined), msgspec.json.Decoder(_Data)
    gathered: dict[str, _Gathered] = {}
    used = 0
    for _, frame in recording:
        try:
            data = combined.decode(frame).data if frame.startswith(b'{"stream"') else bare.decode(frame)
        except msgspec.DecodeError:
            continue  # another event, or no JSON: not part of this market
        used += 1
        symbol = gathered.setdefault(data.s, _Gathered())
        if isinstance(data, _Trade):
            symbol.raw.append(data)
        elif isinstance(data, _AggTrade):
            symbol.trades.append((data.p, data.q, data.f, data.l, data.T, data.m))
        else:
            symbol.books.append((data.u, data.b, data.B, data.a, data.A, data.T, data.E))
    for name, symbol in gathered.items():
        if not symbol.trades:
            symbol.trades = _aggregated(name, symbol.raw)
    return gathered, used


def _aggregated(name: str, raw: list[_Trade]) -> list[tuple[str, str, int, int, int, bool]]:
    digits = max((len(trade.q.partition(".")[2]) for trade in raw), default=0)
    price = {float(trade.p): trade.p for trade in raw}
    aggregator = Aggregator(name, 0)
    rows = []
    for trade in [*raw, None]:
        tick = (
            aggregator.flush()
            if trade is None
            else aggregator.add(RawTrade(name, trade.t, float(trade.p), float(trade.q), trade.T, trade.m, trade.X))
        )
        if tick is not None:
            first = aggregator.first_trade_id
            quantity = f"{tick.quantity:.{digits}f}"
            rows.append((price[tick.price], quantity, first, first + tick.trades - 1, tick.ts, tick.is_buyer_maker))
    return rows


def _lap(name: str, gathered: _Gathered, origin: int) -> _Lap:
    """Turn a symbol's rows into columns, in order of time."""
    trades = sorted(gathered.trades, key=lambda row: row[4])
    books = sorted(gathered.books)
    prices = [row[0] for row in trades] + [row[1] for row in books] + [row[3] for row in books]
    sizes = [row[1] for row in trades] + [row[2] for row in books] + [row[4] for row in books]
    price_digits, tick = _grain(prices)
    size_digits, step = _grain(sizes)
    quote = next((q for q in ("USDT", "USDC", "BUSD") if name.endswith(q)), "")
    listing = Listing(name, name.removesuffix(quote), quote, tick, step)
    first, last = _ints(row[2] for row in trades), _ints(row[3] for row in trades)
    ts = _ints(row[4] for row in trades)
    ts -= origin
    columns = TradeColumns(
        ids=np.arange(len(trades)),
        price=_units((row[0] for row in trades), price_digits),
        quantity=_units((row[1] for row in trades), size_digits),
        first=first,
        last=last,
        ts=ts,
        event=np.maximum.accumulate(ts + _LATENCY_MS),
        maker=np.array([row[5] for row in trades], np.bool_),
    )
    quotes = BookColumns(
        _ints(row[0] for row in books),
        _units((row[1] for row in books), price_digits),
        _units((row[2] for row in books), size_digits),
        _units((row[3] for row in books), price_digits),
        _units((row[4] for row in books), size_digits),
        np.maximum.accumulate(_ints(row[5] for row in books) - origin),
        np.maximum.accumulate(_ints(row[6] for row in books) - origin),
    )
    book_span = int(quotes.update[-1] - quotes.update[0]) + 1 if books else 0
    return _Lap(listing, columns, quotes, int(last.max() - first.min()) + 1, book_span)


def _ints(values: Iterable[int]) -> IntArray:
    return np.fromiter(values, np.int64)


def _units(texts: Iterable[str], digits: int) -> IntArray:
    return _ints(round(float(text) * 10**digits) for text in texts)


def _grain(texts: list[str]) -> tuple[int, str]:
    """Return the decimals of numbers and the largest step that all of them are multiples of."""
    digits = max(len(text.partition(".")[2]) for text in texts)
    step = math.gcd(*(round(float(text) * 10**digits) for text in set(texts)))
    return digits, f"{step / 10**digits:.{digits}f}"
