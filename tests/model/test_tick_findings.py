from __future__ import annotations

import math

import numpy as np
import pytest

from quantdesk.analytics.epps import MAX_AGE_MS
from quantdesk.analytics.hayashi_yoshida import hayashi_yoshida
from quantdesk.analytics.ticks import TickLeg, collapse, refresh_time
from quantdesk.config import ConfigError
from quantdesk.model.recent_trades import MOST_TRADES, TradePrices
from quantdesk.model.tick_findings import TickFindings, evaluate, window_of
from quantdesk.model.tick_order import TickOrder, TickSettings
from quantdesk.simulator.synthetic import SyntheticSource
from tests.analytics.two_legs import simulated

MINUTE = 60_000
NOON = 29_720_000  # minutes since 1970


def trades_of(leg: TickLeg) -> TradePrices:
    return TradePrices(leg.times, np.arange(len(leg)), leg.prices)


def found_in(y: TickLeg, x: TickLeg, settings: TickSettings | None = None) -> TickFindings:
    end = int(max(y.times[-1], x.times[-1]))
    return evaluate(TickOrder("YYY", "XXX", settings or TickSettings(), trades_of(y), trades_of(x), end))


def test_it_is_what_the_estimators_say_of_the_window():
    y, x = simulated(400, 6.0, 9.0, 0.8, lag_ms=140, seed=1)
    found = found_in(y, x, TickSettings(5, 5_000))
    end = int(max(y.times[-1], x.times[-1]))
    cut = [leg.between(end - 5 * MINUTE, end) for leg in (y, x)]
    assert found.hayashi_yoshida == hayashi_yoshida(*cut)
    assert (found.trades_y, found.trades_x) == (len(cut[0]), len(cut[1]))
    assert found.refreshes == len(refresh_time(*cut))
    assert 0.3 < found.refresh_kept < 0.9 and 0 < found.refresh_correlation < 0.8
    assert found.rate_y == pytest.approx(6.0, rel=0.1) and found.rate_x == pytest.approx(9.0, rel=0.1)
    assert found.epps.max_age_ms == 5_000 and found.cut == () and found.reason == ""
    assert (found.leader, abs(found.lead_lag.lag_ms - 140) <= 20) == ("YYY", True)
    assert 0 < found.chance < found.lead_lag.peak
    assert found.lead_ms == found.lead_lag.lag_ms > 0
    turned = found_in(x, y, TickSettings(5, 5_000))
    assert (turned.leader, turned.lead_ms) == ("XXX", -found.lead_ms)


def test_the_law_of_the_simulated_exchange_is_found_in_its_trades():
    source = SyntheticSource(seed=7, rate=20.0)
    legs = []
    for listing in source.listings[:2]:
        ticks = [t for minute in range(15) for t in source.trades(listing.symbol, NOON + minute).ticks(listing)]
        legs.append(collapse([t.ts for t in ticks], [t.price for t in ticks]))
    found = found_in(*legs)
    law, price = source.law, float(legs[1].prices.mean())
    # What x moves in a second, in prices, and what the spread moves on its own: the law's constants.
    move = law.beta * price * 0.03 / math.sqrt(86_400)
    own = law.spread_std * math.sqrt(1 - 0.5 ** (2 / law.half_life_seconds))
    truth = move / math.hypot(move, own)
    value = found.hayashi_yoshida
    assert 0.8 < truth < 0.9
    assert value.correlation == pytest.approx(truth, abs=3 * value.stderr + 0.02)
    assert value.stderr < 0.03
    assert found.leader == "" and found.lead_lag.reason.startswith("no clear leader")


def test_too_few_trades_are_said_in_words():
    y, x = simulated(3, 4.0, 4.0, 0.5, seed=2)
    found = found_in(y, x)
    assert "are needed" in found.reason and found.leader == ""
    assert math.isnan(found.lead_ms) and math.isnan(found.chance)
    assert found.trades_y == len(y) and np.isnan(found.epps.correlation).all()


def test_legs_that_never_trade_in_the_same_window_have_no_value():
    y, x = simulated(30, 5.0, 5.0, 0.5)
    late = TickLeg(x.times + 3_600_000, x.prices)
    found = found_in(y, late)
    assert "0 ticks of y" in found.reason and (found.rate_y, found.refreshes) == (0.0, 0)
    assert math.isnan(found.refresh_correlation)


def test_the_window_ends_where_it_should_and_says_when_it_is_cut():
    times = np.arange(MOST_TRADES + 50, dtype=np.int64) * 4
    trades = TradePrices(times, times, np.ones(len(times)))
    part, cut = window_of(trades, 119_999, 1)
    assert (part.times[0], part.times[-1], cut) == (60_000, 119_996, False)
    part, cut = window_of(trades, int(times[-1]), 30)
    assert len(part) == MOST_TRADES and part.times[-1] == times[-1] and cut
    part, cut = window_of(trades[50:], int(times[-1]), 30)
    assert len(part) == MOST_TRADES and cut  # the memory itself held no more


def test_the_largest_age_is_that_of_the_epps_curve_unless_chosen():
    assert TickSettings().max_age_ms == MAX_AGE_MS


@pytest.mark.parametrize(("minutes", "age"), [(2, 10_000), (15, 7)])
def test_settings_that_cannot_be_chosen_are_refused(minutes, age):
    with pytest.raises(ConfigError, match="must be one of"):
        TickSettings(minutes, age)
