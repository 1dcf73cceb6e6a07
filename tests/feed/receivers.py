"""Serve a webhook's receiver for the tests: it answers by a script and remembers every post."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """Answer each post by the next of ``script``, the last one again and again; a number is a status."""

    def __init__(self, *script: int | Answer) -> None:
        self.script = list(script) or [204]
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.posts.append((request.path_qs, dict(request.headers), await request.read()))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return web.Response(status=step) if isinstance(step, int) else await step(request)


@asynccontextmanager
async def receiving(*script: int | Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Serve a receiver on this machine."""
    receiver = Receiver(*script)
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", receiver.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/alerts"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def hangs(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def resets(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def ten_megabytes(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 10_000_000)


async def garbage(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"this is no answer\r\n\r\n")
    request.transport.close()
    return web.Response()
