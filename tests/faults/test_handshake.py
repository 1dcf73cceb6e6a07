"""Fault matrix, row 24: connections that never come about."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from quantdesk.config import Endpoints
from quantdesk.simulator.faults import Faults
from quantdesk.types import Light
from tests.faults.harness import PAIR, VENUE, Heard, check, market, session, until

#: What the exchange answers, and what the user is told.
REFUSALS = {
    403: "refused by a firewall on the way or at the exchange (403)",
    418: "the exchange has banned this address for a while (418)",
    429: "too many requests (429)",
    451: "the exchange does not serve this region (451)",
    503: "the exchange has a fault (503)",
}
#: Attempts a second of both routes together that are no tight loop, and some for the start.
PACE, START = 12.0, 12


async def _refused(path: Path, faults: Faults, words: str) -> None:
    path.mkdir()  # noqa: ASYNC240  # a test may wait for the disk
    async with market(20.0, faults=faults) as at, session(at.endpoints, path) as run:
        begun = time.monotonic()
        await until(lambda: run.heard.said(words))
        await asyncio.sleep(1.5)
        assert at.server.streams.handshakes <= START + PACE * (time.monotonic() - begun)
        if faults.retry_after:
            assert at.server.streams.handshakes <= 2, "an attempt inside the wait"
        assert run.ingest.status.light is Light.RED
        at.faults = Faults()
        await run.flowing(20)
        await run.healed()
        await check(at, run, path)


async def test_row_24_refused_and_slow_handshakes_are_told_and_retried_gently(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for status, words in REFUSALS.items():
            wait = 3 if status in (418, 429) else None
            faults = Faults(handshake_status=status, retry_after=wait)
            group.create_task(_refused(tmp_path / str(status), faults, words), name=str(status))
        slow = Faults(handshake_delay=20.0)
        group.create_task(_refused(tmp_path / "slow", slow, "no answer"), name="slow")


async def _unreachable(path: Path, where: Endpoints, words: tuple[str, ...]) -> None:
    path.mkdir()  # noqa: ASYNC240  # a test may wait for the disk
    heard = Heard()
    async with session(where, path, PAIR, heard=heard) as run:
        begun = time.monotonic()
        await until(lambda: any(heard.said(f"no connection to the exchange: {each}") for each in words))
        await asyncio.sleep(1)
        passed = time.monotonic() - begun
        assert run.alive
        attempts = sum(client.generations for client in run.ingest.clients.values())
        assert attempts <= START + PACE * passed
        assert run.ingest.status.light is Light.RED


async def test_row_24_no_name_no_server_and_no_tls_are_told_apart(tmp_path: Path) -> None:
    async with market(20.0) as at:
        plain = at.server.rest_url.removeprefix("http://")  # answers, but not in TLS
        at.ws.refuse()
        places = {
            "refused": (at.ws.url, ("connection refused",)),
            "tls": (f"wss://{plain}", ("no secure connection (TLS failed)",)),
            # Without any network the resolver may be what does not answer.
            "name": ("ws://no-such-host.invalid:9", ("name not found", "no answer")),
        }
        async with asyncio.TaskGroup() as group:
            for name, (url, words) in places.items():
                where = Endpoints(url, at.server.rest_url, VENUE)
                group.create_task(_unreachable(tmp_path / name, where, words), name=name)
