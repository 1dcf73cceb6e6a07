from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from quantdesk.model.frame import LegColumns
from quantdesk.ui.charts import overlay
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.charts.state import Tag
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import count, picture, settle, view
from tests.ui.charts.frames import part, tail_of


@pytest.fixture
def both(full):
    full.stack.set_both_legs(True)
    settle(full)
    return full


@pytest.mark.parametrize("span", [(499.5, 700.0), (100.2, 400.0), (-20.0, 1_010.0)])
def test_both_legs_are_a_hundred_at_the_first_visible_bar(both, span):
    panel, frame = both.stack.panel("price"), both.pair.frame
    view(both).show(*span)
    settle(both)
    row = max(0, int(np.ceil(view(both).left)))
    assert panel.scale.kind is PriceScale.INDEXED
    assert panel.value_text(frame.y.close[row]) == "100.00"
    assert frame.x.close[row] * panel.other.factor == pytest.approx(frame.y.close[row])
    words = [span.text for span in panel.legend(900)]
    assert f"ETHUSDT {frame.x.close[900] / frame.x.close[row] * 100:.2f}" in words


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("leg", ["y", "x"])
def test_the_other_leg_is_a_line_in_its_own_colour_over_the_candles(full, tokens, leg):
    full.stack.set_tokens(tokens)
    full.stack.set_price_leg(leg)
    color = tokens.leg_x if leg == "y" else tokens.leg_y
    assert count(picture(full, "price"), color) == 0
    full.stack.set_both_legs(True)
    assert count(picture(full, "price"), color) > 300
    full.stack.set_both_legs(False)
    assert count(picture(full, "price"), color) == 0
    assert full.stack.panel("price").scale.kind is PriceScale.LINEAR


def test_the_line_stands_where_the_axis_says(both):
    panel, frame = both.stack.panel("price"), both.pair.frame
    view(both).show(500, 520)
    image = picture(both, "price")
    ratio = image.devicePixelRatio()
    for row in range(502, 518):
        x, y = panel.x_of(row) * ratio, panel.y_of(frame.x.close[row] * panel.other.factor) * ratio
        near = [image.pixelColor(int(x), int(y) + step).getRgb()[:3] for step in (-1, 0, 1)]
        # A smooth line is mixed with what is under it.
        assert min(np.abs(np.subtract(rgb, QColor(DARK.leg_x).getRgb()[:3])).max() for rgb in near) < 48, row


def test_percent_stays_percent_and_the_scale_fits_both(both):
    panel, frame = both.stack.panel("price"), both.pair.frame
    both.stack.set_scale(PriceScale.PERCENT)
    view(both).show(500, 700)
    settle(both)
    assert panel.scale.kind is PriceScale.PERCENT
    others = frame.x.close[500:701] * panel.other.factor
    assert panel.low < min(others.min(), frame.y.low[500:701].min())
    assert panel.high > max(others.max(), frame.y.high[500:701].max())


def test_the_forming_bar_of_the_other_leg_is_drawn_too(desk, make):
    frame = make(1_000)
    desk.stack.set_both_legs(True)
    desk.pair.show(part(frame, slice(0, 999)), tail_of(frame, slice(999, 1_000)))
    settle(desk)
    panel = desk.stack.panel("price")
    assert panel.other.pyramid.column("value")[-1] == frame.x.close[-1]
    assert panel._other_tag()[0].value == pytest.approx(frame.x.close[-1] * panel.other.factor)


def test_one_leg_alone_is_not_indexed(desk, make):
    desk.stack.set_both_legs(True)
    desk.pair.show(make(300, two=False))
    settle(desk)
    panel = desk.stack.panel("price")
    assert panel.scale.kind is PriceScale.LINEAR and not panel.other.shown


def test_a_leg_without_a_close_in_sight_is_not_shown(both, make):
    frame = make(1_000)
    hidden = replace(frame, x=LegColumns(*(np.full(1_000, np.nan) for _ in LegColumns.__dataclass_fields__)))
    both.pair.show(replace(hidden, version=9))
    settle(both)
    assert not both.stack.panel("price").other.shown
    assert count(picture(both, "price"), DARK.leg_x) == 0


@given(st.floats(-50, 350), st.floats(-50, 350), st.booleans())
def test_the_tags_of_both_legs_do_not_cover_each_other(other, last, counts):
    plot = QRectF(0, 0, 500, 300)
    tags = [Tag(other, "a", "#000000"), Tag(last, "b", "#ffffff", under="00:10" if counts else "")]
    first, second = overlay.tag_rows(plot, tags, lambda value: value)
    tall = overlay.TAG_HEIGHT + (overlay.SECOND_LINE if counts else 0)
    assert second == overlay.tag_middle(plot, last, tags[1].under)
    assert first <= second - overlay.TAG_HEIGHT or first >= second + tall
    assert overlay.TAG_HEIGHT / 2 <= first <= 300 - overlay.TAG_HEIGHT / 2
