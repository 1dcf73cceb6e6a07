"""Tell how far a copy is, stop it where that is asked for, and before a disk is full."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from quantdesk.config import StoreLimits
from quantdesk.store.base import DiskLowError, Store
from quantdesk.store.files import Cancelled

_TEND_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """Say what is being copied now and how much of all is done (0 to 1)."""

    words: str
    done: float


class Pace:
    """Be called between any two blocks of a copy, of ``total`` units."""

    def __init__(
        self,
        target: Store,
        total: int,
        tell: Callable[[CopyProgress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._target, self._total = target, max(1, total)
        self._tell, self._cancelled = tell, cancelled
        self._done = 0
        self._next_look = 0.0

    def step(self, words: str, units: int = 0) -> None:
        """Count ``units`` as done; raise Cancelled or DiskLowError where the copy must stop here."""
        self._done = min(self._total, self._done + units)
        if self._tell is not None:
            self._tell(CopyProgress(words, self._done / self._total))
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("the copy was stopped: run the same again and it goes on from here")
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _TEND_EVERY
            self._target.tend()
            self._look_at_disk()

    def _look_at_disk(self) -> None:
        free = self._target.free_bytes()
        if free is not None and free < StoreLimits().low_disk_stop:
            raise DiskLowError(
                f"only {free / 1e9:.1f} GB are free where the copy goes: make room and run the same again"
            )
