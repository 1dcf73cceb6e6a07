"""Keep the ticks below their size cap and their age: delete the oldest in slices, never a bar."""

from __future__ import annotations

import time

import sqlalchemy as sa

from quantdesk.store.reader import transaction
from quantdesk.store.schema import instruments, ticks

#: What a tick takes on disk, measured; counting pages of one table would read them all.
TICK_BYTES = 60
DAY_MS = 86_400_000


def excess(connection: sa.Connection, max_bytes: int) -> int:
    """Return how many ticks are too many for ``max_bytes`` (0: no bound), by what a tick takes on the average."""
    if max_bytes <= 0:
        return 0
    with transaction(connection):
        held = int(connection.execute(sa.select(sa.func.sum(instruments.c.ticks))).scalar() or 0)
    return max(0, (held * TICK_BYTES - max_bytes) // TICK_BYTES)


def age_limit(connection: sa.Connection, days: int) -> int | None:
    """Return the trade time (ms) before which ticks are too old, counted from the newest tick of all; None: none is.

    The newest tick is the clock: what is replayed or simulated has a time of its own. One that is dated
    in the future counts as of now, or a bad file would delete what others recorded.
    """
    if days <= 0:
        return None
    last = sa.select(ticks.c.ts).where(ticks.c.instrument_id == instruments.c.id).order_by(ticks.c.ts.desc()).limit(1)
    with transaction(connection):
        stamps = connection.execute(sa.select(last.scalar_subquery()).where(instruments.c.ticks > 0)).scalars().all()
    newest = max((stamp for stamp in stamps if stamp is not None), default=None)
    return None if newest is None else min(newest, int(time.time() * 1_000)) - days * DAY_MS


def delete_oldest(connection: sa.Connection, rows: int, before: int | None = None) -> int:
    """Delete at most ``rows`` of the oldest ticks of the instrument that has the very oldest; return how many.

    With ``before`` only those with ts < before.
    """
    with transaction(connection):
        held = instruments.c
        first = sa.select(ticks.c.ts).where(ticks.c.instrument_id == held.id).order_by(ticks.c.ts).limit(1)
        oldest = first.scalar_subquery()
        due = oldest.is_not(None) if before is None else oldest < before
        chosen = connection.execute(sa.select(held.id).where(due).order_by(oldest).limit(1)).scalar_one_or_none()
        if chosen is None:
            return 0
        key = (ticks.c.ts, ticks.c.agg_id)
        mine = sa.select(*key).where(ticks.c.instrument_id == chosen).order_by(*key)
        cut = connection.execute(mine.offset(rows).limit(1)).one_or_none()
        doomed = sa.delete(ticks).where(ticks.c.instrument_id == chosen)
        if cut is not None:
            sooner = sa.and_(ticks.c.ts == cut.ts, ticks.c.agg_id < cut.agg_id)
            doomed = doomed.where(ticks.c.ts <= cut.ts, sa.or_(ticks.c.ts < cut.ts, sooner))
        if before is not None:
            doomed = doomed.where(ticks.c.ts < before)
        deleted = connection.execute(doomed).rowcount
        connection.execute(sa.update(instruments).where(held.id == chosen).values(ticks=held.ticks - deleted))
        return deleted
