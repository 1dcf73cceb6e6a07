"""Keep the ticks below their size cap: delete the oldest in slices, never a bar."""

from __future__ import annotations

import sqlalchemy as sa

from quantdesk.store.reader import transaction
from quantdesk.store.schema import instruments, ticks

#: What a tick takes on disk, measured; counting pages of one table would read them all.
TICK_BYTES = 60


def tick_bytes(connection: sa.Connection) -> int:
    """Estimate the bytes that the ticks take from how many there are."""
    with transaction(connection):
        return int(connection.execute(sa.select(sa.func.sum(instruments.c.ticks))).scalar() or 0) * TICK_BYTES


def delete_oldest(connection: sa.Connection, rows: int) -> int:
    """Delete at most ``rows`` of the oldest ticks of the instrument that has the very oldest; return how many."""
    with transaction(connection):
        held = instruments.c
        first = sa.select(ticks.c.ts).where(ticks.c.instrument_id == held.id).order_by(ticks.c.ts).limit(1)
        oldest = first.scalar_subquery()
        chosen = connection.execute(
            sa.select(held.id).where(oldest.is_not(None)).order_by(oldest).limit(1)
        ).scalar_one_or_none()
        if chosen is None:
            return 0
        key = (ticks.c.ts, ticks.c.agg_id)
        mine = sa.select(*key).where(ticks.c.instrument_id == chosen).order_by(*key)
        cut = connection.execute(mine.offset(rows).limit(1)).one_or_none()
        doomed = sa.delete(ticks).where(ticks.c.instrument_id == chosen)
        if cut is not None:
            before = sa.and_(ticks.c.ts == cut.ts, ticks.c.agg_id < cut.agg_id)
            doomed = doomed.where(ticks.c.ts <= cut.ts, sa.or_(ticks.c.ts < cut.ts, before))
        deleted = connection.execute(doomed).rowcount
        connection.execute(sa.update(instruments).where(held.id == chosen).values(ticks=held.ticks - deleted))
        return deleted
