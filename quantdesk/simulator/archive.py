"""Serve the exchange's archive: a zip and its checksum for each whole day of trades, day or month of klines."""

from __future__ import annotations

import asyncio
import calendar
import hashlib
import io
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from aiohttp import web

from quantdesk.simulator.exchange import INTERVALS, Exchange
from quantdesk.simulator.faults import ArchiveFault, Faults
from quantdesk.simulator.market import MINUTE_MS, Listing
from quantdesk.simulator.payloads import archive_agg_trades, archive_klines

PREFIX = "/data/futures/um/"
_DAY_MS = 86_400_000
_DAY_MINUTES = _DAY_MS // MINUTE_MS
#: So many files stay in memory: a checksum and its zip are asked for one after the other.
_KEPT = 3
#: So many minutes of trades are written in one turn of the loop.
_MINUTES_A_TURN = 2
_PATH = re.compile(
    PREFIX
    + r"(?P<each>daily|monthly)/(?:klines/(?P<bars>[^/]+)/(?P<interval>[^/]+)|aggTrades/(?P<trades>[^/]+))/"
    + r"(?P<name>[^/]+)\.zip(?P<sum>\.CHECKSUM)?"
)
_NO_SUCH_KEY = "<Error><Code>NoSuchKey</Code></Error>"
_TRADES_HEAD = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
_BARS_HEAD = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


@dataclass(frozen=True, slots=True)
class _File:
    """Name one file: [start, end) in ms, ``interval`` empty for trades."""

    listing: Listing
    interval: str
    start: int
    end: int
    name: str


class Archive:
    """Answer for files of past days, made of the exchange's own seeded market when they are asked for."""

    def __init__(self, exchange: Exchange, faults: Callable[[], Faults]) -> None:
        self._exchange, self._faults = exchange, faults
        self._made: OrderedDict[tuple[str, ArchiveFault | None], bytes] = OrderedDict()
        self._making = asyncio.Lock()
        self.requests = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Serve a zip or its checksum, 404 where there is none (yet)."""
        self.requests += 1
        fault = self._faults().archive_fault
        found = _PATH.fullmatch(request.path)
        file = self._file(found) if found is not None else None
        if found is None or file is None or fault is ArchiveFault.ABSENT:
            return web.Response(status=404, text=_NO_SUCH_KEY, content_type="application/xml")
        async with self._making:
            body = await self._body(file, fault)
        if found["sum"]:
            told = b"another file" if fault is ArchiveFault.CHECKSUM else body
            return web.Response(text=f"{hashlib.sha256(told).hexdigest()}  {file.name}.zip\n")
        if fault is ArchiveFault.HALF:
            return await _half(request, body)
        return web.Response(body=body, content_type="application/zip")

    def _file(self, found: re.Match[str]) -> _File | None:
        listing = self._exchange.symbols.get(found["bars"] or found["trades"])
        interval, monthly = found["interval"] or "", found["each"] == "monthly"
        if listing is None or (interval and interval not in INTERVALS) or (monthly and not interval):
            return None
        stem = f"{listing.symbol}-{interval or 'aggTrades'}-"
        try:
            begin = date.fromisoformat(found["name"].removeprefix(stem) + ("-01" if monthly else ""))
        except ValueError:
            return None
        if found["name"] != stem + (f"{begin:%Y-%m}" if monthly else f"{begin:%Y-%m-%d}"):
            return None
        days = calendar.monthrange(begin.year, begin.month)[1] if monthly else 1
        start = int(datetime(begin.year, begin.month, begin.day, tzinfo=UTC).timestamp()) * 1_000
        end = start + days * _DAY_MS
        known = start >= self._exchange.listed_ms and end + self._exchange.source.latency_ms <= self._exchange.now_ms()
        return _File(listing, interval, start, end, found["name"]) if known else None

    async def _body(self, file: _File, fault: ArchiveFault | None) -> bytes:
        key = (file.name, fault)
        if key not in self._made:
            text = await (self._bars(file) if file.interval else self._trades(file, fault))
            self._made[key] = await asyncio.to_thread(_packed, f"{file.name}.csv", text, fault)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]

    async def _trades(self, file: _File, fault: ArchiveFault | None) -> str:
        """Write a day's trades, a few minutes in one turn of the loop: the streams go on meanwhile."""
        parts = [_TRADES_HEAD]
        for minute, trades in enumerate(self._exchange.archived(file.listing.symbol, file.start // _DAY_MS)):
            parts.append(archive_agg_trades(file.listing, trades, _shift(fault, minute)))
            if minute % _MINUTES_A_TURN == 0:
                await asyncio.sleep(0)
        return "".join(parts)

    async def _bars(self, file: _File) -> str:
        bars = self._exchange.bars(file.listing.symbol, file.interval, file.start, file.end - 1)
        return _BARS_HEAD + archive_klines(file.listing, file.interval, bars)


def _shift(fault: ArchiveFault | None, minute: int) -> tuple[int, int]:
    """Return what a fault adds to ids and times of a minute: the day's second half is numbered otherwise."""
    if fault is ArchiveFault.IDS and minute >= _DAY_MINUTES // 2:
        return -(10**6), 0
    return (0, _DAY_MS) if fault is ArchiveFault.DAY else (0, 0)


def _packed(name: str, text: str, fault: ArchiveFault | None) -> bytes:
    data = text.encode()
    if fault is ArchiveFault.BOMB:
        data += b"0" * 200_000_000
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        archive.writestr(name, data)
    body = out.getvalue()
    return body[: len(body) * 2 // 3] if fault is ArchiveFault.CUT else body


async def _half(request: web.Request, body: bytes) -> web.StreamResponse:
    """Break the line in the middle of the answer."""
    half = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return half
