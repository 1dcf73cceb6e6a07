from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantdesk.bars.builder import Bar
from quantdesk.config import ConfigError
from quantdesk.model import pair as pair_module
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.types import Interval, Origin
from tests.model.conftest import MINUTE, START, Source, spin, walk

SETTINGS = PairSettings("A", "B", window=20, correlation_window=20, formation_bars=40)
Y, X = walk(600)
TIMES = START + MINUTE * np.arange(600)


def filled(count: int = 200, origin: Origin = Origin.LIVE) -> Source:
    source = Source(origin, START + count * MINUTE if origin is Origin.LIVE else None)
    source.put("A", TIMES[:count], Y[:count], quiet=True)
    source.put("B", TIMES[:count], X[:count], quiet=True)
    return source


@pytest.fixture
def pair(jobs):
    return PairModel(jobs)


def settled(pair, until, rows: int):
    until(lambda: pair.frame is not None and len(pair.frame) == rows)
    return pair.frame


def add(source: Source, start: int, stop: int) -> None:
    source.put("A", TIMES[start:stop], Y[start:stop])
    source.put("B", TIMES[start:stop], X[start:stop])


def test_a_source_becomes_a_frame_and_evidence(pair, until):
    told = []
    pair.settings_changed.connect(lambda: told.append(1))
    pair.set_source(filled(), SETTINGS)
    assert pair.frame is None and told == [1]
    frame = settled(pair, until, 200)
    assert np.isfinite(frame.last.z) and frame.settings == SETTINGS
    until(lambda: pair.evidence is not None)
    assert pair.evidence.observations == 200
    assert pair.evidence.engle_granger.p_value < 0.01


def test_new_bars_keep_the_line_and_raise_the_version(pair, until):
    source = filled()
    pair.set_source(source, SETTINGS)
    first = settled(pair, until, 200)
    add(source, 200, 210)
    second = settled(pair, until, 210)
    assert second.beta == first.beta and second.version > first.version and second.epoch == first.epoch


def test_many_signals_in_one_turn_make_one_job(pair, until):
    source, frames = filled(), []
    pair.set_source(source, SETTINGS)
    settled(pair, until, 200)
    pair.changed.connect(lambda: frames.append(pair.frame.version))
    for row in range(200, 260):
        add(source, row, row + 1)
    settled(pair, until, 260)
    assert len(set(frames)) <= 3


def test_an_open_bar_is_tail_and_no_statistic(pair, until):
    source = filled()
    pair.set_source(source, SETTINGS)
    frame = settled(pair, until, 200)
    for symbol, close in (("A", Y[200]), ("B", X[200])):
        source.held[symbol].upsert(Bar(Interval.M1, int(TIMES[200]), close, close, close, close, 1.0, close, 1))
        source.series_changed.emit(symbol, "1m")
    until(lambda: pair.frame.version > frame.version)
    assert len(pair.frame) == 200
    tail = pair.tail()
    assert tail.times.tolist() == [TIMES[200]]
    assert tail.spread[0] == Y[200] - pair.frame.beta * X[200]
    source.held["A"].merge(source.held["A"].since(int(TIMES[200])), from_trades=True)
    source.held["B"].merge(source.held["B"].since(int(TIMES[200])), from_trades=True)
    source.bar_closed.emit("A", "1m", (int(TIMES[200]),))
    closed = settled(pair, until, 201)
    assert closed.z[-1] == pytest.approx(tail.z[0], rel=1e-9)
    assert len(pair.tail()) == 0


def test_a_refit_is_marked_from_the_next_bar_and_kept_through_merges(pair, until):
    source = filled()
    pair.set_source(source, SETTINGS)
    settled(pair, until, 200)
    add(source, 200, 300)
    before = settled(pair, until, 300)
    pair.refit()
    until(lambda: pair.frame.refits)
    assert pair.frame.refits[0].time == TIMES[299] + MINUTE
    np.testing.assert_array_equal(pair.frame.spread, before.spread)
    assert pair.frame.beta != before.beta
    add(source, 300, 310)
    after = settled(pair, until, 310)
    np.testing.assert_array_equal(after.spread[:300], before.spread)
    assert after.spread[305] == pytest.approx(Y[305] - after.beta * X[305])
    pair.set_settings(replace(SETTINGS, window=30))
    until(lambda: pair.frame.settings.window == 30)
    assert pair.frame.refits == after.refits
    pair.set_settings(replace(SETTINGS, log=True))
    assert pair.frame is None
    assert settled(pair, until, 310).refits == ()


def test_another_pair_takes_nothing_from_the_old_one(pair, until):
    pair.set_source(filled(), SETTINGS)
    pair.set_settings(replace(SETTINGS, y="B", x="A"))
    frame = settled(pair, until, 200)
    assert frame.y.close[0] == X[0] and frame.settings.y == "B"
    until(lambda: pair.evidence is not None)


def test_one_leg_and_no_leg_are_fine(pair, until):
    pair.set_source(filled(), replace(SETTINGS, x=""))
    assert np.isnan(settled(pair, until, 200).z).all()
    pair.set_settings(PairSettings("NOTHING", ""))
    settled(pair, until, 0)
    assert len(pair.tail()) == 0
    pair.set_source(None, PairSettings())
    spin()
    assert pair.frame is None


def test_a_source_let_go_is_not_listened_to(pair, until):
    old, new = filled(), filled(100)
    pair.set_source(old, SETTINGS)
    settled(pair, until, 200)
    pair.set_source(new, SETTINGS)
    settled(pair, until, 100)
    version = pair.frame.version
    add(old, 200, 210)
    spin()
    assert pair.frame.version == version


def test_a_failing_job_is_told_and_the_next_one_works(pair, until, qtbot, jobs):
    source = filled()
    source.closes["A"] = np.ones(3)
    with qtbot.waitSignal(pair.failed, timeout=20_000) as told:
        pair.set_source(source, SETTINGS)
    assert told.args[0].startswith("A / B: ")
    del source.closes["A"]
    pair.refresh()
    settled(pair, until, 200)


def test_a_live_frame_is_bounded(pair, until, monkeypatch):
    monkeypatch.setattr(pair_module, "LIVE_ROWS", 100)
    pair.set_source(filled(500), SETTINGS)
    assert settled(pair, until, 100).times[-1] == TIMES[499]


def test_a_file_is_never_cut(pair, until, monkeypatch):
    monkeypatch.setattr(pair_module, "LIVE_ROWS", 100)
    pair.set_source(filled(300, Origin.FILE), SETTINGS)
    frame = settled(pair, until, 300)
    assert frame.formation == (TIMES[0], TIMES[99])


@pytest.mark.parametrize(
    "wrong", [{"y": "B"}, {"window": 5}, {"interval": "1x"}, {"refit_every": 3}, {"formation_bars": 10**9}]
)
def test_senseless_settings_are_refused(wrong):
    with pytest.raises(ConfigError):
        replace(SETTINGS, **wrong)


def test_the_first_frame_can_be_built_before_there_is_a_loop_and_imports_nothing_heavy(pair, until, jobs):
    pair.set_source(filled(), SETTINGS)
    pair.build_now()
    assert pair.frame is not None and len(pair.frame) == 200 and np.isfinite(pair.frame.last.z)
    assert pair.evidence is None and not jobs.busy()
    first = pair.frame
    until(lambda: pair.evidence is not None)
    assert pair.frame.version > first.version and pair.frame.beta == first.beta
