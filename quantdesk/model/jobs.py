"""Run pure functions beside the screen: one per key in flight, the newest waits, older are dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, SignalInstance, Slot

T = TypeVar("T")

THREADS = 2


class Jobs(Protocol):
    """Take jobs: a runner, or a lane of one."""

    def submit(
        self,
        key: str,
        fn: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
        *,
        first: bool = False,
    ) -> None:
        """Run ``fn`` in the pool, then ``done(result)`` or ``failed(error)`` here; newest of a key wins.

        ``first`` = before those that wait for a thread: somebody looks at an empty chart.
        """

    def busy(self, key: str | None = None) -> bool:
        """Return whether a job of this key (or any) is running or waiting."""


@dataclass(frozen=True, slots=True)
class _Order:
    key: str
    act: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None] | None
    first: bool = False


@dataclass(frozen=True, slots=True)
class _Outcome:
    order: _Order
    result: Any
    error: Exception | None


class _Job(QRunnable):
    """Carry one order after another into the pool; owns no QObject, only the runner's signal to report to."""

    def __init__(self, arrived: deque[_Outcome], report: SignalInstance) -> None:
        super().__init__()
        # The runner keeps the object: the pool must not free it.
        self.setAutoDelete(False)
        self.order: _Order | None = None
        self._arrived = arrived
        self._report = report

    def run(self) -> None:
        """Call the function and report its result or its error."""
        # Neither a queued signal's argument nor the runnable is freed by the binding: both stay empty.
        order, self.order = self.order, None
        if order is None:
            return
        try:
            outcome = _Outcome(order, order.act(), None)
        except Exception as error:  # noqa: BLE001  # whatever a job raises must reach the screen in words
            outcome = _Outcome(order, None, error)
        self._arrived.append(outcome)
        # The last one who holds a callback's object destroys it: never on this thread, which has no
        # right to its timers.
        del order, outcome
        self._report.emit()  # from here on another order may be in its place, on another thread


class JobRunner(QObject):
    """Run jobs on two threads of an own pool; results come back on the thread of the runner.

    ``failed(key, text)`` tells of every job that raised, besides its own callback.
    """

    failed = Signal(str, str)
    _reported = Signal()

    def __init__(self, threads: int = THREADS, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._arrived: deque[_Outcome] = deque()
        self._running: dict[str, _Job] = {}
        #: Used again, as the binding never frees what a pool has once run: as many as ran at the same time.
        self._idle: list[_Job] = []
        self._waiting: dict[str, _Order] = {}
        self._closed = False
        self.dropped = 0
        self._reported.connect(self._on_reported, Qt.ConnectionType.QueuedConnection)

    def submit(
        self,
        key: str,
        fn: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
        *,
        first: bool = False,
    ) -> None:
        """Run ``fn`` in the pool, then ``done(result)`` or ``failed(error)`` here; newest of a key wins."""
        if self._closed:
            return
        order = _Order(key, fn, done, failed, first)
        if key in self._running:
            self.dropped += key in self._waiting
            self._waiting[key] = order
        else:
            self._start(order)

    def busy(self, key: str | None = None) -> bool:
        """Return whether a job of this key (or any) is running or waiting."""
        return bool(self._running) if key is None else key in self._running

    def wait(self, timeout: float = 30.0) -> bool:
        """Block until every running job has ended, at most ``timeout`` seconds; waiting ones stay waiting."""
        return self._pool.waitForDone(round(timeout * 1_000))

    def close(self, timeout: float = 30.0) -> bool:
        """Take no more jobs, call back no more, and wait for those running; return whether all ended."""
        self._closed = True
        self._waiting.clear()
        self._pool.clear()
        return self.wait(timeout)

    def _start(self, order: _Order) -> None:
        job = self._idle.pop() if self._idle else _Job(self._arrived, self._reported)
        job.order, self._running[order.key] = order, job
        self._pool.start(job, int(order.first))

    @Slot()
    def _on_reported(self) -> None:
        outcome = self._arrived.popleft()
        order = outcome.order
        self._idle.append(self._running.pop(order.key))
        if self._closed:
            return
        following = self._waiting.pop(order.key, None)
        if following is not None:
            self._start(following)
        if outcome.error is None:
            order.done(outcome.result)
            return
        if order.failed is not None:
            order.failed(outcome.error)
        self.failed.emit(order.key, f"{type(outcome.error).__name__}: {outcome.error}")


class JobLane:
    """Give the jobs of one window keys of their own, so that they displace no other window's.

    After ``close`` nothing is taken and nothing is called back.
    """

    def __init__(self, jobs: Jobs, name: str) -> None:
        self._jobs, self._name = jobs, name
        self._closed = False

    def submit(
        self,
        key: str,
        fn: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
        *,
        first: bool = False,
    ) -> None:
        """Run ``fn`` in the runner's pool, then ``done(result)`` or ``failed(error)`` here."""

        def on_done(result: T) -> None:
            if not self._closed:
                done(result)

        def on_failed(error: Exception) -> None:
            if not self._closed and failed is not None:
                failed(error)

        if not self._closed:
            self._jobs.submit(self._key(key), fn, on_done, on_failed, first=first)

    def busy(self, key: str | None = None) -> bool:
        """Return whether a job of this key (or any at all) is running or waiting."""
        return self._jobs.busy(None if key is None else self._key(key))

    def close(self) -> None:
        """Take no more jobs and call back no more."""
        self._closed = True

    def _key(self, key: str) -> str:
        return f"{self._name}: {key}"
