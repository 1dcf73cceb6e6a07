"""The account follows the ids that are really stored, whatever the ledger's rows claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.base import IdRun
from quantdesk.store.embedded import EmbeddedStore, open_embedded
from quantdesk.store.ledger_report import HOLES, account_of, reconciled, table
from quantdesk.store.ledger_sql import STRETCH_MS
from quantdesk.types import Gap, GapState, Interval, Tick
from tests.store.samples import BTC, START, reference, trades

STATES = st.sampled_from(list(GapState))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    made = open_embedded(tmp_path / "store.sqlite")
    yield made
    made.close()


def runs_of(ids: Sequence[int]) -> list[IdRun]:
    runs: list[IdRun] = []
    for ident in sorted(set(ids)):
        if runs and ident == runs[-1].last_id + 1:
            runs[-1] = replace(runs[-1], last_id=ident, last_ts=ident)
        else:
            runs.append(IdRun(ident, ident, ident, ident))
    return runs


def hole(first: int, last: int, state: GapState = GapState.OPEN) -> Gap:
    return Gap("BTCUSDT", first, last, START, START + 10, START, state, 2)


def put(store: EmbeddedStore, ids: Sequence[int]) -> None:
    store.append_ticks(BTC, [Tick("BTCUSDT", i, 1.0, 1.0, START + 10 * i, False) for i in ids])


@given(
    st.sets(st.integers(1, 60), min_size=1),
    st.lists(st.tuples(st.integers(0, 6), STATES), max_size=14),
)
def test_every_absent_id_is_in_one_gap_and_no_stored_one_is(ids: set[int], rows: list[tuple[int, GapState]]) -> None:
    at, ledger = 1, []
    for size, state in rows:  # rows do not overlap, some have no id at all
        ledger.append(hole(at, at + size - 1, state))
        at += size + 1
    gaps = [g for g in reconciled("BTCUSDT", ledger, runs_of(sorted(ids))) if g.state is not GapState.FILLED]
    named = [i for g in gaps for i in range(g.first_id, g.last_id + 1)]
    assert len(named) == len(set(named))
    assert not set(named) & ids
    claimed = {i: g.state for g in ledger for i in range(g.first_id, g.last_id + 1) if g.state is not GapState.FILLED}
    absent = set(range(min(ids), max(ids) + 1)) - ids
    assert set(named) == absent | (claimed.keys() - ids)
    for gap in gaps:
        for ident in range(gap.first_id, gap.last_id + 1):
            assert gap.state is claimed.get(ident, GapState.OPEN)


TIMES = st.integers(0, 30) | st.integers(0, 5).map(lambda k: k * STRETCH_MS // 2 - START % STRETCH_MS)


@given(st.lists(st.tuples(st.integers(1, 40) | st.integers(2**32 - 5, 2**32 + 5), TIMES), min_size=1, max_size=60))
def test_runs_are_found_whatever_the_times_say(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, int]]
) -> None:
    store = open_embedded(tmp_path_factory.mktemp("runs") / "store.sqlite")
    store.append_ticks(BTC, [Tick("BTCUSDT", i, 1.0, 1.0, START + t, False) for i, t in pairs])
    found = store.id_runs(BTC)
    store.close()
    expected = [(run.first_id, run.last_id) for run in runs_of([i for i, _ in pairs])]
    assert [(run.first_id, run.last_id) for run in found] == expected


def test_a_hole_that_no_row_explains_is_open(store: EmbeddedStore) -> None:
    put(store, [*range(1, 11), *range(15, 21), *range(31, 36)])
    store.save_gaps(BTC, [hole(12, 13, GapState.MISSING), hole(21, 30, GapState.FILLED), hole(5, 6)])
    account = account_of(store, BTC)
    open_gaps = [(g.first_id, g.last_id) for g in account.gaps if g.state is GapState.OPEN]
    assert open_gaps == [(11, 11), (14, 14), (21, 30)]
    assert (account.first_id, account.last_id, account.stored) == (1, 35, 21)
    assert not account.complete and account.ids(GapState.MISSING) == 2
    times = next(g for g in account.gaps if g.first_id == 21)
    assert (times.start_ts, times.end_ts) == (START + 200, START + 310)
    told = account.as_json()
    assert told["gaps"] == {"open": 3, "filling": 0, "filled": 1, "expired": 0, "missing": 1}
    assert [r["first_id"] for r in told["ranges"]] == [11, 12, 14, 21]


@pytest.mark.parametrize("state", HOLES)
def test_rows_of_missing_trades_leave_it_incomplete_until_the_trades_are_there(
    store: EmbeddedStore, state: GapState
) -> None:
    put(store, [1, 2, 3, 7])
    store.save_gaps(BTC, [hole(4, 6, state)])
    assert not account_of(store, BTC).complete
    put(store, [4, 6])
    (left,) = account_of(store, BTC).gaps
    assert (left.first_id, left.last_id, left.state, left.calls) == (5, 5, state, 2)
    put(store, [5])
    account = account_of(store, BTC)
    assert account.complete and account.count(GapState.FILLED) == 1


def test_a_hole_before_the_first_trade_counts_and_a_mark_without_ids_does_not(store: EmbeddedStore) -> None:
    put(store, [10, 11])
    store.save_gaps(BTC, [hole(10, 9, GapState.EXPIRED)])
    assert account_of(store, BTC).complete
    store.save_gaps(BTC, [hole(9, 9)])
    assert not account_of(store, BTC).complete


def test_ids_that_the_exchange_lacks_leave_it_complete(store: EmbeddedStore) -> None:
    put(store, [1, 4])
    store.save_gaps(BTC, [hole(2, 3, GapState.MISSING)])
    assert account_of(store, BTC).complete


def klines(bars: BarArrays, rows: Sequence[int], **change: float) -> BarArrays:
    made = [list(row) for row in zip(*(getattr(bars, n).tolist() for n in BarArrays.__slots__), strict=True)]
    for row in made:
        for name, value in change.items():
            row[BarArrays.__slots__.index(name)] += value
    return BarArrays.from_rows([tuple(made[k]) for k in rows])


def test_bars_are_compared_with_klines_at_step_precision(store: EmbeddedStore) -> None:
    ticks = trades(1_500)
    store.append_ticks(BTC, ticks)
    bars = reference(ticks, Interval.M1)
    assert len(bars) > 8
    store.append_source_bars(BTC, "1m", klines(bars, range(len(bars)), volume=1e-9), "kline")
    checks = account_of(store, BTC).bars
    assert (checks.checked, checks.matching) == (len(bars) - 1, len(bars) - 1)  # the last one may not be closed
    store.append_source_bars(BTC, "1m", klines(bars, [2], trades=3), "kline")
    store.append_source_bars(BTC, "1m", klines(bars, [4], close=0.1), "kline")
    store.append_source_bars(BTC, "1m", klines(bars, [5], volume=0.001), "kline")
    store.append_source_bars(BTC, "1m", klines(bars, [6], trades=-1), "kline")
    checks = account_of(store, BTC).bars
    assert (checks.checked, checks.matching, checks.count_only) == (len(bars) - 1, len(bars) - 5, 1)
    assert list(checks.first_differences) == [int(bars.open_time[k]) for k in (2, 4, 5, 6)]
    store.save_gaps(BTC, [replace(hole(2_000, 2_001), start_ts=int(bars.open_time[4]), end_ts=int(bars.open_time[4]))])
    assert account_of(store, BTC).bars.checked == len(bars) - 2  # a partial bar is no witness
    (line, *_) = table([account_of(store, BTC)])
    assert "1 differ in the count alone" in line


def test_a_first_bar_that_recording_began_in_is_no_witness(store: EmbeddedStore) -> None:
    ticks = trades(600, first_id=500)
    store.append_ticks(BTC, ticks)
    bars = reference(ticks, Interval.M1)
    store.append_source_bars(BTC, "1m", bars, "kline")
    assert account_of(store, BTC).bars.checked == len(bars) - 2
    known = replace(hole(499, 499, GapState.FILLED), start_ts=int(bars.open_time[0]) - 1, end_ts=ticks[0].ts)
    store.save_gaps(BTC, [known])
    assert account_of(store, BTC).bars.checked == len(bars) - 1


def test_nothing_stored_is_an_empty_account(store: EmbeddedStore) -> None:
    account = account_of(store, BTC)
    assert (account.first_id, account.last_id, account.stored, account.complete) == (None, None, 0, True)
