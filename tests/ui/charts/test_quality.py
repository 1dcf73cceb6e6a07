"""The price panel hatches what lacks trades, keeps a strip of qualities and answers a click."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPoint, Qt

from quantdesk.bars.quality import BarQuality
from quantdesk.ui.charts.quality import STRIP
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import count, picture, settle, view


def graded(make, codes: dict[int, BarQuality], rows: int = 100, other: BarQuality = BarQuality.COMPLETE):
    quality = np.full(rows, int(other))
    for row, code in codes.items():
        quality[row] = code
    return replace(make(rows), quality_y=quality, quality_x=np.zeros(rows, np.int64))


def centre(desk, row: int) -> QPoint:
    panel = desk.stack.panel("price")
    return QPoint(round(panel.x_of(row)), round(panel.plot.height() * 0.4))


def foot(desk, row: int) -> QPoint:
    panel = desk.stack.panel("price")
    return QPoint(round(panel.x_of(row)), round(panel.plot.bottom()) - 2)


def test_a_partial_bar_is_hatched_and_whole_ones_are_not(desk, make):
    desk.pair.show(graded(make, {}, other=BarQuality.KLINES))
    clean = picture(desk, "price")
    desk.pair.show(graded(make, {90: BarQuality.PARTIAL}, other=BarQuality.KLINES))
    hatched = picture(desk, "price")
    place = centre(desk, 90)
    columns = range(place.x() - 2, place.x() + 3)
    changed = [
        (x, y) for x in columns for y in range(30, hatched.height() - 40) if hatched.pixel(x, y) != clean.pixel(x, y)
    ]
    assert len(changed) > 50
    far = centre(desk, 70).x()
    assert all(hatched.pixel(far, y) == clean.pixel(far, y) for y in range(hatched.height()))


def test_the_strip_shows_each_quality_at_its_bars_and_a_file_has_none(desk, make):
    codes = {80: BarQuality.PARTIAL, 81: BarQuality.MISSING}
    for tokens in (DARK, LIGHT):
        desk.stack.set_tokens(tokens)
        desk.pair.show(graded(make, codes))
        image = picture(desk, "price")
        assert count(image, tokens.warn) >= STRIP * 3 and count(image, tokens.error) >= STRIP * 3
    desk.stack.set_tokens(DARK)
    desk.pair.show(make(100))
    bare = picture(desk, "price")
    assert bare.pixelColor(foot(desk, 80)).name() != DARK.warn


def test_many_bars_on_a_pixel_show_the_worst(desk, make):
    desk.pair.show(graded(make, {9_000: BarQuality.PARTIAL}, rows=20_000))
    settle(desk)
    view(desk).first()
    view(desk).zoom(0.001)
    view(desk).latest()
    assert count(picture(desk, "price"), DARK.warn) >= STRIP


def test_a_click_on_hatch_or_strip_asks_why_and_elsewhere_nothing(desk, make, qtbot):
    desk.pair.show(graded(make, {90: BarQuality.PARTIAL}))
    settle(desk)
    frame, panel = desk.pair.frame, desk.stack.panel("price")
    asked: list[tuple[str, int]] = []
    desk.stack.why_wanted.connect(lambda leg, ms: asked.append((leg, ms)))
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(panel.viewport(), left, pos=centre(desk, 90))
    qtbot.mouseClick(panel.viewport(), left, pos=centre(desk, 60))
    qtbot.mouseClick(panel.viewport(), left, pos=foot(desk, 60))
    assert asked == [("y", int(frame.times[90])), ("y", int(frame.times[60]))]


def test_without_a_crosshair_the_newest_bar_that_lacks_trades_is_explained(desk, make):
    asked: list[int] = []
    desk.stack.why_wanted.connect(lambda _leg, ms: asked.append(ms))
    desk.stack.explain_bar()
    desk.pair.show(graded(make, {80: BarQuality.PARTIAL, 90: BarQuality.MISSING}))
    settle(desk)
    desk.stack.explain_bar()
    desk.pair.show(make(100))
    settle(desk)
    desk.stack.explain_bar()
    frame = desk.pair.frame
    assert asked == [int(frame.times[90]), int(frame.times[99])]


def test_the_legend_names_what_the_crosshair_stands_on(desk, make):
    desk.pair.show(graded(make, {90: BarQuality.PARTIAL}))
    settle(desk)
    panel = desk.stack.panel("price")
    desk.stack._state.cursor_row = 90
    assert [s.text for s in panel.legend(90) if s.link == "why:90"] == ["PARTIAL"]
    assert not [s for s in panel.legend(60) if s.link.startswith("why")]
