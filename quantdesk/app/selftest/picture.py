"""Check that the charts are really drawn: simulated bars on the real panels, counted pixel by pixel."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING

from quantdesk.app.selftest.findings import Finding, Ground, failed, ok
from quantdesk.app.selftest.screens import application

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from quantdesk.bars.arrays import BarArrays, IntArray
    from quantdesk.model.market import MarketModel
    from quantdesk.simulator.market import Listing
    from quantdesk.simulator.synthetic import SyntheticSource

_WIDTH, _HEIGHT = 1_000, 700
_FIRST, _BARS = 28_000_000, 300
_PATIENCE = 60.0
#: The axis of prices is at least so wide (pixels).
_AXIS = 60
#: What a picture of so many bars shows at least: columns of pixels with candles, pixels of a line, of letters.
_LEAST_CANDLES, _LEAST_LINE, _LEAST_INK = 100, 100, 300
#: A column with so many pixels of its colour holds a candle; the line of the last price is one high.
_CANDLE_HEIGHT = 3


def check_picture(ground: Ground) -> Finding:
    """Draw 300 simulated minutes of a pair; look for candles of both colours, the lines and the letters."""
    from quantdesk.ui.theme_tokens import DARK

    picture = _drawn(ground)
    pixels = _pixels(picture)
    found = {
        "columns of rising candles": (_columns(pixels, DARK.up), _LEAST_CANDLES),
        "of falling candles": (_columns(pixels, DARK.down), _LEAST_CANDLES),
        "pixels of the spread": (_count(pixels, DARK.spread), _LEAST_LINE),
        "of z": (_count(pixels, DARK.z), _LEAST_LINE),
        "of the correlation": (_count(pixels, DARK.correlation), _LEAST_LINE),
        "of letters": (_ink(pixels, DARK.text_dim, DARK.panel), _LEAST_INK),
    }
    words = "drawn: " + ", ".join(f"{count:,} {name}" for name, (count, _) in found.items())
    if any(count < least for count, least in found.values()):
        return failed(f"the charts are not whole; {words}")
    return ok(words)


def _drawn(ground: Ground) -> QImage:
    """Return the picture of the charts, once they stand."""
    from PySide6.QtCore import QEvent, QEventLoop, Qt

    from quantdesk.model.clock import FrameClock
    from quantdesk.model.jobs import JobRunner
    from quantdesk.model.market import MarketModel
    from quantdesk.model.pair import PairModel, PairSettings
    from quantdesk.simulator.synthetic import SyntheticSource
    from quantdesk.types import Origin
    from quantdesk.ui.charts.stack import ChartStack
    from quantdesk.ui.theme import Theme

    app = application()
    theme, source = Theme(app, "dark"), SyntheticSource()
    market, jobs, clock = MarketModel(Origin.SIMULATED), JobRunner(), FrameClock()
    pair = PairModel(jobs)
    for listing in source.listings[:2]:
        _give(market, source, listing)
    market.on_time((_FIRST + _BARS) * 60_000)
    charts = ChartStack(pair, clock, theme.tokens)
    charts.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    charts.resize(_WIDTH, _HEIGHT)
    charts.show()
    pair.set_source(market, PairSettings(source.law.y, source.law.x))
    deadline = time.monotonic() + _PATIENCE
    settled = 0
    while settled < 5 and time.monotonic() < deadline:
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
        time.sleep(0.02)
        stands = pair.frame is not None and len(pair.frame.times) > 0 and not jobs.busy()
        settled = settled + 1 if stands else 0
    picture = charts.grab().toImage()
    picture.save(str(ground.scratch / "charts.png"))
    clock.stop()
    jobs.close(10)
    charts.hide()
    charts.deleteLater()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return picture


def _give(market: MarketModel, source: SyntheticSource, listing: Listing) -> None:
    from quantdesk.types import Instrument

    instrument = Instrument("selftest", listing.symbol, Decimal(listing.tick), Decimal(listing.step))
    market.on_instrument(instrument)
    table = source.old_minutes(listing.symbol, _FIRST, _FIRST + _BARS)
    market.on_source_bars(instrument, "1m", _bars(table, listing), "kline")


def _bars(table: IntArray, listing: Listing) -> BarArrays:
    """Return a table of minutes (n, 12) as bars."""
    from quantdesk.bars.arrays import BarArrays
    from quantdesk.simulator import market

    price, quantity = 10.0**listing.price_digits, 10.0**listing.quantity_digits
    return BarArrays(
        open_time=table[:, market.OPEN_TIME].copy(),
        open=table[:, market.OPEN] / price,
        high=table[:, market.HIGH] / price,
        low=table[:, market.LOW] / price,
        close=table[:, market.CLOSE] / price,
        volume=table[:, market.VOLUME] / quantity,
        quote_volume=table[:, market.QUOTE] / (price * quantity),
        trades=table[:, market.TRADES].copy(),
    )


def _pixels(picture: QImage) -> IntArray:
    """Return the picture as 0xRRGGBB, shape (height, width)."""
    import numpy as np
    from PySide6.QtGui import QImage

    plain = picture.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(bytes(plain.constBits()), np.uint32).astype(np.int64)
    return flat.reshape(plain.height(), -1) & 0xFFFFFF


def _count(pixels: IntArray, colour: str) -> int:
    return int((pixels == int(colour[1:], 16)).sum())


def _columns(pixels: IntArray, colour: str) -> int:
    """Count the columns of the plot that hold a candle of the colour."""
    heights = (pixels[:, :-_AXIS] == int(colour[1:], 16)).sum(axis=0)
    return int((heights >= _CANDLE_HEIGHT).sum())


def _ink(pixels: IntArray, ink: str, ground: str) -> int:
    """Count the pixels at the right, where prices are written, that are nearer to the ink than to the ground."""
    strip = pixels[:, -_AXIS:]
    return int((_distance(strip, ink) < _distance(strip, ground)).sum())


def _distance(pixels: IntArray, colour: str) -> IntArray:
    """Return the squared distance of each pixel from a colour."""
    wanted = int(colour[1:], 16)
    red, green, blue = ((pixels >> shift & 255) - (wanted >> shift & 255) for shift in (16, 8, 0))
    found: IntArray = red**2 + green**2 + blue**2
    return found
