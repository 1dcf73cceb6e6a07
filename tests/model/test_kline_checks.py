"""Each closed minute is held against the exchange's kline, again whenever one of the two changes."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from quantdesk.bars.agreement import Verdict
from quantdesk.bars.arrays import BarArrays
from quantdesk.bars.builder import BarBuilder
from quantdesk.model.kline_checks import MOST_KEPT, PATIENCE, KlineChecks
from quantdesk.model.symbol_bars import SymbolBars
from quantdesk.types import Gap, Instrument, Kline, Tick

M = 60_000
START = 1_700_000_000_000 - 1_700_000_000_000 % 300_000
X = Instrument("v", "X", Decimal("0.1"), Decimal("0.001"))


class Bench:
    """Hold bars and checks fed alike, as the market model does."""

    def __init__(self) -> None:
        self.bars, self.checks = SymbolBars(X), KlineChecks()
        self.now = START

    def trade(self, ident: int, minute: int, *, first_trade: int = -1, trades: int = 1, quantity: float = 1.0) -> None:
        tick = Tick("X", ident, 100.0, quantity, START + minute * M + ident, False, trades, 0, first_trade)
        closed = self.bars.on_tick(tick)
        self.checks.on_tick(tick)
        self.checks.on_bars(closed)

    def kline(self, minute: int, trades: int, volume: float | None = None) -> None:
        begin, size = START + minute * M, float(trades) if volume is None else volume
        row = (100.0, 100.0, 100.0, 100.0, size, 100 * size, trades)
        self.checks.add(Kline("X", "1m", begin, begin + M - 1, *row, True, begin + M))

    def settle(self, minute: int) -> None:
        now = START + (minute + 1) * M + PATIENCE
        self.checks.on_bars(self.bars.on_time(now))
        if self.bars.forget_jumps(now):
            self.checks.recheck()
        self.checks.settle(now, self.bars)

    @property
    def verdicts(self) -> list[Verdict]:
        return [check.verdict for check in self.checks.checks()]


def whole_bench() -> Bench:
    """Begin with the trades of a minute before, so that the first one looked at is whole."""
    bench = Bench()
    bench.trade(1, -1, first_trade=1)
    return bench


def test_a_bar_is_compared_once_its_trades_have_had_time_to_come() -> None:
    bench = whole_bench()
    bench.trade(2, 0)
    bench.kline(0, 1)
    bench.checks.settle(START + M + PATIENCE - 1, bench.bars)
    assert bench.verdicts == []
    bench.settle(0)
    assert bench.verdicts == [Verdict.MATCHED]
    assert (bench.checks.matched, bench.checks.compared) == (1, 1)


def test_a_late_trade_has_its_bar_compared_again() -> None:
    bench = whole_bench()
    bench.trade(2, 0)
    bench.kline(0, 2)
    bench.settle(0)
    assert bench.verdicts == [Verdict.DIFFERENT]
    assert bench.checks.differences()[0].words == "volume 1.000 not 2.000, 1 trades not 2"
    bench.trade(3, 0)
    bench.settle(1)
    assert bench.verdicts == [Verdict.MATCHED]
    assert (bench.checks.matched, bench.checks.compared) == (1, 1)
    assert bench.checks.differences() == ()


def test_a_partial_bar_is_compared_once_its_gap_turns_out_to_lack_nothing() -> None:
    bench = whole_bench()
    bench.bars.on_gaps([Gap("X", 3, 3, START + 2, START + 4, 0)])
    bench.trade(2, 0)
    bench.trade(4, 0)
    bench.kline(0, 2)
    bench.settle(0)
    assert bench.verdicts == []
    bench.bars.on_gaps([])
    bench.checks.recheck()
    bench.settle(1)
    assert bench.verdicts == [Verdict.MATCHED]


def test_a_bar_that_turns_partial_is_no_witness_any_more() -> None:
    bench = whole_bench()
    bench.trade(2, 0)
    bench.kline(0, 1)
    bench.settle(0)
    bench.bars.on_gaps([Gap("X", 3, 3, START + 2, START + 4, 0)])
    bench.trade(5, 0)
    bench.settle(1)
    assert (bench.checks.matched, bench.checks.compared) == (0, 0)


def test_trade_ids_that_no_aggregate_covers_explain_a_difference_inside_and_at_the_edges() -> None:
    for ids, counted in (((10, 12), 3), ((10, 11), 3), ((11, 12), 3)):
        bench = Bench()
        bench.trade(1, -1, first_trade=9)
        bench.trade(2, 0, first_trade=ids[0])
        bench.trade(3, 0, first_trade=ids[1])
        bench.trade(4, 1, first_trade=13)
        bench.kline(0, counted, volume=2.5)
        bench.settle(0)
        assert bench.verdicts == [Verdict.EXPLAINED], (ids, counted)
        assert (bench.checks.matched, bench.checks.explained) == (1, 1)
        assert len(bench.checks.differences()) == 1


def test_without_known_ids_a_difference_is_one() -> None:
    bench = whole_bench()
    bench.trade(2, 0)
    bench.trade(3, 0, first_trade=50)
    bench.kline(0, 3, volume=2.5)
    bench.settle(0)
    assert bench.verdicts == [Verdict.DIFFERENT]


def test_klines_of_rest_are_compared_too_and_other_intervals_are_not() -> None:
    bench = whole_bench()
    bench.trade(2, 0)
    row = (START, 100.0, 100.0, 100.0, 100.0, 1.0, 100.0, 1)
    bench.checks.add_bars("5m", BarArrays.from_rows([row]))
    bench.settle(0)
    assert bench.verdicts == []
    bench.checks.add_bars("1m", BarArrays.from_rows([row]))
    bench.settle(1)
    assert bench.verdicts == [Verdict.MATCHED]


def test_three_days_are_kept_and_the_counts_stay_those_of_what_is_kept() -> None:
    bench = whole_bench()
    extra = 300
    times = START + M * np.arange(MOST_KEPT + extra)
    ones = np.ones(len(times))
    builder = BarBuilder(X)
    for number, time in enumerate(times.tolist()):
        bench.trade(number + 2, (time - START) // M, first_trade=number * 2)
    assert builder.too_late == 0
    bars = BarArrays(times, ones * 100, ones * 100, ones * 100, ones * 100, ones, ones * 100, np.ones(len(times), int))
    for page in range(0, len(times), 1_000):
        bench.checks.add_bars("1m", bars[page : page + 1_000])
    for _ in range(20):
        bench.settle(len(times))
    assert bench.checks.compared == bench.checks.matched == len(bench.checks.checks()) <= MOST_KEPT
    assert bench.checks.compared >= MOST_KEPT - 1
    assert len(bench.checks._ids) <= MOST_KEPT
