"""Drop and compress old trades on a server; a bar is never lost by it."""

from __future__ import annotations

import time

import sqlalchemy as sa

from quantdesk.store import retention as slices
from quantdesk.store.base import Retention
from quantdesk.store.schema import EpochMs, instruments, ticks
from quantdesk.store.server import settings
from quantdesk.store.server.link import SCHEMA
from quantdesk.store.server.refresher import TURN

DAY_MS = 86_400_000
#: Trades of the last days stay whatever the size: the server's own jobs still look at them.
YOUNGEST_DAYS = 2
_SLICE = 20_000
#: What a trade takes in a plain table with its key, measured.
_TICK_BYTES = 142

_CHUNKS = sa.text(
    "SELECT c.chunk_name, (extract(epoch FROM c.range_start) * 1000)::bigint AS start_ms,"
    " (extract(epoch FROM c.range_end) * 1000)::bigint AS end_ms, s.total_bytes::bigint AS bytes"
    " FROM timescaledb_information.chunks c LEFT JOIN chunks_detailed_size('ticks') s"
    " ON s.chunk_schema = c.chunk_schema AND s.chunk_name = c.chunk_name"
    " WHERE c.hypertable_schema = :schema AND c.hypertable_name = 'ticks' ORDER BY c.range_start"
)
_SPANS = sa.text(
    "SELECT (extract(epoch FROM range_start) * 1000)::bigint AS start_ms,"
    " (extract(epoch FROM range_end) * 1000)::bigint AS end_ms FROM timescaledb_information.chunks"
    " WHERE hypertable_schema = :schema AND hypertable_name = 'ticks' ORDER BY range_start"
)
_DROP = sa.text("SELECT drop_chunks('ticks', older_than => :edge)").bindparams(sa.bindparam("edge", type_=EpochMs))
_OLD_CHUNKS = sa.text(
    "SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks"
    " WHERE hypertable_schema = :schema AND hypertable_name = 'ticks' AND NOT is_compressed"
    " AND range_end <= :edge ORDER BY range_start LIMIT 1"
).bindparams(sa.bindparam("edge", type_=EpochMs))
_COMPRESS = sa.text("SELECT compress_chunk(CAST(:chunk AS regclass), if_not_compressed => true)")


def _edge(order: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
    mine = sa.select(ticks.c.ts).where(ticks.c.instrument_id == instruments.c.id)
    return mine.order_by(order).limit(1).scalar_subquery()


# By instrument: no index begins with the time, to sort by it alone would read every trade.
_HELD = sa.select(sa.func.min(_edge(ticks.c.ts.asc())), sa.func.max(_edge(ticks.c.ts.desc()))).where(
    instruments.c.ticks > 0
)


def held_times(connection: sa.Connection, instrument_id: int | None = None) -> tuple[int, int] | None:
    """Return [first, last + 1) of the trade times held (ms), of one instrument or all; None where there are none."""
    statement = _HELD if instrument_id is None else _HELD.where(instruments.c.id == instrument_id)
    return None if (edges := connection.execute(statement).one())[0] is None else (int(edges[0]), int(edges[1]) + 1)


def held_spans(connection: sa.Connection, instrument_id: int | None = None) -> list[tuple[int, int]]:
    """Return the same chunk by chunk, ascending: years may lie between two, and nothing is to be refreshed there."""
    held = held_times(connection, instrument_id)
    chunks = connection.execute(_SPANS, {"schema": SCHEMA}).all() if held is not None else ()
    spans = [(max(chunk.start_ms, held[0]), min(chunk.end_ms, held[1])) for chunk in chunks if held is not None]
    return [(start, end) for start, end in spans if start < end]


def _clock(held: tuple[int, int]) -> int:
    """Return the newest trade's time (ms); one that is dated in the future counts as of now."""
    return min(held[1] - 1, int(time.time() * 1_000))


def drop_edge(connection: sa.Connection, retention: Retention) -> int | None:
    """Return the chunk's edge (ms) before which trades are to be dropped, None where all may stay."""
    held = held_times(connection)
    chunks = connection.execute(_CHUNKS, {"schema": SCHEMA}).all()
    if held is None or not chunks:
        return None
    newest = _clock(held)
    edge = newest - retention.keep_days * DAY_MS if retention.keep_days else 0
    total = sum(chunk.bytes or 0 for chunk in chunks)
    for chunk in chunks:
        if not retention.keep_bytes or total <= retention.keep_bytes:
            break
        edge, total = max(edge, chunk.end_ms), total - (chunk.bytes or 0)
    edge = min(edge, newest - YOUNGEST_DAYS * DAY_MS)
    # Whole chunks only: a bar is either told by all of its trades or by none.
    return max((chunk.end_ms for chunk in chunks if chunk.end_ms <= edge), default=None)


def drop_before(connection: sa.Connection, edge: int) -> int:
    """Drop the chunks before ``edge`` (ms), in the caller's transaction; return how many trades went.

    No refresh runs meanwhile, and none will look there again: it would take the bars away.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
    counted = sa.select(ticks.c.instrument_id, sa.func.count()).where(ticks.c.ts < edge)
    counts = connection.execute(counted.group_by(ticks.c.instrument_id)).all()
    dropped = settings.dropped(connection)
    for chunk in connection.execute(_CHUNKS, {"schema": SCHEMA}).all():
        if chunk.end_ms <= edge:
            dropped.add(chunk.start_ms, chunk.end_ms)
    connection.execute(_DROP, {"edge": edge})
    settings.write_dropped(connection, dropped)
    own = instruments.c
    for held, gone in counts:
        connection.execute(sa.update(instruments).where(own.id == held).values(ticks=own.ticks - gone))
    return sum(gone for _, gone in counts)


def compress_old(connection: sa.Connection, retention: Retention) -> bool:
    """Compress the oldest chunk that is old enough, in the caller's transaction; return whether there was one."""
    held = held_times(connection)
    if held is None or not retention.compress_days:
        return False
    edge = _clock(held) - retention.compress_days * DAY_MS
    chunk = connection.execute(_OLD_CHUNKS, {"schema": SCHEMA, "edge": edge}).scalar()
    if chunk is None:
        return False
    connection.execute(_COMPRESS, {"chunk": chunk})
    return True


def drop_slices(connection: sa.Connection, retention: Retention, seconds: float | None) -> int:
    """Delete the oldest trades of a plain table in slices, each in its own transaction; their bars stay."""
    deleted, begun = 0, time.monotonic()
    with connection.begin():
        total = int(connection.execute(sa.select(sa.func.sum(instruments.c.ticks))).scalar() or 0)
    excess = total - retention.keep_bytes // _TICK_BYTES if retention.keep_bytes else 0
    too_old = slices.age_limit(connection, retention.keep_days)
    while seconds is None or time.monotonic() - begun < seconds:
        gone = 0
        if excess > deleted:
            gone = slices.delete_oldest(connection, min(_SLICE, excess - deleted))
        elif too_old is not None:
            gone = slices.delete_oldest(connection, _SLICE, too_old)
        deleted += gone
        if not gone:
            break
    return deleted
