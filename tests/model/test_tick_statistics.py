from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quantdesk.analytics.ticks import TickLeg
from quantdesk.model.files import FilesModel
from quantdesk.model.jobs import JobRunner
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.model.recent_trades import TradePrices
from quantdesk.model.tick_order import TickSettings
from quantdesk.model.tick_statistics import Standing, TickState, TickStatistics
from quantdesk.store.base import TickArrays
from quantdesk.store.files import read_file
from quantdesk.types import Instrument, Tick
from tests.analytics.two_legs import simulated
from tests.model.conftest import START, Source, spin

Y, X = "YYY", "XXX"
Until = Callable[[Callable[[], bool]], None]


def trade(market: MarketModel, symbol: str, leg: TickLeg, first: int = 0) -> None:
    for number, (ts, price) in enumerate(zip(leg.times.tolist(), leg.prices.tolist(), strict=True), first):
        market.on_tick(Tick(symbol, number, price, 1.0, START + ts, False))


def trades_file(folder: Path, name: str, leg: TickLeg) -> Path:
    rows = [
        f"{name},{i},{price!r},1,{START + ts},true,1"
        for i, (ts, price) in enumerate(zip(leg.times.tolist(), leg.prices.tolist(), strict=True))
    ]
    header = "symbol,agg_id,price,quantity,trade_time_ms,is_buyer_maker,trades"
    path = folder / f"{name}.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def market(qapp) -> MarketModel:
    market = MarketModel()
    for symbol in (Y, X):
        market.on_instrument(Instrument("test", symbol))
    return market


@pytest.fixture
def pair(jobs: JobRunner, market: MarketModel) -> PairModel:
    pair = PairModel(jobs)
    pair.set_source(market, PairSettings(Y, X))
    return pair


@pytest.fixture
def statistics(pair: PairModel) -> TickStatistics:
    return TickStatistics(pair)


def test_it_rests_until_somebody_watches_and_then_finds_the_leader(market, statistics, until: Until):
    y, x = simulated(200, 6.0, 6.0, 0.8, lag_ms=200, seed=4)
    trade(market, Y, y)
    trade(market, X, x)
    spin()
    assert statistics.latest is None and not statistics.is_watched
    statistics.watch("panel", True)
    assert statistics.state == TickState(Standing.COMPUTING)
    until(lambda: statistics.latest is not None)
    assert statistics.state.standing is Standing.READY
    assert statistics.latest.leader == Y and abs(statistics.latest.lead_lag.lag_ms - 200) <= 20
    statistics.watch("alerts", True)
    statistics.watch("panel", False)
    assert statistics.is_watched
    statistics.watch("alerts", False)
    assert not statistics.is_watched


def test_the_same_trades_are_not_evaluated_twice(market, statistics, until: Until):
    y, x = simulated(60, 6.0, 6.0, 0.8)
    trade(market, Y, y)
    trade(market, X, x)
    statistics.watch("panel", True)
    until(lambda: statistics.latest is not None)
    first = statistics.latest
    statistics.refresh()
    assert not statistics._jobs.busy("ticks")
    market.on_tick(Tick(X, 10**6, 2_000.0, 1.0, START + 61_000, False))
    statistics.refresh()
    until(lambda: statistics.latest is not first)
    assert statistics.latest.trades_x == first.trades_x + 1


def test_another_pair_or_window_takes_the_old_findings_away(market, pair, statistics, until: Until):
    y, x = simulated(90, 6.0, 6.0, 0.8)
    trade(market, Y, y)
    trade(market, X, x)
    statistics.watch("panel", True)
    statistics.set_settings(TickSettings(1, 5_000))  # while the first job runs: its answer is of no use
    until(lambda: statistics.latest is not None)
    assert statistics.latest.settings == TickSettings(1, 5_000) == statistics.settings
    assert statistics.latest.trades_y < len(y)
    kept = statistics.latest
    pair.set_settings(PairSettings(Y, X, window=90))
    assert statistics.latest is kept, "another window of the z is no other pair"
    pair.set_settings(PairSettings(X, Y))
    assert statistics.latest is None
    until(lambda: statistics.latest is not None)
    assert (statistics.latest.name_y, statistics.latest.trades_y) == (X, kept.trades_x)


def test_too_few_trades_are_looked_at_again_soon(market, statistics, until: Until):
    trade(market, Y, simulated(2, 6.0, 6.0, 0.8)[0])
    statistics.watch("panel", True)
    assert statistics.state == TickState(Standing.NO_TRADES, (X,))
    y, x = simulated(60, 6.0, 6.0, 0.8)
    trade(market, X, x)
    until(lambda: statistics.latest is not None)
    assert statistics.latest.reason
    trade(market, Y, y, first=1_000)
    until(lambda: not statistics.latest.reason)


def test_stored_trades_of_the_start_count(market, statistics, until: Until):
    for symbol, leg in zip((Y, X), simulated(100, 5.0, 5.0, 0.9), strict=True):
        n, half = len(leg), len(leg) // 2
        ones = np.ones(half)
        ids = np.arange(half)
        whole = np.ones(half, np.int64)
        market.seed(symbol, TickArrays(ids, START + leg.times[:half], leg.prices[:half], ones, whole, whole))
        trade(market, symbol, TickLeg(leg.times[half:], leg.prices[half:]), first=half)
        assert market.trades(symbol).ids.tolist() == list(range(n))
        assert market.trades(symbol).times.tolist() == (START + leg.times).tolist()
    statistics.watch("panel", True)
    until(lambda: statistics.latest is not None)
    assert statistics.latest.hayashi_yoshida.correlation == pytest.approx(0.9, abs=0.1)


def test_without_a_pair_nothing_is_asked(jobs, market, until: Until):
    pair = PairModel(jobs)
    statistics = TickStatistics(pair)
    statistics.watch("panel", True)
    assert statistics.state == TickState(Standing.NO_PAIR)
    pair.set_source(market, PairSettings(Y))
    assert statistics.state == TickState(Standing.NO_PAIR)
    assert len(market.trades("unknown")) == 0


def test_a_file_of_trades_has_findings_and_a_file_of_bars_says_so(tmp_path: Path, jobs, until: Until):
    files, pair = FilesModel(), PairModel(jobs)
    for name, leg in zip((Y, X), simulated(300, 4.0, 4.0, 0.8), strict=True):
        files.add(read_file(trades_file(tmp_path, name, leg)))
        assert len(files.trades(name)) == len(leg)
    pair.set_source(files, files.settings(PairSettings()))
    statistics = TickStatistics(pair)
    statistics.watch("panel", True)
    until(lambda: statistics.latest is not None)
    assert statistics.latest.hayashi_yoshida.correlation == pytest.approx(0.8, abs=0.15)
    rows = [f"{START + 60_000 * i},{100 + i % 7}" for i in range(100)]
    (tmp_path / "bars.csv").write_text("\n".join(["time,close", *rows]) + "\n", encoding="utf-8")
    files.clear()
    files.add(read_file(tmp_path / "bars.csv"))
    files.add(read_file(tmp_path / f"{X}.csv"))
    pair.set_source(files, files.settings(PairSettings()))
    assert statistics.latest is None
    assert statistics.state == TickState(Standing.BARS_ONLY, ("bars",))


def test_other_files_of_the_same_names_take_the_old_findings_away(tmp_path: Path, jobs, until: Until):
    files, pair = FilesModel(), PairModel(jobs)
    statistics = TickStatistics(pair)
    statistics.watch("panel", True)
    for rho in (0.8, -0.8):
        files.clear()
        for name, leg in zip((Y, X), simulated(300, 4.0, 4.0, rho), strict=True):
            files.add(read_file(trades_file(tmp_path, name, leg.between(0, 300_000 if rho > 0 else 250_000))))
        pair.set_source(files, files.settings(PairSettings()))
        assert statistics.latest is None
        until(lambda: statistics.latest is not None)
        assert statistics.latest.hayashi_yoshida.correlation == pytest.approx(rho, abs=0.15)
        found = statistics.latest
        pair.set_settings(files.settings(PairSettings(log=True)))
        assert statistics.latest is found, "the same trades"


def test_a_job_that_fails_says_why(jobs, until: Until):
    class Disordered(Source):
        def trades(self, symbol: str) -> TradePrices:
            return TradePrices(np.array([5_000, 9_000, 4_000, 9_000]), np.arange(4), np.ones(4))

    pair = PairModel(jobs)
    source = Disordered()
    pair.set_source(source, PairSettings(Y, X))
    statistics = TickStatistics(pair)
    statistics.watch("panel", True)
    until(lambda: statistics.state.standing is Standing.FAILED)
    assert "order of their times" in statistics.state.error and statistics.latest is None
