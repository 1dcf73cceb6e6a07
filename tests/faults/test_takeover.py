"""Two whole feeds on one server and one exchange: one records, the other stands by and takes its place."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.config import Endpoints
from quantdesk.store.opening import open_reader
from quantdesk.types import Gap, GapState, Instrument
from tests.faults.databases import SOON, Database, database, recovered, spilling, told, whole
from tests.faults.harness import PAIR, VENUE, Session, market, session, until
from tests.servers import DatabaseServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the server for tests runs on Linux")


@pytest.fixture
def base(timescale: DatabaseServer, tmp_path: Path) -> Iterator[Database]:
    with database(timescale, tmp_path) as made:
        yield made


def _ledger(base: Database) -> list[Gap]:
    reader = open_reader(base.address)
    try:
        return [gap for symbol in PAIR for gap in reader.load_gaps(Instrument(VENUE, symbol))]
    finally:
        reader.close()


def _stands_by(run: Session) -> bool:
    return all(run.writer.holder(Instrument(VENUE, symbol)) for symbol in run.symbols)


async def _records(run: Session) -> float:
    """Wait until a feed that stood by writes every symbol; return how long it took."""
    begun = time.monotonic()
    await until(lambda: not run.writer.status.standby)
    return time.monotonic() - begun


async def test_a_holder_whose_line_is_cut_is_taken_over_and_stands_by_when_it_is_back(base: Database) -> None:
    async with (
        market(60.0) as at,
        base.behind() as (between, address),
        session(at.endpoints, address, store=SOON) as first,
    ):
        await first.flowing(20)
        await asyncio.to_thread(first.writer.flush, 10)
        async with session(at.endpoints, base.address, store=SOON) as second:
            await second.flowing(20)
            await until(lambda: _stands_by(second))
            assert second.writer.status.written == second.writer.status.duplicates == 0
            between.refuse()
            seconds = await _records(second)
            print(f"taken over after {seconds:.1f} s")
            assert seconds < 15
            await told(first, "cannot be reached")
            await spilling(first)
            await first.flowing(20)
            await between.start()
            await recovered(first)
            await until(lambda: _stands_by(first))
            await first.flowing(20)
            await whole(at, second, base.address)
        assert await _records(first) < 15
        await first.flowing(20)
        await whole(at, first, base.address)
        assert first.writer.status.duplicates == second.writer.status.duplicates == 0, "what both had is no duplicate"


async def test_open_gaps_of_the_dead_one_are_filled_by_who_takes_over(base: Database) -> None:
    async with (
        market(60.0, proxied=True) as at,
        base.behind() as (between, address),
        session(at.endpoints, address, store=SOON) as first,
    ):
        await first.flowing(20)
        await asyncio.to_thread(first.writer.flush, 10)
        whole_line = Endpoints(at.server.ws_url, at.server.rest_url, VENUE)
        async with session(whole_line, base.address, store=SOON) as second:
            await second.flowing(20)
            await until(lambda: _stands_by(second))
            at.rest.refuse()  # the first one can fill nothing
            at.ws.refuse()
            await second.flowing(40)
            await at.ws.start()
            await first.flowing(20)
            await until(lambda: all(leg.sequencer.gaps for leg in first.ingest.legs.values()))
            await asyncio.to_thread(first.writer.flush, 10)
            # The second one had those trades, and let them go as the store went on without them.
            await second.flowing(100)
            await asyncio.sleep(1.2)
            rows = await asyncio.to_thread(_ledger, base)
            assert sum(row.size for row in rows if row.state in (GapState.OPEN, GapState.FILLING)) >= 40
            between.refuse()
            assert await _records(second) < 15
            await second.flowing(20)
            await whole(at, second, base.address)
            rows = await asyncio.to_thread(_ledger, base)
            assert {row.state for row in rows} == {GapState.FILLED}
            await between.start()  # lets the first one end at once
            await until(lambda: _stands_by(first))
