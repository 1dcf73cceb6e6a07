"""Keep alerts in the session's store, later where it is away, and bring back those of earlier sessions.

What no store took before the end waits in a file for the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from quantdesk.app.tasks import Tasks
from quantdesk.store.base import Store, StoreError
from quantdesk.store.left_alerts import LeftAlert, LeftOutcome, keep, left_of
from quantdesk.types import AlertRow, Origin

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.app.session import Session
    from quantdesk.model.alerts import AlertModel
    from quantdesk.ui.main_window import MainWindow

log = logging.getLogger(__name__)

#: How often it is looked whether something waits, and how long a store that refused is left alone.
LOOK_MS = 500
_AFTER_TROUBLE = 5.0
#: So many of the newest firings are read back: as many as the table shows.
MOST_READ = 1_000
#: Of more that wait for a store the oldest are given up, and counted.
MOST_WAITING = 5_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Hold one thing to write; ``passing``: its store is deleted with its session."""

    left: LeftAlert
    passing: bool


class AlertKeeping(QObject):
    """Write what the alert model tells of; ``start`` on the running loop, ``stop`` before the session is closed.

    ``left`` is the file for what waits at the end; ``leave`` puts it right once the session is closed. The
    keys make it safe to write anything twice, so whatever failed is written again.
    """

    def __init__(self, alerts: AlertModel, feeding: Feeding, window: MainWindow, left: Path) -> None:
        super().__init__()
        self._alerts, self._feeding, self._window = alerts, feeding, window
        self._tasks = Tasks()
        self._waiting: list[_Waiting] = []
        self._left = left
        self._on_file = False  # whether the file may hold something, so that it must be put right
        self._handed: list[tuple[_Waiting, Future[bool]]] = []
        self.given_up = 0  #: what was never written, for the log
        self._read_from: Session | None = None
        self._rests_until = 0.0
        self._turning: asyncio.Task[None] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._on_timer)
        alerts.log.kept.connect(self._on_kept)
        alerts.log.ended.connect(self._on_ended)
        feeding.session_changed.connect(self._on_session)

    @property
    def waiting(self) -> int:
        """Return how many writes wait for their store."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to write and read, with what an earlier session left."""
        try:
            left = left_of(self._left)
        except StoreError as error:
            log.warning("alerts of an earlier session wait: %s", error)
        else:
            self._waiting[:0] = [_Waiting(one, passing=False) for one in left]
            self._on_file = bool(left)
        self._timer.start()

    async def stop(self) -> None:
        """Hand over what still waits, waiting for nothing: a store that takes it writes it as it closes."""
        self._timer.stop()
        if self._turning is not None:
            self._turning.cancel()  # a store that is away would keep it waiting for ever
        await self._tasks.ended()
        self._save(self._waiting)
        writer = self._feeding.session.writer
        if writer is not None:
            self._handed = [(one, writer.call(one.left.put)) for one in self._mine()]

    def leave(self) -> None:
        """Leave for the next start what the store did not take as it closed."""
        taken = {id(one) for one, done in self._handed if done.done() and not done.cancelled() and not done.exception()}
        self._waiting = [one for one in self._waiting if id(one) not in taken]
        self._save(self._waiting)

    def _save(self, waiting: Sequence[_Waiting]) -> None:
        left = [one.left for one in waiting if not one.passing]
        if not left and not self._on_file:
            return
        try:
            keep(self._left, left)
            self._on_file = bool(left)
        except StoreError as error:
            log.warning("%d alerts or outcomes could not be stored: %s", len(left), error)
        if left:
            log.info("%d alerts or outcomes wait in %s for their store", len(left), self._left)

    @Slot(object)
    def _on_kept(self, row: AlertRow) -> None:
        if row.origin is Origin.REPLAY and self._feeding.session.plan.origin is not Origin.REPLAY:
            return  # played behind a market: its store is for the market
        self._add(row)

    @Slot(str, str, object)
    def _on_ended(self, key: str, outcome: str, at: int) -> None:
        self._add(LeftOutcome(key, outcome, at))

    def _add(self, work: AlertRow | LeftOutcome) -> None:
        session = self._feeding.session
        self._waiting.append(_Waiting(LeftAlert(session.address.words, work), passing=session.plan.store is None))
        over = len(self._waiting) - MOST_WAITING
        if over > 0:
            del self._waiting[:over]
            self.given_up += over
            log.warning("%d alerts or outcomes were given up: the store has been away for too long", self.given_up)

    @Slot()
    def _on_session(self) -> None:
        """Forget what only a store that is gone could take."""
        place = self._feeding.session.address.words
        self._waiting = [one for one in self._waiting if one.left.place == place or not one.passing]

    @Slot()
    def _on_timer(self) -> None:
        session = self._feeding.session
        if self._turning is not None or session.writer is None or asyncio.get_running_loop().time() < self._rests_until:
            return
        if self._read_from is session and not self._mine():
            return
        self._turning = self._tasks.start(self._turn(session))

    async def _turn(self, session: Session) -> None:
        try:
            written = await self._write()  # first: what an earlier session left is read back, too
            if self._read_from is not session and await self._read(session):
                self._read_from = session
            if not written:
                self._rests_until = asyncio.get_running_loop().time() + _AFTER_TROUBLE
        finally:
            self._turning = None

    def _mine(self) -> list[_Waiting]:
        """Return what waits for the store in use; a simulation's alerts do not go to the market's store."""
        place = self._feeding.session.address.words
        return [one for one in self._waiting if one.left.place == place]

    async def _write(self) -> bool:
        """Write what waits, in its order, until the store refuses; return whether it took all."""
        for one in self._mine():
            writer = self._feeding.session.writer
            if writer is None:
                return False
            try:
                await asyncio.wrap_future(writer.call(one.left.put))
            except StoreError as error:
                log.info("the %s waits: %s", one.left.words, error)
                return False
            if one in self._waiting:
                self._waiting.remove(one)
        if self._on_file:
            self._save(self._waiting)
        return True

    async def _read(self, session: Session) -> bool:
        """Bring the firings of earlier sessions into table and records; return whether the store answered."""
        if session.writer is None:
            return False
        try:
            rows = await asyncio.wrap_future(session.writer.call(partial(_firings, limit=MOST_READ)))
        except StoreError as error:
            log.info("earlier alerts were not read: %s", error)
            self._rests_until = asyncio.get_running_loop().time() + _AFTER_TROUBLE
            return False
        unread = self._alerts.restore(rows)
        if unread:
            words = self.tr("{0} of {1} stored alerts were written by another version and are not shown.")
            self._window.toast(self.tr("Alerts left out"), words.format(unread, len(rows)), "warning")
        return True


def _firings(store: Store, *, limit: int) -> list[AlertRow]:
    return store.firings(limit=limit)
