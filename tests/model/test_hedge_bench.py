"""The bench is made while somebody looks, on the bars and in the unit that it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.hedge_bench import hedge_bench
from quantdesk.model import hedge_bench as module
from quantdesk.model.hedge_bench import BENCH, HedgeBenchModel, bench_window
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START, Source, spin, walk

SETTINGS = PairSettings("A", "B", window=20, correlation_window=20, formation_bars=60)
Y, X = walk(600)
TIMES = START + MINUTE * np.arange(600)


def filled(count: int = 300, origin: Origin = Origin.LIVE, live: int = 200) -> Source:
    source = Source(origin, int(TIMES[live]) if origin is Origin.LIVE else None)
    source.put("A", TIMES[:count], Y[:count], quiet=True)
    source.put("B", TIMES[:count], X[:count], quiet=True)
    return source


@pytest.fixture
def pair(jobs):
    return PairModel(jobs)


@pytest.fixture
def model(pair, jobs):
    return HedgeBenchModel(pair, jobs)


def test_nothing_is_computed_before_somebody_looks(pair, model, jobs, until) -> None:
    pair.set_source(filled(), SETTINGS)
    until(lambda: pair.evidence is not None)
    assert model.bench is None and not jobs.busy(BENCH)
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    model.set_wanted(False)
    pair.set_settings(replace(SETTINGS, y="B", x="A"))
    until(lambda: pair.frame is not None and pair.evidence is not None)
    assert model.bench is None and not jobs.busy(BENCH)


@pytest.mark.parametrize("log", [False, True])
def test_a_files_bench_is_fitted_on_the_pairs_own_window(pair, model, until, log: bool) -> None:
    pair.set_source(filled(origin=Origin.FILE), replace(SETTINGS, log=log))
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    bench = model.bench
    assert bench.own_window and bench.formation == 100 and bench.log == log and len(bench.times) == 300
    y, x = (np.log(Y[:300]), np.log(X[:300])) if log else (Y[:300], X[:300])
    for row, wanted in zip(bench.rows, hedge_bench(y, x, 100, log=log), strict=True):
        assert (row.method, row.beta, row.change_variance) == (wanted.method, wanted.beta, wanted.change_variance)
    assert bench.rows[0].beta == pair.frame.beta
    assert bench.best == min(row.change_variance for row in bench.rows)


def test_the_benchs_filter_takes_the_pairs_stated_delta(pair, model, until) -> None:
    pair.set_source(filled(origin=Origin.FILE), SETTINGS)
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    likely = model.bench.rows[-1].beta
    pair.set_settings(replace(SETTINGS, kalman_delta=0.01))
    until(lambda: model.bench is not None and model.bench.settings.kalman_delta == 0.01)
    assert model.bench.rows[-1].beta == hedge_bench(Y[:300], X[:300], 100, delta=0.01)[-1].beta != likely


def test_a_view_that_has_just_gone_live_is_judged_on_earlier_bars(pair, model, until) -> None:
    pair.set_source(filled(live=295), SETTINGS)
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    assert not model.bench.own_window and model.bench.formation == 60 and model.bench.times[0] == TIMES[0]


def test_the_window_is_the_pairs_own_once_a_third_of_it_has_followed() -> None:
    own = (int(TIMES[100]), int(TIMES[159]))
    assert bench_window(TIMES[:179], own, 60) == (0, 60, False)
    assert bench_window(TIMES[:180], own, 60) == (100, 60, True)
    assert bench_window(TIMES[110:400], own, 60) == (0, 60, False), "its first bars have left"
    assert bench_window(TIMES[:90], None, 240) == (0, 45, False)
    assert bench_window(TIMES[:0], own, 60) == (0, 40, False)


def test_too_few_bars_are_said_in_words(pair, model, until) -> None:
    pair.set_source(filled(50, live=50), SETTINGS)
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    assert model.bench.rows == () and model.bench.best is None
    assert model.bench.reason == "50 bars of both legs are too few to compare by: 60 are needed"


def test_another_unit_pair_or_window_is_compared_at_once_and_new_bars_after_a_pause(
    pair, model, until, monkeypatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_MS", 60_000)
    source = filled()
    pair.set_source(source, SETTINGS)
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    first = model.bench
    model.set_log(True)
    assert model.bench is None
    until(lambda: model.bench is not None and model.bench.log)
    model.set_log(None)
    until(lambda: model.bench is not None and not model.bench.log)
    pair.set_settings(replace(SETTINGS, formation_bars=80))
    until(lambda: model.bench is not None and model.bench.settings.formation_bars == 80)
    assert model.bench is not first
    shown = model.bench
    source.put("A", TIMES[300:310], Y[300:310])
    source.put("B", TIMES[300:310], X[300:310])
    until(lambda: len(pair.frame) == 310)
    spin()
    assert model.bench is shown
    model.set_wanted(False)
    monkeypatch.setattr(module, "PAUSE_MS", 0)
    model.set_wanted(True)
    until(lambda: model.bench is not shown)
    assert model.bench.times[-1] == TIMES[309]


def test_adopting_a_method_keeps_window_and_comparison_and_changes_the_spread(pair, model, until) -> None:
    source = filled(200)
    pair.set_source(source, SETTINGS)
    until(lambda: pair.frame is not None)
    source.put("A", TIMES[200:300], Y[200:300])
    source.put("B", TIMES[200:300], X[200:300])
    until(lambda: len(pair.frame) == 300)
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    before, bench = pair.frame, model.bench
    assert bench.own_window
    tls = next(row for row in bench.rows if row.method == "TLS")
    pair.set_settings(replace(SETTINGS, hedge=HedgeMethod.TLS))
    until(lambda: pair.frame.settings.hedge is HedgeMethod.TLS)
    frame = pair.frame
    assert frame.beta == tls.beta != before.beta and frame.formation == before.formation
    assert not np.array_equal(frame.spread, before.spread) and model.bench is not None
    pair.set_settings(SETTINGS)
    until(lambda: pair.frame.settings.hedge is HedgeMethod.OLS)
    np.testing.assert_array_equal(pair.frame.spread, before.spread)


def test_an_adopted_ratio_that_moves_draws_the_forming_bar_with_its_newest_value(pair, until) -> None:
    pair.set_source(filled(live=200), replace(SETTINGS, hedge=HedgeMethod.KALMAN))
    until(lambda: pair.frame is not None)
    source = pair.source
    source.put("A", TIMES[300:301], Y[300:301], quiet=True)
    source.put("B", TIMES[300:301], X[300:301], quiet=True)
    tail = pair.tail()
    assert tail.spread[0] == Y[300] - pair.frame.beta * X[300]
    pair.refresh()
    until(lambda: len(pair.frame) == 301)
    assert pair.frame.spread[300] == tail.spread[0]
    assert pair.frozen is None


def test_a_bench_that_fails_says_so(pair, model, until) -> None:
    source = filled()
    pair.set_source(source, SETTINGS)
    until(lambda: pair.frame is not None)
    source.closes["A"] = np.ones(3)
    model.set_wanted(True)
    until(lambda: model.bench is not None)
    assert model.bench.reason.startswith("nothing can be compared: ")
