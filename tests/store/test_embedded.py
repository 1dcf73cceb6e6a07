"""The embedded store holds each trade once and its bars exactly, in any order of arrival."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.bars.arrays import fold
from quantdesk.store.base import Store, StoreError
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.sqlite_file import APPLICATION_ID
from quantdesk.types import UNKNOWN_STEP, Gap, GapState, Instrument, Interval, Tick
from tests.store.samples import BTC, ETH, START, reference, rows, source, trades


@pytest.fixture
def store(tmp_path: Path):
    opened = open_embedded(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def held_ids(store: EmbeddedStore, instrument: Instrument = BTC) -> list[int]:
    return [int(i) for block in store.load_ticks(instrument) for i in block.agg_id]


def assert_bars_are_exact(store: EmbeddedStore, ticks: list[Tick], instrument: Instrument = BTC) -> None:
    loaded = {i: store.load_bars(instrument, i.value).bars for i in Interval}
    for interval, bars in loaded.items():
        assert rows(bars) == rows(reference(ticks, interval, instrument))
    digits = (instrument.price_decimals, instrument.quantity_decimals)
    assert rows(fold(loaded[Interval.S1], 60_000, *digits)) == rows(loaded[Interval.M1])
    assert rows(fold(loaded[Interval.M1], 300_000, *digits)) == rows(loaded[Interval.M5])


def test_the_embedded_store_keeps_the_promise_of_a_store(store: EmbeddedStore) -> None:
    promised: Store = store
    assert promised.size_bytes() > 0 and (promised.free_bytes() or 0) > 0


@given(data=st.data())
def test_any_order_any_batches_and_any_duplicates_make_the_same_ticks_and_bars(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ticks = trades(data.draw(st.integers(1, 150)), seed=data.draw(st.integers(0, 99)))
    doubled = [*ticks, *data.draw(st.lists(st.sampled_from(ticks), max_size=40))]
    arriving = data.draw(st.permutations(doubled))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(arriving)), max_size=6)) | {0, len(arriving)})
    opened = open_embedded(tmp_path_factory.mktemp("store") / "store.sqlite")
    try:
        new = [opened.append_ticks(BTC, arriving[a:b]) for a, b in pairwise(cuts)]
        assert sum(new) == len(ticks)
        assert held_ids(opened) == [t.agg_id for t in ticks]
        assert_bars_are_exact(opened, ticks)
        assert opened.last_tick(BTC) == (ticks[-1].agg_id, ticks[-1].ts)
    finally:
        opened.close()


def test_what_was_written_is_read_back_to_the_digit(store: EmbeddedStore) -> None:
    ticks = trades(500)
    store.append_ticks(BTC, ticks)
    read = [
        Tick("BTCUSDT", int(i), float(p), float(q), int(ts), bool(m), int(n))
        for b in store.load_ticks(BTC, chunk=7)
        for i, p, q, ts, m, n in zip(b.agg_id, b.price, b.quantity, b.ts, b.is_buyer_maker, b.trades, strict=True)
    ]
    assert read == ticks


def test_ticks_are_read_from_start_up_to_but_not_at_end(store: EmbeddedStore) -> None:
    ticks = trades(100)
    store.append_ticks(BTC, ticks)
    start, end = ticks[20].ts, ticks[80].ts
    read = [int(i) for b in store.load_ticks(BTC, start, end, chunk=11) for i in b.agg_id]
    assert read == [t.agg_id for t in ticks if start <= t.ts < end]


def test_each_instrument_keeps_its_own(store: EmbeddedStore) -> None:
    elsewhere = replace(BTC, venue="simulator")
    mine, theirs = trades(50), trades(60, seed=2)
    store.append_ticks(BTC, mine)
    store.append_ticks(elsewhere, theirs)
    store.append_ticks(ETH, trades(5, symbol="ETHUSDT"))
    assert_bars_are_exact(store, mine)
    assert_bars_are_exact(store, theirs, elsewhere)
    assert [(h.instrument.venue, h.instrument.symbol, h.ticks) for h in store.instruments()] == [
        ("binance-um", "BTCUSDT", 50),
        ("binance-um", "ETHUSDT", 5),
        ("simulator", "BTCUSDT", 60),
    ]
    assert [h.instrument.venue for h in store.find("btcusdt")] == ["binance-um", "simulator"]
    assert [h.last_agg_id for h in store.find("BTCUSDT", "simulator")] == [60]


def test_open_and_close_belong_to_the_lowest_and_highest_id(store: EmbeddedStore) -> None:
    prices = {7: 3.0, 5: 1.0, 9: 2.0, 6: 9.0}
    for agg_id, price in prices.items():
        store.append_ticks(BTC, [Tick("BTCUSDT", agg_id, price, 1.0, START, False)])
    bar = store.load_bars(BTC, "5m").bars
    assert (bar.open[0], bar.high[0], bar.low[0], bar.close[0], bar.volume[0]) == (1.0, 9.0, 1.0, 2.0, 4.0)


def test_volumes_that_doubles_cannot_add_are_exact(store: EmbeddedStore) -> None:
    store.append_ticks(BTC, [Tick("BTCUSDT", i, 0.1, 0.1, START + i * 100, False) for i in range(1, 2_001)])
    assert store.load_bars(BTC, "5m").bars.volume.tolist() == [200.0]


def test_an_unknown_precision_still_makes_right_bars(store: EmbeddedStore) -> None:
    unknown = Instrument("replay", "BTCUSDT")
    ticks = trades(300)
    store.append_ticks(unknown, ticks)
    for interval in Interval:
        assert rows(store.load_bars(unknown, interval.value).bars) == rows(reference(ticks, interval))


def test_a_finer_precision_serves_the_bars_that_follow(store: EmbeddedStore) -> None:
    store.append_ticks(BTC, [Tick("BTCUSDT", 1, 60_000.1, 0.001, START, False)])
    finer = replace(BTC, step_size=Decimal("0.00001"))
    store.append_ticks(finer, [Tick("BTCUSDT", 2, 60_000.1, 0.00001, START + 300_000, False)])
    assert store.load_bars(finer, "1m").bars.volume.tolist() == [0.001, 0.00001]
    assert store.find("BTCUSDT")[0].instrument == finer


def test_a_coarser_precision_does_not_lose_digits_of_what_is_held(store: EmbeddedStore) -> None:
    ticks = trades(50)
    store.append_ticks(BTC, ticks[:40])
    store.append_ticks(replace(BTC, step_size=Decimal("0.1"), tick_size=Decimal("0.5")), ticks[40:])
    assert_bars_are_exact(store, ticks)
    assert store.find("BTCUSDT")[0].instrument == replace(BTC, tick_size=Decimal("0.5"))


def test_an_unknown_precision_does_not_replace_a_known_one(store: EmbeddedStore) -> None:
    first = store.ensure_instrument(BTC)
    store.append_ticks(replace(BTC, tick_size=UNKNOWN_STEP), trades(1))
    assert store.ensure_instrument(BTC) == first
    assert store.find("BTCUSDT")[0].instrument == BTC


@pytest.mark.parametrize("change", [{"price": float("nan")}, {"agg_id": 2**63}, {"quantity": float("inf")}, {"ts": -1}])
def test_an_impossible_trade_is_refused_and_its_batch_not_half_written(store: EmbeddedStore, change: dict) -> None:
    ticks = trades(3)
    with pytest.raises(ValueError, match="cannot be stored"):
        store.append_ticks(BTC, [*ticks[:2], replace(ticks[2], **change)])
    assert store.instruments() == []


def test_source_bars_stand_where_there_are_no_trades(store: EmbeddedStore) -> None:
    ticks = trades(40)
    times = [START - 120_000, START - 60_000, START]
    assert store.append_source_bars(BTC, "1m", source(times), "kline") == 3
    store.append_ticks(BTC, ticks)
    loaded = store.load_bars(BTC, "1m")
    assert loaded.origin[:3] == ("kline", "kline", "trades")
    assert loaded.bars.close[:2].tolist() == [1.5, 1.5]
    assert rows(loaded.bars)[2:] == rows(reference(ticks, Interval.M1))


def test_source_bars_of_other_intervals_are_source_bars_only(store: EmbeddedStore) -> None:
    store.append_source_bars(BTC, "1d", source([0, 86_400_000]), "file:btc.csv")
    store.append_ticks(BTC, trades(5))
    assert store.load_bars(BTC, "1d").origin == ("file:btc.csv",) * 2
    assert len(store.load_bars(BTC, "1h").bars) == 0
    assert store.intervals(BTC) == ["1s", "1m", "5m", "1d"]


def test_source_bars_are_replaced_and_only_changes_count(store: EmbeddedStore) -> None:
    assert store.append_source_bars(BTC, "1m", source([0, 60_000]), "kline") == 2
    assert store.append_source_bars(BTC, "1m", source([0, 60_000]), "kline") == 0
    assert store.append_source_bars(BTC, "1m", source([60_000], price=2.5), "kline") == 1
    assert store.load_bars(BTC, "1m").bars.open.tolist() == [1.5, 2.5]


def test_a_volume_that_a_file_does_not_tell_stays_unknown(store: EmbeddedStore) -> None:
    bars = source([0])
    unknown = replace(bars, volume=np.array([np.nan]))
    assert store.append_source_bars(BTC, "1d", unknown, "file:a.csv") == 1
    assert store.append_source_bars(BTC, "1d", unknown, "file:a.csv") == 0
    assert np.isnan(store.load_bars(BTC, "1d").bars.volume[0])
    with pytest.raises(ValueError, match="no number"):
        store.append_source_bars(BTC, "1d", replace(bars, close=np.array([np.nan])), "file:a.csv")


def gap(ticks: list[Tick], first: int, last: int, state: GapState = GapState.OPEN) -> Gap:
    """Return the gap of the ids (first..last), bounded by the neighbours' times; ids start at 1."""
    return Gap("BTCUSDT", first, last, ticks[first - 2].ts, ticks[last].ts, START, state)


def overlapped(bars_at: np.ndarray, interval: Interval, hole: Gap) -> list[str]:
    inside = (bars_at <= hole.end_ts) & (bars_at + interval.ms > hole.start_ts)
    return ["partial" if i else "trades" for i in inside]


@pytest.mark.parametrize("ledger_first", [True, False])
def test_bars_that_overlap_a_gap_are_partial_on_every_level(store: EmbeddedStore, ledger_first: bool) -> None:
    ticks = trades(600)
    hole = gap(ticks, 200, 260)
    steps = [lambda: store.save_gaps(BTC, [hole]), lambda: store.append_ticks(BTC, ticks[:199] + ticks[260:])]
    for step in steps if ledger_first else steps[::-1]:
        step()
    for interval in Interval:
        loaded = store.load_bars(BTC, interval.value)
        assert list(loaded.origin) == overlapped(loaded.bars.open_time, interval, hole)
        assert "partial" in loaded.origin and (interval is Interval.M5 or "trades" in loaded.origin)


@pytest.mark.parametrize(
    ("state", "whole"),
    [
        (GapState.FILLED, True),
        (GapState.MISSING, True),
        (GapState.EXPIRED, False),
        (GapState.FILLING, False),
        (GapState.OPEN, False),
    ],
)
def test_a_gap_filled_or_missing_clears_the_mark_and_others_keep_it(
    store: EmbeddedStore, state: GapState, whole: bool
) -> None:
    ticks = trades(300)
    store.append_ticks(BTC, ticks[:99] + ticks[120:])
    store.save_gaps(BTC, [gap(ticks, 100, 120)])
    assert "partial" in store.load_bars(BTC, "1m").origin
    if state is GapState.FILLED:
        store.append_ticks(BTC, ticks[99:120])
    store.save_gaps(BTC, [gap(ticks, 100, 120, state)])
    assert ("partial" not in store.load_bars(BTC, "1m").origin) is whole
    assert [g.state for g in store.load_gaps(BTC)] == [state]


def test_a_gap_that_shrinks_clears_what_it_no_longer_touches(store: EmbeddedStore) -> None:
    ticks = trades(900)
    store.append_ticks(BTC, ticks)
    store.save_gaps(BTC, [gap(ticks, 100, 800)])
    small = gap(ticks, 100, 110)
    store.save_gaps(BTC, [small, gap(ticks, 111, 800, GapState.FILLED)])
    loaded = store.load_bars(BTC, "1m")
    assert list(loaded.origin) == overlapped(loaded.bars.open_time, Interval.M1, small)


def test_a_source_bar_beats_a_partial_bar_and_loses_to_a_whole_one(store: EmbeddedStore) -> None:
    ticks = trades(600)
    store.append_ticks(BTC, ticks)
    minutes = store.load_bars(BTC, "1m").bars.open_time.tolist()
    store.append_source_bars(BTC, "1m", source(minutes), "kline")
    store.save_gaps(BTC, [gap(ticks, 200, 210)])
    origins = store.load_bars(BTC, "1m").origin
    assert set(origins) == {"trades", "kline"}
    assert set(store.load_bars(BTC, "1s").origin) == {"trades", "partial"}
    assert "partial" in store.load_bars(BTC, "5m").origin  # no source bar of this interval
    with sqlite3.connect(store.path) as raw:
        viewed = raw.execute("SELECT origin FROM all_bars WHERE interval='1m' ORDER BY open_time").fetchall()
    raw.close()
    assert [row[0] for row in viewed] == list(origins)


@pytest.mark.parametrize("limit", [1, 3, 7, 1_000, None])
def test_the_newest_bars_and_blocks_of_bars_agree_with_all_of_them(store: EmbeddedStore, limit: int | None) -> None:
    ticks = trades(700)
    store.append_ticks(BTC, ticks)
    minutes = store.load_bars(BTC, "1m").bars.open_time
    around = [int(minutes[0]) - 60_000 * k for k in (1, 2, 5)] + minutes[::2].tolist() + [int(minutes[-1]) + 60_000]
    store.append_source_bars(BTC, "1m", source(sorted(around)), "kline")
    store.save_gaps(BTC, [gap(ticks, 300, 330)])
    everything = store.load_bars(BTC, "1m")
    start, end = int(minutes[1]) - 1, int(minutes[-1])
    inside = (everything.bars.open_time >= start) & (everything.bars.open_time < end)
    want = list(zip(rows(everything.bars), everything.origin, strict=True))
    cut = [w for w, i in zip(want, inside, strict=True) if i]
    some = store.load_bars(BTC, "1m", start, end, limit)
    assert list(zip(rows(some.bars), some.origin, strict=True)) == (cut if limit is None else cut[-limit:])
    blocks = list(store.iter_bars(BTC, "1m", chunk=limit or 50_000))
    assert [w for b in blocks for w in zip(rows(b.bars), b.origin, strict=True)] == want


def test_the_ledger_is_read_back_as_written(store: EmbeddedStore) -> None:
    gaps = [replace(gap(trades(50), 5, 9), calls=3), gap(trades(50), 20, 22, GapState.EXPIRED)]
    store.save_gaps(BTC, gaps[::-1])
    assert store.load_gaps(BTC) == gaps
    assert store.load_gaps(ETH) == []


def test_reading_what_is_not_there_gives_nothing(store: EmbeddedStore) -> None:
    assert store.instruments() == [] and store.last_tick(BTC) is None and store.intervals(BTC) == []
    assert len(store.load_bars(BTC, "1m").bars) == 0 and list(store.load_ticks(BTC)) == []
    assert store.append_ticks(BTC, []) == 0


def test_a_store_opened_again_holds_the_same(tmp_path: Path) -> None:
    ticks = trades(200)
    with_path = tmp_path / "store.sqlite"
    first = open_embedded(with_path)
    first.append_ticks(BTC, ticks[:150])
    first.close()
    again = open_embedded(with_path)
    again.append_ticks(BTC, ticks[100:])
    assert_bars_are_exact(again, ticks)
    again.close()
    again.close()


def test_the_file_is_set_up_for_batches_and_retention(store: EmbeddedStore) -> None:
    raw = sqlite3.connect(store.path)
    try:
        pragmas = [raw.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "auto_vacuum")]
        application = raw.execute("PRAGMA application_id").fetchone()[0]
        indexes = raw.execute("SELECT name FROM sqlite_master WHERE type='index' AND tbl_name='ticks'").fetchall()
    finally:
        raw.close()
    assert pragmas == ["wal", 2] and application == APPLICATION_ID
    assert [name for (name,) in indexes if "autoindex" not in name] == []


def test_a_reader_sees_what_is_committed_and_cannot_write(store: EmbeddedStore) -> None:
    reader = open_embedded(store.path, read_only=True)
    ticks = trades(30)
    store.append_ticks(BTC, ticks)
    assert held_ids(reader) == [t.agg_id for t in ticks]
    with pytest.raises(StoreError, match="reading only"):
        reader.append_ticks(BTC, ticks)
    with pytest.raises(StoreError, match="reading only"):
        reader.enforce_limits()
    reader.close()
