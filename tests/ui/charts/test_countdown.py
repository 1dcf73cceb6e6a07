from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QRectF

from quantdesk.model.market import MarketModel
from quantdesk.types import FeedStatus, Light, Origin
from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.countdown import Countdown, left_text
from quantdesk.ui.charts.state import ChartState
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import picture, settle
from tests.ui.charts.test_panel import Paints

#: 20 s after a minute has begun.
NOW = 1_720_000_820.0


@pytest.fixture
def live(full) -> MarketModel:
    market = MarketModel()
    full.pair.source = market
    market.on_time(int(NOW * 1_000))
    market.on_status(FeedStatus(Light.GREEN, ""))
    full.stack._countdown._wall = lambda: NOW
    return market


@pytest.mark.parametrize(("ms", "text"), [(1, "00:01"), (40_000, "00:40"), (299_001, "05:00"), (3_661_000, "1:01:01")])
def test_what_is_left_is_written_in_seconds_begun(ms, text):
    assert left_text(ms) == text


def test_the_last_prices_tag_counts_down_to_the_close(full, live):
    settle(full)
    [tag] = full.stack.panel("price").tags()
    assert tag.under == "00:40"
    plot = QRectF(0, 0, 500, 300)
    assert overlay.tag_middle(plot, 299, tag.under) + overlay.TAG_HEIGHT / 2 + overlay.SECOND_LINE <= 300


def test_it_counts_by_the_exchanges_clock(full, live):
    live.on_status(FeedStatus(Light.GREEN, "", clock_offset_ms=-15_000.0))
    settle(full)
    assert full.stack.panel("price").tags()[0].under == "00:55"


@pytest.mark.parametrize("origin", [Origin.FILE, Origin.REPLAY, Origin.HISTORY, Origin.SIMULATED])
def test_only_what_is_live_is_counted_down(full, live, origin):
    full.pair.show(replace(full.pair.frame, origin=origin))
    settle(full)
    assert full.stack.panel("price").tags()[0].under == ""
    assert not full.stack._countdown.running


def test_a_feed_that_is_cut_off_and_bars_of_a_second_are_not_counted_down(full, live, make):
    for light in (Light.RED, Light.OFF):
        live.on_status(FeedStatus(light, "no network"))
        settle(full)
        assert full.stack.panel("price").tags()[0].under == "", light
    live.on_status(FeedStatus(Light.GREEN, ""))
    settle(full)
    assert full.stack.panel("price").tags()[0].under
    full.pair.show(make(300, step=1_000))
    settle(full)
    assert full.stack.panel("price").tags()[0].under == ""


def test_a_second_repaints_the_price_axis_and_nothing_else(full, live, qtbot):
    settle(full)
    before = picture(full, "price")
    qtbot.wait(60)
    full.clock.stop()
    paints = full.stack._state.latency = Paints()
    full.stack._countdown._wall = lambda: NOW + 7
    full.stack._countdown._on_timeout()
    qtbot.waitUntil(lambda: paints.count > 0)
    qtbot.wait(60)
    assert paints.count == 1
    assert full.stack._state.countdown == "00:33"
    assert picture(full, "price") != before


def test_the_timer_waits_for_the_next_whole_second(qapp, full, live):
    countdown = Countdown(full.pair, ChartState(DARK, qapp.font()), lambda: NOW + 0.25)
    countdown._state.frame = full.pair.frame
    countdown.look()
    assert (countdown._state.countdown, countdown._timer.interval()) == ("00:40", 750)
    countdown.stop()


def test_nothing_counts_while_nobody_can_see_it(full, live):
    settle(full)
    assert full.stack._countdown.running
    full.stack.hide()
    full.stack._countdown._on_timeout()
    assert not full.stack._countdown.running
