"""The loop keeps asyncio's promises on Qt's event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from quantdesk.app.loop import Loop


def run(main: Coroutine[Any, Any, Any], app: QApplication) -> Any:
    with asyncio.Runner(loop_factory=lambda: Loop(app)) as runner:
        return runner.run(main)


def test_twenty_thousand_cancelled_timers_leave_nothing_behind(qapp: QApplication) -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        for _ in range(20_000):
            loop.call_later(60, print).cancel()
        await asyncio.sleep(0)
        return len(loop._timer)  # type: ignore[attr-defined]

    assert run(main(), qapp) <= 130


def test_timers_fire_in_order_and_never_early(qapp: QApplication) -> None:
    async def main() -> list[int]:
        order: list[int] = []
        loop = asyncio.get_running_loop()
        start = loop.time()
        early: list[float] = []
        for i, delay in enumerate((0.03, 0.01, 0.02, 0.0105)):
            loop.call_later(delay, lambda i=i, d=delay: (order.append(i), early.append(loop.time() - start - d)))
        await asyncio.sleep(0.08)
        assert min(early) >= 0
        return order

    assert run(main(), qapp) == [1, 3, 2, 0]


def test_a_handle_knows_its_deadline_and_a_year_does_not_overflow(qapp: QApplication) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        handle = loop.call_later(366 * 86_400, print)
        assert handle.when() > loop.time() + 365 * 86_400
        await asyncio.sleep(0.01)
        handle.cancel()

    run(main(), qapp)


def test_async_generators_are_closed_at_the_end(qapp: QApplication) -> None:
    closed: list[bool] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(True)

    async def main() -> None:
        async for _ in numbers():
            break

    run(main(), qapp)
    assert closed == [True]


def test_a_call_from_another_thread_wakes_the_loop(qapp: QApplication) -> None:
    async def main() -> int:
        return await asyncio.to_thread(lambda: (time.sleep(0.01), 7)[1])

    assert run(main(), qapp) == 7


def test_a_name_that_does_not_exist_is_an_error_not_a_hang(qapp: QApplication) -> None:
    async def main() -> None:
        with pytest.raises(OSError):
            await asyncio.get_running_loop().getaddrinfo("no-such-host.invalid", 1)

    run(main(), qapp)


def test_cancelling_a_wait_returns_at_once(qapp: QApplication) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await asyncio.sleep(30)

    run(main(), qapp)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_reaches_its_callback(qapp: QApplication) -> None:
    async def main() -> None:
        seen = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, seen.set)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(seen.wait(), 20)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)

    run(main(), qapp)
