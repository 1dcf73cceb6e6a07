"""History comes from the simulated exchange's archive and REST: whole days, each id once, and a true ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from quantdesk.config import ConfigError, Endpoints, FeedLimits
from quantdesk.feed.archive import ArchiveClient, ArchiveUnreachableError
from quantdesk.feed.rest import RestClient
from quantdesk.ingest.download import Download
from quantdesk.ingest.download_order import TRADES, DownloadOrder, DownloadProgress, DownloadReport, Source, day_start
from quantdesk.simulator.clock import VirtualClock
from quantdesk.simulator.exchange import Exchange
from quantdesk.simulator.faults import ArchiveFault, Faults
from quantdesk.simulator.market import Recent
from quantdesk.simulator.server import SimulatorServer
from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention, Store, StoreError
from quantdesk.store.deletion import Deletion, DropOrder, Part
from quantdesk.store.files import Cancelled
from quantdesk.store.ledger_report import account_of
from quantdesk.store.opening import open_store
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Gap, GapState, Instrument, Interval, Tick
from tests.store.kinds import all_bars, told_by

#: 2026-11-23T00:07:30Z
NOW = 1_795_392_450_000
TODAY = datetime.fromtimestamp(NOW / 1_000, UTC).date()
BTC = "BTCUSDT"
DAYS = [TODAY - timedelta(days=n) for n in (4, 3, 2, 1)]
DAY_MS = 86_400_000


#: Every minute of this market is made once for all tests of this file.
SOURCE = SyntheticSource(7, 0.05)
SOURCE._trades = Recent(SOURCE._make_trades, 100_000)


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[SimulatorServer]:
    server = SimulatorServer(Exchange(SOURCE, VirtualClock(NOW), history_minutes=12))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def writer(store_address: StoreAddress) -> Iterator[StoreWriter]:
    made = StoreWriter(lambda: open_store(store_address))
    made.start()
    yield made
    made.stop()


@pytest_asyncio.fixture
async def download(exchange: SimulatorServer, writer: StoreWriter, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    archive = ArchiveClient(exchange.rest_url)
    rest = RestClient(Endpoints(exchange.ws_url, exchange.rest_url, "simulator"), FeedLimits())

    async def run(*days: date, what: str = TRADES, source: Source = Source.ARCHIVE, **more: Any) -> DownloadReport:
        order = DownloadOrder((more.pop("symbol", BTC),), what, days[0], days[-1], source)
        now = lambda: exchange.exchange.now_ms() / 1_000  # noqa: E731
        made = Download(order, writer, "simulator", archive=archive, rest=rest, folder=tmp_path, now=now, **more)
        return await made.run()

    yield run
    await archive.close()
    await rest.close()
    assert not list_of(tmp_path), "no file is left behind"


def list_of(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith("quantdesk-")]


def asked(writer: StoreWriter, act: Callable[[Store], Any]) -> Any:
    return writer.call(act).result(60)


def made_on(exchange: SimulatorServer, *days: date, symbol: str = BTC) -> list[Tick]:
    at = exchange.exchange
    minutes = [trades for day in days for trades in at.archived(symbol, day_start(day) // DAY_MS)]
    return [replace(t, event_ts=0) for trades in minutes for t in trades.ticks(at.symbols[symbol])]


def instrument(exchange: SimulatorServer) -> Instrument:
    held = exchange.exchange.symbols[BTC]
    return Instrument("simulator", BTC, Decimal(held.tick), Decimal(held.step))


def ids(writer: StoreWriter, of: Instrument) -> list[int]:
    return asked(writer, lambda s: [int(i) for block in s.load_ticks(of) for i in block.agg_id])


async def test_a_day_comes_whole_with_its_bars(exchange, writer, download) -> None:
    btc, seen = instrument(exchange), []
    report = await download(DAYS[3], told=seen.append)
    ticks = made_on(exchange, DAYS[3])
    assert (report.fetched, report.rows, report.lines()[0]) == (1, len(ticks), report.lines()[0])
    assert ids(writer, btc) == [t.agg_id for t in ticks]
    assert asked(writer, lambda s: all_bars(s, btc)) == told_by(ticks, btc)
    account = asked(writer, lambda s: account_of(s, btc))
    assert account.complete and account.ids(GapState.FILLED) == len(ticks)
    done = [p.done for p in seen]
    assert done == sorted(done) and done[-1] == 1.0 and any(p.bytes for p in seen)
    assert all(isinstance(p, DownloadProgress) for p in seen)


async def test_what_is_held_is_skipped_and_days_in_any_order_make_one_run(exchange, writer, download) -> None:
    btc = instrument(exchange)
    await download(DAYS[3])
    await download(DAYS[0])
    account = asked(writer, lambda s: account_of(s, btc))
    between = made_on(exchange, DAYS[1], DAYS[2])
    holes = [g for g in account.gaps if g.state is not GapState.FILLED]
    assert [(g.first_id, g.last_id) for g in holes] == [(between[0].agg_id, between[-1].agg_id)]
    assert holes[0].state is GapState.EXPIRED, "the exchange keeps 48 hours only"
    ends = {day_start(DAYS[1]), day_start(DAYS[3]) - 1}
    assert {holes[0].start_ts, holes[0].end_ts} == ends, "the whole days beside it are not touched"
    assert set(asked(writer, lambda s: s.load_bars(btc, "1m")).origin) == {"trades"}
    report = await download(*DAYS)
    assert (report.held, report.fetched) == (2, 2)
    account = asked(writer, lambda s: account_of(s, btc))
    ticks = made_on(exchange, *DAYS)
    assert account.complete and ids(writer, btc) == [t.agg_id for t in ticks]
    assert asked(writer, lambda s: all_bars(s, btc)) == told_by(ticks, btc)
    assert set(asked(writer, lambda s: s.load_bars(btc, "1m")).origin) == {"trades"}
    before = exchange.rest.archive.requests
    assert (await download(*DAYS)).held == 4 and exchange.rest.archive.requests == before


async def test_an_expired_hole_becomes_whole(exchange, writer, download) -> None:
    btc = instrument(exchange)
    ticks = made_on(exchange, DAYS[2], DAYS[3])
    lost = ticks[400:5_000]
    kept = [t for t in ticks if t not in set(lost)]
    hole = Gap(BTC, lost[0].agg_id, lost[-1].agg_id, ticks[399].ts, ticks[5_000].ts, NOW, GapState.EXPIRED)
    mark = Gap(BTC, ticks[0].agg_id - 1, ticks[0].agg_id - 2, day_start(DAYS[2]), ticks[0].ts, NOW, GapState.EXPIRED)

    def record(store: Store) -> None:
        store.append_ticks(btc, kept)
        store.save_gaps(btc, [hole, mark])

    asked(writer, record)
    assert not asked(writer, lambda s: account_of(s, btc)).complete
    assert "partial" in asked(writer, lambda s: s.load_bars(btc, "5m")).origin
    report = await download(DAYS[2])
    first = [t for t in lost if t.ts < day_start(DAYS[3])]
    assert report.rows == len(first)
    account = asked(writer, lambda s: account_of(s, btc))
    left = [(g.first_id, g.last_id, g.state) for g in account.gaps if g.state is not GapState.FILLED and g.size > 0]
    rest_of = [t for t in lost if t.ts >= day_start(DAYS[3])]
    assert left == [(rest_of[0].agg_id, rest_of[-1].agg_id, GapState.EXPIRED)]
    origins = asked(writer, lambda s: s.load_bars(btc, "5m", day_start(DAYS[2]) + 300_000, day_start(DAYS[3]))).origin
    assert set(origins) == {"trades"}
    await download(DAYS[3])
    assert asked(writer, lambda s: account_of(s, btc)).complete
    assert ids(writer, btc) == [t.agg_id for t in ticks]
    assert asked(writer, lambda s: all_bars(s, btc)) == told_by(ticks, btc)


async def test_what_was_deleted_can_be_downloaded_again(exchange, writer, download) -> None:
    btc = instrument(exchange)
    await download(DAYS[2], DAYS[3])
    start = day_start(DAYS[2]) + DAY_MS // 2
    order = DropOrder(btc, Part.TRADES, "", start, start + DAY_MS)
    asked(writer, lambda s: Deletion(s, lambda act: act(s), order).run())
    account = asked(writer, lambda s: account_of(s, btc))
    assert account.complete and account.ids(GapState.DROPPED) > 0
    report = await download(DAYS[2], DAYS[3])
    assert (report.fetched, report.held) == (2, 0) and report.rows == account.ids(GapState.DROPPED)
    account = asked(writer, lambda s: account_of(s, btc))
    assert account.complete and account.ids(GapState.DROPPED) == 0
    assert ids(writer, btc) == [t.agg_id for t in made_on(exchange, DAYS[2], DAYS[3])]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ArchiveFault.CHECKSUM, "its SHA-256 is not the one"),
        (ArchiveFault.CUT, "the zip is cut short or damaged"),
        (ArchiveFault.BOMB, "times its size"),
        (ArchiveFault.IDS, "do not rise with time"),
        (ArchiveFault.DAY, "holds trades of another day"),
    ],
)
async def test_a_spoilt_file_is_refused_in_words_and_nothing_of_it_is_kept(
    exchange, writer, download, monkeypatch, fault: ArchiveFault, said: str
) -> None:
    monkeypatch.setattr("quantdesk.feed.archive._PAUSE", 0.01)
    btc = instrument(exchange)
    await download(DAYS[2])
    before, rows = ids(writer, btc), asked(writer, lambda s: s.load_gaps(btc))
    exchange.faults = Faults(archive_fault=fault)
    report = await download(DAYS[3])
    assert len(report.failed) == 1 and said in report.failed[0] and not report.is_complete
    assert f"{BTC}-aggTrades-{DAYS[3]}" in report.failed[0]
    assert ids(writer, btc) == before and asked(writer, lambda s: s.load_gaps(btc)) == rows
    exchange.faults = Faults()
    assert (await download(DAYS[2], DAYS[3])).held == 1
    assert asked(writer, lambda s: account_of(s, btc)).complete


async def test_a_line_that_breaks_is_tried_again_and_then_said(exchange, download, monkeypatch) -> None:
    monkeypatch.setattr("quantdesk.feed.archive._PAUSE", 0.01)
    exchange.faults = Faults(archive_fault=ArchiveFault.HALF)
    with pytest.raises(ArchiveUnreachableError, match="aggTrades"):
        await download(DAYS[3])
    assert exchange.rest.archive.requests == 6


async def test_a_day_that_is_not_there_is_named_and_the_next_one_comes(exchange, writer, download) -> None:
    listed = datetime.fromtimestamp(exchange.exchange.listed_ms / 1_000, UTC).date()
    report = await download(listed - timedelta(days=1), listed)
    assert report.absent == [f"{BTC} {listed - timedelta(days=1)}"] and report.fetched == 1
    assert (await download(DAYS[3], symbol="NONESUCH")).absent == [f"NONESUCH {DAYS[3]}"]


async def test_trades_numbered_otherwise_do_not_mix(exchange, writer, download) -> None:
    btc = instrument(exchange)
    ticks = made_on(exchange, DAYS[3])
    asked(writer, lambda s: s.append_ticks(btc, [replace(ticks[5], price=1.0), replace(ticks[9], ts=ticks[9].ts + 1)]))
    report = await download(DAYS[3])
    assert "trades differ from those that are held under their ids: nothing of it was used" in report.failed[0]
    assert len(ids(writer, btc)) == 2
    late = Instrument("simulator", "ETHUSDT", btc.tick_size, btc.step_size)
    asked(writer, lambda s: s.append_ticks(late, [Tick("ETHUSDT", 10**12, 5.0, 1.0, day_start(DAYS[1]), True)]))
    assert "not above id" in (await download(DAYS[3], symbol="ETHUSDT")).failed[0]


async def test_cancel_leaves_whole_days_only_and_the_next_run_goes_on(exchange, writer, download) -> None:
    btc, seen = instrument(exchange), []
    with pytest.raises(Cancelled, match="1 whole days were stored"):
        await download(*DAYS, told=seen.append, cancelled=lambda: bool(seen) and seen[-1].days >= 1)
    assert ids(writer, btc) == [t.agg_id for t in made_on(exchange, DAYS[0])]
    assert asked(writer, lambda s: account_of(s, btc)).complete
    assert (await download(*DAYS)).held == 1


async def test_a_day_that_was_killed_halfway_is_partial_until_it_comes_again(
    exchange, writer, download, monkeypatch
) -> None:
    btc = instrument(exchange)
    await download(DAYS[3])
    monkeypatch.setattr("quantdesk.ingest.download._CHUNK", 1_000)
    monkeypatch.setattr("quantdesk.ingest.download.end_day", None)
    with pytest.raises(TypeError):
        await download(DAYS[2])
    monkeypatch.undo()
    asked(writer, lambda s: s.load_gaps(btc))
    origins = asked(writer, lambda s: s.load_bars(btc, "5m", day_start(DAYS[2]), day_start(DAYS[3]))).origin
    assert set(origins) == {"partial"}, "no bar of it passes for whole"
    assert (await download(DAYS[2])).fetched == 1
    origins = asked(writer, lambda s: s.load_bars(btc, "5m", day_start(DAYS[2]), day_start(DAYS[3]))).origin
    assert set(origins) == {"trades"} and asked(writer, lambda s: account_of(s, btc)).complete


async def test_klines_come_from_the_archive_and_by_rest_alike(exchange, writer, download) -> None:
    archived = await download(*DAYS, what="5m")
    btc = instrument(exchange)
    bars = asked(writer, lambda s: s.load_bars(btc, "5m"))
    assert archived.rows == len(bars.bars) == 4 * 288 and set(bars.origin) == {"kline"}
    assert (await download(*DAYS, what="5m", source=Source.REST)).held == 4
    eth = await download(*DAYS, what="5m", source=Source.REST, symbol="ETHUSDT")
    assert eth.rows == 4 * 288 and exchange.rest.requests["/fapi/v1/klines"] == 2, "three days in one page"
    assert (await download(*DAYS, what="5m", symbol="ETHUSDT")).held == 4
    sol = await download(DAYS[3], what="1m", source=Source.REST, symbol="SOLUSDT")
    assert (sol.rows, sol.fetched) == (1_440, 1)


async def test_a_whole_month_of_klines_is_one_file(exchange, writer, download) -> None:
    first = date(TODAY.year, TODAY.month - 1, 1)
    before = exchange.rest.archive.requests
    report = await download(first, first + timedelta(days=30), what="1h")
    assert (report.fetched, report.rows, exchange.rest.archive.requests - before) == (31, 31 * 24, 2)


async def test_what_makes_no_sense_is_said_before_anything_is_asked(exchange, writer, download) -> None:
    with pytest.raises(ConfigError, match="last 48 hours only"):
        await download(DAYS[0], source=Source.REST)
    with pytest.raises(ConfigError, match="once it has ended"):
        await download(TODAY)
    with pytest.raises(ConfigError, match="later than the last"):
        await download(DAYS[1], DAYS[0])
    with pytest.raises(ConfigError, match="no interval"):
        await download(DAYS[0], what="7m")
    asked(writer, lambda s: s.set_retention(Retention(keep_days=2)))
    with pytest.raises(StoreError, match="keeps trades for 2 days"):
        await download(DAYS[0])
    assert exchange.rest.archive.requests == 0
    with pytest.raises(ArchiveUnreachableError, match="has no archive"):
        ArchiveClient("")


def test_every_interval_is_one_of_the_exchange() -> None:
    from quantdesk.ingest.download_order import INTERVALS
    from quantdesk.simulator.exchange import INTERVALS as KNOWN

    assert INTERVALS == KNOWN and Interval.M1 in INTERVALS


async def test_cancel_is_heard_while_the_archive_keeps_silent(exchange, writer, download, monkeypatch) -> None:
    waiting = asyncio.Event()

    async def silent(*_: object) -> bytes:
        waiting.set()
        await asyncio.sleep(60)
        return b""

    monkeypatch.setattr(exchange.rest.archive, "_body", silent)
    task = asyncio.create_task(download(DAYS[3], cancelled=waiting.is_set))
    with pytest.raises(Cancelled, match="0 whole days"):
        await asyncio.wait_for(task, 20)
    assert ids(writer, instrument(exchange)) == []
