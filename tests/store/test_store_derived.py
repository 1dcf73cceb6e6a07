"""Intervals that no store keeps are folded at read, the same in a store of every kind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantdesk.bars.derived import Derived
from quantdesk.store.base import Store
from quantdesk.types import Instrument
from tests.store.kinds import examples, gap, own
from tests.store.samples import START, reference, rows, source, trades

HOUR = 3_600_000
DAY = 24 * HOUR


def test_they_are_those_of_the_trades_in_one_piece_and_in_blocks(store: Store) -> None:
    @settings(max_examples=examples(store, 30), suppress_health_check=list(HealthCheck))
    @given(
        count=st.integers(1, 150),
        seed=st.integers(0, 99),
        stretch=st.sampled_from([1, 60, 2_000]),
        chunk=st.integers(1, 40),
    )
    def tried(count: int, seed: int, stretch: int, chunk: int) -> None:
        btc = own()
        ticks = [replace(t, ts=START + (t.ts - START) * stretch) for t in trades(count, seed=seed)]
        store.append_ticks(btc, ticks)
        for derived in Derived:
            wanted = rows(reference(ticks, derived))
            assert rows(store.load_bars(btc, derived.value).bars) == wanted
            blocks = list(store.iter_bars(btc, derived.value, chunk=chunk))
            assert [row for block in blocks for row in rows(block.bars)] == wanted
            for limit in (1, 3):
                assert rows(store.load_bars(btc, derived.value, limit=limit).bars) == wanted[-limit:]
            after = wanted[len(wanted) // 2][0]
            assert rows(store.load_bars(btc, derived.value, after).bars) == wanted[len(wanted) // 2 :]
            assert rows(store.load_bars(btc, derived.value, after - 1, after + 1).bars) == [wanted[len(wanted) // 2]]

    tried()


def test_only_the_first_bar_known_may_have_begun_before_it(store: Store, btc: Instrument) -> None:
    begin = START - START % DAY + 90 * 60_000
    ticks = [replace(t, ts=begin + place * 60_000) for place, t in enumerate(trades(200))]
    store.append_ticks(btc, ticks)
    assert store.load_bars(btc, "1h").origin == ("partial", "trades", "trades", "trades")
    assert store.load_bars(btc, "1h", limit=2).origin == ("trades", "trades")
    assert store.load_bars(btc, "1h", begin - begin % HOUR + HOUR).origin == ("trades", "trades", "trades")
    assert [origin for block in store.iter_bars(btc, "1h", chunk=7) for origin in block.origin][:2] == [
        "partial",
        "trades",
    ]


@pytest.mark.parametrize("standing", ["open", "covered", "own"])
def test_a_gap_makes_them_partial_until_klines_cover_it(store: Store, btc: Instrument, standing: str) -> None:
    begin = START - START % HOUR
    ticks = [replace(t, ts=begin + place * 30_000) for place, t in enumerate(trades(240))]
    store.append_ticks(btc, ticks[:50] + ticks[90:])
    store.save_gaps(btc, [gap(ticks, 50, 89)])
    if standing == "covered":
        store.append_source_bars(btc, "5m", source([begin + 300_000 * at for at in range(4, 11)]), "kline")
    if standing == "own":
        store.append_source_bars(btc, "1h", source([begin - HOUR, begin, begin + HOUR]), "kline")
    stored = store.load_bars(btc, "1h")
    if standing == "own":
        assert stored.origin == ("kline", "kline", "trades")
        assert rows(stored.bars)[1] == rows(source([begin]))[0]
        assert [o for block in store.iter_bars(btc, "1h", chunk=5) for o in block.origin] == list(stored.origin)
    else:
        assert stored.origin == ("partial" if standing == "open" else "kline", "trades")


def test_a_bar_that_still_runs_is_none_of_the_exchanges_though_klines_stand_in_it(
    store: Store, btc: Instrument
) -> None:
    begin = START - START % HOUR
    store.append_source_bars(btc, "5m", source([begin + 300_000 * at for at in range(-12, 7)]), "kline")
    assert store.load_bars(btc, "1h").origin == ("kline", "partial")
    store.append_source_bars(btc, "5m", source([begin + 300_000 * at for at in range(7, 12)]), "kline")
    assert store.load_bars(btc, "1h").origin == ("kline", "kline")
