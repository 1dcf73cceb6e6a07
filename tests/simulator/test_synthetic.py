import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.simulator import market
from quantdesk.simulator.market import MINUTE_MS, fold_minutes
from quantdesk.simulator.synthetic import SyntheticSource

NOON = 29_923_200  # 2026-11-23T00:00Z in minutes


def joined(source, symbol, minutes):
    return market.TradeColumns.joined([source.trades(symbol, minute) for minute in minutes])


@pytest.mark.parametrize("rate", [0.02, 20.0, 400.0])
def test_ids_are_contiguous_and_times_never_fall_over_the_minutes(rate):
    source = SyntheticSource(5, rate)
    for symbol in (listing.symbol for listing in source.listings):
        trades = joined(source, symbol, range(NOON, NOON + 12))
        assert source.first_id(symbol, NOON) + len(trades) == source.first_id(symbol, NOON + 12)
        assert (np.diff(trades.ids) == 1).all()
        assert (np.diff(trades.ts) >= 0).all()
        assert (np.diff(trades.event) >= 0).all()
        assert ((trades.event - trades.ts) >= 30).all()
        assert ((trades.event - trades.ts) < 1_000).all()


def test_fill_ids_are_contiguous_but_for_one_jump_a_minute():
    trades = joined(SyntheticSource(5), "BTCUSDT", range(NOON, NOON + 30))
    steps = trades.first[1:] - trades.last[:-1]
    assert set(steps.tolist()) == {1, 2}
    assert (steps == 2).sum() == pytest.approx(30, abs=1)
    assert (trades.last >= trades.first).all()
    assert (trades.quantity >= trades.last - trades.first + 1).all()


def test_the_number_of_trades_varies_as_a_poisson_number_around_the_rate():
    source = SyntheticSource(5, 20.0)
    counts = np.diff([source.first_id("ETHUSDT", NOON + i) for i in range(2_000)])
    assert counts.mean() == pytest.approx(1_200, rel=0.001)
    assert counts.std() == pytest.approx(1_200**0.5, rel=0.1)


@given(st.integers(0, 2**63 - 1), st.integers(NOON - 500_000, NOON + 500_000))
def test_a_minute_is_a_function_of_the_seed_and_the_time_alone(seed, minute):
    one, other = SyntheticSource(seed, 1.0), SyntheticSource(seed, 1.0)
    other.trades("BTCUSDT", NOON)
    other.books("BTCUSDT", minute - 1)
    for left, right in zip(
        (one.trades("BTCUSDT", minute), one.books("BTCUSDT", minute)),
        (other.trades("BTCUSDT", minute), other.books("BTCUSDT", minute)),
        strict=True,
    ):
        for name in left.__slots__:
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


def test_another_seed_is_another_market():
    one, other = SyntheticSource(1).trades("BTCUSDT", NOON), SyntheticSource(2).trades("BTCUSDT", NOON)
    assert len(one) != len(other) or (one.price != other.price).any()


def test_prices_stand_on_the_tick_and_trades_between_the_best_quotes():
    source = SyntheticSource(9)
    for listing in source.listings:
        trades, books = source.trades(listing.symbol, NOON), source.books(listing.symbol, NOON)
        assert (trades.price % listing.tick_units == 0).all()
        assert (books.ask - books.bid == listing.tick_units).all()
        assert (np.diff(books.update) > 0).all()


def test_bars_without_trades_meet_the_trades_where_they_begin():
    source = SyntheticSource(9)
    for listing in source.listings[:2]:
        old = source.old_minutes(listing.symbol, NOON - 5, NOON)
        assert old[:, market.OPEN_TIME].tolist() == [(NOON - 5 + i) * MINUTE_MS for i in range(5)]
        first = int(source.trades(listing.symbol, NOON).price[0])
        assert first == pytest.approx(int(old[-1, market.CLOSE]), rel=1e-3)
        assert old[0, market.LAST] < old[1, market.FIRST]
        real = market.minute_row(source.trades(listing.symbol, NOON - 1), NOON - 1)
        assert real[market.TRADES] == old[-1, market.TRADES]
        assert real[market.CLOSE] == pytest.approx(int(old[-1, market.CLOSE]), rel=1e-3)


def test_the_truth_is_found_in_the_closes_and_the_control_has_no_part_in_it():
    source = SyntheticSource(11)
    law = source.law
    table = {
        listing.symbol: fold_minutes(source.old_minutes(listing.symbol, NOON - 3 * 1_440, NOON), MINUTE_MS)
        for listing in source.listings
    }
    closes = {
        listing.symbol: table[listing.symbol][:, market.CLOSE] / 10**listing.price_digits for listing in source.listings
    }
    x, y = closes[law.x], closes[law.y]
    beta, alpha = np.polyfit(x, y, 1)
    assert beta == pytest.approx(law.beta, rel=0.05)
    spread = y - law.alpha - law.beta * x
    assert spread.std() == pytest.approx(law.spread_std, rel=0.25)
    decay = (spread[:-1] @ spread[1:]) / (spread[:-1] @ spread[:-1])
    assert np.log(0.5) / np.log(decay) == pytest.approx(law.half_life_seconds / 60, rel=0.3)
    control = np.diff(np.log(closes["SOLUSDT"]))
    assert abs(np.corrcoef(control, np.diff(np.log(x)))[0, 1]) < 0.1
    assert source.truth["controls"][0] == "SOLUSDT"
    assert alpha == pytest.approx(law.alpha, abs=0.05 * law.beta * x.mean())


def test_the_closes_of_trades_follow_the_law_too():
    source = SyntheticSource(12)
    spread = []
    for minute in range(NOON, NOON + 60):
        x, y = (source.trades(s, minute).price[-1] / 10**d for s, d in (("ETHUSDT", 2), ("BTCUSDT", 2)))
        spread.append(y - source.law.alpha - source.law.beta * x)
    assert np.abs(spread).max() < 6 * source.law.spread_std


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), 1e9])
def test_a_rate_that_makes_no_sense_is_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        SyntheticSource(1, rate)
