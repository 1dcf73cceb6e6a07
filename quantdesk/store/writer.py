"""Write to a store from one thread, in batches that leave memory only once they are committed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import StoreLimits
from quantdesk.store.base import Store, StoreError
from quantdesk.store.write_queue import Act, Bars, Ledger, Ticks, Work, WriteQueue
from quantdesk.types import Gap, Instrument, Light, StoreStatus, Tick

T = TypeVar("T")
_log = logging.getLogger(__name__)

_FIRST_RETRY = 0.05
_LAST_RETRY = 2.0
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
        self._free_bytes = free_bytes
        self._disk_check_seconds = disk_check_seconds
        self._queue = WriteQueue(self._limits.queue_rows)
        self._thread = threading.Thread(target=self._main, name="store-writer", daemon=True)
        self._opened: Future[None] = Future()
        self._abandoned = threading.Event()
        self._disk_low = ""
        self._disk_warning = ""
        self._failure = ""
        self._rejected = 0
        self._written = self._duplicates = self._size = 0
        self._next_disk_check = self._next_retention = 0.0

    def start(self) -> None:
        """Open the store in the writer's thread; raise StoreError where that fails."""
        self._thread.start()
        self._opened.result()

    def put_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> bool:
        """Queue ticks; return False where they are refused: queue full, disk nearly full, or stopped."""
        if self._disk_low:
            return False
        return self._queue.put(Ticks(instrument, list(ticks)), len(ticks), self._limits.batch_rows)

    def put_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Queue closed bars; where they are refused the next start fetches them again."""
        refused = bool(self._disk_low) or not self._queue.put(Bars(instrument, interval, bars, origin), len(bars))
        if refused:
            _log.warning("%d bars of %s %s are not kept", len(bars), instrument.symbol, interval)

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Queue rows of the ledger, newest state last; taken even while ticks are refused."""
        self._queue.put_gaps(instrument, gaps)

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

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued now is committed; return False after ``timeout`` seconds."""
        return self._queue.wait_done(timeout)

    def stop(self, timeout: float = 30.0) -> bool:
        """Take no more, commit what is queued and close; return whether all of it was committed."""
        self._queue.close()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._abandoned.set()
            self._thread.join(2 * _LAST_RETRY)
        return self._queue.drained()

    @property
    def status(self) -> StoreStatus:
        """Return how the store is doing."""
        light, text = self._light()
        return StoreStatus(light, text, self._queue.rows, self._written, self._duplicates, self._size)

    def _light(self) -> tuple[Light, str]:
        slow = "the disk is too slow: new trades are refused until the queue is shorter" if self._queue.full else ""
        rejected = f"{self._rejected} impossible rows were not kept: see the log" if self._rejected else ""
        said = (
            (Light.OFF, "" if self._thread.ident else "not opened"),
            (Light.RED, self._failure),
            (Light.OFF, "" if self._thread.is_alive() else "closed"),
            (Light.RED, self._disk_low),
            (Light.AMBER, slow),
            (Light.AMBER, rejected),
            (Light.AMBER, self._disk_warning),
        )
        return next(((light, text) for light, text in said if text), (Light.GREEN, "recording"))

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
            self._tend(store)
            self._opened.set_result(None)
            self._work(store)
        except Exception as error:
            # Only a mistake of ours comes here; the light must not stay green.
            _log.exception("the store's thread ended")
            self._failure = f"the store's thread ended: {error}"
            raise
        finally:
            self._queue.close()
            if not self._opened.done():
                self._opened.set_exception(StoreError(self._failure))
            try:
                store.close()
            except StoreError as error:
                self._failure = str(error)
            self._queue.fail(StoreError("the store is closed"))

    def _work(self, store: Store) -> None:
        while True:
            wait = max(0.0, min(self._next_disk_check, self._next_retention) - time.monotonic())
            batch = self._queue.take(self._limits.batch_rows, self._limits.batch_seconds, wait)
            if batch is None:
                return
            for work in batch.works:
                if not self._commit(store, work):
                    return  # abandoned: what is left was not written, and stop() says so
            self._queue.committed(batch)
            self._tend(store)

    def _commit(self, store: Store, work: Work) -> bool:
        """Write until it is committed; return False only where stop() gave up on it."""
        delay = _FIRST_RETRY
        while True:
            try:
                self._write(store, work)
            except StoreError as error:
                if self._failure != str(error):
                    _log.error("cannot write: %s", error)
                self._failure = str(error)
                if self._abandoned.wait(delay):
                    return False
                delay = min(2 * delay, _LAST_RETRY)
                self._look_at_disk(store)
            except (ValueError, OverflowError) as error:
                # Retrying cannot help: keep the neighbours, count it, say it.
                if isinstance(work, Ticks) and len(work.ticks) > 1:
                    half = len(work.ticks) // 2
                    parts = (Ticks(work.instrument, work.ticks[:half]), Ticks(work.instrument, work.ticks[half:]))
                    return all(self._commit(store, part) for part in parts)
                self._rejected += 1
                _log.exception("not kept: %s", error)
                return True
            else:
                self._failure = ""
                return True

    def _write(self, store: Store, work: Work) -> None:
        if isinstance(work, Ticks):
            new = store.append_ticks(work.instrument, work.ticks)
            self._written += new
            self._duplicates += len(work.ticks) - new
        elif isinstance(work, Bars):
            store.append_source_bars(work.instrument, work.interval, work.bars, work.origin)
        elif isinstance(work, Ledger):
            store.save_gaps(work.instrument, list(work.gaps.values()))
        else:
            work.run(store)

    def _tend(self, store: Store) -> None:
        """Look at the disk and at the size cap when it is time."""
        now = time.monotonic()
        if now >= self._next_disk_check:
            self._look_at_disk(store)
        if now >= self._next_retention:
            self._next_retention = now + self._limits.retention_check_seconds
            try:
                deleted = store.enforce_limits(_RETENTION_SECONDS)
            except StoreError as error:
                _log.error("cannot delete old ticks: %s", error)
                return
            if deleted:
                self._next_retention = now  # there may be more: the next round goes on

    def _look_at_disk(self, store: Store) -> None:
        now = time.monotonic()
        if now < self._next_disk_check:
            return
        self._next_disk_check = now + self._disk_check_seconds
        self._size = store.size_bytes()
        free = self._free_bytes() if self._free_bytes is not None else store.free_bytes()
        if free is None:
            return
        left = f"{free / 1e9:.1f} GB free on the disk"
        low = free < self._limits.low_disk_stop
        if low != bool(self._disk_low):
            _log.warning("recording stops: %s" if low else "recording goes on: %s", left)
        self._disk_low = f"recording has stopped, only {left}: make room and it goes on" if low else ""
        self._disk_warning = left if free < self._limits.low_disk_warning else ""
