"""The ledger of every kind of store: gaps, what they make partial, runs of ids, duplicates, bars beside klines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.base import IdRun, Store
from quantdesk.store.ledger_report import HOLES, account_of, table
from quantdesk.store.ledger_sql import STRETCH_MS
from quantdesk.types import Gap, GapState, Instrument, Interval, Tick
from tests.store.kinds import examples, gap, overlapped, own
from tests.store.samples import START, reference, trades


@pytest.mark.parametrize("ledger_first", [True, False])
def test_bars_that_overlap_a_gap_are_partial_on_every_level(store: Store, btc: Instrument, ledger_first: bool) -> None:
    ticks = trades(600)
    hole = gap(ticks, 200, 260)
    steps = [lambda: store.save_gaps(btc, [hole]), lambda: store.append_ticks(btc, ticks[:199] + ticks[260:])]
    for step in steps if ledger_first else steps[::-1]:
        step()
    for interval in Interval:
        loaded = store.load_bars(btc, interval.value)
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
    store: Store, btc: Instrument, state: GapState, whole: bool
) -> None:
    ticks = trades(300)
    store.append_ticks(btc, ticks[:99] + ticks[120:])
    store.save_gaps(btc, [gap(ticks, 100, 120)])
    assert "partial" in store.load_bars(btc, "1m").origin
    if state is GapState.FILLED:
        store.append_ticks(btc, ticks[99:120])
    store.save_gaps(btc, [gap(ticks, 100, 120, state)])
    assert ("partial" not in store.load_bars(btc, "1m").origin) is whole
    assert [g.state for g in store.load_gaps(btc)] == [state]


def test_a_gap_that_shrinks_clears_what_it_no_longer_touches(store: Store, btc: Instrument) -> None:
    ticks = trades(900)
    store.append_ticks(btc, ticks)
    store.save_gaps(btc, [gap(ticks, 100, 800)])
    small = gap(ticks, 100, 110)
    store.save_gaps(btc, [small, gap(ticks, 111, 800, GapState.FILLED)])
    loaded = store.load_bars(btc, "1m")
    assert list(loaded.origin) == overlapped(loaded.bars.open_time, Interval.M1, small)


def test_the_ledger_is_read_back_as_written(store: Store, btc: Instrument) -> None:
    gaps = [replace(gap(trades(50), 5, 9), calls=3), gap(trades(50), 20, 22, GapState.EXPIRED)]
    store.save_gaps(btc, gaps[::-1])
    assert store.load_gaps(btc) == gaps
    assert store.load_gaps(own()) == []


def test_of_two_rows_of_one_first_id_the_later_holds(store: Store, btc: Instrument) -> None:
    ticks = trades(50)
    store.save_gaps(btc, [gap(ticks, 5, 9), gap(ticks, 5, 7, GapState.FILLING)])
    assert store.load_gaps(btc) == [gap(ticks, 5, 7, GapState.FILLING)]


def test_a_long_ledger_is_written_at_once(store: Store, btc: Instrument) -> None:
    many = [Gap("BTCUSDT", 10 * i, 10 * i + 3, START + i, START + i + 1, START) for i in range(1, 1_301)]
    store.save_gaps(btc, many)
    store.save_gaps(btc, [replace(row, state=GapState.FILLED) for row in many])
    assert store.load_gaps(btc) == [replace(row, state=GapState.FILLED) for row in many]


def test_duplicates_are_counted_for_ever(store: Store, btc: Instrument) -> None:
    store.add_duplicates(btc, 3)
    store.add_duplicates(btc, 2**40)
    assert (store.duplicates(btc), store.duplicates(own())) == (2**40 + 3, 0)


def runs_of(ids: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for ident in sorted(set(ids)):
        if runs and ident == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], ident)
        else:
            runs.append((ident, ident))
    return runs


TIMES = st.integers(0, 30) | st.integers(0, 5).map(lambda k: k * STRETCH_MS // 2 - START % STRETCH_MS)
PAIRS = st.lists(st.tuples(st.integers(1, 40) | st.integers(2**32 - 5, 2**32 + 5), TIMES), min_size=1, max_size=60)


def test_runs_are_found_whatever_the_times_say(store: Store) -> None:
    @settings(max_examples=examples(store, 60), suppress_health_check=list(HealthCheck))
    @given(PAIRS)
    def tried(pairs: list[tuple[int, int]]) -> None:
        btc = own()
        store.append_ticks(btc, [Tick("BTCUSDT", i, 1.0, 1.0, START + t, False) for i, t in pairs])
        assert [(run.first_id, run.last_id) for run in store.id_runs(btc)] == runs_of([i for i, _ in pairs])

    tried()


def test_runs_tell_the_times_of_their_ends_from_a_time_on(store: Store, btc: Instrument) -> None:
    put(store, btc, [*range(1, 11), *range(15, 21), 31])
    at = [START + 10 * i for i in range(40)]
    assert store.id_runs(btc) == [
        IdRun(1, 10, at[1], at[10]),
        IdRun(15, 20, at[15], at[20]),
        IdRun(31, 31, at[31], at[31]),
    ]
    assert store.id_runs(btc, since=at[18]) == [IdRun(18, 20, at[18], at[20]), IdRun(31, 31, at[31], at[31])]
    assert store.id_runs(btc, since=at[32]) == []
    assert store.id_runs(btc, since=-5) == store.id_runs(btc)


def hole(first: int, last: int, state: GapState = GapState.OPEN) -> Gap:
    return Gap("BTCUSDT", first, last, START, START + 10, START, state, 2)


def put(store: Store, btc: Instrument, ids: Sequence[int]) -> None:
    store.append_ticks(btc, [Tick("BTCUSDT", i, 1.0, 1.0, START + 10 * i, False) for i in ids])


def test_a_hole_that_no_row_explains_is_open(store: Store, btc: Instrument) -> None:
    put(store, btc, [*range(1, 11), *range(15, 21), *range(31, 36)])
    store.save_gaps(btc, [hole(12, 13, GapState.MISSING), hole(21, 30, GapState.FILLED), hole(5, 6)])
    account = account_of(store, btc)
    open_gaps = [(g.first_id, g.last_id) for g in account.gaps if g.state is GapState.OPEN]
    assert open_gaps == [(11, 11), (14, 14), (21, 30)]
    assert (account.first_id, account.last_id, account.stored) == (1, 35, 21)
    assert not account.complete and account.ids(GapState.MISSING) == 2
    times = next(g for g in account.gaps if g.first_id == 21)
    assert (times.start_ts, times.end_ts) == (START + 200, START + 310)
    told = account.as_json()
    assert told["gaps"] == {"open": 3, "filling": 0, "filled": 1, "expired": 0, "missing": 1, "dropped": 0}
    assert [r["first_id"] for r in told["ranges"]] == [11, 12, 14, 21]


@pytest.mark.parametrize("state", HOLES)
def test_rows_of_missing_trades_leave_it_incomplete_until_the_trades_are_there(
    store: Store, btc: Instrument, state: GapState
) -> None:
    put(store, btc, [1, 2, 3, 7])
    store.save_gaps(btc, [hole(4, 6, state)])
    assert not account_of(store, btc).complete
    put(store, btc, [4, 6])
    (left,) = account_of(store, btc).gaps
    assert (left.first_id, left.last_id, left.state, left.calls) == (5, 5, state, 2)
    put(store, btc, [5])
    account = account_of(store, btc)
    assert account.complete and account.count(GapState.FILLED) == 1


def test_a_hole_before_the_first_trade_counts_and_a_mark_without_ids_does_not(store: Store, btc: Instrument) -> None:
    put(store, btc, [10, 11])
    store.save_gaps(btc, [hole(10, 9, GapState.EXPIRED)])
    assert account_of(store, btc).complete
    store.save_gaps(btc, [hole(9, 9)])
    assert not account_of(store, btc).complete
    store.save_gaps(btc, [hole(9, 9, GapState.MISSING), hole(2, 3, GapState.MISSING)])
    assert account_of(store, btc).complete


def klines(bars: BarArrays, rows: Sequence[int], **change: float) -> BarArrays:
    made = [list(row) for row in zip(*(getattr(bars, n).tolist() for n in BarArrays.__slots__), strict=True)]
    for row in made:
        for name, value in change.items():
            row[BarArrays.__slots__.index(name)] += value
    return BarArrays.from_rows([tuple(made[k]) for k in rows])


def test_bars_are_compared_with_klines_at_step_precision(store: Store, btc: Instrument) -> None:
    ticks = trades(1_500)
    store.append_ticks(btc, ticks)
    bars = reference(ticks, Interval.M1)
    assert len(bars) > 8
    store.append_source_bars(btc, "1m", klines(bars, range(len(bars)), volume=1e-9), "kline")
    checks = account_of(store, btc).bars
    assert (checks.checked, checks.matching) == (len(bars) - 1, len(bars) - 1)  # the last one may not be closed
    store.append_source_bars(btc, "1m", klines(bars, [2], trades=3), "kline")
    store.append_source_bars(btc, "1m", klines(bars, [4], close=0.1), "kline")
    store.append_source_bars(btc, "1m", klines(bars, [5], volume=0.001), "kline")
    store.append_source_bars(btc, "1m", klines(bars, [6], trades=-1), "kline")
    checks = account_of(store, btc).bars
    assert (checks.checked, checks.matching, checks.count_only) == (len(bars) - 1, len(bars) - 5, 1)
    assert list(checks.first_differences) == [int(bars.open_time[k]) for k in (2, 4, 5, 6)]
    store.append_source_bars(btc, "1m", klines(bars, [7], volume=float("nan")), "kline")
    assert account_of(store, btc).bars.checked == len(bars) - 2  # what a kline does not tell is no witness
    store.save_gaps(btc, [replace(hole(2_000, 2_001), start_ts=int(bars.open_time[4]), end_ts=int(bars.open_time[4]))])
    assert account_of(store, btc).bars.checked == len(bars) - 3  # neither is a partial bar
    (line, *_) = table([account_of(store, btc)])
    assert "1 differ in the count alone" in line


def test_a_first_bar_that_recording_began_in_is_no_witness(store: Store, btc: Instrument) -> None:
    ticks = trades(600, first_id=500)
    store.append_ticks(btc, ticks)
    bars = reference(ticks, Interval.M1)
    store.append_source_bars(btc, "1m", bars, "kline")
    assert account_of(store, btc).bars.checked == len(bars) - 2
    known = replace(hole(499, 499, GapState.FILLED), start_ts=int(bars.open_time[0]) - 1, end_ts=ticks[0].ts)
    store.save_gaps(btc, [known])
    assert account_of(store, btc).bars.checked == len(bars) - 1


def test_nothing_stored_is_an_empty_account(store: Store, btc: Instrument) -> None:
    account = account_of(store, btc)
    assert (account.first_id, account.last_id, account.stored, account.complete) == (None, None, 0, True)
