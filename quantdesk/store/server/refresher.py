"""Bring the continuous aggregates up to date where trades came late, level by level, in a thread of its own."""

from __future__ import annotations

import logging
import threading
import time

import sqlalchemy as sa

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import StoreError
from quantdesk.store.ranges import Ranges
from quantdesk.store.schema import instruments
from quantdesk.store.server.link import Link
from quantdesk.store.server.schema import VIEWS
from quantdesk.store.server.settings import dropped
from quantdesk.store.server.words import ServerBusyError
from quantdesk.types import Interval

_log = logging.getLogger(__name__)

#: Buckets that ended less than this (ms) before the newest trade are left alone: one that is materialised
#: while it still fills would freeze.
GRACE_MS = 2_000
PERIOD = 1.0
#: One call refreshes no more than this (ms): it can be interrupted between two.
SLICE_MS = 86_400_000
#: So long (s) one call may take.
CALL_SECONDS = 600.0
#: So long (s) a call that runs may go on when the store is closed.
LAST_CALL = 5.0
_FIRST_DELAY, _LAST_DELAY = 0.2, 5.0
#: Two refreshes of one view fail: programs take turns, and so does dropping.
TURN = 0x51447246
_LEVELS = tuple(Interval)
_TAKES_OPTIONS = (
    "SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'refresh_continuous_aggregate'"
    " AND 'options' = ANY (proargnames))"
)
_NEWEST = sa.select(sa.func.max(instruments.c.last_agg_ts))


class Refresher:
    """Keep what changed by level and refresh it: seconds first, each level from the one below.

    ``touch`` and ``settle`` may be called from any thread.
    """

    def __init__(self, address: StoreAddress, patience: float = CALL_SECONDS, last_call: float = LAST_CALL) -> None:
        # In autocommit, as the call demands.
        self._link = Link(address, self._look, patience, autocommit=True)
        self._dirty = {interval: Ranges() for interval in _LEVELS}
        self._newest = 0
        self._last_call = last_call
        self._options = False
        self._changed = threading.Condition()
        self._stopping = False
        self._waiting_since: float | None = None
        self._running = False
        self._asked = self._failures = 0
        self.trouble = ""
        self._thread = threading.Thread(target=self._main, name="store-refresher", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def touch(self, start: int, end: int) -> None:
        """Note that trades with start <= ts < end (ms) were written."""
        with self._changed:
            self._newest = max(self._newest, end - 1)
            # A longer level is due once the one below is refreshed: before, it would take in what is old there.
            self._dirty[_LEVELS[0]].add(start, end)
            if self._waiting_since is None:
                self._waiting_since = time.monotonic()

    @property
    def lag(self) -> float:
        """Return how long (s) the oldest change that could be refreshed has waited."""
        with self._changed:
            since = self._waiting_since
            return time.monotonic() - since if since is not None and self._waits() else 0.0

    def settle(self, timeout: float) -> bool:
        """Wait until all that was touched before is refreshed as far as it may be; return whether it is.

        Where refreshing fails it does not wait longer.
        """
        with self._changed:
            if self._waits() and self._thread.is_alive():
                self._asked += 1
                failures = self._failures
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._stopping or not self._waits() or self._failures > failures, timeout
                )
            return not self._waits()

    def stop(self) -> None:
        """Finish the refresh that runs unless it takes long, leave the rest to the next start and the policies."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(self._last_call)
        if self._thread.is_alive():
            self._link.cut()
            self._thread.join(LAST_CALL)
        self._link.close()

    def _waits(self) -> bool:
        return self._running or any(self._due(interval) for interval in _LEVELS)

    def _due(self, interval: Interval) -> list[tuple[int, int]]:
        """Return what may be refreshed of a level now, aligned to its buckets."""
        cut = (self._newest - GRACE_MS) // interval.ms * interval.ms
        return self._dirty[interval].aligned(interval.ms, cut)

    def _main(self) -> None:
        delay = _FIRST_DELAY
        while not self._stopping:
            if self._has_passed():
                delay = _FIRST_DELAY
                with self._changed:
                    asked = self._asked
                    self._changed.wait_for(lambda: self._stopping or self._asked != asked, PERIOD)  # noqa: B023
            else:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, delay)
                delay = min(2 * delay, _LAST_DELAY)

    def _has_passed(self) -> bool:
        """Refresh what is due; return whether that went well."""
        try:
            self._pass()
        except ServerBusyError:  # another program's turn: ours comes
            return False
        except (StoreError, ValueError) as error:
            if self.trouble != str(error):
                _log.warning("bars cannot be refreshed: %s", error)
            self.trouble = str(error)
            with self._changed:
                self._failures += 1
                self._changed.notify_all()
            return False
        self.trouble = ""
        return True

    def _pass(self) -> None:
        begun = time.monotonic()
        self._learn_newest()
        for interval in _LEVELS:
            with self._changed:
                due = self._due(interval)
            for start, end in due:
                for low in range(start, end, SLICE_MS):
                    if self._stopping:
                        return
                    self._refresh(interval, low, min(end, low + SLICE_MS))
        with self._changed:
            self._waiting_since = begun if self._waits() else None
            self._changed.notify_all()

    def _learn_newest(self) -> None:
        """Look how far all programs have come: what they refresh hides our trades before that until we do."""
        with self._changed:
            if not any(self._dirty.values()):
                return
        with self._link.transaction() as connection:
            newest = connection.execute(_NEWEST).scalar()
        with self._changed:
            self._newest = max(self._newest, newest or 0)

    def _refresh(self, interval: Interval, start: int, end: int) -> None:
        with self._changed:  # before the call: what is written while it runs is not in it
            self._dirty[interval].remove(start, end)
            self._running = True
        done = False
        try:
            self._call(interval, start, end)
            done = True
        finally:
            above = _LEVELS[_LEVELS.index(interval) + 1 :][:1]
            with self._changed:
                for level in above if done else (interval,):
                    self._dirty[level].add(start, end)
                self._running = False

    def _call(self, interval: Interval, start: int, end: int) -> None:
        """Refresh [start, end) of one level, less the times whose trades were dropped: their bars would go."""
        with self._link.transaction() as connection:
            if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({TURN})").scalar():
                raise ServerBusyError("another program refreshes the bars")
            try:
                wanted = Ranges()
                wanted.add(start, end)
                for low, high in dropped(connection):
                    wanted.remove(low // interval.ms * interval.ms, -(-high // interval.ms) * interval.ms)
                for low, high in wanted:
                    connection.exec_driver_sql(self._statement(interval), (low, high))
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock({TURN})")

    def _look(self, connection: sa.Connection) -> None:
        """Learn, at every connect, how this server's version is called."""
        with connection.begin():
            self._options = bool(connection.exec_driver_sql(_TAKES_OPTIONS).scalar())

    def _statement(self, interval: Interval) -> str:
        options = ", options => '{\"buckets_per_batch\": 0}'" if self._options else ""
        edge = "TIMESTAMPTZ 'epoch' + %s * INTERVAL '1 millisecond'"
        return f"CALL refresh_continuous_aggregate('{VIEWS[interval]}', {edge}, {edge}{options})"
