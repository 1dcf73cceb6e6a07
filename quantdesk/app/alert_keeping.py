"""Keep alerts in the session's store, later where it is away, and bring back those of earlier sessions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from quantdesk.app.tasks import Tasks
from quantdesk.store.base import Store, StoreError
from quantdesk.types import AlertRow

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
    """Hold one thing to write and the store it belongs to."""

    place: str
    passing: bool  # a store that is deleted with its session
    act: Callable[[Store], bool]
    words: str


class AlertKeeping(QObject):
    """Write what the alert model tells of; ``start`` on the running loop, ``stop`` before the session is closed.

    The keys make it safe to write anything twice, so whatever failed is written again.
    """

    def __init__(self, alerts: AlertModel, feeding: Feeding, window: MainWindow) -> None:
        super().__init__()
        self._alerts, self._feeding, self._window = alerts, feeding, window
        self._tasks = Tasks()
        self._waiting: list[_Waiting] = []
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
        """Begin to write and read."""
        self._timer.start()

    async def stop(self) -> None:
        """Hand over what still waits, waiting for nothing: a store that takes it writes it as it closes."""
        self._timer.stop()
        if self._turning is not None:
            self._turning.cancel()  # a store that is away would keep it waiting for ever
        await self._tasks.ended()
        writer, mine = self._feeding.session.writer, self._mine()
        if writer is not None:
            for one in mine:
                writer.call(one.act).add_done_callback(partial(_blame, one.words))
        lost = len(self._waiting) - (len(mine) if writer is not None else 0)
        if lost:
            log.warning("%d alerts or outcomes could not be stored", lost)

    @Slot(object)
    def _on_kept(self, row: AlertRow) -> None:
        self._add(lambda store: store.save_firing(row), f"alert {row.id}")

    @Slot(str, str, object)
    def _on_ended(self, key: str, outcome: str, at: int) -> None:
        self._add(lambda store: store.save_outcome(key, outcome, at), f"outcome of {key}")

    def _add(self, act: Callable[[Store], bool], words: str) -> None:
        session = self._feeding.session
        self._waiting.append(_Waiting(session.address.words, session.plan.store is None, act, words))
        over = len(self._waiting) - MOST_WAITING
        if over > 0:
            del self._waiting[:over]
            self.given_up += over
            log.warning("%d alerts or outcomes were given up: the store has been away for too long", self.given_up)

    @Slot()
    def _on_session(self) -> None:
        """Forget what only a store that is gone could take."""
        place = self._feeding.session.address.words
        self._waiting = [one for one in self._waiting if one.place == place or not one.passing]

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
            if self._read_from is not session and await self._read(session):
                self._read_from = session
            if not await self._write():
                self._rests_until = asyncio.get_running_loop().time() + _AFTER_TROUBLE
        finally:
            self._turning = None

    def _mine(self) -> list[_Waiting]:
        """Return what waits for the store in use; a simulation's alerts do not go to the market's store."""
        place = self._feeding.session.address.words
        return [one for one in self._waiting if one.place == place]

    async def _write(self) -> bool:
        """Write what waits, in its order, until the store refuses; return whether it took all."""
        for one in self._mine():
            writer = self._feeding.session.writer
            if writer is None:
                return False
            try:
                await asyncio.wrap_future(writer.call(one.act))
            except StoreError as error:
                log.info("the %s waits: %s", one.words, error)
                return False
            if one in self._waiting:
                self._waiting.remove(one)
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


def _blame(words: str, done: Future[bool]) -> None:
    """Say that something was not written at the end; called on the store's thread."""
    if done.cancelled() or done.exception() is not None:
        log.warning("the %s could not be stored: %s", words, "given up" if done.cancelled() else done.exception())


def _firings(store: Store, *, limit: int) -> list[AlertRow]:
    return store.firings(limit=limit)
