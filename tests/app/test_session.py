"""A session shows an interval that the store folds: at the first paint, and whole once it is looked at."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from quantdesk.app.feeding import Feeding
from quantdesk.app.session import Session, SessionPlan
from quantdesk.bars.derived import Derived
from quantdesk.config import Endpoints
from quantdesk.model.files import FilesModel
from quantdesk.model.jobs import JobRunner
from quantdesk.model.pair import PairModel
from quantdesk.store import last_bars
from quantdesk.store.address import file_address
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Origin
from tests.store.samples import BTC, START, reference, rows, source, trades


def filled(path: Path) -> list[object]:
    store = open_embedded(path)
    ticks = [replace(t, ts=START - START % 86_400_000 + place * 400_000) for place, t in enumerate(trades(900))]
    store.append_ticks(BTC, ticks)
    store.append_source_bars(BTC, "1h", source([ticks[0].ts - 7_200_000, ticks[0].ts - 3_600_000]), "kline")
    store.close()
    return rows(reference(ticks, Derived.H1))


def test_the_first_paint_folds_and_what_is_older_follows(qapp, tmp_path: Path, monkeypatch) -> None:
    wanted = filled(tmp_path / "store.sqlite")
    endpoints = Endpoints()
    plan = SessionPlan(
        Origin.LIVE, (BTC.symbol,), replace(endpoints, venue=BTC.venue), file_address(tmp_path / "store.sqlite")
    )
    monkeypatch.setattr(last_bars, "_MOST_FOLDED", 240)
    session = Session(plan)
    session.show_stored([BTC.symbol], "1h")
    shown = session.market.series(BTC.symbol, "1h")
    assert shown is not None
    assert rows(shown.arrays()) == wanted[-20:]
    assert shown.closed().tolist() == [True] * 19 + [False], "the newest one may still run"
    session.prefer([BTC.symbol], "1h")
    asyncio.run(session.load_shown())
    shown = session.market.series(BTC.symbol, "1h")
    assert shown is not None
    assert rows(shown.arrays())[2:] == wanted
    assert shown.from_trades().tolist() == [False] * 2 + [True] * len(wanted)


def test_the_interval_of_another_window_is_loaded_too(qapp, tmp_path: Path) -> None:
    wanted = filled(tmp_path / "store.sqlite")
    address = file_address(tmp_path / "store.sqlite")
    session = Session(SessionPlan(Origin.LIVE, (BTC.symbol,), replace(Endpoints(), venue=BTC.venue), address))
    session.show_stored([BTC.symbol], "1m")
    session.prefer([BTC.symbol], "1m", [(BTC.symbol, "1h")])
    asyncio.run(session.load_shown())
    shown = session.market.series(BTC.symbol, "1h")
    assert shown is not None
    assert rows(shown.arrays())[-len(wanted) :] == wanted


def test_bars_that_are_folded_reach_back_to_what_was_downloaded_behind_the_feed(qapp, tmp_path: Path) -> None:
    wanted = filled(tmp_path / "store.sqlite")
    plan = SessionPlan(
        Origin.LIVE,
        (BTC.symbol,),
        replace(Endpoints(), venue=BTC.venue),
        file_address(tmp_path / "store.sqlite"),
    )
    jobs = JobRunner()
    feeding = Feeding(plan, PairModel(jobs), FilesModel())
    session = feeding.session

    async def act() -> int:
        session.show_stored([BTC.symbol], "1m")
        session.prefer([BTC.symbol], "1h")
        await session.load_shown()
        store = open_embedded(tmp_path / "store.sqlite")
        day = START - START % 86_400_000 - 30 * 86_400_000
        store.append_source_bars(BTC, "1h", source([day + hour * 3_600_000 for hour in range(24)]), "kline")
        store.close()
        feeding.learn_of_past(session, [BTC.symbol], day, day + 86_400_000)
        await asyncio.gather(*feeding._others)
        return day

    day = asyncio.run(act())
    shown = session.market.series(BTC.symbol, "1h")
    assert shown is not None
    assert shown.times()[:24].tolist() == [day + hour * 3_600_000 for hour in range(24)]
    assert rows(shown.arrays())[-len(wanted) :] == wanted
    assert jobs.close(10)
