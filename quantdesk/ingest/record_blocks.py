"""Read and parse a tape beside the loop, block by block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from quantdesk.feed.binance import BadFrame, Parsed, parse
from quantdesk.ingest.clock import GRACE_MS
from quantdesk.ingest.extent import event_ms_of
from quantdesk.ingest.tape import PlayedBar, Tape

BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Bad:
    """Stand for a record that could not be read."""


Played: TypeAlias = "Parsed | PlayedBar | Bad | None"
#: (seconds on the recording's clock, exchange ms or 0, what it is)
Timed: TypeAlias = "tuple[float, int, Played]"


async def timed_records(tape: Tape) -> AsyncGenerator[list[Timed], None]:
    """Yield the tape's records in blocks; each is read in a thread, which has ended when this is closed."""
    records = iter(tape)

    def block() -> list[Timed]:
        found: list[Timed] = []
        for at, record in islice(records, BLOCK):
            event = _event_of(record)
            found.append((at, _ms_of(event), event))
        return found

    while True:
        reading = asyncio.ensure_future(asyncio.to_thread(block))
        try:
            read = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await asyncio.wait({reading})
            raise
        if not read:
            return
        yield read


def _event_of(record: object) -> Played:
    if not isinstance(record, bytes):
        return record  # type: ignore[return-value]  # a tape yields frames, ticks and bars
    try:
        return parse(record)
    except BadFrame:
        return Bad()


def _ms_of(event: Played) -> int:
    # A bar is heard of once its close is past, as trades are that come late.
    return event.closes + GRACE_MS if isinstance(event, PlayedBar) else event_ms_of(event)
