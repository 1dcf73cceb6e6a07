"""Levels of alert rules lie over the charts and can be dragged; Escape gives them back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Rule, z_rule
from quantdesk.analytics.zscore import ZKind
from quantdesk.ui.charts.levels import LevelGrip, LevelLayer, metric_of, step_of
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import count, key, move, picture, settle

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def layer(full) -> LevelLayer:
    found = LevelLayer(full.stack)
    for name in ("price", "spread", "z", "correlation"):
        full.stack.panel(name).layers.append(found)
    settle(full)
    return found


def press(qtbot, panel, y: float, x: float = 400) -> None:
    qtbot.mousePress(panel.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(round(x), round(y)))


def test_each_panel_shows_the_levels_of_its_own_metric(full, layer):
    state = full.stack._state
    assert [metric_of(name, state) for name in ("price", "spread", "z", "correlation", "attribution")] == [
        Metric.PRICE_Y, Metric.SPREAD, Metric.Z, Metric.CORRELATION, None,
    ]  # fmt: skip
    state.leg, state.ratio = "spread", True
    assert metric_of("price", state) is Metric.RATIO and metric_of("spread", state) is Metric.RATIO
    state.frame = replace(
        state.frame, settings=replace(state.frame.settings, z_kind=ZKind.ROLLING), walk_z=state.frame.z
    )
    assert metric_of("z", state) is Metric.ROLLING_Z
    layer.rules = (z_rule(), replace(z_rule(rule_id="off"), enabled=False))
    assert [line.level.value for line in layer.lines(full.stack.panel("z"))] == [2.0, -2.0, 1.5, -1.5]
    assert not layer.lines(full.stack.panel("correlation"))


def test_lines_signs_and_tags_are_drawn_and_one_that_arms_has_its_tag_only_while_held(full, layer):
    panel = full.stack.panel("correlation")
    for name in ("price", "spread", "attribution"):
        full.stack.set_panel_visible(name, False)
    settle(full)
    before = count(picture(full, "correlation"), DARK.error)
    layer.rules = (Rule("c", "c", Metric.CORRELATION, Comparison.AT_MOST, -0.3, 0.0, stop=-0.95),)
    assert count(picture(full, "correlation"), DARK.error) > before + 100
    assert {tag.value for tag in layer.tags(panel)} == {-0.3, -0.95}
    assert all(tag.hollow for tag in layer.tags(panel))
    assert layer.grip_at(panel, QPointF(100, panel.y_of(0.0))) is not None
    assert 0.0 in {tag.value for tag in layer.tags(panel)}
    assert layer.grip_at(panel, QPointF(100, panel.y_of(0.0) - 20)) is None
    assert 0.0 not in {tag.value for tag in layer.tags(panel)}


def test_a_line_is_dragged_and_the_rule_with_its_new_level_is_told(full, layer, qtbot):
    panel = full.stack.panel("z")
    layer.rules = (rule := z_rule(),)
    settle(full)
    told = []
    layer.moved.connect(lambda before, after: told.append((before, after)))
    start, end = panel.y_of(2.0), panel.y_of(2.0) - 9
    press(qtbot, panel, start)
    move(panel.viewport(), 400, end, LEFT)
    preview = layer.preview
    assert preview is not None and preview.enter > 2.0 and preview.rearm == 1.5
    assert [line.level.value for line in layer.lines(panel)][:2] == [preview.enter, -preview.enter]
    assert not told
    qtbot.mouseRelease(panel.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(400, round(end)))
    assert told == [(rule, told[0][1])] and told[0][1].enter == pytest.approx(
        panel.value_at(round(end)), abs=2 * step_of(panel)
    )
    assert layer.preview is None


def test_the_lower_line_of_a_size_is_dragged_on_its_own_side(full, layer, qtbot):
    panel = full.stack.panel("z")
    layer.rules = (z_rule(),)
    settle(full)
    press(qtbot, panel, panel.y_of(-2.0))
    move(panel.viewport(), 400, panel.y_of(-2.0) + 8, LEFT)
    assert layer.preview is not None and layer.preview.enter > 2.0
    move(panel.viewport(), 400, panel.y_of(1.0), LEFT)
    assert 0 < layer.preview.enter <= step_of(panel), "past zero it would grow again"
    panel.let_go()


def test_escape_gives_a_level_back(full, layer, qtbot):
    panel = full.stack.panel("z")
    layer.rules = (z_rule(),)
    settle(full)
    told = []
    layer.moved.connect(lambda *rules: told.append(rules))
    press(qtbot, panel, panel.y_of(2.0))
    move(panel.viewport(), 400, panel.y_of(2.0) - 9, LEFT)
    assert layer.preview is not None
    key(qtbot, full, Qt.Key.Key_Escape)
    assert layer.preview is None
    qtbot.mouseRelease(panel.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(400, round(panel.y_of(2.5))))
    assert not told


def test_a_tag_on_the_axis_is_dragged_instead_of_the_scale(full, layer, qtbot):
    panel = full.stack.panel("correlation")
    layer.rules = (Rule("c", "c", Metric.CORRELATION, Comparison.AT_MOST, -0.4, -0.2),)
    settle(full)
    x, y = panel.plot.right() + 20, panel.y_of(-0.4)
    low, high = panel.low, panel.high
    press(qtbot, panel, y + 4, x)
    move(panel.viewport(), x, y + 12, LEFT)
    assert layer.preview is not None and layer.preview.enter < -0.4
    assert (panel.low, panel.high) == (low, high) and panel.auto
    panel.let_go()
    assert layer.preview is None


def test_a_double_click_on_a_level_opens_its_rule_and_elsewhere_does_what_it_did(full, layer, qtbot):
    panel = full.stack.panel("z")
    layer.rules = (z_rule(),)
    settle(full)
    opened = []
    layer.opened.connect(opened.append)
    at = QPoint(400, round(panel.y_of(2.0)))
    qtbot.mouseDClick(panel.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, at)
    assert opened == [z_rule()]
    panel.scale_values(2.0)
    qtbot.mouseDClick(panel.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, QPoint(round(panel.plot.right()) + 20, 3))
    assert panel.auto and len(opened) == 1


def test_the_nearest_of_two_levels_is_taken(full, layer):
    panel = full.stack.panel("z")
    layer.rules = (z_rule(2.0, 1.9),)
    settle(full)
    grip = layer.grip_at(panel, QPointF(300, panel.y_of(2.0) - 1))
    assert isinstance(grip, LevelGrip) and grip._level.value == 2.0
