"""A jump of the trade id makes bars partial before the ledger has spoken."""

from __future__ import annotations

from decimal import Decimal

from quantdesk.model.holes import JUDGED_AFTER_MS, Jumps
from quantdesk.model.market import MarketModel
from quantdesk.types import Gap, Instrument, Tick
from tests.model.conftest import MINUTE, START


def tick(agg_id: int, ms: int) -> Tick:
    return Tick("BTCUSDT", agg_id, 100.0, 1.0, START + ms, False)


def test_a_jump_is_remembered_until_it_is_filled():
    jumps = Jumps()
    assert not jumps.on_tick(tick(5, 0)) and not jumps.on_tick(tick(6, 10))
    assert jumps.on_tick(tick(9, 500))
    (gap,) = jumps.gaps()
    assert (gap.first_id, gap.last_id, gap.start_ts, gap.end_ts) == (7, 8, START + 10, START + 500)
    assert not jumps.on_tick(tick(8, 400)) and not jumps.on_tick(tick(8, 400))
    assert jumps.on_tick(tick(7, 300)) and jumps.gaps() == ()


def test_a_jump_is_forgotten_once_the_ledger_had_time_to_judge():
    jumps = Jumps()
    jumps.on_tick(tick(1, 0))
    jumps.on_tick(tick(3, 100))
    assert not jumps.forget(START + 100 + JUDGED_AFTER_MS - 1)
    assert jumps.forget(START + 100 + JUDGED_AFTER_MS) and jumps.gaps() == ()


def test_what_is_remembered_is_bounded():
    jumps = Jumps()
    for n in range(1_000):
        jumps.on_tick(tick(2 * n, n))
    assert len(jumps.gaps()) <= 64


def test_a_bar_that_closes_before_its_gap_is_told_is_partial_already():
    market = MarketModel()
    market.on_instrument(Instrument("test", "BTCUSDT", Decimal("0.1"), Decimal("0.001")))
    for n in range(5):
        market.on_tick(tick(n, n * MINUTE))
    market.on_tick(tick(6, 4 * MINUTE + 59_900))  # one trade of the fifth minute is missing
    market.on_tick(tick(7, 5 * MINUTE + 10))
    assert market.partial_times("BTCUSDT", "1m").tolist() == [START + 4 * MINUTE]
    market.on_gaps("BTCUSDT", [Gap("BTCUSDT", 5, 5, START + 4 * MINUTE, START + 4 * MINUTE + 59_900, 0)])
    market.on_time(START + 6 * MINUTE)
    assert market.partial_times("BTCUSDT", "1m").tolist() == [START + 4 * MINUTE]
    market.on_gaps("BTCUSDT", [])
    assert len(market.partial_times("BTCUSDT", "1m")) == 0
