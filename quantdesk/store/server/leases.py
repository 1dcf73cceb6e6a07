"""Let one program at a time write an instrument: a lease by the server's clock, with a fencing number.

The number rises with every new holder, so that one who was thought dead finds its own no longer
valid (Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from quantdesk.store.base import LeasedElsewhereError
from quantdesk.store.schema import instruments
from quantdesk.store.server.schema import leases
from quantdesk.types import Instrument


class Leases:
    """Hold the leases of one session by instrument id; used inside the writer's transactions.

    Who does not renew for ``seconds`` is taken over.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew_every = seconds / 3
        self.session = uuid.uuid4().hex
        self.holder = f"{socket.gethostname()} (process {os.getpid()})"
        self._fences: dict[int, int] = {}
        self._taken: list[int] = []  # in the transaction that runs
        self._ids: dict[tuple[str, str], int] = {}  # by venue and symbol

    @property
    def held(self) -> tuple[int, ...]:
        """Return the ids of the instruments that this session writes, as far as it knows."""
        return tuple(self._fences)

    def _expiry(self) -> sa.ColumnElement[object]:
        return sa.func.clock_timestamp() + sa.literal(timedelta(seconds=self._seconds), sa.Interval)

    def admit(self, connection: sa.Connection, held: int, instrument: Instrument) -> None:
        """Renew the lease, or take one that is free; raise LeasedElsewhereError where another holds it.

        The row stays locked until the transaction ends: nobody else writes this instrument meanwhile.
        """
        fence = self._fences.get(held)
        if fence is not None:
            mine = (leases.c.instrument_id == held, leases.c.session == self.session, leases.c.fence == fence)
            if connection.execute(sa.update(leases).where(*mine).values(expires_at=self._expiry())).rowcount:
                return
            del self._fences[held]
            there = connection.execute(sa.select(leases.c.fence).where(leases.c.instrument_id == held)).scalar()
            if there is not None:  # not where the whole database was made anew
                raise _elsewhere(connection, held, instrument)
        taken = self.take(connection, held)
        if taken is None:
            raise _elsewhere(connection, held, instrument)
        self._fences[held] = taken
        self._taken.append(held)
        self._ids[instrument.venue, instrument.symbol] = held

    def settle(self, *, committed: bool) -> None:
        """Learn how the transaction ended: what it took and then lost with it was never ours."""
        taken, self._taken = self._taken, []
        for held in taken:
            if not committed:
                self._fences.pop(held, None)

    def forget(self, instrument: Instrument) -> int | None:
        """Renew the lease of an instrument no longer; return its id, None where there is no lease."""
        held = self._ids.get((instrument.venue, instrument.symbol))
        return held if held is not None and self._fences.pop(held, None) is not None else None

    def take(self, connection: sa.Connection, held: int) -> int | None:
        """Take a lease that is free or has run out; return its fencing number, None where another holds it."""
        row = {"instrument_id": held, "session": self.session, "holder": self.holder}
        statement = insert(leases).values(**row, fence=1, expires_at=self._expiry())
        free = sa.or_(leases.c.session == self.session, leases.c.expires_at < sa.func.clock_timestamp())
        taken = statement.on_conflict_do_update(
            index_elements=["instrument_id"],
            set_={**row, "fence": leases.c.fence + 1, "expires_at": self._expiry()},
            where=free,
        ).returning(leases.c.fence)
        fence = connection.execute(taken).scalar()
        return None if fence is None else int(fence)

    def queue_behind(self, connection: sa.Connection, held: int) -> None:
        """Wait until whoever writes this instrument has committed, and keep it from writing until we have.

        For rows of the past that are the same whoever writes them: no lease is needed.
        """
        row = {"instrument_id": held, "session": "", "holder": "nobody"}
        past = sa.text("TIMESTAMPTZ 'epoch'")
        connection.execute(insert(leases).values(**row, fence=0, expires_at=past).on_conflict_do_nothing())
        connection.execute(sa.select(leases.c.fence).where(leases.c.instrument_id == held).with_for_update())

    def renew(self, connection: sa.Connection) -> None:
        """Renew every lease; of one that another has taken meanwhile the next write will tell."""
        for held, fence in self._fences.items():
            mine = (leases.c.instrument_id == held, leases.c.session == self.session, leases.c.fence == fence)
            connection.execute(sa.update(leases).where(*mine).values(expires_at=self._expiry()))

    def release(self, connection: sa.Connection, held: Iterable[int] | None = None) -> None:
        """Let the next one write at once."""
        ids = list(self._fences if held is None else held)
        mine = (leases.c.session == self.session, leases.c.instrument_id.in_(ids))
        connection.execute(sa.update(leases).where(*mine).values(expires_at=sa.text("TIMESTAMPTZ 'epoch'")))
        for one in ids:
            self._fences.pop(one, None)


def holders(connection: sa.Connection) -> list[tuple[str, str]]:
    """Return (symbol, who writes it) of every lease that is alive."""
    live = leases.c.expires_at >= sa.func.clock_timestamp()
    join = sa.select(instruments.c.symbol, leases.c.holder).join_from(
        leases, instruments, leases.c.instrument_id == instruments.c.id
    )
    return [(str(row[0]), str(row[1])) for row in connection.execute(join.where(live).order_by(instruments.c.symbol))]


def _elsewhere(connection: sa.Connection, held: int, instrument: Instrument) -> LeasedElsewhereError:
    holder = connection.execute(sa.select(leases.c.holder).where(leases.c.instrument_id == held)).scalar() or "another"
    return LeasedElsewhereError(f"{instrument.symbol} is recorded by {holder}: this program stands by", str(holder))
