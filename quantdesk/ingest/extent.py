"""Find when a recorded file begins and ends without reading all of its records."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from quantdesk.feed.binance import BadFrame, parse
from quantdesk.trades import RawTrade
from quantdesk.types import BookTicker, Tick

#: So much of the file's end is looked at, and so many records at its start.
_TAIL_BYTES = 256 << 10
_HEAD_RECORDS = 200
_BLOCK = 4 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def event_ms_of(event: object) -> int:
    """Return the exchange's time (ms) of an event, 0 where it tells none that a replay goes by."""
    if isinstance(event, Tick):
        return max(event.event_ts, event.ts)
    return event.event_ts if isinstance(event, RawTrade | BookTicker) else 0


def extent_of(
    path: Path, records: Iterable[tuple[float, object]], read: Callable[[bytes], object]
) -> tuple[int, int] | None:
    """Return (first, last) exchange time (ms) of a recorded file, or None where no record tells one.

    ``records`` are those from the start; ``read`` turns a line into a frame or an event and raises
    BadFrame or ValueError for one that is none. A zipped file is unpacked to its end, but not parsed.
    """
    head = [ms for _, record in islice(records, _HEAD_RECORDS) if (ms := _ms_of(record))]
    newest = 0
    for line in _tail(path):
        try:
            newest = max(newest, _ms_of(read(line)))
        except (BadFrame, ValueError, KeyError, TypeError, IndexError):
            continue
    return (min(head), max(newest, *head)) if head else None


def _ms_of(record: object) -> int:
    try:
        return event_ms_of(parse(record) if isinstance(record, bytes) else record)
    except BadFrame:
        return 0


def _tail(path: Path) -> list[bytes]:
    """Return the last whole lines of a file; of a damaged one those before the damage."""
    tail = b""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP_MAGIC
            if not zipped:
                size = raw.seek(0, 2)
                raw.seek(max(0, size - _TAIL_BYTES))
                return raw.read().splitlines()[1 if size > _TAIL_BYTES else 0 :]
        with gzip.open(path) as file:
            while block := file.read(_BLOCK):
                tail = (tail + block)[-_TAIL_BYTES:]
    except (OSError, EOFError, zlib.error):
        pass
    return tail.splitlines()[1:]
