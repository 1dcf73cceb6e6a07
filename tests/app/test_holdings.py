"""The whole desk downloads, lists, exports, imports and deletes while it records, and stops all of it at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QDate

from quantdesk.app.desk import Desk
from quantdesk.config import Endpoints
from quantdesk.ingest.download_order import TRADES, DownloadOrder
from quantdesk.store.base import StoreError
from quantdesk.store.deletion import DropOrder, Part
from quantdesk.store.embedded import open_embedded
from quantdesk.store.holdings import ExportOrder, Holding, Kind
from quantdesk.store.ledger_report import account_of
from quantdesk.types import GapState, Instrument
from tests.app.driven import drive, held, is_live, reached
from tests.app.replays import MINUTE, simulated
from tests.program.desks import environment, running, until
from tests.store.samples import source, trades

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
DAY = int(datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, tzinfo=UTC).timestamp()) * 1_000
BTC = Instrument("a market", "BTCUSDT")
AGG = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
    "100,63943.90,0.021,1,3,1721347022956,true\n101,63943.80,0.013,4,6,1721347023756,false\n"
)


@pytest.fixture
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Serve a quiet market with an archive in a process of its own."""
    words = ("simulate", "--seed", "5", "--rate", "0.3")
    with running(environment(tmp_path_factory.mktemp("exchange")), *words) as program:
        until(lambda: program.out.read_text("utf-8").endswith("\n"), "the exchange")
        told = json.loads(program.out.read_text("utf-8"))
        yield Endpoints(told["ws_url"], told["rest_url"], "a market", told["archive_url"])


def rows(desk: Desk) -> dict[tuple[str, str, str], Holding]:
    dialog = desk.window.holdings.dialog
    assert dialog is not None
    return {(r.instrument.venue, r.instrument.symbol, r.title): r for r in dialog.table.shown()}


def toasts(desk: Desk) -> str:
    return " | ".join(f"{toast.accessibleName()}" for toast in desk.window.toasts.toasts)


async def look(desk: Desk) -> None:
    dialog = desk.window.holdings.dialog
    assert dialog is not None
    await reached(dialog.refresh.isEnabled, "the look before")
    dialog.refresh.click()
    await reached(dialog.refresh.isEnabled, "the look")


def test_a_day_is_downloaded_beside_the_feed_and_half_of_it_deleted(qapp, place, past) -> None:
    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the feed")
        flow = desk.window.holdings
        flow.show()
        flow.show_download()
        dialog = desk.window.prompts.dialog("download")
        dialog.symbols.setText("BTCUSDT")
        dialog.first.setDate(QDate(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day))
        dialog.go.click()
        await reached(lambda: "Download ended" in toasts(desk), f"the download: {toasts(desk)}")
        await look(desk)
        day = rows(desk)["a market", "BTCUSDT", "trades"]
        assert day.first_ts is not None and DAY <= day.first_ts < DAY + 600_000 and day.rows > 20_000
        await reached(lambda: is_live(desk), "the feed goes on")
        wanted = DropOrder(BTC, Part.TRADES, "", DAY, DAY + 43_200_000)
        whole = DropOrder(BTC, Part.TRADES)
        flow.show_delete(day)
        flow.count_requested.emit(whole)
        await reached(lambda: "is being recorded" in flow.deleting.said.text(), "the refusal")
        flow.deleting.reject()
        flow.delete_requested.emit(wanted)
        await reached(lambda: "Deleted of BTCUSDT" in toasts(desk), f"the deletion: {toasts(desk)}")
        await look(desk)
        left = rows(desk)["a market", "BTCUSDT", "trades"]
        assert left.first_ts is not None and left.first_ts >= DAY + 43_200_000 and left.rows < day.rows

    drive(qapp, past, act, "--data-dir", place / "data")
    ids = held(place / "data")["a market", "BTCUSDT"]
    assert len(ids) == len(set(ids))
    reader = open_embedded(place / "data" / "quantdesk.sqlite", read_only=True)
    account = account_of(reader, BTC)
    assert account.ids(GapState.DROPPED) > 10_000
    # The hours between yesterday and the feed's first trade are asked of the exchange and stand in the ledger.
    explained = sum(gap.size for gap in account.gaps if gap.state is not GapState.FILLED and gap.first_id > ids[0])
    assert account.stored + explained == ids[-1] - ids[0] + 1
    reader.close()


def test_files_come_in_and_tables_go_out(qapp, place, nowhere) -> None:
    source, target = place / "BTCUSDT-aggTrades-2024-07-19.csv", place / "out.csv"
    source.write_text(AGG)

    async def act(desk: Desk) -> None:
        flow = desk.window.holdings
        flow.show()
        await reached(flow.dialog.refresh.isEnabled, "the first look")
        assert flow.dialog.pages.currentWidget() is flow.dialog.empty
        flow.import_requested.emit([source])
        await reached(lambda: "Imported" in toasts(desk), f"the import: {toasts(desk)}")
        await look(desk)
        assert rows(desk)["file", "BTCUSDT", "trades"].rows == 2
        flow.export_requested.emit(ExportOrder(Instrument("file", "BTCUSDT"), Kind.TRADES, "", None, None, target))
        await reached(target.exists, f"the export: {toasts(desk)}")
        flow.import_requested.emit([place / "nothing.csv"])
        await reached(lambda: "there is no such file" in toasts(desk), f"the failure: {toasts(desk)}")
        flow.delete_requested.emit(DropOrder(Instrument("file", "BTCUSDT"), Part.EVERYTHING))
        await reached(lambda: "Deleted of BTCUSDT" in toasts(desk), "the deletion")
        await look(desk)
        assert rows(desk) == {}

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert target.read_text().count("\n") == 3


def test_quitting_stops_a_download_and_keeps_whole_days(qapp, place, past) -> None:
    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the feed")
        flow = desk.window.holdings
        flow.show_download()
        dialog = desk.window.prompts.dialog("download")
        dialog.symbols.setText("SOLUSDT")
        dialog.first.setDate(dialog.last.date().addDays(-20))
        dialog.go.click()
        await reached(lambda: desk.holdings._running, "the download")

    drive(qapp, past, act, "--data-dir", place / "data")
    path: Path = place / "data" / "quantdesk.sqlite"
    reader = open_embedded(path, read_only=True)
    sol = [one.instrument for one in reader.find("SOLUSDT", "a market")]
    assert all(account_of(reader, one).complete for one in sol)
    reader.close()


def test_what_is_being_downloaded_is_not_deleted_meanwhile(qapp, place, past) -> None:
    order = DownloadOrder(("SOLUSDT",), TRADES, YESTERDAY - timedelta(days=20), YESTERDAY)

    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the feed")
        flow = desk.window.holdings
        flow.download_requested.emit(order)
        await reached(lambda: desk.holdings._running, "the download")
        flow.delete_requested.emit(DropOrder(Instrument("a market", "SOLUSDT"), Part.EVERYTHING))
        await reached(lambda: "SOLUSDT is being downloaded: wait" in toasts(desk), f"the refusal: {toasts(desk)}")
        flow.download_requested.emit(order)
        await reached(lambda: toasts(desk).count("is being downloaded: wait") == 2, f"the other one: {toasts(desk)}")

    drive(qapp, past, act, "--data-dir", place / "data")


def test_a_symbol_that_is_taken_in_while_it_is_deleted_keeps_what_comes(
    qapp, place, past, monkeypatch: pytest.MonkeyPatch
) -> None:
    symbol, goes = "SOLUSDT", threading.Event()
    monkeypatch.setattr("quantdesk.store.deletion.SLICE", 1)
    store = open_embedded(place / "quantdesk.sqlite")
    store.append_ticks(Instrument("a market", symbol), [replace(tick, symbol=symbol) for tick in trades(40)])
    store.close()

    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the feed")
        call = desk.feeding.session.writer.call

        def slow(act):
            goes.wait(0.05)
            return call(act)

        monkeypatch.setattr(desk.feeding.session.writer, "call", slow)
        desk.window.holdings.delete_requested.emit(DropOrder(Instrument("a market", symbol), Part.EVERYTHING))
        await reached(lambda: desk.holdings._running, "the deletion")
        desk.window.add_symbol_requested.emit(symbol)
        await reached(lambda: "is being recorded" in toasts(desk), f"the refusal: {toasts(desk)}")
        goes.set()

    drive(qapp, past, act, "--data-dir", place)


def test_the_desk_ends_though_its_store_answers_no_more(qapp, place, past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.app.holdings._LAST_SECONDS", 0.5)
    stuck: list[Future[object]] = []

    async def act(desk: Desk) -> None:
        await reached(lambda: is_live(desk), "the feed")
        writer = desk.feeding.session.writer
        stop = writer.stop

        def call(_act: object) -> Future[object]:
            stuck.append(Future())
            return stuck[-1]

        def stopped() -> bool:
            for one in stuck:
                one.set_exception(StoreError("the store is closed"))
            return stop()

        monkeypatch.setattr(writer, "call", call)
        monkeypatch.setattr(writer, "stop", stopped)
        desk.window.holdings.delete_requested.emit(DropOrder(Instrument("file", "BTCUSDT"), Part.EVERYTHING))
        await reached(lambda: stuck, "an act")

    drive(qapp, past, act, "--data-dir", place / "data")


def all_shown(desk: Desk, symbol: str, interval: str) -> list[int]:
    series = desk.feeding.market.series(symbol, interval)
    assert series is not None
    return series.times().tolist()


def finite(column: np.ndarray) -> list[float]:
    return column[np.isfinite(column)].tolist()


def joint(desk: Desk) -> int:
    """Return at how many bars of the frame on screen both legs stand; the newest may still run and is none."""
    frame = desk.pair.frame
    return int(np.isfinite(frame.y.close * frame.x.close).sum()) if frame is not None else 0


def test_deleted_bars_leave_every_window_at_once(qapp, place, nowhere) -> None:
    """Of trades of 40 minutes the middle goes, and of klines before them all of one interval."""
    start, folder = MINUTE * 60_000, place / "data"
    low, high = start + 10 * 60_000, start + 20 * 60_000
    folder.mkdir()
    store = open_embedded(folder / "quantdesk.sqlite")
    for symbol, ticks in simulated(40, rate=0.5).items():
        instrument = Instrument("a market", symbol)
        store.append_ticks(instrument, ticks)
        store.append_source_bars(instrument, "1m", source([start - n * 60_000 for n in range(30, 0, -1)]), "kline")
    store.close()

    def kept(interval: str, ms: int) -> list[int]:
        """Return the open times of bars of the minutes that are left."""
        minutes = (start + n * 60_000 for n in range(40))
        return sorted({m - m % ms for m in minutes if not low <= m < high})

    async def act(desk: Desk) -> None:
        window = desk.window
        await reached(lambda: desk.feeding.session.writer and len(all_shown(desk, "BTCUSDT", "1m")) == 70, "the bars")
        window.registry["pair.1m"].trigger()
        second = window.workspaces.windows.open_new()
        assert second is not None
        second.pair.set_settings(replace(second.pair.settings, y="BTCUSDT", x="ETHUSDT", interval="15m"))
        await reached(lambda: joint(desk) == 69, "the first window")
        await reached(lambda: second.pair.frame is not None and second.pair.frame.interval_ms == 900_000, "the other")
        flow, ask = window.holdings, window.holdings.delete_requested
        flow.show()
        ask.emit(DropOrder(BTC, Part.SOURCE_BARS, "1m"))
        await reached(lambda: all_shown(desk, "BTCUSDT", "1m")[:1] == [start], f"no klines: {toasts(desk)}")
        await reached(lambda: joint(desk) == 39, "statistics without them")
        ask.emit(DropOrder(BTC, Part.EVERYTHING, "", low, high))
        await reached(lambda: all_shown(desk, "BTCUSDT", "1m") == kept("1m", 60_000), f"the bars: {toasts(desk)}")
        await reached(lambda: all_shown(desk, "BTCUSDT", "5m") == kept("5m", 300_000), "longer ones")
        assert all(not low <= time < high for time in all_shown(desk, "BTCUSDT", "1s"))
        await reached(lambda: joint(desk) == 29, "statistics of what is left")
        reader = open_embedded(folder / "quantdesk.sqlite", read_only=True)
        for interval in ("15s", "15m", "1h"):
            stored = reader.load_bars(BTC, interval, start - 3_600_000).bars
            await reached(lambda i=interval, s=stored: all_shown(desk, "BTCUSDT", i) == s.open_time.tolist(), interval)
            shown = desk.feeding.market.series("BTCUSDT", interval).arrays()
            assert shown.close.tolist() == stored.close.tolist() and shown.trades.tolist() == stored.trades.tolist()
        reader.close()
        series = desk.feeding.market.series("BTCUSDT", "15m")
        bars = series.arrays().close[series.closed()].tolist()
        await reached(lambda: finite(second.pair.frame.y.close) == bars, "the other window")
        assert len(all_shown(desk, "ETHUSDT", "1m")) == 70, "another symbol keeps all of its bars"

    drive(qapp, nowhere, act, "--data-dir", folder)
