"""A frozen hedge ratio stays what it was: over another pair, another interval, a replay and another window."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Rule
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import IntArray
from quantdesk.bars.series import BarSeries
from quantdesk.model.alerts import CROSS, AlertModel
from quantdesk.model.formation import HedgeLines, JoinedBars, advance
from quantdesk.model.frame import PairFrame, PairSettings, Refit
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.jobs import JobRunner
from quantdesk.model.kept_lines import LineBook, LineKey
from quantdesk.model.pair import EVALUATE, PairModel
from quantdesk.types import Instrument, Origin
from tests.model.conftest import MINUTE, START, Source, walk

SETTINGS = PairSettings("A", "B", window=20, correlation_window=20, formation_bars=40)
OTHER = replace(SETTINGS, y="C")
Y, X = walk(600)
# The relation drifts, so that each window has a ratio of its own.
Y = Y + np.linspace(0, 400, 600)
TIMES = START + MINUTE * np.arange(600)
KEY = LineKey("test", "A", "B", "1m", formation_bars=40)
LINE = Refit(int(TIMES[40]), 1.0, 2.0, 0.0, 3.0, int(TIMES[0]), int(TIMES[39]), 40)


class Intervals(Source):
    """Hold the bars of two minutes, too."""

    def __init__(self, origin: Origin, live_since: int | None) -> None:
        super().__init__(origin, live_since)
        self.two: dict[str, BarSeries] = {}

    def series(self, symbol: str, interval: str) -> BarSeries | None:
        return self.two.get(symbol) if interval == "2m" else super().series(symbol, interval)

    def qualities(self, symbol: str, interval: str, last: int | None = None) -> IntArray | None:
        return None if interval == "2m" else super().qualities(symbol, interval, last)


def market(count: int = 200, origin: Origin = Origin.LIVE) -> Intervals:
    source = Intervals(origin, None if origin is Origin.FILE else START + count * MINUTE)
    add(source, 0, count, quiet=True)
    halves = Source()
    for symbol, close in (("A", Y), ("B", X)):
        halves.put(symbol, TIMES[:count:2], close[:count:2], quiet=True)
    source.two = halves.held
    return source


def add(source: Source, start: int, stop: int, *, quiet: bool = False) -> None:
    for symbol, close in (("A", Y), ("B", X), ("C", 3 * Y)):
        source.put(symbol, TIMES[start:stop], close[start:stop], quiet=quiet)


@pytest.fixture
def pair(jobs):
    return PairModel(jobs)


def shown(pair: PairModel, until, settings: PairSettings, rows: int) -> PairFrame:
    until(lambda: pair.frame is not None and pair.frame.settings == settings and len(pair.frame) == rows)
    return pair.frame


def shift(pair: PairModel, until, settings: PairSettings, rows: int) -> PairFrame:
    pair.set_settings(settings)
    return shown(pair, until, settings, rows)


def line_of(frame: PairFrame) -> tuple[object, ...]:
    return frame.first_fit, frame.refits, frame.formation, frame.formation_settled


def refitted(pair: PairModel, until, rows: int) -> tuple[Source, PairFrame]:
    """Show the market with 200 rows and refit the line at more; return it and the frame."""
    source = market()
    pair.set_source(source, SETTINGS)
    shown(pair, until, SETTINGS, 200)
    add(source, 200, rows)
    shown(pair, until, SETTINGS, rows)
    pair.refit()
    until(lambda: pair.frame.refits)
    return source, pair.frame


def test_a_pair_that_comes_back_has_its_ratio_and_its_refits(pair, until):
    source, before = refitted(pair, until, 260)
    shift(pair, until, OTHER, 260)
    add(source, 260, 400)
    after = shift(pair, until, SETTINGS, 400)
    assert line_of(after) == line_of(before) and after.beta == before.beta
    np.testing.assert_array_equal(after.spread[:260], before.spread)


def test_an_interval_that_comes_back_has_its_ratio(pair, until):
    source = market()
    pair.set_source(source, SETTINGS)
    minutes = shown(pair, until, SETTINGS, 200)
    two = shift(pair, until, replace(SETTINGS, interval="2m"), 100)
    assert two.formation != minutes.formation
    add(source, 200, 300)
    assert line_of(shift(pair, until, SETTINGS, 300)) == line_of(minutes)


def test_a_refit_after_coming_back_is_what_stays(pair, until):
    source = market()
    pair.set_source(source, SETTINGS)
    first = shown(pair, until, SETTINGS, 200)
    shift(pair, until, OTHER, 200)
    add(source, 200, 300)
    shift(pair, until, SETTINGS, 300)
    pair.refit()
    until(lambda: pair.frame.refits)
    refit = pair.frame
    assert refit.beta != first.beta
    shift(pair, until, OTHER, 300)
    assert line_of(shift(pair, until, SETTINGS, 300)) == line_of(refit)


def test_an_adoption_that_is_taken_back_brings_the_refits_back(pair, until):
    _, before = refitted(pair, until, 300)
    adopted = shift(pair, until, replace(SETTINGS, hedge=HedgeMethod.TLS), 300)
    assert adopted.formation == before.formation and adopted.refits == () and adopted.beta != before.beta
    assert line_of(shift(pair, until, SETTINGS, 300)) == line_of(before)


def test_another_formation_window_is_another_fit_and_another_schedule_is_not(pair, until):
    source = market()
    pair.set_source(source, SETTINGS)
    before = shown(pair, until, SETTINGS, 200)
    scheduled = shift(pair, until, replace(SETTINGS, refit_every=500), 200)
    assert line_of(scheduled) == line_of(before)
    shift(pair, until, OTHER, 200)
    add(source, 200, 300)
    assert line_of(shift(pair, until, scheduled.settings, 300)) == line_of(before)
    assert shift(pair, until, replace(SETTINGS, formation_bars=60), 300).first_fit.n == 60


def test_another_window_of_z_while_a_refit_is_made_loses_no_refit(pair, until, jobs):
    source = market()
    pair.set_source(source, SETTINGS)
    shown(pair, until, SETTINGS, 200)
    add(source, 200, 300)
    shown(pair, until, SETTINGS, 300)
    with held_back(jobs, until):
        pair.refit()
        until(lambda: jobs.busy(EVALUATE))
        pair.set_settings(replace(SETTINGS, window=30))
    shown(pair, until, replace(SETTINGS, window=30), 300)
    until(lambda: pair.is_current)
    assert len(pair.frame.refits) == 1


def test_a_line_that_is_not_settled_is_made_anew(pair, until):
    pair.set_source(market(30), SETTINGS)
    assert not shown(pair, until, SETTINGS, 30).formation_settled
    assert pair.kept.everything() == {}


def test_a_ratio_that_moves_is_not_kept(pair, until):
    settings = replace(SETTINGS, hedge=HedgeMethod.ROLLING)
    pair.set_source(market(), settings)
    shown(pair, until, settings, 200)
    assert pair.kept.everything() == {}


def test_a_replay_knows_nothing_of_the_market_and_leaves_nothing_behind(pair, until):
    live, replay = market(300), market(100, Origin.REPLAY)
    pair.set_source(live, SETTINGS)
    before = shown(pair, until, SETTINGS, 300)
    kept = pair.kept.everything()
    pair.set_source(replay, SETTINGS)
    played = shown(pair, until, SETTINGS, 100)
    assert played.formation == (TIMES[60], TIMES[99]) and played.formation[1] < before.formation[0]
    add(replay, 100, 150)
    shown(pair, until, SETTINGS, 150)
    pair.refit()
    until(lambda: pair.frame.refits)
    assert pair.kept.everything() == kept
    add(live, 300, 400)
    pair.set_source(live, SETTINGS)
    assert line_of(shown(pair, until, SETTINGS, 400)) == line_of(before)


def test_a_replay_keeps_its_lines_while_it_plays_on_and_forgets_them_when_it_goes_back(pair, until):
    replay = market(100, Origin.REPLAY)
    pair.set_source(replay, SETTINGS)
    before = shown(pair, until, SETTINGS, 100)
    shift(pair, until, OTHER, 100)
    add(replay, 100, 200)
    assert line_of(shift(pair, until, SETTINGS, 200)) == line_of(before)
    for leg in ("A", "B", "C"):
        del replay.held[leg]
    replay.live_since = START + 50 * MINUTE
    add(replay, 0, 50, quiet=True)
    pair.set_source(replay, SETTINGS)
    anew = shown(pair, until, SETTINGS, 50)
    assert anew.formation == (TIMES[10], TIMES[49])


def test_files_keep_their_refits_until_others_are_opened(pair, until):
    files = market(origin=Origin.FILE)
    pair.set_source(files, SETTINGS)
    shown(pair, until, SETTINGS, 200)
    pair.refit()
    until(lambda: pair.frame.refits)
    before = pair.frame
    shift(pair, until, OTHER, 200)
    assert line_of(shift(pair, until, SETTINGS, 200)) == line_of(before)
    pair.set_source(market(150, Origin.FILE), SETTINGS)
    assert shown(pair, until, SETTINGS, 150).refits == ()
    assert pair.kept.everything() == {}


def test_two_windows_draw_one_line_and_follow_each_others_refits(jobs, until):
    book, source = LineBook(), market()
    first, second = PairModel(jobs, kept=book), PairModel(jobs, kept=book)
    first.set_source(source, SETTINGS)
    shown(first, until, SETTINGS, 200)
    add(source, 200, 300)
    second.set_source(source, SETTINGS)
    assert line_of(shown(second, until, SETTINGS, 300)) == line_of(shown(first, until, SETTINGS, 300))
    second.refit()
    until(lambda: first.frame.refits and second.frame.refits)
    assert line_of(first.frame) == line_of(second.frame)
    add(source, 300, 310)
    assert line_of(shown(first, until, SETTINGS, 310)) == line_of(shown(second, until, SETTINGS, 310))


def test_a_line_waits_until_the_venue_of_both_legs_is_known(pair, until, monkeypatch):
    known: dict[str, Instrument] = {}
    monkeypatch.setattr(Source, "instrument", lambda self, symbol: known.get(symbol))
    pair.kept.load({KEY: HedgeLines(LINE, settled=True)})
    source = Intervals(Origin.LIVE, START)
    pair.set_source(source, SETTINGS)
    shown(pair, until, SETTINGS, 0)
    known |= {symbol: Instrument("", symbol) for symbol in "AB"}
    add(source, 0, 200)
    assert shown(pair, until, SETTINGS, 200).fit != LINE
    known |= {symbol: Instrument("test", symbol) for symbol in "AB"}
    add(source, 200, 201)
    assert shown(pair, until, SETTINGS, 201).fit == LINE


@contextmanager
def held_back(jobs: JobRunner, until) -> Iterator[None]:
    """Let no job begin meanwhile: both threads of the pool wait."""
    gate, begun = threading.Event(), []

    def hold() -> None:
        begun.append(1)
        gate.wait()

    for name in ("one", "other"):
        jobs.submit(name, hold, lambda _: None, lambda _: None)
    until(lambda: len(begun) == 2)
    try:
        yield
    finally:
        gate.set()


def test_a_refit_elsewhere_wins_over_a_frame_that_is_just_being_built(pair, until, jobs):
    pair.set_source(market(), SETTINGS)
    shown(pair, until, SETTINGS, 200)
    refitted = replace(pair.kept.get(KEY), refits=(replace(LINE, time=int(TIMES[150])),))
    pair.watch_kinds((ZKind.ROLLING,))  # the pool must make the next frame
    with held_back(jobs, until):
        pair.refresh()
        until(lambda: jobs.busy(EVALUATE))
        pair.kept.keep(KEY, refitted)
    until(lambda: pair.is_current and pair.frame.refits)
    assert pair.kept.get(KEY) == refitted


def test_a_refit_is_kept_though_another_pair_was_chosen_before_it_was_made(pair, until, jobs):
    source = market()
    pair.set_source(source, SETTINGS)
    shown(pair, until, SETTINGS, 200)
    add(source, 200, 300)
    shown(pair, until, SETTINGS, 300)
    with held_back(jobs, until):
        pair.refit()
        until(lambda: jobs.busy(EVALUATE))
        pair.set_settings(OTHER)
    assert shown(pair, until, OTHER, 300).refits == ()
    assert len(shift(pair, until, SETTINGS, 300).refits) == 1


def test_a_frame_of_another_schedule_brings_its_line_to_no_other(pair, until, jobs):
    source, scheduled = market(), replace(SETTINGS, refit_every=500)
    pair.set_source(source, SETTINGS)
    shown(pair, until, SETTINGS, 200)
    add(source, 200, 300)
    shown(pair, until, SETTINGS, 300)
    pair.kept.load({replace(KEY, refit_every=500): HedgeLines(LINE, settled=True)})
    with held_back(jobs, until):
        pair.refit()
        until(lambda: jobs.busy(EVALUATE))
        pair.set_settings(scheduled)
        assert pair.order().lines.first == LINE, "a report of it is made meanwhile"
    until(lambda: pair.frame.settings == scheduled)
    assert pair.frame.fit == LINE and len(pair.kept.get(KEY).refits) == 1


@pytest.mark.parametrize("metric", [Metric.SPREAD, Metric.BETA])
def test_a_rule_on_the_spread_does_not_fire_because_the_pair_came_back(pair, until, metric):
    source = market()
    pair.set_source(source, SETTINGS)
    shown(pair, until, SETTINGS, 200)
    add(source, 200, 210)
    frame = shown(pair, until, SETTINGS, 210)
    newest = float(frame.spread[-1]) if metric is Metric.SPREAD else frame.beta
    rules = [
        Rule(uuid4().hex[:12], "above", metric, Comparison.AT_LEAST, newest + 1, newest + 0.5),
        Rule(uuid4().hex[:12], "below", metric, Comparison.AT_MOST, newest - 1, newest - 0.5),
    ]
    alerts = AlertModel(rules)
    pair.changed.connect(lambda: alerts.judge(pair.frame))
    pair.refresh()
    shift(pair, until, OTHER, 210)
    settled = len(alerts.events)
    # While the other pair was shown, the first one's relation has moved; its newest bar is where it was.
    moved = np.arange(210, 400)
    source.put("B", TIMES[moved], X[moved], quiet=True)
    source.put("A", TIMES[moved], Y[moved] + 0.5 * (X[moved] - X[209]), quiet=True)
    source.put("B", TIMES[400:401], X[209:210], quiet=True)
    source.put("A", TIMES[400:401], Y[209:210], quiet=True)
    back = shift(pair, until, SETTINGS, 401)
    assert back.spread[-1] == frame.spread[-1]
    assert [event for event in alerts.events[settled:] if event.pair == "A / B"] == []
    assert all(event.kind is not CROSS for event in alerts.events)


def test_a_line_kept_for_long_is_refitted_by_schedule_only_on_whole_windows():
    settings = replace(SETTINGS, refit_every=10)
    lines = HedgeLines(LINE, settled=True)
    later = slice(300, 400)
    found = advance(lines, JoinedBars(TIMES[later], Y[later], X[later], MINUTE), settings, Origin.LIVE, None)
    assert found.first == LINE and [refit.n for refit in found.refits] == [40] * 7
    assert found.refits[0].time == TIMES[340]


def test_a_line_kept_for_long_draws_the_bars_there_are(pair, until):
    pair.kept.load({KEY: HedgeLines(LINE, anchor=LINE.time, settled=True)})
    source = Intervals(Origin.LIVE, int(TIMES[599]) + MINUTE)
    add(source, 400, 600, quiet=True)
    pair.set_source(source, SETTINGS)
    frame = shown(pair, until, SETTINGS, 200)
    assert frame.fit == LINE and frame.formation_settled
    np.testing.assert_allclose(frame.spread, Y[400:] - 2.0 * X[400:])
    adopted = shift(pair, until, replace(SETTINGS, hedge=HedgeMethod.TLS), 200)
    assert adopted.formation == (TIMES[560], TIMES[599]), "its window is gone: the newest bars make one"
