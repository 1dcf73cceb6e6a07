"""The desk shows an older store at once, says that it is being backed up, and lets that be given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from quantdesk.app.session import Session, SessionPlan
from quantdesk.config import Endpoints
from quantdesk.store import backup
from quantdesk.store.address import file_address
from quantdesk.store.backup import backups
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Light, Origin
from tests.program.desks import PATIENCE, dead_port
from tests.store.samples import BTC
from tests.store.test_migrations import first_version, tables


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return first_version(tmp_path / "quantdesk.sqlite")


@pytest.fixture
async def session(qapp, old: Path) -> AsyncIterator[Session]:
    with dead_port() as port:
        endpoints = Endpoints(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}", BTC.venue)
        made = Session(SessionPlan(Origin.LIVE, (BTC.symbol,), endpoints, file_address(old)))
        yield made
        await made.close()


@pytest.fixture
def may_go_on(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Keep a copy of a store waiting at its first words until it may go on, or is given up."""
    event, real = threading.Event(), backup._copy

    def slowly(source, target, told, stopped) -> None:
        told("backing up the store before an update: 1 of 10 GB")
        while not event.wait(0.01) and not stopped():
            pass
        real(source, target, told, stopped)

    monkeypatch.setattr(backup, "_copy", slowly)
    return event


async def reached(look: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


async def test_the_bars_are_there_and_the_light_says_what_is_waited_for(session: Session, old, may_go_on) -> None:
    session.show_stored((BTC.symbol,), "1m")
    shown = session.market.series(BTC.symbol, "1m")
    assert shown is not None
    assert len(shown.times()) > 0
    running = asyncio.create_task(session.run())

    def is_said() -> bool:
        session.publish_store_status()
        return "backing up the store before an update" in session.market.store_status.text

    await reached(is_said)
    assert session.market.store_status.light is Light.AMBER
    may_go_on.set()
    await reached(lambda: session.writer is not None)
    session.publish_store_status()
    assert session.market.store_status.light is not Light.AMBER
    assert len(backups(old)) == 1
    running.cancel()
    await asyncio.wait({running})


async def test_closing_gives_the_copy_up_and_leaves_the_store_to_the_next(session: Session, old, may_go_on) -> None:
    before = tables(old)
    running = asyncio.create_task(session.run())
    await reached(lambda: list(old.parent.glob("*.part")))
    running.cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait({running})
        await session.close()
    assert tables(old) == before
    assert not backups(old)
    assert not list(old.parent.glob("*.part"))
    may_go_on.set()
    open_embedded(old).close()  # nobody holds it
    assert len(backups(old)) == 1


async def test_a_store_that_cannot_be_backed_up_is_shown_and_said(session: Session, old, monkeypatch) -> None:
    monkeypatch.setattr(backup, "MARGIN", 10**18)
    running = asyncio.create_task(session.run())
    await reached(lambda: session.writer is not None)
    session.publish_store_status()
    status = session.market.store_status
    assert status.read_only
    assert "nothing is being kept" in status.text
    assert "no room for its backup" in status.text
    assert len(session.market.series(BTC.symbol, "1m").times()) > 0
    running.cancel()
    await asyncio.wait({running})
