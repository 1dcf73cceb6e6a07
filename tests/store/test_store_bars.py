"""The read view of every kind of store: bars from trades, source bars and bars whose trades are gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.base import Store, StoredBars, TradeBars
from quantdesk.types import GapState, Instrument, Interval, Tick
from tests.store.kinds import all_bars, assert_bars_are_exact, gap, own, told_by
from tests.store.samples import START, reference, rows, source, trades

DAY = 86_400_000


def shown(loaded: StoredBars) -> list[tuple[object, ...]]:
    return list(zip(rows(loaded.bars), loaded.origin, strict=True))


def kept(ticks: list[Tick], interval: Interval) -> TradeBars:
    """Return the bars of these trades with their ids, as a store that has lost the trades gives them."""
    bars = reference(ticks, interval)
    inside = [[t.agg_id for t in ticks if t.ts // interval.ms == at // interval.ms] for at in bars.open_time.tolist()]
    first, last = (np.array([pick(ids) for ids in inside], np.int64) for pick in (min, max))
    return TradeBars(bars, first, last)


def part(bars: TradeBars, chosen: slice) -> TradeBars:
    return TradeBars(bars.bars[chosen], bars.first_id[chosen], bars.last_id[chosen])


def test_source_bars_stand_where_there_are_no_trades(store: Store, btc: Instrument) -> None:
    ticks = trades(40)
    times = [START - 120_000, START - 60_000, START]
    assert store.append_source_bars(btc, "1m", source(times), "kline") == 3
    assert [h.ticks for h in store.find("BTCUSDT", btc.venue)] == [0]
    store.append_ticks(btc, ticks)
    loaded = store.load_bars(btc, "1m")
    assert loaded.origin[:3] == ("kline", "kline", "trades")
    assert loaded.bars.close[:2].tolist() == [1.5, 1.5]
    assert rows(loaded.bars)[2:] == rows(reference(ticks, Interval.M1))


def test_source_bars_of_other_intervals_are_source_bars_only(store: Store, btc: Instrument) -> None:
    store.append_source_bars(btc, "2h", source([0, 86_400_000]), "file:btc.csv")
    assert store.intervals(btc) == store.source_intervals(btc) == ["2h"]
    store.append_ticks(btc, trades(5))
    assert store.load_bars(btc, "2h").origin == ("file:btc.csv",) * 2
    assert len(store.load_bars(btc, "3h").bars) == 0
    assert store.intervals(btc) == ["1s", "1m", "5m", "2h"]
    assert store.source_intervals(btc) == ["2h"]


def test_source_bars_are_replaced_and_only_changes_count(store: Store, btc: Instrument) -> None:
    assert store.append_source_bars(btc, "1m", source([0, 60_000]), "kline") == 2
    assert store.append_source_bars(btc, "1m", source([0, 60_000]), "kline") == 0
    assert store.append_source_bars(btc, "1m", source([60_000], price=2.5), "kline") == 1
    assert store.load_bars(btc, "1m").bars.open.tolist() == [1.5, 2.5]


def test_of_two_source_bars_of_one_time_the_later_holds(store: Store, btc: Instrument) -> None:
    two = BarArrays.from_rows([(60_000, p, p, p, p, 2.0, 3.0, 4) for p in (1.5, 2.5)])
    store.append_source_bars(btc, "1m", two, "kline")
    assert store.load_bars(btc, "1m").bars.open.tolist() == [2.5]


def test_many_source_bars_are_written_and_read_in_blocks(store: Store, btc: Instrument) -> None:
    times = [60_000 * k for k in range(2_345)]
    assert store.append_source_bars(btc, "1m", source(times), "kline") == len(times)
    blocks = list(store.iter_source_bars(btc, "1m", chunk=1_000))
    assert [len(b.bars) for b in blocks] == [1_000, 1_000, 345]
    assert [t for b in blocks for t in b.bars.open_time.tolist()] == times


def test_a_volume_that_a_file_does_not_tell_stays_unknown(store: Store, btc: Instrument) -> None:
    bars = source([0])
    unknown = replace(bars, volume=np.array([np.nan]))
    assert store.append_source_bars(btc, "1d", unknown, "file:a.csv") == 1
    assert store.append_source_bars(btc, "1d", unknown, "file:a.csv") == 0
    assert np.isnan(store.load_bars(btc, "1d").bars.volume[0])
    held = sa.text("SELECT count(*) FROM source_bars WHERE volume IS NULL AND instrument_id = :held")
    assert store._rows(held.bindparams(held=store.ensure_instrument(btc)))[0][0] == 1
    with pytest.raises(ValueError, match="no number"):
        store.append_source_bars(btc, "1d", replace(bars, close=np.array([np.nan])), "file:a.csv")


def test_a_source_bar_beats_a_partial_bar_and_loses_to_a_whole_one(store: Store, btc: Instrument) -> None:
    ticks = trades(600)
    store.append_ticks(btc, ticks)
    minutes = store.load_bars(btc, "1m").bars.open_time.tolist()
    store.append_source_bars(btc, "1m", source(minutes), "kline")
    store.save_gaps(btc, [gap(ticks, 200, 210)])
    origins = store.load_bars(btc, "1m").origin
    assert set(origins) == {"trades", "kline"}
    assert set(store.load_bars(btc, "1s").origin) == {"trades", "partial"}
    assert "partial" in store.load_bars(btc, "5m").origin  # no source bar of this interval
    view = "SELECT origin FROM all_bars WHERE instrument_id = :held AND interval = '1m' ORDER BY open_time"
    viewed = store._rows(sa.text(view).bindparams(held=store.ensure_instrument(btc)))
    assert [row[0] for row in viewed] == list(origins)


@pytest.mark.parametrize("limit", [1, 7, None])
def test_the_newest_bars_and_blocks_of_bars_agree_with_all_of_them(
    store: Store, btc: Instrument, limit: int | None
) -> None:
    ticks = trades(700)
    store.append_ticks(btc, ticks)
    minutes = store.load_bars(btc, "1m").bars.open_time
    around = [int(minutes[0]) - 60_000 * k for k in (1, 2, 5)] + minutes[::2].tolist() + [int(minutes[-1]) + 60_000]
    store.append_source_bars(btc, "1m", source(sorted(around)), "kline")
    store.save_gaps(btc, [gap(ticks, 300, 330)])
    everything = store.load_bars(btc, "1m")
    start, end = int(minutes[1]) - 1, int(minutes[-1])
    want = shown(everything)
    after = [w for w in want if w[0][0] >= start]
    before = [w for w in want if w[0][0] < end]
    within = [w for w in after if w[0][0] < end]
    for bounds, bars in (((None, None), want), ((start, None), after), ((None, end), before), ((start, end), within)):
        assert shown(store.load_bars(btc, "1m", *bounds, limit)) == (bars if limit is None else bars[-limit:])
        blocks = list(store.iter_bars(btc, "1m", *bounds, chunk=limit or 50_000))
        assert [w for b in blocks for w in shown(b)] == bars
        assert all(len(b.bars) <= (limit or 50_000) for b in blocks)


def test_the_newest_bars_are_found_however_far_apart_they_are(store: Store, btc: Instrument) -> None:
    steps = [k * k for k in range(8)]  # days: ever farther apart
    ticks = [Tick("BTCUSDT", i, 100.0 + i, 1.0, START + day * DAY, False) for i, day in enumerate(steps, 1)]
    store.append_ticks(btc, ticks)
    end = START + steps[4] * DAY + 1_000
    for interval in Interval:
        want = rows(reference(ticks, interval))
        for limit in (1, 3, 500):
            assert rows(store.load_bars(btc, interval.value, limit=limit).bars) == want[-limit:]
            assert rows(store.load_bars(btc, interval.value, None, end, limit).bars) == want[:5][-limit:]
            assert rows(store.load_bars(btc, interval.value, end, None, limit).bars) == want[5:][-limit:]
    assert len(store.load_bars(btc, "1s", None, START, 5).bars) == 0


def test_the_newest_bars_may_be_source_bars_behind_the_last_trade(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, trades(5))
    store.append_source_bars(btc, "1m", source([START + 400 * DAY + 60_000 * k for k in range(3)]), "kline")
    assert store.load_bars(btc, "1m", limit=2).origin == ("kline", "kline")
    assert store.load_bars(btc, "1m", limit=4).origin == ("trades", "kline", "kline", "kline")


def test_bars_from_trades_are_read_in_blocks_with_the_ids_of_their_trades(store: Store, btc: Instrument) -> None:
    ticks = trades(500)
    store.append_ticks(btc, [t for t in ticks if t.agg_id not in (150, 250, 350)])
    for interval, late in zip(Interval, (150, 250, 350), strict=True):
        before = kept([t for t in ticks if t.agg_id not in (150, 250, 350) or t.agg_id < late], interval)
        assert rows(store.load_bars(btc, interval.value).bars) == rows(before.bars)
        store.append_ticks(btc, [ticks[late - 1]])
        want = kept([t for t in ticks if t.agg_id not in (150, 250, 350) or t.agg_id <= late], interval)
        blocks = list(store.iter_trade_bars(btc, interval.value, 2**42, chunk=9))
        assert [row for b in blocks for row in rows(b.bars)] == rows(want.bars)
        assert [i for b in blocks for i in b.first_id.tolist()] == want.first_id.tolist()
        assert [i for b in blocks for i in b.last_id.tolist()] == want.last_id.tolist()
        end = int(want.bars.open_time[-1])
        assert sum(map(len, store.iter_trade_bars(btc, interval.value, end))) == len(want) - 1


def test_bars_whose_trades_are_gone_are_kept_and_shown(store: Store, btc: Instrument) -> None:
    ticks = trades(300)
    for interval in Interval:
        bars = kept(ticks, interval)
        assert store.append_trade_bars(btc, interval.value, bars) == len(bars)
        assert store.append_trade_bars(btc, interval.value, bars) == 0
    assert all_bars(store, btc) == told_by(ticks)
    assert store.intervals(btc) == ["1s", "1m", "5m"]
    assert [(h.instrument, h.ticks) for h in store.find("BTCUSDT", btc.venue)] == [(btc, 0)]
    assert set(store.load_bars(btc, "1m").origin) == {"trades"}
    assert rows(store.load_bars(btc, "1m", limit=2).bars) == told_by(ticks)[Interval.M1][-2:]
    (block,) = store.iter_trade_bars(btc, "1m", 2**42)
    assert block.first_id.tolist() == kept(ticks, Interval.M1).first_id.tolist()


def test_a_kept_bar_is_replaced_by_one_of_more_trades_only(store: Store, btc: Instrument) -> None:
    ticks = trades(120)
    whole, half = kept(ticks, Interval.M5), kept(ticks[:60], Interval.M5)
    assert store.append_trade_bars(btc, "5m", half) == len(half)
    assert store.append_trade_bars(btc, "5m", whole) == len(whole)
    assert store.append_trade_bars(btc, "5m", half) == 0
    assert rows(store.load_bars(btc, "5m").bars) == rows(whole.bars)


def test_a_kept_bar_never_replaces_what_more_trades_say(store: Store, btc: Instrument) -> None:
    ticks = trades(400)
    store.append_ticks(btc, ticks)
    for interval in Interval:
        fewer = kept([t for t in ticks if t.agg_id % 5], interval)
        before = told_by(ticks)[interval]
        changed = store.append_trade_bars(btc, interval.value, fewer)
        assert rows(store.load_bars(btc, interval.value).bars) == before
        assert changed == 0


def test_kept_bars_give_way_once_their_trades_come(store: Store, btc: Instrument) -> None:
    ticks = trades(400)
    for interval in Interval:
        store.append_trade_bars(btc, interval.value, kept(ticks, interval))
    whole = told_by(ticks)
    for start in range(0, 400, 80):
        store.append_ticks(btc, ticks[start : start + 80])
        assert all_bars(store, btc) == whole
    assert_bars_are_exact(store, ticks, btc)
    extra = Tick("BTCUSDT", 401, 99.0, 1.0, ticks[200].ts, False)
    store.append_ticks(btc, [extra])
    assert all_bars(store, btc) == told_by([*ticks, extra])


def test_kept_bars_beside_a_gap_are_partial(store: Store, btc: Instrument) -> None:
    ticks = trades(400)
    hole = gap(ticks, 100, 120)
    store.save_gaps(btc, [hole])
    store.append_trade_bars(btc, "1m", kept(ticks, Interval.M1))
    marked = store.load_bars(btc, "1m")
    assert set(marked.origin) == {"trades", "partial"}
    store.append_source_bars(btc, "1m", source(marked.bars.open_time.tolist()), "kline")
    assert set(store.load_bars(btc, "1m").origin) == {"trades", "kline"}
    store.save_gaps(btc, [replace(hole, state=GapState.MISSING)])
    assert set(store.load_bars(btc, "1m").origin) == {"trades"}


def test_numbers_that_no_time_can_have_are_refused_in_words(store: Store, btc: Instrument) -> None:
    ticks = trades(3)
    store.append_ticks(btc, ticks)
    try:
        store.append_source_bars(btc, "1d", source([10**18]), "kline")
    except ValueError as error:
        assert "cannot hold" in str(error)  # a database with real timestamps
    assert_bars_are_exact(store, ticks, btc)
    assert store.append_ticks(own(), ticks) == 3
