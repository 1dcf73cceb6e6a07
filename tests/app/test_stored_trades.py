"""What candles of the spread want of the store is read beside the screen; the newest wish wins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from quantdesk.app.desk import Desk
from quantdesk.app.session import Session, SessionPlan
from quantdesk.app.stored_trades import StoredTrades, trades_between
from quantdesk.config import Endpoints, StoreLimits
from quantdesk.model.jobs import JobRunner
from quantdesk.model.recent_trades import TradePrices
from quantdesk.model.spread_bars import TradesWanted
from quantdesk.store.address import file_address
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Origin
from tests.app.driven import drive, reached
from tests.store.samples import BTC, trades

TICKS = trades(2_000, every=200)
NOWHERE = Endpoints("ws://127.0.0.1:9", "http://127.0.0.1:9", BTC.venue)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    address = file_address(tmp_path / "store.sqlite")
    writer = StoreWriter(lambda: open_store(address), StoreLimits())
    writer.start()
    writer.put_ticks(BTC, TICKS)
    assert writer.flush(30) and writer.stop()
    return tmp_path / "store.sqlite"


def wanted(first: int, last: int) -> TradesWanted:
    return TradesWanted(BTC.symbol, BTC.symbol, TICKS[first].ts, TICKS[last].ts, TICKS[first].ts)


def test_the_trades_of_a_stretch_come_in_blocks_and_in_order(path: Path) -> None:
    reader = open_reader(file_address(path))
    found = trades_between(reader, BTC, wanted(100, 1_500), lambda: False)
    expected = [t for t in TICKS if TICKS[100].ts <= t.ts < TICKS[1_500].ts]
    assert found.ids.tolist() == [t.agg_id for t in expected] and found.prices.tolist() == [t.price for t in expected]
    assert (np.diff(found.times) >= 0).all()
    assert len(trades_between(reader, BTC, wanted(100, 1_500), lambda: True)) == 0
    reader.close()


class Bars(QObject):
    """Take answers as the model of the spread's candles does."""

    trades_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[TradesWanted, TradePrices, TradePrices]] = []

    def take_stored(self, wish: TradesWanted, y: TradePrices, x: TradePrices) -> None:
        self.taken.append((wish, y, x))


@dataclass
class Feeding:
    session: Session
    kept: list[object] = field(default_factory=list)


@pytest.fixture
def session(path: Path) -> Iterator[Session]:
    opened = Session(SessionPlan(Origin.LIVE, (BTC.symbol,), NOWHERE, file_address(path)))
    opened.show_stored((BTC.symbol,), "1s")
    yield opened
    opened._close_reader()


def test_a_wish_is_answered_from_the_sessions_store(session: Session, qtbot: QtBot) -> None:
    bars, jobs = Bars(), JobRunner()
    answering = StoredTrades(bars, Feeding(session), jobs)  # type: ignore[arg-type]  # the two signals they share
    bars.trades_wanted.emit(wanted(0, 50))
    bars.trades_wanted.emit(first := wanted(10, 60))
    bars.trades_wanted.emit(newest := wanted(500, 700))
    qtbot.waitUntil(lambda: any(wish == newest for wish, _, _ in bars.taken), timeout=10_000)
    assert not any(wish == first for wish, _, _ in bars.taken), "an older one that waited is dropped"
    _, y, x = bars.taken[-1]
    assert len(y) == len(x) == sum(TICKS[500].ts <= t.ts < TICKS[700].ts for t in TICKS)
    assert jobs.close(20)
    del answering


def test_a_store_that_cannot_be_read_leaves_closes(session: Session, qtbot: QtBot) -> None:
    bars, jobs = Bars(), JobRunner()
    answering = StoredTrades(bars, Feeding(session), jobs)  # type: ignore[arg-type]  # the two signals they share
    session._close_reader()
    bars.trades_wanted.emit(wanted(0, 50))
    qtbot.waitUntil(lambda: bool(bars.taken), timeout=10_000)
    assert len(bars.taken[0][1]) == 0
    assert jobs.close(20)
    del answering


def test_a_symbol_that_the_market_does_not_have_is_named_and_leaves_closes(
    session: Session, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    bars, jobs = Bars(), JobRunner()
    answering = StoredTrades(bars, Feeding(session), jobs)  # type: ignore[arg-type]  # the two signals they share
    wish = replace(wanted(0, 50), x="NONESUCH")
    bars.trades_wanted.emit(wish)
    assert [(one, len(y), len(x)) for one, y, x in bars.taken] == [(wish, 0, 0)], "who asked waits no longer"
    assert "NONESUCH is no symbol of the recorded market" in caplog.text and BTC.symbol not in caplog.text
    assert jobs.close(20)
    del answering


def test_windows_beside_the_main_one_are_answered_too(qapp, nowhere) -> None:
    async def act(desk: Desk) -> None:
        market, session = desk.feeding.market, desk.feeding.session
        await reached(lambda: session.writer and {"BTCUSDT", "ETHUSDT"} <= set(market.symbols()), "the simulator")
        second = desk.window.workspaces.windows.open_new()
        assert second is not None
        taken: list[TradesWanted] = []
        second.spread.bars.take_stored = lambda wish, _y, _x: taken.append(wish)
        wish = TradesWanted("BTCUSDT", "ETHUSDT", 0, 1, 0)
        second.spread.bars.trades_wanted.emit(wish)
        await reached(lambda: taken == [wish], "the answer")

    drive(qapp, nowhere, act, "--simulate")
