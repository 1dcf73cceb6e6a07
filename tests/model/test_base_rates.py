from __future__ import annotations

import numpy as np

from quantdesk.analytics.base_rate import base_rate
from quantdesk.analytics.zscore import ZKind
from quantdesk.model.base_rates import BaseRates
from quantdesk.model.pair import PairModel, PairSettings
from tests.model.conftest import MINUTE, START, Source, walk


def shown(jobs, until, n: int = 200) -> tuple[PairModel, Source]:
    y, x = walk(n)
    source, pair = Source(), PairModel(jobs)
    times = START + MINUTE * np.arange(n)
    source.put("A", times, y)
    source.put("B", times, x)
    pair.set_source(source, PairSettings("A", "B", window=20))
    until(lambda: pair.frame is not None)
    return pair, source


def test_the_rate_follows_kind_window_level_and_bars(jobs, until):
    pair, source = shown(jobs, until)
    rates = BaseRates(pair)
    rates.watch(True)
    until(lambda: rates.rate(pair.frame) is not None)
    assert rates.rate(pair.frame) == base_rate(ZKind.WALK_FORWARD, 20, 2.0, pair.frame.z)
    rates.set_level(1.0)
    assert rates.rate(pair.frame) is None, "the old level's rate is not shown beside the new level"
    until(lambda: rates.rate(pair.frame) is not None)
    assert rates.rate(pair.frame) == base_rate(ZKind.WALK_FORWARD, 20, 1.0, pair.frame.z)
    pair.set_settings(PairSettings("A", "B", window=30, z_kind=ZKind.REGRESSION))
    until(lambda: pair.frame.settings.window == 30 and rates.rate(pair.frame) is not None)
    assert rates.rate(pair.frame) == base_rate(ZKind.REGRESSION, 30, 1.0, pair.frame.z)
    bars, (y, x) = rates.rate(pair.frame).bars, walk(201)
    for symbol, closes in (("A", y), ("B", x)):
        source.put(symbol, START + MINUTE * np.arange(200, 201), closes[-1:])
    until(lambda: rates.rate(pair.frame).bars == bars + 1)


def test_nothing_is_counted_while_nobody_looks(jobs, until):
    pair, _ = shown(jobs, until)
    rates = BaseRates(pair)
    rates.set_level(1.5)
    until(lambda: not jobs.busy())
    assert rates.rate(pair.frame) is None
    rates.watch(True)
    until(lambda: rates.rate(pair.frame) is not None)
    rates.watch(False)
    rates.set_level(2.5)
    assert not jobs.busy()


def test_a_level_that_makes_no_sense_is_told_and_not_shown(jobs, until):
    pair, _ = shown(jobs, until)
    rates = BaseRates(pair)
    rates.watch(True)
    rates.set_level(-1.0)
    until(lambda: bool(rates.problem))
    assert rates.rate(pair.frame) is None and "negative" in rates.problem


def test_bars_that_come_faster_than_the_pause_are_counted_at_its_end(jobs, until, monkeypatch):
    monkeypatch.setattr("quantdesk.model.base_rates.PAUSE_MS", 10**9)
    pair, source = shown(jobs, until)
    rates, (y, x) = BaseRates(pair), walk(206)
    rates.watch(True)
    until(lambda: rates.rate(pair.frame) is not None)
    first = rates.rate(pair.frame)

    def add(row: int) -> None:
        for symbol, closes in (("A", y), ("B", x)):
            source.put(symbol, START + MINUTE * np.arange(row, row + 1), closes[row : row + 1])
        until(lambda: pair.frame.observations == row + 1 and not jobs.busy())

    for row in range(200, 205):
        add(row)
    assert rates.rate(pair.frame) is first, "counted at every bar"
    monkeypatch.setattr("quantdesk.model.base_rates.PAUSE_MS", 1)
    add(205)
    until(lambda: rates.rate(pair.frame).bars == first.bars + 6)
    monkeypatch.setattr("quantdesk.model.base_rates.PAUSE_MS", 10**9)
    rates.set_level(1.0)
    until(lambda: rates.rate(pair.frame) is not None)
