"""Each bar on screen knows whether its trades are all held, and statistics and alerts heed it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from quantdesk.bars.quality import BarQuality
from quantdesk.model.alerts import AlertModel
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.types import Gap, GapState, Instrument, Origin, Tick
from tests.model.conftest import MINUTE, START, Source, bars_of, walk
from tests.model.test_alerts import frame

Q = BarQuality


def fed(symbol: str, minutes: int, skipped: tuple[int, ...] = ()) -> list[Tick]:
    """Return two trades a minute; those of ``skipped`` minutes are missing."""
    found = []
    for half in range(2 * minutes):
        if half // 2 not in skipped:
            found.append(Tick(symbol, half, 100.0 + half % 7, 1.0, START + half * MINUTE // 2, False))
    return found


def market(skipped: tuple[int, ...] = ()) -> MarketModel:
    model = MarketModel()
    for symbol in ("BTCUSDT", "ETHUSDT"):
        model.on_instrument(Instrument("test", symbol, Decimal("0.1"), Decimal("0.001")))
        for tick in fed(symbol, 12, skipped if symbol == "BTCUSDT" else ()):
            model.on_tick(tick)
    model.on_time(START + 12 * MINUTE + 1)
    return model


def hole(minute: int, state: GapState = GapState.FILLING) -> Gap:
    first = START + minute * MINUTE
    return Gap("BTCUSDT", 2 * minute, 2 * minute + 1, first, first + MINUTE - 1, 0, state, 3)


def shown(model: MarketModel, jobs, until) -> PairModel:
    pair = PairModel(jobs)
    pair.set_source(model, PairSettings("BTCUSDT", "ETHUSDT"))
    until(lambda: pair.frame is not None)
    return pair


def test_a_gap_without_a_bar_is_a_missing_row_and_one_within_a_bar_a_partial_one(jobs, until):
    model = market((5,))
    partial = replace(hole(7), first_id=15, last_id=15, start_ts=START + 7 * MINUTE + 30_000)
    model.on_gaps("BTCUSDT", [hole(5), partial])
    pair = shown(model, jobs, until)
    assert pair.frame is not None and pair.frame.quality_y is not None and pair.frame.quality_x is not None
    assert [Q(q) for q in pair.frame.quality_y] == [
        *[Q.COMPLETE] * 5,
        Q.MISSING,
        Q.COMPLETE,
        Q.PARTIAL,
        *[Q.COMPLETE] * 4,
    ]
    assert set(pair.frame.quality_x.tolist()) == {Q.COMPLETE}
    assert pair.frame.left_out.tolist() == [START + 7 * MINUTE]
    assert pair.frame.left_out_between(START, START + 6 * MINUTE) == 0
    assert np.isnan(pair.frame.spread[7]) and len(pair.frame) == 12
    assert model.gaps_behind("BTCUSDT", "1m", START + 7 * MINUTE) == (partial,)


def test_a_filled_gap_leaves_a_repaired_bar(jobs, until):
    model = market((5,))
    model.on_gaps("BTCUSDT", [hole(5)])
    for tick in fed("BTCUSDT", 12)[10:12]:
        model.on_tick(tick)
    model.on_gaps("BTCUSDT", [])
    codes = model.qualities("BTCUSDT", "1m")
    assert codes is not None and codes.tolist() == [0] * 5 + [Q.REPAIRED] + [0] * 6
    assert len(model.missing_times("BTCUSDT", "1m")) == 0


def test_klines_that_stand_in_are_known_as_such():
    model = market((5,))
    model.on_gaps("BTCUSDT", [hole(5, GapState.EXPIRED)])
    instrument = model.instrument("BTCUSDT")
    assert instrument is not None
    model.on_source_bars(instrument, "1m", bars_of(np.array([START + 5 * MINUTE]), np.array([9.0])), "kline")
    codes = model.qualities("BTCUSDT", "1m", 7)
    assert codes is not None and codes.tolist() == [Q.KLINES] + [0] * 6


def test_a_pair_without_the_second_leg_and_a_file_have_no_holes(jobs, until):
    source = Source(Origin.FILE)
    y, _ = walk(30)
    source.put("BTCUSDT", START + MINUTE * np.arange(30), y)
    pair = PairModel(jobs)
    pair.set_source(source, PairSettings("BTCUSDT"))
    until(lambda: pair.frame is not None)
    assert pair.frame is not None and pair.frame.quality_x is None and len(pair.frame.left_out) == 0


def test_no_alert_fires_on_a_partial_bar_and_a_healed_one_is_history(jobs, until):
    source = Source(live_since=START)
    y, x = walk(200)
    y[150] += 400.0  # far beyond the level
    times = START + MINUTE * np.arange(200)
    model, partial = AlertModel(), int(times[150])
    source.partial = {"ETHUSDT": [partial]}
    pair = PairModel(jobs)
    pair.set_source(source, PairSettings("BTCUSDT", "ETHUSDT", window=40))
    for end in (145, 152):
        rows = slice(0 if end == 145 else 145, end)
        source.put("BTCUSDT", times[rows], y[rows], quiet=True)
        source.put("ETHUSDT", times[rows], x[rows])
        until(lambda end=end: pair.frame is not None and len(pair.frame) == end)
        found = model.judge(pair.frame)
    assert partial not in [e.time_ms for e in found]
    source.partial = {}
    before = pair.frame
    source.series_changed.emit("ETHUSDT", "1m")
    until(lambda: pair.frame is not before)
    healed = [e for e in model.judge(pair.frame) if e.time_ms == partial]
    assert [(e.origin, e.popup) for e in healed] == [(Origin.HISTORY, False)]
    assert [e for e in model.judge(pair.frame) if e.time_ms == partial] == []


def test_a_healed_bar_within_a_stretch_beyond_the_level_tells_nothing_new():
    model = AlertModel()
    model.judge(frame([0.0]))
    nan = float("nan")
    left_out = np.array([START + 3 * MINUTE])
    first = replace(frame([0.0, 0.0, 2.5, nan, 2.6]), left_out=left_out)
    assert len(model.judge(first)) == 1
    assert model.judge(frame([0.0, 0.0, 2.5, 2.7, 2.6])) == []
