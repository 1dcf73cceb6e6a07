"""Keep what was started on the loop until it has ended, and let no error of it go unseen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def apart(act: Callable[[], T]) -> T:
    """Run ``act`` in a daemon thread: what hangs there, as a locked keyring does, keeps no program from ending."""
    answer: Future[T] = Future()

    def run() -> None:
        if not answer.set_running_or_notify_cancel():
            return  # nobody waits any more
        try:
            answer.set_result(act())
        except Exception as error:  # noqa: BLE001  # the future hands it to who asked
            answer.set_exception(error)

    threading.Thread(target=run, name="apart", daemon=True).start()
    return await asyncio.wrap_future(answer)


class Tasks:
    """Hold running tasks; an error of one reaches the loop's exception handler at once."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run a coroutine on the running loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._on_done)
        return task

    async def ended(self) -> None:
        """Wait until every one has ended."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def stop(self, within: float) -> None:
        """Give every one ``within`` seconds to end, then cancel those that have not."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=within)
        for task in list(self._running):
            task.cancel()
        await self.ended()

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            task.get_loop().call_exception_handler({"message": "a task has failed", "exception": error})
