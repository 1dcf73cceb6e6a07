"""Serve scripted answers on loopback."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest_asyncio
from aiohttp import web


@dataclass
class Script:
    """Answer requests from a script; keep what was asked."""

    url: str = ""
    answers: deque[Callable[[web.Request], web.StreamResponse]] = field(default_factory=deque)
    asked: list[web.Request] = field(default_factory=list)

    def add(self, body: str | bytes = b"[]", status: int = 200, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(lambda _: web.Response(body=data, status=status, headers=named))


@pytest_asyncio.fixture
async def script() -> AsyncIterator[Script]:
    made = Script()

    async def answer(request: web.Request) -> web.StreamResponse:
        made.asked.append(request)
        return made.answers.popleft()(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
