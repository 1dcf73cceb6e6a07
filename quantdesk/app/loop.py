"""Run asyncio on Qt's event loop: qasync's loop with timers that die when they are cancelled."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QObject, Qt, QTimerEvent
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

#: The longest wait of one Qt timer; a later deadline is reached in several.
_LONGEST_MS = 24 * 3_600_000


class _Timer(QObject):
    """Hold all deadlines in one heap behind one precise Qt timer, and what is ready behind another."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._count = itertools.count()
        self._heap: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._ready: deque[asyncio.Handle] = deque()
        self._cancelled = 0
        self._ready_timer = 0
        self._heap_timer = 0
        self._armed_for = float("inf")
        self._stopped = False

    def add_ready(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        if not self._ready_timer and not self._stopped:
            self._ready_timer = self.startTimer(0, Qt.TimerType.PreciseTimer)

    def add_later(self, handle: asyncio.TimerHandle) -> None:
        heapq.heappush(self._heap, (handle.when(), next(self._count), handle))
        self._arm()

    def on_cancelled(self) -> None:
        """Drop cancelled deadlines once they are the larger part, so that the heap stays small."""
        self._cancelled += 1
        if self._cancelled > 64 and 2 * self._cancelled > len(self._heap):
            self._heap = [item for item in self._heap if not item[2].cancelled()]
            heapq.heapify(self._heap)
            self._cancelled = 0
            self._arm()

    def stop(self) -> None:
        self._stopped = True
        for timer in (self._ready_timer, self._heap_timer):
            if timer:
                self.killTimer(timer)
        self._ready_timer = self._heap_timer = 0
        self._heap.clear()
        self._ready.clear()

    def set_debug(self, enabled: bool) -> None:
        """Accept what the base class passes on; asyncio's own debug mode does the work."""

    def __len__(self) -> int:
        return len(self._heap)

    def timerEvent(self, event: QTimerEvent) -> None:  # noqa: N802
        if event.timerId() == self._heap_timer:
            self._armed_for = float("inf")
            self._move_due()
            self._arm()
        elif event.timerId() == self._ready_timer:
            self._run_ready()

    def _move_due(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            _, _, handle = heapq.heappop(self._heap)
            if handle.cancelled():
                self._cancelled = max(0, self._cancelled - 1)
            else:
                self.add_ready(handle)

    def _run_ready(self) -> None:
        # Only what was ready at the start: what it schedules waits for the next turn of Qt's loop.
        for _ in range(len(self._ready)):
            if not self._ready:
                break
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()
        if not self._ready and self._ready_timer:
            self.killTimer(self._ready_timer)
            self._ready_timer = 0

    def _arm(self) -> None:
        if self._stopped:
            return
        if not self._heap:
            if self._heap_timer:
                self.killTimer(self._heap_timer)
            self._heap_timer, self._armed_for = 0, float("inf")
            return
        when = self._heap[0][0]
        if self._heap_timer and when == self._armed_for:
            return
        if self._heap_timer:
            self.killTimer(self._heap_timer)
        # Rounded up: an early timer would find nothing due and spin.
        wait = min(_LONGEST_MS, max(0, -int(-(when - self._clock()) * 1_000 // 1)))
        self._heap_timer = self.startTimer(wait, Qt.TimerType.PreciseTimer)
        self._armed_for = when


class Loop(QEventLoop):  # type: ignore[misc]  # qasync has no types
    """Drive asyncio from Qt.

    Against qasync 0.28: a cancelled timer lives no longer, delays are rounded up, handles know their
    ``when()``, waits past 24.8 days work, async generators are closed at the end, and a name lookup
    that hangs does not keep the program from quitting.
    """

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._timer = _Timer(self.time)

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Run the callback on the next turn of the loop."""
        handle = asyncio.Handle(callback, args, self, context)
        self._timer.add_ready(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Run the callback after ``delay`` seconds."""
        return self.call_at(self.time() + max(0.0, delay), callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Run the callback at ``when`` of the loop's monotonic clock."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timer.add_later(handle)
        return handle

    def _add_callback(self, handle: asyncio.Handle, delay: float = 0) -> None:
        # asyncio itself hands over the handles of signals here.
        self._timer.add_ready(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._timer.on_cancelled()

    def run_forever(self) -> int:
        """Run until stopped, with async generators tracked as asyncio's own loop does."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
        try:
            return int(super().run_forever())
        finally:
            sys.set_asyncgen_hooks(*hooks)

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Look up a name in a daemon thread: a resolver without a network may hang for a minute."""
        future: asyncio.Future[list[Any]] = self.create_future()

        def settle(result: list[Any] | None, error: OSError | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result or [])

        def look_up() -> None:
            result, failure = None, None
            try:
                result = socket.getaddrinfo(host, port, family, type, proto, flags)
            except OSError as error:
                failure = error
            except UnicodeError as error:  # a host name with an impossible label
                failure = OSError(str(error))
            if not self.is_closed():
                self.call_soon_threadsafe(settle, result, failure)

        threading.Thread(target=look_up, name="resolver", daemon=True).start()
        return await future
