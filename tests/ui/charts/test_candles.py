from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QImage

from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import picture, settle, view
from tests.ui.charts.frames import part, tail_of


def pixels(image: QImage) -> np.ndarray:
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)[:, : image.width()].copy()


def anew(desk) -> np.ndarray:
    """Return the price panel's picture with nothing kept from before."""
    candles = desk.stack.panel("price").candles
    candles._cut, candles._made_of = None, ()
    return pixels(picture(desk, "price"))


@pytest.mark.parametrize("span", [(940.5, 1_002.0), (-0.5, 1_002.0)], ids=["few", "all"])
def test_a_trade_changes_the_picture_of_the_forming_bar(desk, make, span):
    """What is drawn is kept, and a cut may look into columns that change in place: nothing old may show."""
    whole = make(1_000)
    frame, tail = part(whole, slice(0, 999)), tail_of(whole, slice(999, 1_000))
    desk.pair.show(frame, tail)
    settle(desk)
    view(desk).show(*span)
    first = pixels(picture(desk, "price"))
    np.testing.assert_array_equal(pixels(picture(desk, "price")), first)
    higher = replace(tail.y, close=tail.y.close + 60, high=tail.y.high + 80, volume=tail.y.volume * 30)
    desk.pair.show(frame, replace(tail, y=higher))
    changed = pixels(picture(desk, "price"))
    assert (changed != first).sum() > 50
    np.testing.assert_array_equal(changed, anew(desk))
    desk.pair.show(frame, tail)
    np.testing.assert_array_equal(pixels(picture(desk, "price")), first)


@pytest.mark.parametrize("change", ["tokens", "size", "place", "within a bar", "scale", "leg"])
def test_whatever_else_changes_is_drawn_anew(full, change):
    settle(full)
    view(full).show(800, 1_000)
    before = pixels(picture(full, "price"))
    price = full.stack.panel("price")
    if change == "tokens":
        full.stack.set_tokens(LIGHT)
    elif change == "size":
        full.stack.resize(900, 700)
    elif change == "place":
        full.stack.pan(-7.5)
    elif change == "within a bar":
        full.stack.pan(0.3)
    elif change == "scale":
        price.scale_values(1.02)
    else:
        full.stack.set_price_leg("x")
    after = pixels(picture(full, "price"))
    assert after.shape != before.shape or (after != before).any()
    np.testing.assert_array_equal(after, anew(full))


def test_candles_and_volume_are_made_once_for_a_crosshair_that_moves(full, monkeypatch):
    view(full).show(800, 1_000)
    picture(full, "price")
    candles, made = full.stack.panel("price").candles, []
    make = candles._make
    monkeypatch.setattr(candles, "_make", lambda *given: (made.append(1), make(*given)))
    for x in (100.0, 300.0, 500.0):
        full.stack.panel("price").pointed.emit(x, 90.0)
        picture(full, "price")
    assert len(made) <= 1  # for the picture that lies under the crosshair
    made.clear()
    full.stack.pan(3)
    picture(full, "price")
    assert made


def test_volume_shows_through_as_its_colour_over_the_panel(full):
    view(full).show(900, 960)
    image = picture(full, "price")
    price = full.stack.panel("price")
    volume = price.candles.pyramid.column("volume")[900:960]
    row = 900 + int(volume.argmax())
    rises = price.candles.pyramid.column("close")[row] >= price.candles.pyramid.column("open")[row]
    color = price.candles.volume_up if rises else price.candles.volume_down
    paper, share = np.array(bytearray.fromhex(DARK.panel[1:])), color.alphaF()
    expected = np.array([color.red(), color.green(), color.blue()]) * share + paper * (1 - share)
    there = image.pixelColor(round(price.x_of(row)), image.height() - 40)
    assert np.abs(np.array([there.red(), there.green(), there.blue()]) - expected).max() <= 2
