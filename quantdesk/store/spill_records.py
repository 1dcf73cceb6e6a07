"""Turn what waits for the store into the records of the spill file and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import astuple, fields
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.write_queue import Bars, Ledger, Ticks
from quantdesk.types import Gap, GapState, Instrument, Tick

#: What a spill can hold; an act is code and waits in memory.
Kept = Ticks | Bars | Ledger

#: Length and checksum; the checksum covers the length as well.
HEAD = 8
#: No record is longer: a damaged length is not believed.
MAX_RECORD = 8 << 20
#: Rows of one record.
MAX_ROWS = 10_000

_INTS = range(-(2**63), 2**63)
_TICKS = np.dtype(
    [
        ("agg_id", "<i8"),
        ("price", "<f8"),
        ("quantity", "<f8"),
        ("ts", "<i8"),
        ("maker", "<i8"),
        ("n", "<i8"),
        ("e", "<i8"),
    ]
)
_BARS = np.dtype([(f.name, "<i8" if f.name in ("open_time", "trades") else "<f8") for f in fields(BarArrays)])


class RecordError(ValueError):
    """Say that a record is whole but makes no sense."""


def framed(payload: bytes, seed: int) -> bytes:
    """Return a record: length, checksum, payload. ``seed`` ties it to its file."""
    length = len(payload).to_bytes(4, "little")
    return length + checksum(length, payload, seed).to_bytes(4, "little") + payload


def checksum(length: bytes, payload: bytes, seed: int) -> int:
    """Return the CRC-32 of a record's length and payload, begun at its file's own seed."""
    return zlib.crc32(payload, zlib.crc32(length, seed))


def representable(tick: Tick) -> bool:
    """Tell whether the integers of a tick fit 64 bits; the store refuses what does not."""
    return all(number in _INTS for number in (tick.agg_id, tick.ts, tick.trades, tick.event_ts))


def encode(work: Kept) -> Iterator[bytes]:
    """Yield the payloads of a work, in order; raise OverflowError for numbers beyond 64 bits."""
    if isinstance(work, Ticks):
        for start in range(0, len(work.ticks), MAX_ROWS):
            part = work.ticks[start : start + MAX_ROWS]
            rows = [(t.agg_id, t.price, t.quantity, t.ts, t.is_buyer_maker, t.trades, t.event_ts) for t in part]
            yield _payload("ticks", work.instrument, np.array(rows, _TICKS).tobytes(), n=len(part))
    elif isinstance(work, Bars):
        for start in range(0, len(work.bars), MAX_ROWS):
            bars = work.bars[start : start + MAX_ROWS]
            block = np.empty(len(bars), _BARS)
            for name in _BARS.names or ():
                block[name] = getattr(bars, name)
            given = {"interval": work.interval, "origin": work.origin}
            yield _payload("bars", work.instrument, block.tobytes(), n=len(bars), **given)
    else:
        rows_now = [astuple(gap) for gap in work.gaps.values()]
        for start in range(0, len(rows_now), MAX_ROWS):
            body = json.dumps(rows_now[start : start + MAX_ROWS]).encode()
            yield _payload("gaps", work.instrument, body)


def ticks_of(payload: bytes) -> int:
    """Return how many trades a payload holds; none where it makes no sense, which ``decode`` will say."""
    try:
        about = json.loads(payload.partition(b"\n")[0])
        return int(about["n"]) if about["kind"] == "ticks" else 0
    except (ValueError, KeyError, TypeError):
        return 0


def decode(payload: bytes) -> Kept:
    """Return the work of a payload; raise RecordError where it makes no sense."""
    try:
        head, _, body = payload.partition(b"\n")
        about = json.loads(head)
        venue, symbol, tick_size, step_size = about["instrument"]
        instrument = Instrument(venue, symbol, Decimal(tick_size), Decimal(step_size))
        if about["kind"] == "ticks":
            return Ticks(instrument, _ticks(symbol, np.frombuffer(body, _TICKS, about["n"])))
        if about["kind"] == "bars":
            block = np.frombuffer(body, _BARS, about["n"])
            bars = BarArrays(*(block[name].copy() for name in _BARS.names or ()))
            return Bars(instrument, about["interval"], bars, about["origin"])
        if about["kind"] == "gaps":
            rows = json.loads(body)
            gaps = [Gap(s, a, b, t, u, o, GapState(state), calls) for s, a, b, t, u, o, state, calls in rows]
            return Ledger(instrument, {gap.first_id: gap for gap in gaps})
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise RecordError(f"{type(error).__name__}: {error}") from error
    raise RecordError(f"a record of kind {about['kind']!r}")


def _payload(kind: str, instrument: Instrument, body: bytes, **more: Any) -> bytes:
    named = (instrument.venue, instrument.symbol, str(instrument.tick_size), str(instrument.step_size))
    return json.dumps({"kind": kind, "instrument": named, **more}).encode() + b"\n" + body


def _ticks(symbol: str, block: np.ndarray[Any, Any]) -> list[Tick]:
    return [Tick(symbol, a, p, q, t, bool(maker), n, e) for a, p, q, t, maker, n, e in block.tolist()]
