"""Queue what waits for the store: in order, bounded by rows, ticks grouped by instrument."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.base import Store
from quantdesk.types import Gap, Instrument, Tick

#: One transaction takes at most this many rows when the store is behind.
LARGEST_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Ticks:
    """Wait to append ticks."""

    instrument: Instrument
    ticks: list[Tick]


@dataclass(frozen=True, slots=True)
class Bars:
    """Wait to append source bars."""

    instrument: Instrument
    interval: str
    bars: BarArrays
    origin: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Wait to save rows of the ledger, by first id: a newer state replaces an older one."""

    instrument: Instrument
    gaps: dict[int, Gap]


@dataclass(frozen=True, slots=True)
class Act:
    """Wait to run something on the store."""

    run: Callable[[Store], None]
    future: Future[Any]


Work = Ticks | Bars | Ledger | Act


@dataclass(slots=True)
class Batch:
    """Hold what was taken from the queue, in order, until it is committed."""

    works: list[Work]
    rows: int
    entries: int
    since: float = 0.0  #: when the oldest of it came


@dataclass(slots=True)
class _Entry:
    work: Work
    rows: int
    since: float = field(default_factory=time.monotonic)


def grouped(works: Sequence[Work]) -> list[Work]:
    """Join the ticks between two other works by instrument; everything else keeps its place."""
    joined: list[Work] = []
    groups: dict[Instrument, list[Tick]] = {}
    for work in works:
        if isinstance(work, Ticks):
            groups.setdefault(work.instrument, []).extend(work.ticks)
            continue
        joined += [*(Ticks(i, ticks) for i, ticks in groups.items()), work]
        groups = {}
    return [*joined, *(Ticks(i, ticks) for i, ticks in groups.items())]


class WriteQueue:
    """Hold work between many threads and the writer's; rows count until they are committed."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._entries: deque[_Entry] = deque()
        self._changed = threading.Condition()
        self._taken: Batch | None = None
        self._closed = False
        self._hurried = 0
        self._put = self._done = self._elsewhere = 0
        self.rows = 0
        self.full = False

    def put(self, work: Work, rows: int, wake_at: int = 0) -> bool:
        """Queue work of so many rows; return False where the bound is hit or the queue is closed."""
        with self._changed:
            if self._closed:
                return False
            # Into an empty queue even more than the bound may come: it is in memory already.
            if rows and self.rows and self.rows + rows > self._bound:
                self.full = True
                return False
            self._append(work, rows)
            # A tick alone need not wake the writer: it looks when the batch is full or its time is over.
            if len(self._entries) == 1 or self.rows >= wake_at:
                self._changed.notify_all()
            return True

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Queue ledger rows; joined with those at the end of the queue, so that they stay few."""
        with self._changed:
            if self._closed or not gaps:
                return
            for entry in reversed(self._entries):
                if not isinstance(entry.work, Ledger):
                    break
                if entry.work.instrument == instrument:
                    entry.work.gaps.update((gap.first_id, gap) for gap in gaps)
                    return
            self._append(Ledger(instrument, {gap.first_id: gap for gap in gaps}), 0)
            self._changed.notify_all()

    def _append(self, work: Work, rows: int) -> None:
        self._entries.append(_Entry(work, rows))
        self._put += 1
        self.rows += rows

    def take(self, batch_rows: int, batch_seconds: float, wait: float) -> Batch | None:
        """Wait for a full batch, ``batch_seconds`` of age or ``wait``; return None when closed and empty."""
        until = time.monotonic() + wait
        with self._changed:
            while True:
                now = time.monotonic()
                ready = self._ready_at(batch_rows, batch_seconds)
                if ready <= now:
                    break
                if self._closed and not self._entries:
                    return None
                if now >= until:
                    return Batch([], 0, 0)
                self._changed.wait(min(ready, until) - now)
            self._taken = self._cut(max(batch_rows, LARGEST_BATCH if self.rows > batch_rows else 0))
            return self._taken

    def _ready_at(self, batch_rows: int, batch_seconds: float) -> float:
        if not self._entries:
            return float("inf")
        first = self._entries[0]
        urgent = self._closed or self._hurried or self.rows >= batch_rows or not isinstance(first.work, Ticks)
        return first.since if urgent else first.since + batch_seconds

    def _cut(self, rows: int) -> Batch:
        """Take entries up to so many rows; ticks between two other works are grouped by instrument."""
        batch = Batch([], 0, 0)
        taken: list[Work] = []
        batch.since = self._entries[0].since if self._entries else time.monotonic()
        while self._entries and (batch.rows < rows or not self._entries[0].rows):
            entry = self._entries.popleft()
            batch.rows += entry.rows
            batch.entries += 1
            taken.append(entry.work)
        batch.works = grouped(taken)
        return batch

    @property
    def age(self) -> float:
        """Return how long (s) the oldest work has waited to be committed or moved; 0 where none waits."""
        with self._changed:
            oldest = self._taken or (self._entries[0] if self._entries else None)
            return time.monotonic() - oldest.since if oldest is not None else 0.0

    def committed(self, batch: Batch) -> None:
        """Let go of a batch: it is in the store."""
        with self._changed:
            self._let_go(batch)
            self._done += batch.entries

    def moved(self, batch: Batch) -> None:
        """Let go of a batch that waits elsewhere; it counts as done once ``caught_up``."""
        with self._changed:
            self._let_go(batch)
            self._elsewhere += batch.entries

    def caught_up(self) -> None:
        """Count what has been moved as done: it is in the store."""
        with self._changed:
            self._done += self._elsewhere
            self._elsewhere = 0
            self._changed.notify_all()

    def _let_go(self, batch: Batch) -> None:
        self._taken = None
        self.rows -= batch.rows
        self.full = self.full and self.rows > self._bound // 2
        self._changed.notify_all()

    def wait_done(self, timeout: float) -> bool:
        """Wait until what is queued now is committed; return False after ``timeout`` seconds."""
        with self._changed:
            goal = self._put
            self._hurried += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._done >= goal, timeout)
            finally:
                self._hurried -= 1

    def close(self) -> None:
        """Take no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def drained(self) -> bool:
        """Return whether all that was ever put is committed."""
        with self._changed:
            return self._done >= self._put

    def fail(self, error: Exception) -> None:
        """Tell those who wait for an act that it will not run."""
        with self._changed:
            works = [*(self._taken.works if self._taken else []), *(entry.work for entry in self._entries)]
        for work in works:
            if isinstance(work, Act) and not work.future.done() and work.future.set_running_or_notify_cancel():
                work.future.set_exception(error)
