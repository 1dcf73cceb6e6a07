from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from quantdesk.analytics.zscore import ZKind
from quantdesk.ui.charts.panels import KIND_LINK
from quantdesk.ui.theme_tokens import DARK, LIGHT
from tests.ui.charts.acts import count, picture, settle


def of_kind(frame, kind: ZKind, version: int = 2):
    return replace(frame, version=version, settings=replace(frame.settings, z_kind=kind), walk_z=frame.z)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_only_the_full_sample_is_painted_under_a_badge(full, tokens):
    full.stack.set_tokens(tokens)
    frame = full.pair.frame
    for version, kind in enumerate(ZKind, 2):
        full.pair.show(of_kind(frame, kind, version))
        settle(full)
        loud = count(picture(full, "z"), tokens.error)
        assert (loud > 1_500) == (kind is ZKind.FULL_SAMPLE), (kind, loud)
        assert full.stack.panel("z").looks_ahead == (kind is ZKind.FULL_SAMPLE)


def test_the_exported_picture_carries_the_badge(full):
    plain = full.stack.grab_picture()
    full.pair.show(of_kind(full.pair.frame, ZKind.FULL_SAMPLE))
    settle(full)
    marked = full.stack.grab_picture()
    kinds = [count(image.convertToFormat(image.Format.Format_RGB32), DARK.error) for image in (plain, marked)]
    assert kinds[1] > kinds[0] + 1_500


def test_a_narrow_panel_keeps_the_badge(full):
    full.pair.show(of_kind(full.pair.frame, ZKind.FULL_SAMPLE))
    full.stack.resize(260, 700)
    assert count(picture(full, "z"), DARK.error) > 1_000


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (ZKind.WALK_FORWARD, "walk-forward 60 ▾"),
        (ZKind.EWM, "exponential, half-life 60 ▾"),
        (ZKind.FULL_SAMPLE, "full sample ▾"),
    ],
)
def test_the_title_names_kind_and_window_and_can_be_clicked(full, qtbot, kind, title):
    full.pair.show(of_kind(full.pair.frame, kind))
    picture(full, "z")
    panel = full.stack.panel("z")
    assert title in [span.text for span in panel.legend(999)]
    box = next(box for box, link in panel._hot if link == KIND_LINK)
    with qtbot.waitSignal(panel.linked) as told:
        qtbot.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=QPointF(box.center()).toPoint())
    assert told.args == [KIND_LINK]


def test_a_z_of_the_spread_says_where_it_begins(full):
    frame = of_kind(full.pair.frame, ZKind.ROLLING)
    full.pair.show(frame)
    settle(full)
    panel = full.stack.panel("z")
    assert panel.begins_at() == 239.5
    full.pair.show(replace(frame, version=3, beta_path=np.full(len(frame), 18.5)))
    settle(full)
    assert panel.begins_at() is None, "a ratio that moves was known before each bar"
    full.pair.show(replace(frame, version=4, z=np.full(len(frame), np.nan)))
    settle(full)
    assert panel.empty_text() == "z rolling begins with the first bar after the formation window"
