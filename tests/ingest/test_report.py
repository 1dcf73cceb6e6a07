"""The data panel's report says what is held, what is missing, how the lines are and how full everything is."""

from __future__ import annotations

import asyncio
import time

from quantdesk.config import Endpoints
from quantdesk.feed.binance import Route
from quantdesk.simulator.faults import Faults
from quantdesk.simulator.server import SimulatorServer
from quantdesk.store.writer import StoreWriter
from quantdesk.types import GapState, Instrument
from tests.ingest.conftest import SEAM, Heard, feeding, stored_ids, until

PAIR = ("BTCUSDT", "ETHUSDT")


async def test_a_report_accounts_for_every_id_of_the_session_and_the_store(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: all(heard.is_whole(s) and len(heard.ticks[s]) > SEAM for s in PAIR))
        exchange.faults = Faults(drop=0.3, duplicate=0.2)
        await until(lambda: ingest.status.duplicates > 5 and all(s.calls for s in ingest.report().symbols))
        exchange.faults = Faults(inject=("{",))
        await until(lambda: ingest.report().quarantined > 0)
        assert await ingest.finish(20) == []
        report = ingest.report()
        ids = {s: stored_ids(writer, Instrument("simulator", s)) for s in PAIR}
    for symbol in report.symbols:
        assert [(c.first_id, c.last_id) for c in symbol.coverage] == [
            (min(ids[symbol.symbol]), max(ids[symbol.symbol]))
        ]
        assert symbol.taken == len(ids[symbol.symbol])
        assert symbol.filled_ids > 0
        assert 0 < symbol.calls <= report.rest.requests, "the parts of one gap share its requests"
        assert {gap.state for gap in symbol.gaps} == {GapState.FILLED}
        assert (symbol.open_ids, symbol.expired_ids, symbol.missing_ids, symbol.refused) == (0, 0, 0, 0)
    assert sum(symbol.duplicates for symbol in report.symbols) > 5
    assert report.quarantine[-1].frame == b"{"
    assert "JSON" in report.quarantine[-1].reason
    assert 0 < report.rest.used_weight <= report.rest.share == report.rest.limit // 2
    assert report.rest.requests > 3
    for now, limit in (report.queues.socket, report.queues.buffered, report.queues.pending, report.queues.gaps):
        assert 0 <= now <= limit


async def test_a_second_session_reports_what_the_first_one_stored(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    first, second = Heard(), Heard()
    async with feeding(endpoints, writer, first, ["BTCUSDT"]) as ingest:
        await until(lambda: first.is_whole("BTCUSDT") and len(first.ticks["BTCUSDT"]) > SEAM)
    begin = min(first.ticks["BTCUSDT"])
    async with feeding(endpoints, writer, second, ["BTCUSDT"]) as ingest:
        await until(lambda: second.ticks.get("BTCUSDT"))
        await until(lambda: len(ingest.report().symbols[0].coverage) == 1)
        assert ingest.report().symbols[0].coverage[0].first_id == begin


async def test_the_lines_are_told_with_their_cuts_and_the_latency_with_the_offset(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    exchange.faults = Faults(time_offset_ms=90_000)
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: ingest.report().offset_ms is not None)
        offset, error = ingest.report().offset_ms, ingest.report().offset_error_ms
        assert offset is not None
        assert error is not None
        assert abs(offset - 90_000) <= error + 50
        await until(lambda: ingest.report().latency.p99 is not None)
        latency = ingest.report().latency
        assert latency.p50 is not None
        assert latency.p50 > 89_000, "the lag follows the exchange's clock as it tells it"
        for _ in range(2):
            before = ingest.clients[Route.MARKET].reconnects
            exchange.faults = Faults(close_every=0.2, close_code=1012)
            await until(lambda before=before: ingest.clients[Route.MARKET].reconnects > before)
            exchange.faults = Faults()
            await until(lambda: all(client.is_live for client in ingest.clients.values()))
        await until(lambda: all(c.verified_seconds_ago is not None for c in ingest.report().connections))
        lines = {line.route: line for line in ingest.report().connections}
    market = lines["market"]
    assert set(lines) == {"market", "public"}
    assert len(market.cuts) >= 2
    assert all("1012" in cut.reason and abs(cut.at_ms / 1_000 - time.time()) < 300 for cut in market.cuts)
    assert len(market.streams) == 6
    assert market.connected_seconds is not None


async def test_a_symbol_that_is_looked_at_is_preferred_everywhere(endpoints: Endpoints, writer: StoreWriter) -> None:
    async with feeding(endpoints, writer, Heard(), PAIR) as ingest:
        ingest.prefer(["ETHUSDT"])
        assert ingest.backfill.preferred == ingest.old_bars.preferred == {"ETHUSDT"}
        await asyncio.sleep(0)
