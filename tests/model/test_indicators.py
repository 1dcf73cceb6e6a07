"""The lines follow the bars: appended one by one, computed anew when anything else changes, in the pool when long."""

from __future__ import annotations

import numpy as np
import pytest

from quantdesk.analytics.indicators import Indicator, IndicatorBars, IndicatorKind, indicator_lines
from quantdesk.model import indicators
from quantdesk.model.indicators import MOST_INDICATORS, IndicatorModel
from quantdesk.model.jobs import JobRunner

START = 1_720_000_000_000
ALL = [Indicator(kind, 20) for kind in IndicatorKind]


def bars_of(n: int, seed: int = 1) -> IndicatorBars:
    rng = np.random.default_rng(seed)
    close = 65_000 + np.cumsum(rng.normal(0, 5, n))
    close[rng.random(n) < 0.1] = np.nan
    times = START + 60_000 * np.arange(n, dtype=np.int64)
    return IndicatorBars(times, close + 2, close - 2, close, rng.gamma(2, 3, n))


@pytest.fixture
def model(qtbot):
    jobs = JobRunner()
    yield IndicatorModel(jobs)
    assert jobs.close(20)


def check(model: IndicatorModel, bars: IndicatorBars) -> None:
    for one in ALL:
        found, wanted = model.lines(one), indicator_lines(one, bars)
        assert found is not None
        for line, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(line, other, atol=1e-9 * 65_000, rtol=0, equal_nan=True)
            assert not line.flags.writeable


def test_new_bars_are_appended_and_nothing_is_computed_anew(model):
    bars = bars_of(900)
    model.choose(ALL)
    model.follow(bars[:300])
    before = [model.version(one) for one in ALL]
    for n in (300, 301, 302, 302, 900):
        model.follow(bars[:n])
        check(model, bars[:n])
    assert [model.version(one) for one in ALL] == before


@pytest.mark.parametrize("change", ["repaired", "older", "fewer", "other"])
def test_anything_else_is_computed_anew(model, change):
    bars = bars_of(400)
    model.choose(ALL)
    model.follow(bars[50:350])
    before = [model.version(one) for one in ALL]
    now = {"repaired": bars[50:360], "older": bars[:350], "fewer": bars[50:340], "other": bars_of(400, 2)}[change]
    if change == "repaired":
        close = now.close.copy()
        close[100] = 65_500.0
        now = IndicatorBars(now.times, now.high, now.low, close, now.volume)
    model.follow(now)
    check(model, now)
    assert all(new > old for new, old in zip([model.version(one) for one in ALL], before, strict=True))


def test_a_long_history_is_computed_in_the_pool_and_bars_that_come_meanwhile_are_not_lost(model, monkeypatch, qtbot):
    monkeypatch.setattr(indicators, "MOST_AT_ONCE", 100)
    bars, told = bars_of(900), []
    model.changed.connect(lambda: told.append(1))
    model.choose(ALL)
    model.follow(bars[:800])
    assert model.lines(ALL[0]) is None and model.version(ALL[0]) == -1
    model.follow(bars[:801])
    model.follow(bars)
    qtbot.waitUntil(lambda: bool(told))
    check(model, bars)
    assert told == [1]


def test_lines_of_bars_that_are_no_longer_shown_are_dropped(model, monkeypatch, qtbot):
    monkeypatch.setattr(indicators, "MOST_AT_ONCE", 100)
    model.choose(ALL)
    model.follow(bars_of(800))
    other = bars_of(700, 2)
    model.follow(other)
    qtbot.waitUntil(lambda: model.lines(ALL[0]) is not None)
    check(model, other)
    model.follow(None)
    assert model.lines(ALL[0]) is None


def test_forming_bars_show_what_would_be_and_change_nothing(model):
    bars = bars_of(303)
    model.choose(ALL)
    model.follow(bars[:300])
    for one in ALL:
        whole = indicator_lines(one, bars)
        for count in (1, 3):
            ahead = model.ahead(one, bars[300 : 300 + count])
            for line, other in zip(ahead, whole, strict=True):
                np.testing.assert_allclose(line, other[300 : 300 + count], rtol=1e-11, equal_nan=True)
        assert model.ahead(one, bars[300:300]).shape == (len(one.names), 0)
    check(model, bars[:300])


def test_what_is_chosen_no_more_is_forgotten_and_the_number_is_bounded(model):
    bars = bars_of(100)
    model.follow(bars)
    model.choose(ALL)
    check(model, bars)
    model.choose(ALL[:1])
    assert model.lines(ALL[1]) is None and model.lines(ALL[0]) is not None
    many = [Indicator(IndicatorKind.SMA, n) for n in range(2, 40)]
    model.choose(many)
    assert sum(model.lines(one) is not None for one in many) == MOST_INDICATORS
