"""A desk without a feed of its own shows what a recorder writes to the same store, a file or a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median

import pytest
from PySide6.QtWidgets import QApplication

from quantdesk.app.attached import AttachedBars
from quantdesk.app.session import Session, SessionPlan
from quantdesk.config import Endpoints, StoreLimits
from quantdesk.model.market import MarketModel
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Reader
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Interval, Light, Origin
from tests.faults.databases import database, lay_out
from tests.servers import DatabaseServer
from tests.store.samples import BTC, reference, rows, trades

NOWHERE = Endpoints("ws://127.0.0.1:9", "http://127.0.0.1:9", BTC.venue)
#: About a trade every 150 ms: bars of a second close often.
TICKS = trades(4_000, every=200)
BATCH = 40


@pytest.fixture
def where(request: pytest.FixtureRequest, new_address: Callable[[str], StoreAddress]) -> StoreAddress:
    return new_address(request.param)


@contextmanager
def recorder(address: StoreAddress) -> Iterator[StoreWriter]:
    """Write as another program does."""
    writer = StoreWriter(lambda: open_store(address), StoreLimits())
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


@asynccontextmanager
async def desk(address: StoreAddress) -> AsyncIterator[Session]:
    """Run a desk's session whose exchange is unreachable."""
    session = Session(SessionPlan(Origin.LIVE, (BTC.symbol,), NOWHERE, address))
    task = asyncio.create_task(session.run())
    try:
        yield session
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await session.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


async def until(condition: Callable[[], object], seconds: float = 30.0) -> float:
    begun = time.monotonic()
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.01)
    return time.monotonic() - begun


async def put(writer: StoreWriter, first: int, last: int) -> None:
    writer.put_ticks(BTC, TICKS[first - 1 : last])
    assert await asyncio.to_thread(writer.flush, 30)


def shows(session: Session, known: list[int], interval: Interval = Interval.S1) -> bool:
    """Tell whether the bars on screen are those of these ids that have ended."""
    series = session.market.series(BTC.symbol, interval)
    if series is None:
        return False
    ticks = [TICKS[i - 1] for i in known]
    edge = ticks[-1].ts - ticks[-1].ts % interval.ms
    wanted = [row for row in rows(reference(ticks, interval)) if row[0] < edge]
    return [row for row in rows(series.arrays()) if row[0] < edge] == wanted


@pytest.mark.parametrize("where", ["sqlite", "timescale"], indirect=True)
async def test_new_bars_are_on_screen_within_a_second_of_their_commit(qapp: QApplication, where: StoreAddress) -> None:
    with recorder(where) as writer:
        await put(writer, 1, 400)
        async with desk(where) as session:
            await until(lambda: session.feed is not None and shows(session, list(range(1, 401))))
            delays = []
            for last in range(400 + BATCH, 400 + 6 * BATCH, BATCH):
                await put(writer, last - BATCH + 1, last)
                delays.append(await until(lambda last=last: shows(session, list(range(1, last + 1)))))
                await asyncio.sleep(0.13)
            print([round(delay, 2) for delay in delays])
            assert median(delays) < 1.0
            assert all(shows(session, list(range(1, last + 1)), interval) for interval in Interval)
            assert session.read_only is (where.path is not None)
        assert writer.status.text == "recording"


@pytest.mark.parametrize("where", ["sqlite", "timescale"], indirect=True)
async def test_what_the_recorder_fills_in_later_is_shown_as_well(
    qapp: QApplication, where: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.app.attached._AGAIN_EVERY", 0.5)
    with recorder(where) as writer:
        await put(writer, 1, 100)
        async with desk(where) as session:
            await until(lambda: session.feed is not None and shows(session, list(range(1, 101))))
            await put(writer, 201, 300)
            await until(lambda: shows(session, [*range(1, 101), *range(201, 301)]))
            await put(writer, 101, 200)  # a gap is filled
            await put(writer, 301, 320)
            await until(lambda: shows(session, list(range(1, 321))))


async def test_a_store_that_is_empty_at_the_start_is_shown_once_something_is_in_it(
    qapp: QApplication, timescale_address: StoreAddress
) -> None:
    await asyncio.to_thread(lay_out, timescale_address)
    async with desk(timescale_address) as session:
        await until(lambda: session.feed)
        with recorder(timescale_address) as writer:
            assert writer.put_ticks(BTC, TICKS[:200])
            await until(lambda: shows(session, list(range(1, 201))))
            assert session.market.instrument(BTC.symbol) == BTC


async def test_a_server_that_comes_later_is_attached_to(
    qapp: QApplication, timescale: DatabaseServer, tmp_path: Path
) -> None:
    with database(timescale, tmp_path) as base:
        with recorder(base.address) as writer:
            await put(writer, 1, 100)
        async with base.behind() as (between, address):
            between.refuse()
            async with desk(address) as session:
                await until(lambda: session.market.store_status.light is Light.RED)
                assert "cannot be reached: nothing listens there" in session.market.store_status.text
                await until(lambda: session.feed)
                await between.start()
                await until(lambda: shows(session, list(range(1, 101))))
                session.publish_store_status()
                await until(lambda: session.writer is not None and session.writer.status.light is Light.GREEN)


@pytest.mark.parametrize("fault", ["password", "version"])
async def test_a_server_that_will_not_have_the_desk_is_said(
    qapp: QApplication, timescale: DatabaseServer, tmp_path: Path, fault: str
) -> None:
    words = {"password": "does not take the password", "version": "is of version 99, this program knows"}
    with database(timescale, tmp_path) as base:
        lay_out(base.address)
        await base.sql("UPDATE quantdesk.meta SET value = '99' WHERE key = 'schema_version'")
        before = base.ask("SELECT key, value FROM quantdesk.meta ORDER BY key")
        address = base.address if fault == "version" else base.address.with_password("quite-wrong")
        async with desk(address) as session:
            await until(lambda: session.feed)
            session.publish_store_status()
            status = session.market.store_status
            assert status.light is not Light.GREEN
            assert status.text.startswith("nothing is being kept: ")
            assert words[fault] in status.text
            assert "quite-wrong" not in status.text
            assert session.writer is not None
            assert session.writer.put_ticks(BTC, TICKS[:5])
        assert base.ask("SELECT key, value FROM quantdesk.meta ORDER BY key") == before
        assert base.ask("SELECT count(*) FROM quantdesk.ticks") == [(0,)]


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_a_symbol_removed_while_the_store_is_asked_does_not_come_back(
    qapp: QApplication, where: StoreAddress
) -> None:
    with recorder(where) as writer:
        await put(writer, 1, 100)
        market, listed = MarketModel(Origin.LIVE), [BTC]
        reader = open_reader(where)

        def asked() -> Reader:
            listed.clear()  # the user removes the symbol at this very moment
            return reader

        attached = AttachedBars(market, asked, lambda: tuple(listed), lambda symbol: False)
        looking = asyncio.create_task(attached.run())
        await until(lambda: not listed)
        await asyncio.sleep(0.5)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        reader.close()
        assert market.symbols() == ()
