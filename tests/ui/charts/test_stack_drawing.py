from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from quantdesk.model.frame import LegColumns
from quantdesk.types import Origin
from quantdesk.ui.charts.items import Canvas
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import count, key, picture, settle, view


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_every_panel_shows_its_data_in_its_colours(full, tokens):
    full.stack.set_tokens(tokens)
    price = picture(full, "price")
    assert count(price, tokens.up) > 2_000
    assert count(price, tokens.down) > 2_000
    for name, color in (("spread", tokens.spread), ("z", tokens.z), ("correlation", tokens.correlation)):
        assert count(picture(full, name), color) > 100, name
    assert count(picture(full, "z"), tokens.level) > 100


def test_a_dense_view_is_drawn_too(desk, make):
    desk.pair.show(make(50_000))
    settle(desk)
    view(desk).show(0, 50_000)
    price = picture(desk, "price")
    assert count(price, DARK.up) > 1_000
    assert count(price, DARK.down) > 1_000
    assert count(picture(desk, "spread"), DARK.spread) > 1_000


def test_candles_stand_where_their_bars_are(full):
    panel = full.stack.panel("price")
    view(full).show(500, 520)
    image = picture(full, "price")
    candles = panel.candles.pyramid
    ratio = image.devicePixelRatio()
    for row in range(502, 518):
        opened, close = candles.column("open")[row], candles.column("close")[row]
        if abs(panel.y_of(opened) - panel.y_of(close)) < 4:
            continue
        color = DARK.up if close >= opened else DARK.down
        at = (panel.x_of(row) * ratio, panel.y_of((opened + close) / 2) * ratio)
        assert image.pixelColor(int(at[0]), int(at[1])).name() == color


def test_the_scale_fits_what_is_visible(full):
    panel = full.stack.panel("price")
    view(full).show(100, 200)
    settle(full)
    candles = panel.candles.pyramid
    low, high = candles.column("low")[100:201].min(), candles.column("high")[100:201].max()
    assert panel.low < low < high < panel.high
    assert (high - low) / (panel.high - panel.low) > 0.6


def test_one_plot_margin_serves_all_panels_and_the_time_axis(full):
    widths = {full.stack.panel(name).plot.width() for name in full.stack.panel_names}
    assert widths == {full.stack._axis.plot_width}
    assert all(full.stack.panel(name).axis_need() <= 1_200 - widths.pop() for name in ("price",))


def test_a_gap_is_no_line_and_a_lone_value_is_a_dot(desk, make):
    frame = make(300)
    spread = np.full(300, np.nan)
    spread[250] = 1_210.0
    desk.pair.show(replace(frame, spread=spread))
    image = picture(desk, "spread")
    assert count(image, DARK.spread) > 0
    plot = desk.stack.panel("spread").plot
    inside = image.copy(0, 34, int(plot.width()), image.height() - 34)
    assert count(inside, DARK.spread) < 10


def test_the_forming_bar_is_drawn_from_the_tail(desk, make):
    from_ = make(301)
    desk.pair.show(make(300))
    settle(desk)
    assert len(desk.stack.panel("price").candles.pyramid) == 300
    tail = desk.pair.tail().__class__(
        from_.times[-1:], desk_leg(from_.y), desk_leg(from_.x), from_.spread[-1:], from_.z[-1:]
    )
    desk.pair.show(desk.pair.frame, tail)
    settle(desk)
    assert len(desk.stack.panel("price").candles.pyramid) == 301
    assert len(desk.stack.panel("correlation").line.pyramid) == 301
    desk.pair.show(desk.pair.frame)
    settle(desk)
    assert len(desk.stack.panel("price").candles.pyramid) == 300


def desk_leg(leg):
    return leg.__class__(*(getattr(leg, name)[-1:].copy() for name in leg.__dataclass_fields__))


def test_refits_and_the_formation_window_are_marked(full):
    panel = full.stack.panel("spread")
    assert panel.refits.rows == [749.5]
    assert panel.formation.span == (-0.5, 239.5)
    view(full).show(700, 800)
    assert count(picture(full, "spread"), DARK.refit) > 40


def test_the_other_leg_shows_its_own_bars(full, qtbot):
    with qtbot.waitSignal(full.stack.leg_changed):
        full.stack.set_price_leg("x")
    settle(full)
    np.testing.assert_array_equal(full.stack.panel("price").candles.pyramid.column("close"), full.pair.frame.x.close)
    with pytest.raises(ValueError, match="no leg"):
        full.stack.set_price_leg("both")


@pytest.mark.parametrize(
    ("rows", "two", "words"),
    [
        (0, True, ["Waiting for trades of BTCUSDT…", "Spread needs 20 more bars", "z needs 61 more bars"]),
        (60, True, ["", "Spread is being computed…", "z needs 1 more bar"]),
        (100, False, ["", "Spread needs two legs", "z needs two legs"]),
        (100, True, ["", "", ""]),
    ],
)
def test_an_empty_panel_says_what_it_waits_for(desk, make, rows, two, words):
    desk.pair.show(make(rows, two=two))
    settle(desk)
    assert [desk.stack.panel(name).empty_text() for name in ("price", "spread", "z")] == words
    for name in desk.stack.panel_names:
        assert count(picture(desk, name), DARK.text_dim) > 5


def test_without_a_frame_nothing_breaks(desk, qtbot):
    settle(desk)
    key(qtbot, desk, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Home, Qt.Key.Key_Plus)
    desk.stack.show_time(5)
    assert desk.stack.visible_range() is None
    assert desk.stack.panel("price").empty_text() == "Waiting for data…"
    assert not desk.stack.grab_picture().isNull()


def shifted(frame, row, by):
    """Return a frame whose spread jumps at its refit, as another hedge ratio makes it."""
    columns = {name: getattr(frame, name).copy() for name in ("spread", "spread_upper", "spread_lower")}
    for column in columns.values():
        column[row:] += by
    return replace(frame, version=frame.version + 1, **columns)


def test_a_refit_does_not_flatten_the_spread_nor_join_it_to_the_one_before(full):
    panel, frame = full.stack.panel("spread"), full.pair.frame
    full.pair.show(shifted(frame, 750, 5_000.0))
    view(full).show(700, 800)
    settle(full)
    newest_part = full.pair.frame.spread[750:801]
    assert (newest_part.max() - newest_part.min()) / (panel.high - panel.low) > 0.2
    view(full).show(600, 740)
    settle(full)
    assert panel.low < frame.spread[620] < panel.high, "the spread before the refit has the scale for itself"
    assert [len(x) for x, _ in runs_of(full, 700, 800)] == [51, 52]


def runs_of(desk, left, right):
    view(desk).show(left, right)
    settle(desk)
    line = desk.stack.panel("spread").line
    image = QImage(1, 1, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    runs = line._runs(line.cut, Canvas(painter))
    painter.end()
    return runs


def test_refits_that_move_the_spread_little_share_the_scale(full):
    panel, frame = full.stack.panel("spread"), full.pair.frame
    view(full).show(700, 800)
    settle(full)
    both = frame.spread[700:801]
    assert panel.low < both.min() < both.max() < panel.high


def test_the_correlation_axis_labels_no_value_beyond_one(full):
    panel = full.stack.panel("correlation")
    for height in (40.0, 80.0, 160.0, 400.0):
        ticks = panel.value_ticks(height)
        assert len(ticks.values) >= 3
        assert np.abs(ticks.values).max() <= 1.0


def test_the_formation_window_and_the_unit_are_named(full):
    panel, frame = full.stack.panel("spread"), full.pair.frame
    settle(full)
    words = panel._formation_words(frame)
    assert words[0].startswith("formation window") and words[0].endswith("240 bars")
    assert "UTC" in words[1] and words[2] == "formation window"
    assert "BTCUSDT − β ETHUSDT (price)" in [span.text for span in panel.legend(999)]
    full.pair.show(replace(frame, version=9, settings=replace(frame.settings, log=True)))
    settle(full)
    assert "ln BTCUSDT − β ln ETHUSDT (log)" in [span.text for span in panel.legend(999)]


def test_closes_alone_are_drawn_as_a_line(desk, make):
    frame = make(300)
    close = frame.y.close.copy()
    bare = LegColumns(*(close.copy() for _ in range(4)), np.zeros(300), np.zeros(300))
    desk.pair.show(replace(frame, y=bare, origin=Origin.FILE))
    assert count(picture(desk, "price"), DARK.accent) > 150
    desk.pair.show(replace(frame, version=2, origin=Origin.FILE))
    settle(desk)
    assert len(desk.stack.panel("price").closes.pyramid) == 0


def test_the_legend_states_the_line_in_force_at_its_row(full):
    panel, frame = full.stack.panel("spread"), full.pair.frame
    first = replace(frame.fit, time=0, beta=17.0, start_ms=int(frame.times[0]), end_ms=int(frame.times[239]))
    full.pair.show(replace(frame, version=7, first_fit=first))
    settle(full)
    assert "β 17.00" in [span.text for span in panel.legend(300)]
    assert "β 18.50" in [span.text for span in panel.legend(900)]
    assert any(span.text.startswith("fitted on ") for span in panel.legend(900))
