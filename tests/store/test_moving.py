"""A copied store holds what the source holds, wherever the copy was stopped, and says where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress, file_address
from quantdesk.store.base import DiskLowError, LeasedElsewhereError, Store, StoreError
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.files import Cancelled
from quantdesk.store.moving import CopyProgress, copy_store
from quantdesk.store.retention import TICK_BYTES
from quantdesk.types import AlertRow, Gap, GapState, Interval, Origin
from tests.store.copied import (
    ORIGINS,
    TARGETS,
    NewStores,
    contents,
    hole,
    shown_bars,
    small_blocks,
    steps_of,
    stop_after,
    tick_rows,
    without,
)
from tests.store.samples import BTC, ETH, START, reference, rows, source, trades

HOUR = 3_600_000
ALERT = AlertRow("a", "z", "binance-um", "BTCUSDT", "ETHUSDT", "1m", Origin.LIVE, "window 60", START, START, "{}", "{}")


@pytest.fixture
def new_store(new_address: Callable[[str], StoreAddress]) -> Iterator[NewStores]:
    stores = NewStores(new_address)
    yield stores
    stores.close()


@pytest.fixture(params=ORIGINS)
def origin(request: pytest.FixtureRequest, new_store: NewStores) -> Store:
    """Return an empty store to copy from."""
    return new_store(request.param)


@pytest.fixture(params=TARGETS)
def kind(request: pytest.FixtureRequest) -> str:
    """Return a kind of store to copy to."""
    return str(request.param)


@pytest.fixture
def target(kind: str, new_store: NewStores) -> Store:
    """Return an empty store to copy to."""
    return new_store(kind)


def fill(store: Store, every: int = 600_000) -> None:
    """Put some days of trades with holes of every kind, bars of other sources and duplicates into a store."""
    ticks = trades(250, every=every)
    kept = without(without(without(ticks, 50, 60), 100, 120), 150, 153)
    store.append_ticks(BTC, kept)
    store.save_gaps(BTC, [hole(ticks, 50, 60), hole(ticks, 100, 120, GapState.EXPIRED)])
    store.save_gaps(BTC, [hole(ticks, 150, 153, GapState.MISSING), hole(ticks, 200, 220, GapState.FILLED)])
    store.save_gaps(BTC, [Gap("BTCUSDT", 0, -1, START, ticks[0].ts, START, GapState.EXPIRED)])
    minutes = [START - 60_000 * k for k in range(90, -5, -1)]
    store.append_source_bars(BTC, "1m", source(minutes), "kline")
    unknown = replace(source([0, 86_400_000]), volume=np.array([np.nan, 1.0]))
    store.append_source_bars(BTC, "1d", unknown, "file:a.csv")
    store.append_source_bars(BTC, "1d", source([2 * 86_400_000]), "file:b.csv")
    store.add_duplicates(BTC, 7)


def assert_whole(origin: Store, target: Store) -> None:
    report = copy_store(origin, target)
    assert report.verified, report.lines
    assert contents(target) == contents(origin)


def test_a_copy_holds_all_that_the_source_holds(origin: Store, target: Store) -> None:
    fill(origin)
    origin.append_ticks(ETH, trades(30, symbol="ETHUSDT", first_id=7))
    told: list[CopyProgress] = []
    report = copy_store(origin, target, progress=told.append)
    assert report.verified
    assert report.lines == (
        "binance-um:BTCUSDT: 2 days, 214 ticks (214 new), 98 source bars, 5 ledger rows: verified",
        "binance-um:ETHUSDT: 1 day, 30 ticks (30 new), 0 source bars, 0 ledger rows: verified",
    )
    assert contents(target) == contents(origin)
    assert contents(target, ETH) == contents(origin, ETH)
    assert told[-1].done == 1.0 and [p.done for p in told] == sorted(p.done for p in told)


def test_a_copy_brings_the_alerts_and_what_became_of_them(origin: Store, target: Store) -> None:
    rows = [replace(ALERT, id=f"a{i}", fired_at=START + i) for i in range(3)]
    for row in rows:
        origin.save_firing(row)
    origin.save_outcome("a1", "reverted", START + 9)
    target.save_firing(rows[1])
    assert copy_store(origin, target).lines == ("alerts: 3 (2 new)",)
    assert target.firings() == origin.firings()
    assert [row.outcome for row in target.firings()] == [None, "reverted", None]
    assert copy_store(origin, target).lines == ("alerts: 3 (0 new)",)


def test_a_second_copy_finds_everything_there_and_a_copy_back_too(origin: Store, target: Store) -> None:
    fill(origin)
    before = contents(origin)
    assert_whole(origin, target)
    assert_whole(origin, target)
    assert_whole(target, origin)
    assert contents(origin) == before
    assert "(0 new)" in copy_store(origin, target).lines[0]


def test_an_empty_store_and_a_known_precision_are_copied(origin: Store, target: Store) -> None:
    assert copy_store(origin, target).lines == ()
    coarse = replace(BTC, step_size=Decimal("0.1"))
    target.ensure_instrument(BTC)
    origin.append_ticks(coarse, [replace(t, quantity=round(t.quantity, 1)) for t in trades(300)])
    assert copy_store(origin, target).verified
    assert target.find("BTCUSDT")[0].instrument == BTC


def test_a_copy_stopped_at_any_block_goes_on_and_never_claimed_more_than_it_held(
    origin: Store, kind: str, new_store: NewStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(origin)
    small_blocks(monkeypatch, 60, 60)
    whole = shown_bars(origin)
    for stop in range(steps_of(origin, new_store(kind))):
        target = new_store(kind)
        with pytest.raises(Cancelled, match="run the same again"):
            copy_store(origin, target, cancelled=stop_after(stop))
        for interval, bars in shown_bars(target).items():
            right = {bar[0]: bar for bar in whole[interval]}
            newest = max((bar[0] for bar in bars if bar[-1] in ("trades", "partial")), default=0)
            for bar in bars:  # the newest bar of any store is one that is not finished
                assert bar == right[bar[0]] or bar[0] == newest, (stop, interval)
        assert_whole(origin, target)


@pytest.mark.parametrize("own", [range(240, 300), range(1, 60), [*range(1, 60), *range(150, 300)]])
def test_a_copy_into_trades_of_others_marks_the_bars_that_are_not_whole_yet(
    origin: Store, kind: str, new_store: NewStores, monkeypatch: pytest.MonkeyPatch, own: list[int]
) -> None:
    ticks = trades(300, every=600_000)
    origin.append_ticks(BTC, without(ticks[50:220], 100, 110))
    origin.save_gaps(BTC, [hole(ticks, 100, 110)])
    small_blocks(monkeypatch, 20)
    theirs = [t for t in ticks if t.agg_id in own]
    holes = [hole(ticks, a.agg_id + 1, b.agg_id - 1) for a, b in pairwise(theirs) if b.agg_id > a.agg_id + 1]

    def new_target() -> Store:
        made = new_store(kind)
        made.append_ticks(BTC, theirs)
        made.save_gaps(BTC, holes)
        return made

    truth = {interval: {row[0]: row for row in rows(reference(ticks, interval))} for interval in Interval}

    def assert_no_bar_passes_for_more(store: Store) -> None:
        for interval in Interval:
            bars = shown_bars(store)[interval.value]
            edges = {bars[0][0], bars[-1][0]}  # where any store begins and ends
            for *numbers, told in bars:
                assert told == "partial" or numbers[0] in edges or tuple(numbers) == truth[interval][numbers[0]]

    steps = steps_of(origin, new_target())
    for stop in range(0, steps, max(1, steps // 8)):
        target = new_target()
        with pytest.raises(Cancelled):
            copy_store(origin, target, cancelled=stop_after(stop))
        assert_no_bar_passes_for_more(target)
        report = copy_store(origin, target)
        assert report.verified, report.lines
        assert_no_bar_passes_for_more(target)
        assert {r[1] for r in tick_rows(target)} == {r[1] for r in tick_rows(origin)} | set(own)
        assert all(row.state is not GapState.EXPIRED for row in target.load_gaps(BTC))
        before = contents(target)
        assert copy_store(origin, target).verified and contents(target) == before


def test_the_seam_between_two_records_is_an_open_gap(origin: Store, target: Store) -> None:
    ticks = trades(300)
    origin.append_ticks(BTC, ticks[:100])
    target.append_ticks(BTC, ticks[150:])
    assert copy_store(origin, target).verified
    assert [(g.first_id, g.last_id, g.state) for g in target.load_gaps(BTC) if g.size > 0] == [
        (101, 150, GapState.OPEN)
    ]


def test_a_gap_of_the_source_that_the_target_holds_is_filled_there(origin: Store, target: Store) -> None:
    ticks = trades(300)
    origin.append_ticks(BTC, without(ticks, 100, 120))
    origin.save_gaps(BTC, [hole(ticks, 100, 120, GapState.EXPIRED)])
    target.append_ticks(BTC, ticks)
    assert copy_store(origin, target).verified
    assert [g.state for g in target.load_gaps(BTC)] == [GapState.FILLED]
    assert "partial" not in target.load_bars(BTC, "1m").origin


def test_a_gap_of_the_target_is_filled_by_the_source(origin: Store, target: Store) -> None:
    ticks = trades(300)
    target.append_ticks(BTC, without(ticks, 100, 120))
    target.save_gaps(BTC, [hole(ticks, 100, 120)])
    origin.append_ticks(BTC, ticks[50:200])
    assert copy_store(origin, target).verified
    assert [g.state for g in target.load_gaps(BTC) if g.size > 0] == [GapState.FILLED]
    assert rows(target.load_bars(BTC, "5m").bars) == rows(reference(ticks, Interval.M5))
    assert "partial" not in target.load_bars(BTC, "5m").origin


def test_what_the_target_holds_with_other_content_stays_and_is_told(origin: Store, target: Store) -> None:
    ticks = trades(300)
    origin.append_ticks(BTC, ticks)
    changed = [replace(ticks[10], price=1.0), replace(ticks[200], ts=ticks[200].ts + 1)]
    target.append_ticks(BTC, changed)
    origin.append_source_bars(BTC, "1d", source([0]), "file:a.csv")
    target.append_source_bars(BTC, "1d", source([0], price=9.0), "file:a.csv")
    report = copy_store(origin, target)
    assert not report.verified
    assert "2 trades were there with other content and stayed, the first is 11" in report.lines[0]
    assert "1 1d source bars were there with other content" in report.lines[0]
    held = tick_rows(target)
    assert sorted(row[1] for row in held) == list(range(1, 301))  # none is doubled
    assert {row[2] for row in held if row[1] == 11} == {1.0}
    days = target.load_bars(BTC, "1d").bars  # beside the held one stands what the trades fold to
    assert days.open[days.open_time == source([0]).open_time].tolist() == [9.0]


def test_a_target_in_use_that_holds_more_is_verified(origin: Store, target: Store) -> None:
    ticks = trades(400, every=600_000)
    origin.append_ticks(BTC, ticks[100:300:2])
    target.append_ticks(BTC, ticks[50:350])
    target.append_source_bars(BTC, "1m", source([START]), "kline")
    before = contents(target)
    report = copy_store(origin, target)
    assert report.verified and "(0 new)" in report.lines[0]
    assert contents(target) == before


def test_bars_whose_trades_are_gone_are_not_lost(tmp_path: Path, target: Store) -> None:
    limits = StoreLimits(max_tick_bytes=100 * TICK_BYTES, delete_slice=50)
    origin = open_embedded(tmp_path / "old.sqlite", limits)
    ticks = trades(600, every=600_000)
    origin.append_ticks(BTC, ticks)
    origin.save_gaps(BTC, [hole(ticks, 30, 40)])
    origin.enforce_limits()
    origin.append_ticks(BTC, ticks[:3])  # a trade that comes late, below those that are gone
    report = copy_store(origin, target)
    assert report.verified and "bars whose trades are gone" in report.lines[0]
    assert contents(target) == contents(origin)
    assert rows(target.load_bars(BTC, "1m").bars) == rows(reference(ticks, Interval.M1))
    assert copy_store(origin, target).verified and contents(target) == contents(origin)
    origin.close()


def test_an_instrument_all_of_whose_trades_are_gone_keeps_its_bars(tmp_path: Path, target: Store) -> None:
    origin = open_embedded(tmp_path / "old.sqlite", StoreLimits(max_tick_age_days=1))
    origin.append_ticks(BTC, trades(300))
    origin.append_ticks(ETH, [replace(t, symbol="ETHUSDT", ts=t.ts + 9 * 24 * HOUR) for t in trades(3)])
    origin.enforce_limits()
    assert [held.ticks for held in origin.instruments()] == [0, 3]
    assert copy_store(origin, target).verified
    assert shown_bars(target) == shown_bars(origin)
    origin.close()


def test_a_source_that_is_being_written_is_copied_as_it_was_at_the_beginning(origin: Store, target: Store) -> None:
    ticks = trades(500, every=60_000)
    origin.append_ticks(BTC, without(ticks[:400], 100, 120))
    origin.save_gaps(BTC, [hole(ticks, 100, 120)])
    coming = iter(range(400, 490, 10))

    def more(progress: CopyProgress) -> None:
        at = next(coming, None)
        if at is not None:
            origin.append_ticks(BTC, ticks[at : at + 10])
        if "compares" in progress.words and origin.load_gaps(BTC)[0].state is GapState.OPEN:
            origin.append_ticks(BTC, ticks[99:120])
            origin.save_gaps(BTC, [hole(ticks, 100, 120, GapState.FILLED)])

    report = copy_store(origin, target, progress=more)
    assert report.verified, report.lines
    assert target.load_gaps(BTC)[0].state is GapState.FILLED
    assert {row[1] for row in tick_rows(target)} >= set(range(1, 401))
    assert copy_store(origin, target).verified
    assert tick_rows(target) == tick_rows(origin) and shown_bars(target) == shown_bars(origin)


def test_what_is_lost_on_the_way_is_found(origin: Store, target: Store) -> None:
    if not isinstance(target, EmbeddedStore):
        pytest.skip("damages a file")
    ticks = trades(300)
    origin.append_ticks(BTC, ticks)
    origin.append_source_bars(BTC, "1d", source([0]), "kline")
    origin.save_gaps(BTC, [hole(ticks, 290, 291, GapState.MISSING)])

    def damage(progress: CopyProgress) -> None:
        if progress.words.endswith("copied"):
            with target._writing() as connection:
                connection.exec_driver_sql("DELETE FROM ticks WHERE agg_id = 77")
                connection.exec_driver_sql("UPDATE bars SET close = 1 WHERE interval = '1m' AND first_id > 200")
                for table in ("source_bars", "gaps"):
                    connection.exec_driver_sql(f"DELETE FROM {table}")

    report = copy_store(origin, target, progress=damage)
    assert not report.verified
    for words in (
        "1 trades are missing, the first is 77",
        "1 1d source bars are missing",
        "1 ledger rows",
        "1m bars differ",
    ):
        assert words in report.lines[0]


def test_an_instrument_that_another_program_writes_is_refused_in_words(
    origin: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.append_ticks(BTC, trades(3))
    facts = replace(target.facts(), leases=(("BTCUSDT", "attic (process 7)"),))
    monkeypatch.setattr(target, "acquire", lambda instrument: False)
    monkeypatch.setattr(target, "facts", lambda: facts)
    with pytest.raises(LeasedElsewhereError, match=r"BTCUSDT is written by attic \(process 7\)"):
        copy_store(origin, target)
    assert tick_rows(target) == []


def test_a_copy_stops_before_the_disk_is_full_and_at_a_row_that_cannot_be_kept(
    origin: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.append_ticks(BTC, trades(3))
    with monkeypatch.context() as patched:
        patched.setattr(target, "free_bytes", lambda: 1_000)
        with pytest.raises(DiskLowError, match="make room and run the same again"):
            copy_store(origin, target)

    def refuse(*_: object) -> int:
        raise ValueError("trade 1 of BTCUSDT cannot be stored")

    monkeypatch.setattr(target, "append_ticks", refuse)
    with pytest.raises(StoreError, match="the copy has stopped: trade 1"):
        copy_store(origin, target)


@settings(max_examples=12)
@given(data=st.data())
def test_copying_twice_is_copying_once_wherever_it_was_stopped(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ticks = trades(
        data.draw(st.integers(2, 120)),
        seed=data.draw(st.integers(0, 99)),
        every=data.draw(st.sampled_from([50, 3_000_000])),
    )
    taken = data.draw(st.sets(st.sampled_from(range(2, len(ticks) + 1)), max_size=20)) if len(ticks) > 2 else set()
    folder = tmp_path_factory.mktemp("stores")
    stores = NewStores(lambda name: file_address(folder / name))
    try:
        origin, target = stores("origin"), stores("target")
        origin.append_ticks(BTC, [t for t in ticks if t.agg_id not in taken])
        for ident in sorted(taken - {len(ticks)}):
            origin.save_gaps(BTC, [hole(ticks, ident, ident, data.draw(st.sampled_from(list(GapState))))])
        bars = sorted(data.draw(st.sets(st.integers(-5, 50), max_size=6)))
        if bars:
            origin.append_source_bars(BTC, "1m", source([START + 60_000 * k for k in bars]), "kline")
        for stop in data.draw(st.lists(st.integers(0, 25), max_size=3)):
            try:
                copy_store(origin, target, cancelled=stop_after(stop))
            except Cancelled:
                continue
        for _ in range(2):
            assert copy_store(origin, target).verified
            assert contents(target) == contents(origin)
    finally:
        stores.close()
