"""Look at the disk now and then: warn while little is free, stop recording before it is full."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from quantdesk.config import StoreLimits
from quantdesk.store.base import Store

_log = logging.getLogger(__name__)


class DiskWatch:
    """Hold what was seen last; ``low`` and ``warning`` are words, empty where all is well."""

    def __init__(self, limits: StoreLimits, free_bytes: Callable[[], int | None] | None, seconds: float) -> None:
        self._limits, self._free_bytes, self._seconds = limits, free_bytes, seconds
        self.low = self.warning = ""
        self.size = 0
        self.next_look = 0.0

    def look(self, store: Store) -> None:
        """Look when it is time."""
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + self._seconds
        self.size = store.size_bytes()
        free = self._free_bytes() if self._free_bytes is not None else store.free_bytes()
        if free is None:
            return
        left = f"{free / 1e9:.1f} GB free on the disk"
        low = free < self._limits.low_disk_stop
        if low != bool(self.low):
            _log.warning("recording stops: %s" if low else "recording goes on: %s", left)
        self.low = f"recording has stopped, only {left}: make room and it goes on" if low else ""
        self.warning = left if free < self._limits.low_disk_warning else ""
