"""Tell the exchange's time: the wall's, faster than the wall's, or a test's own."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Protocol


class Clock(Protocol):
    """Tell the time and wait in it."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long in this clock's time."""
        ...


class WallClock:
    """Start at the wall's time (or ``start_ms``) and run ``speed`` times as fast, never backwards."""

    def __init__(self, speed: float = 1.0, start_ms: int | None = None) -> None:
        self.speed = speed
        self._start = time.time() * 1_000 if start_ms is None else float(start_ms)
        self._origin = time.monotonic()

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC."""
        return int(self._start + (time.monotonic() - self._origin) * 1_000 * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait that long in this clock's time."""
        await asyncio.sleep(seconds / self.speed)


class VirtualClock:
    """Stand still until told to move."""

    def __init__(self, start_ms: int) -> None:
        self._now = start_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now_ms(self) -> int:
        """Return milliseconds since 1970 UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved that far."""
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + round(seconds * 1_000), next(self._order), wake))
        await wake

    def jump(self, seconds: float) -> None:
        """Move at once and wake everybody whose time has come."""
        self._now += round(seconds * 1_000)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            wake = heapq.heappop(self._sleepers)[2]
            if not wake.done():
                wake.set_result(None)

    async def advance(self, seconds: float, step: float = 0.1) -> None:
        """Move in steps and let the loop work between them."""
        end = self._now + round(seconds * 1_000)
        while self._now < end:
            self.jump(min(step, (end - self._now) / 1_000))
            for _ in range(3):
                await asyncio.sleep(0)
