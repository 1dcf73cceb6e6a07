from __future__ import annotations

from decimal import Decimal

import numpy as np
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from quantdesk.bars.arrays import BarArrays
from quantdesk.model.clock import FrameClock
from quantdesk.model.jobs import JobRunner
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.types import Instrument, Tick
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.metrics import MetricStrip
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.frames import START, build


def bars_of(leg, times) -> BarArrays:
    zeros = np.full(len(times), 1, np.int64)
    return BarArrays(times, leg.open, leg.high, leg.low, leg.close, leg.volume, leg.volume * leg.close, zeros)


def test_the_live_model_fills_charts_and_boxes_and_a_trade_moves_the_forming_bar(qtbot):
    jobs, clock = JobRunner(), FrameClock()
    market = MarketModel()
    pair = PairModel(jobs)
    stack, strip = ChartStack(pair, clock, DARK), MetricStrip(pair, lambda: market, DARK)
    for widget, height in ((stack, 800), (strip, 140)):
        widget.resize(1_200, height)
        qtbot.addWidget(widget)
        with qtbot.waitExposed(widget):
            widget.show()
    frame = build(400)
    for symbol, leg in (("BTCUSDT", frame.y), ("ETHUSDT", frame.x)):
        instrument = Instrument("binance-um", symbol, Decimal("0.1"), Decimal("0.001"))
        market.on_instrument(instrument)
        market.on_source_bars(instrument, "1m", bars_of(leg, frame.times), "klines")
    pair.set_source(market, PairSettings("BTCUSDT", "ETHUSDT"))
    qtbot.waitUntil(lambda: pair.frame is not None and np.isfinite(pair.frame.last.z), timeout=20_000)
    now = START + 400 * 60_000
    for symbol, price in (("BTCUSDT", 64_000.0), ("ETHUSDT", 3_400.0)):
        market.on_tick(Tick(symbol, 1, price, 0.5, now + 500, False))
    clock.mark()
    qtbot.waitUntil(lambda: len(stack.panel("price").candles.pyramid) > len(pair.frame), timeout=5_000)
    assert stack.panel("price").last()[0] == 64_000.0
    strip.refresh()
    assert strip.box("price_y").shown.value == "64,000.0"
    assert strip.box("z").shown.value != "—"
    qtbot.waitUntil(lambda: pair.evidence is not None, timeout=30_000)
    strip.refresh()
    assert strip.box("cointegration").shown.value != "—"
    QApplication.processEvents()
    image = stack.grab_picture()
    greens = sum(image.pixelColor(x, y) == QColor(DARK.up) for x in range(0, 1_100, 3) for y in range(0, 400, 3))
    assert greens > 50
    jobs.wait(10)
