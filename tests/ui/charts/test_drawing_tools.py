"""Lines are drawn, chosen, moved, edited and deleted by pointer and keys, and every act can be undone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt

from quantdesk.types import Origin
from quantdesk.ui.charts.drawing_tools import DrawingTools
from quantdesk.ui.charts.drawings import MOST_HERE, Anchor, Drawing, Kind, Look, Stroke, place_of
from quantdesk.ui.charts.inks import INKS, ink
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import count, key, move, picture, settle, view
from tests.ui.charts.frames import part


def click(desk, qtbot, name, x, y) -> None:
    qtbot.mouseClick(desk.stack.panel(name).viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    settle(desk)


def drag(desk, qtbot, name, start, end, *, release=True) -> None:
    port = desk.stack.panel(name).viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=QPoint(*start))
    for share in (0.3, 0.7, 1.0):
        move(port, *(start[i] + share * (end[i] - start[i]) for i in (0, 1)), Qt.MouseButton.LeftButton)
    if release:
        qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=QPoint(*end))
    settle(desk)


def chosen(tools: DrawingTools) -> str:
    assert tools.chosen is not None
    return tools.chosen[1].id


def level(desk, qtbot, name="price", y=120) -> Drawing:
    desk.stack.drawing.take(Kind.LEVEL)
    click(desk, qtbot, name, 400, y)
    return desk.stack.drawing.shown(name)[-1]


def trend(desk, qtbot, name="price", start=(300, 150), end=(600, 90)) -> Drawing:
    desk.stack.drawing.take(Kind.TREND)
    click(desk, qtbot, name, *start)
    click(desk, qtbot, name, *end)
    return desk.stack.drawing.shown(name)[-1]


@pytest.mark.parametrize("name", ["price", "spread", "z"])
def test_one_click_draws_a_level_with_a_tag_and_puts_the_tool_away(full, qtbot, name):
    settle(full)
    panel = full.stack.panel(name)
    value = panel.value_at(60)
    drawing = level(full, qtbot, name, 60)
    assert drawing.kind is Kind.LEVEL and drawing.anchors[0].value == pytest.approx(value, abs=0.06)
    assert panel.value_text(drawing.anchors[0].value) in [tag.text for tag in panel._all_tags()]
    assert panel._all_tags()[-1] == panel.tags()[-1], "the panel's own value stands where it is"
    assert full.stack.drawing.tool is None and chosen(full.stack.drawing) == drawing.id


@pytest.mark.parametrize("name", ["price", "spread", "z"])
def test_two_clicks_or_a_drag_draw_a_trend_line_and_the_view_stays(full, qtbot, name):
    settle(full)
    before = (view(full).left, view(full).right)
    first = trend(full, qtbot, name, (300, 70), (600, 50))
    full.stack.drawing.take(Kind.TREND)
    drag(full, qtbot, name, (300, 70), (600, 50))
    second = full.stack.drawing.shown(name)[-1]
    assert first.id != second.id and first.anchors == second.anchors
    assert (view(full).left, view(full).right) == before


def test_a_half_drawn_line_follows_the_pointer_and_escape_takes_it_back(full, qtbot):
    settle(full)
    ink_of = ink(full.stack.drawing.look.ink, DARK)
    full.stack.drawing.take(Kind.TREND)
    click(full, qtbot, "price", 300, 40)
    move(full.stack.panel("price").viewport(), 900, 41)
    assert count(picture(full, "price"), ink_of) > 500
    key(qtbot, full, Qt.Key.Key_Escape)
    assert full.stack.drawing.start is None and full.stack.drawing.tool is Kind.TREND
    key(qtbot, full, Qt.Key.Key_Escape)
    assert full.stack.drawing.tool is None and full.stack.drawing.count() == 0
    assert count(picture(full, "price"), ink_of) == 0


def test_escape_during_a_drag_puts_the_line_back(full, qtbot):
    drawing = level(full, qtbot)
    drag(full, qtbot, "price", (500, 120), (500, 180), release=False)
    assert full.stack.drawing.shown("price")[0] != drawing
    key(qtbot, full, Qt.Key.Key_Escape)
    assert full.stack.drawing.shown("price") == (drawing,)


def test_dragging_the_line_moves_all_of_it_and_dragging_an_end_that_end_alone(full, qtbot):
    drawing = trend(full, qtbot, start=(300, 150), end=(600, 90))
    drag(full, qtbot, "price", (450, 120), (480, 140))
    whole = full.stack.drawing.shown("price")[0]
    rows = [full.stack._state.line.x_of(anchor.ms) for one in (drawing, whole) for anchor in one.anchors]
    assert rows[2] - rows[0] == rows[3] - rows[1] == 4
    falls = [old.value - new.value for old, new in zip(drawing.anchors, whole.anchors, strict=True)]
    assert falls[0] == pytest.approx(falls[1], abs=0.2) and falls[0] > 0
    panel = full.stack.panel("price")
    end = (round(panel.x_of(rows[3])), round(panel.y_of(whole.anchors[1].value)))
    drag(full, qtbot, "price", end, (700, 60))
    ended = full.stack.drawing.shown("price")[0]
    assert ended.anchors[0] == whole.anchors[0] and ended.anchors[1] != whole.anchors[1]
    full.stack.drawing.book.undo.undo()
    assert full.stack.drawing.shown("price")[0] == whole
    full.stack.drawing.book.undo.undo()
    assert full.stack.drawing.shown("price")[0] == drawing
    full.stack.drawing.book.undo.redo()
    assert full.stack.drawing.shown("price")[0] == whole


def test_shift_keeps_a_line_level_and_measures_nothing_while_the_tool_is_at_hand(full, qtbot):
    settle(full)
    port, shift = full.stack.panel("price").viewport(), Qt.KeyboardModifier.ShiftModifier
    full.stack.drawing.take(Kind.TREND)
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, shift, QPoint(300, 100))
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, shift, QPoint(600, 110))
    (drawing,) = full.stack.drawing.shown("price")
    assert drawing.anchors[0].value == drawing.anchors[1].value and drawing.anchors[0].ms < drawing.anchors[1].ms
    assert full.stack._state.ruler is None
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, shift, QPoint(400, 200))
    assert full.stack._state.ruler is not None


def test_a_picture_has_the_lines_and_no_handles_nor_hints(full, qtbot):
    level(full, qtbot, y=60)
    with_hint = full.stack.grab_picture()
    full.stack.drawing.choose_none()
    assert with_hint == full.stack.grab_picture()
    full.stack.drawing.delete_all()
    assert with_hint != full.stack.grab_picture()


def test_a_click_elsewhere_lets_the_chosen_one_go(full, qtbot):
    drawing = level(full, qtbot)
    click(full, qtbot, "price", 500, 200)
    assert full.stack.drawing.chosen is None
    click(full, qtbot, "price", 500, 121)
    assert chosen(full.stack.drawing) == drawing.id


def test_keys_choose_move_edit_and_delete(full, qtbot):
    tools, asked = full.stack.drawing, []
    tools.edit_wanted.connect(lambda: asked.append(1))
    first, second = level(full, qtbot), trend(full, qtbot)
    tools.choose_none()
    tools.choose_next()
    assert chosen(tools) == first.id
    left = view(full).left
    key(qtbot, full, Qt.Key.Key_Up)
    risen = tools.shown("price")[0]
    assert risen.anchors[0].value > first.anchors[0].value
    key(qtbot, full, Qt.Key.Key_Left)
    assert view(full).left == left - 1, "a level has no bars to move by: the view moves"
    tools.choose_next()
    assert chosen(tools) == second.id
    key(qtbot, full, Qt.Key.Key_Right, Qt.Key.Key_Right)
    shifted = tools.shown("price")[1].anchors
    assert [b.ms - a.ms for a, b in zip(second.anchors, shifted, strict=True)] == [120_000, 120_000]
    tools.book.undo.undo()
    assert tools.shown("price")[1] == second, "nudges one after another are one act"
    key(qtbot, full, Qt.Key.Key_Return)
    assert asked == [1]
    key(qtbot, full, Qt.Key.Key_Delete)
    assert tools.shown("price") == (risen,)
    tools.book.undo.undo()
    assert len(tools.shown("price")) == 2


def test_enter_draws_without_a_pointer(full, qtbot):
    settle(full)
    tools, price = full.stack.drawing, full.stack.panel("price")
    for kind in Kind:
        tools.take(kind)
        key(qtbot, full, Qt.Key.Key_Return)
    flat, line = tools.shown("price")
    newest = price.row_value(len(full.pair.frame) - 1)
    assert flat.anchors[0].value == newest and line.anchors[1].value == newest
    assert line.anchors[0].ms < line.anchors[1].ms


def test_each_symbol_pair_and_origin_has_its_own(full, qtbot):
    tools, frame = full.stack.drawing, full.pair.frame
    level(full, qtbot)
    level(full, qtbot, "z", 60)
    full.stack.set_price_leg("x")
    settle(full)
    assert tools.shown("price") == () and len(tools.shown("z")) == 1
    full.stack.set_price_leg("y")
    full.pair.show(replace(frame, origin=Origin.SIMULATED, version=9))
    settle(full)
    assert tools.count() == 0
    full.pair.show(replace(frame, origin=Origin.HISTORY, version=10))
    settle(full)
    assert tools.count() == 2, "stored bars are the market's"
    logs = replace(frame, settings=replace(frame.settings, log=True))
    assert place_of(logs, "y", "spread") != place_of(frame, "y", "spread")
    assert place_of(logs, "y", "price") == place_of(frame, "y", "price")
    of_spread = place_of(frame, "spread", "price")
    assert of_spread not in (place_of(frame, "y", "price"), place_of(frame, "x", "price"), None)
    assert place_of(frame, "spread", "price", ratio=True) != of_spread
    assert place_of(frame, "y", "spread", ratio=True) != place_of(frame, "y", "spread")


def test_a_line_stays_at_its_time_and_value_when_older_bars_come_in_front(full, make, qtbot):
    whole = full.pair.frame
    full.pair.show(part(whole, slice(400, None)))
    settle(full)
    drawing = trend(full, qtbot)
    before = picture(full, "price")
    full.pair.show(part(whole, slice(0, None)))
    settle(full)
    assert full.stack.drawing.shown("price") == (drawing,)
    rows = [full.stack._state.line.x_of(anchor.ms) for anchor in drawing.anchors]
    assert whole.times[[round(row) for row in rows]].tolist() == [anchor.ms for anchor in drawing.anchors]
    assert count(picture(full, "price"), DARK.up) > 0 and not before.isNull()


def test_deleting_all_takes_those_of_what_is_shown_and_undo_brings_them_back(full, qtbot):
    tools = full.stack.drawing
    level(full, qtbot)
    level(full, qtbot, "spread", 60)
    full.stack.set_price_leg("x")
    settle(full)
    other = level(full, qtbot)
    full.stack.set_price_leg("y")
    settle(full)
    tools.delete_all()
    assert tools.count() == 0
    full.stack.set_price_leg("x")
    settle(full)
    assert tools.shown("price") == (other,)
    full.stack.set_price_leg("y")
    settle(full)
    tools.book.undo.undo()
    assert tools.count() == 2


def test_too_many_drawings_are_refused_in_words(full, qtbot):
    settle(full)
    tools, told = full.stack.drawing, []
    ms = int(full.pair.frame.times[900])
    tools.book.load(
        {tools.place("price"): tuple(Drawing(Kind.LEVEL, (Anchor(ms, 1.0 + i),)) for i in range(MOST_HERE))}
    )
    tools.told.connect(told.append)
    level(full, qtbot)
    assert len(tools.shown("price")) == MOST_HERE
    assert "too many" in told[-1]


@pytest.mark.parametrize("tokens", [DARK, LIGHT])
@pytest.mark.parametrize("stroke", list(Stroke))
def test_colour_width_and_stroke_are_painted(full, qtbot, tokens, stroke):
    full.stack.set_tokens(tokens)
    level(full, qtbot, y=30)
    seen = {}
    for width in (1, 3):
        full.stack.drawing.restyle(Look("purple", width, stroke))
        seen[width] = count(picture(full, "price"), ink("purple", tokens))
    assert seen[3] > 2 * seen[1] > 0 or stroke is not Stroke.SOLID
    assert seen[3] > seen[1] > 100
    assert full.stack.drawing.look == Look("purple", 3, stroke), "the next one looks like it"


def test_a_label_is_written_beside_its_line(full, qtbot):
    drawing = level(full, qtbot, y=40)
    full.stack.drawing.choose_none()
    before = count(picture(full, "price"), DARK.panel)
    full.stack.drawing.settle(replace(drawing, text="support"))
    assert count(picture(full, "price"), DARK.panel) < before - 100


def test_every_colour_stands_off_its_ground():
    def light(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name in INKS:
        for tokens in (DARK, LIGHT):
            pair = sorted((light(ink(name, tokens)), light(tokens.panel)))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) > 3.5, name
