"""Write to a store from one thread, in batches that leave memory only once they are on disk.

Where commits keep failing the batches go to a spill file, and from there to the store when it takes
them again; nothing overtakes anything on the way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import StoreLimits
from quantdesk.store.backlog import Backlog
from quantdesk.store.base import Store, StoreError
from quantdesk.store.disk_watch import DiskWatch
from quantdesk.store.ledger_report import book_holes
from quantdesk.store.recorder import Recorder
from quantdesk.store.spill import Spill
from quantdesk.store.write_queue import LARGEST_BATCH, Act, Bars, Batch, Ticks, Work, WriteQueue
from quantdesk.types import Gap, Instrument, Light, StoreStatus, Tick

T = TypeVar("T")
_log = logging.getLogger(__name__)

#: How long stop() lets a store that fails try again once all of it waits safely in the spill.
_LAST_PATIENCE = 5.0
#: How long the thread may take to move what is left to the spill once stop() has given up.
_LAST_MOVE = 15.0
_COUNT_EVERY = 1.0
#: How long (s) trades may wait in memory before that is said.
_SLOW_AFTER = 3.0
#: How long deleting old ticks may keep new ones waiting.
_RETENTION_SECONDS = 0.2


class StoreWriter:
    """Own the writing connection; every method may be called from any thread and none waits for the disk.

    What is refused is said: ``put_ticks`` returns False and the caller books a gap.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        limits: StoreLimits | None = None,
        *,
        free_bytes: Callable[[], int | None] | None = None,
        disk_check_seconds: float = 3.0,
    ) -> None:
        self._open_store = open_store
        self._limits = limits or StoreLimits()
        self._disk = DiskWatch(self._limits, free_bytes, disk_check_seconds)
        self._queue = WriteQueue(self._limits.queue_rows)
        self._thread = threading.Thread(target=self._main, name="store-writer", daemon=True)
        self._opened: Future[None] = Future()
        self._abandoned = threading.Event()
        self._failure = ""
        self._backlog = Backlog(None)
        self._failing_since: float | None = None
        self._next_try = 0.0
        self._delay = self._limits.first_retry
        self._spill_failure = ""
        self._recorder = Recorder()
        self._place_words = ""
        self._next_count = 0.0
        self._next_retention = 0.0

    def start(self) -> None:
        """Open the store in the writer's thread; raise StoreError where that fails."""
        self._thread.start()
        self._opened.result()

    def put_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> bool:
        """Queue ticks; return False where they are refused: queue full, disk nearly full, or stopped."""
        if self._disk.low:
            return False
        return self._queue.put(Ticks(instrument, list(ticks)), len(ticks), self._limits.batch_rows)

    def put_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Queue closed bars; where they are refused the next start fetches them again."""
        refused = bool(self._disk.low) or not self._queue.put(Bars(instrument, interval, bars, origin), len(bars))
        if refused:
            _log.warning("%d bars of %s %s are not kept", len(bars), instrument.symbol, interval)

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Queue rows of the ledger, newest state last; taken even while ticks are refused."""
        self._queue.put_gaps(instrument, gaps)

    def put_duplicates(self, instrument: Instrument, count: int) -> None:
        """Count trades that came once more and were dropped; written about once a second."""
        self._recorder.count_repeats(instrument, count)

    def call(self, act: Callable[[Store], T]) -> Future[T]:
        """Run ``act`` on the store behind what is queued; its error is the future's, and is not retried."""
        future: Future[T] = Future()

        def run(store: Store) -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(act(store))
                except Exception as error:  # noqa: BLE001  # the future hands it to who asked
                    future.set_exception(error)

        if not self._queue.put(Act(run, future), 0):
            future.set_exception(StoreError("the store is closed"))
        return future

    def takeovers(self) -> list[Instrument]:
        """Return, once, the instruments that this program has begun to write in another's place."""
        return self._recorder.standby.takeovers()

    def release(self, instrument: Instrument) -> None:
        """Write an instrument no longer, behind what is queued: another program may."""
        self.call(lambda store: self._recorder.release(store, instrument))

    def new_trades(self, instrument: Instrument) -> int:
        """Return how many trades of an instrument this writer has brought that the store did not have."""
        return self._recorder.written_of(instrument)

    def holder(self, instrument: Instrument) -> str:
        """Return which other program writes an instrument while this one stands by; empty where none does."""
        return self._recorder.standby.holder(instrument)

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued now is in the store; return False after ``timeout`` seconds."""
        return self._queue.wait_done(timeout)

    def stop(self, timeout: float = 30.0) -> bool:
        """Take no more, commit what is queued and close; return whether all of it is in the store.

        What a failing store does not take goes to the spill file and waits for the next start.
        """
        self._queue.close()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._abandoned.set()
            self._thread.join(_LAST_MOVE)
        return self._queue.drained()

    @property
    def status(self) -> StoreStatus:
        """Return how the store is doing."""
        light, text = self._light()
        counts = (self._queue.rows, self._recorder.written, self._recorder.duplicates, self._disk.size)
        place, standby = self._place_words, self._recorder.standby.words
        return StoreStatus(light, text, *counts, spilled=self._backlog.trades, place=place, standby=standby)

    def _light(self) -> tuple[Light, str]:
        alive = self._thread.is_alive()
        slow = self._slow_words()
        rejected = (
            f"{self._recorder.rejected} impossible rows were not kept: see the log" if self._recorder.rejected else ""
        )
        waiting = f"{self._backlog.trades:,} trades wait in the spill file" if self._backlog.trades else ""
        said = (
            (Light.OFF, "" if self._thread.ident else "not opened"),
            (Light.RED, self._failing_words(waiting)),
            (Light.OFF, "" if alive else "closed" + (f": {waiting} for the next start" if waiting else "")),
            (Light.RED, self._disk.low),
            (Light.AMBER, slow),
            (Light.AMBER, ": ".join(filter(None, ("catching up", waiting))) if self._backlog.waits else ""),
            (Light.AMBER, rejected),
            (Light.AMBER, self._backlog.damage),
            (Light.AMBER, self._disk.warning),
            (Light.GREEN, self._recorder.standby.words),
        )
        return next(((light, text) for light, text in said if text), (Light.GREEN, "recording"))

    def _slow_words(self) -> str:
        """Say that the store keeps trades waiting in memory; empty where it does not for long."""
        if self._queue.full:
            return "the store is too slow: new trades are refused until the queue is shorter"
        age = self._queue.age
        waiting = f"{self._queue.rows:,} trades wait in memory, the oldest for {age:.0f} s"
        return f"the store is slow: {waiting}" if age > _SLOW_AFTER else ""

    def _failing_words(self, waiting: str) -> str:
        """Say why the store fails, where the trades are meanwhile, and when new ones are refused."""
        if not self._failure:
            return ""
        words = f"{self._failure}: {waiting}" if waiting else self._failure
        if self._spill_failure:
            words += f"; {self._spill_failure}: {self._queue.rows:,} trades wait in memory"
            words += ", recording has stopped and new trades are refused" if self._queue.full else ""
        return f"{words}; {self._disk.low}" if self._disk.low else words

    def _main(self) -> None:
        try:
            store = self._open_store()
        except Exception as error:  # noqa: BLE001  # start() raises it
            self._queue.close()
            self._queue.fail(StoreError("the store could not be opened"))
            self._failure = str(error)
            self._opened.set_exception(error)
            return
        try:
            if (path := store.spill_path) is not None:
                spill = Spill(path, self._limits.spill_bytes)
                spill.open()
                self._backlog = Backlog(spill)
            self._try(store)
            self._tend(store)
            if not self._failure:
                self._recorder.begin(store)
            self._opened.set_result(None)
            self._work(store)
            if not self._failure:
                self._recorder.save_repeats(store)
        except StoreError as error:
            self._failure = str(error)
        except Exception as error:
            # Only a mistake of ours comes here; the light must not stay green.
            _log.exception("the store's thread ended")
            self._failure = f"the store's thread ended: {error}"
            raise
        finally:
            self._close(store)

    def _try(self, store: Store) -> None:
        """Know whether the store takes rows, though none wait: a server may be away when the program begins."""
        begun = time.monotonic()
        try:
            store.probe()
        except StoreError as error:
            self._fails(error, begun)
        else:
            self._works_again()

    def _close(self, store: Store) -> None:
        self._queue.close()
        if not self._opened.done():
            self._opened.set_exception(StoreError(self._failure))
        self._backlog.close(StoreError("the store is closed"))
        try:
            store.close()
        except StoreError as error:
            self._failure = str(error)
        self._queue.fail(StoreError("the store is closed"))

    def _work(self, store: Store) -> None:
        batch: Batch | None = None
        closed_at: float | None = None
        while True:
            if self._backlog.waits and self._is_due():
                self._replay(store)
            elif self._failure and batch is None and self._is_due():
                self._try(store)
            if batch is None:
                batch = self._queue.take(self._limits.batch_rows, self._limits.batch_seconds, self._pause())
            if batch is not None:
                if self._place(store, batch):
                    batch = None
                elif self._abandoned.is_set():
                    return  # neither the store nor the spill took it, and stop() says so
                else:
                    self._abandoned.wait(self._pause())
            else:
                closed_at = closed_at if closed_at is not None else time.monotonic()
                tired = bool(self._failure) and time.monotonic() - closed_at > _LAST_PATIENCE
                if not self._backlog.waits or tired or self._abandoned.is_set():
                    return
                self._abandoned.wait(self._pause())
            self._tend(store)

    def _is_due(self) -> bool:
        return time.monotonic() >= self._next_try

    def _pause(self) -> float:
        """Return how long (s) there is nothing to do but to wait for work."""
        if self._backlog.waits and not self._failure:
            return 0.0
        until = self._next_try if self._failure else min(self._disk.next_look, self._next_retention, self._next_count)
        return max(0.0, until - time.monotonic())

    def _place(self, store: Store, batch: Batch) -> bool:
        """Put a batch into the store, or in its order into the spill; return False where it must wait."""
        if not self._backlog.waits and self._is_due():
            while batch.works and self._commit(store, batch.works[0]):
                del batch.works[0]
        if batch.works and self._must_spill() and not self._spill(batch):
            return False
        if batch.works:
            return False
        if self._backlog.waits:
            self._queue.moved(batch)
        else:
            self._queue.committed(batch)
        return True

    def _must_spill(self) -> bool:
        """Tell whether a batch must go to the file: the store fails for long, memory fills, or stop() gave up."""
        if not self._failure and not self._backlog.waits:
            return False
        if self._queue.rows >= self._limits.spill_rows or self._abandoned.is_set():
            return True
        since = self._failing_since
        return since is not None and (self._backlog.waits or time.monotonic() - since >= self._limits.spill_after)

    def _spill(self, batch: Batch) -> bool:
        try:
            self._recorder.rejected += self._backlog.move(batch.works)
        except StoreError as error:
            if self._spill_failure != str(error):
                _log.error("cannot spill: %s", error)
            self._spill_failure = str(error)
            return False
        self._spill_failure = ""
        batch.works.clear()
        return True

    def _replay(self, store: Store) -> None:
        """Bring the next part of the spill into the store; clear it behind the last."""
        try:
            if self._failure:
                store.probe()
            works = self._backlog.read(LARGEST_BATCH)
            if not all(self._commit(store, work, replayed=True) for work in works):
                return
            if not self._backlog.advance():
                return
            store.sync()
            if self._backlog.has_lost():
                book_holes(store, self._backlog.reach)
            self._backlog.clear()
        except StoreError as error:
            self._fails(error, time.monotonic())
            return
        self._works_again()
        for act in self._backlog.take_acts():
            self._record(store, act)
        self._queue.caught_up()

    def _record(self, store: Store, work: Work, *, replayed: bool = False) -> None:
        if isinstance(work, Act) and not self._failure:
            self._recorder.save_repeats(store)
        self._recorder.write(store, work, replayed=replayed)

    def _commit(self, store: Store, work: Work, *, replayed: bool = False) -> bool:
        """Try to write once; return whether it is committed."""
        begun = time.monotonic()
        try:
            if self._failure and not isinstance(work, Act):
                store.probe()
            self._record(store, work, replayed=replayed)
        except StoreError as error:
            self._fails(error, begun)
            return False
        if not isinstance(work, Act):
            self._works_again()
        return True

    def _fails(self, error: StoreError, begun: float) -> None:
        if self._failure != str(error):
            _log.error("cannot write: %s", error)
        self._failure = str(error)
        self._failing_since = begun if self._failing_since is None else self._failing_since
        self._next_try = time.monotonic() + self._delay
        self._delay = min(2 * self._delay, self._limits.last_retry)

    def _works_again(self) -> None:
        self._failure = self._spill_failure = ""
        self._failing_since, self._next_try, self._delay = None, 0.0, self._limits.first_retry

    def _tend(self, store: Store) -> None:
        """Look at the disk, the counters and the size cap when it is time."""
        now = time.monotonic()
        self._disk.look(store)
        if self._failure:
            return
        if now >= self._next_count:
            self._next_count = now + _COUNT_EVERY
            if not self._care(store):
                return
        if now >= self._next_retention:
            self._next_retention = now + self._limits.retention_check_seconds
            try:
                deleted = store.enforce_limits(_RETENTION_SECONDS)
            except StoreError as error:
                _log.error("cannot delete old ticks: %s", error)
                return
            if deleted:
                self._next_retention = now  # there may be more: the next round goes on

    def _care(self, store: Store) -> bool:
        """Keep alive what the store needs, take over what nobody writes; return whether the store answers."""
        begun = time.monotonic()
        try:
            self._recorder.care(store)
        except StoreError as error:
            self._fails(error, begun)
            return False
        self._place_words = store.words
        return True
