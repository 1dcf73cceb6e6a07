from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication

from quantdesk.analytics.zscore import ZKind
from quantdesk.model.frame import PairSettings
from quantdesk.ui.charts.panels import KIND_LINK
from quantdesk.ui.pair_settings import PairSettingsDialog
from quantdesk.ui.settings_store import SettingsStore
from quantdesk.ui.z_words import kind_name, kind_tip, kind_title
from tests.ui.charts.acts import count
from tests.ui.conftest import Desk


def settled(qtbot, desk: Desk, kind: ZKind) -> None:
    qtbot.waitUntil(lambda: desk.pair.frame is not None and desk.pair.frame.settings.z_kind is kind, timeout=10_000)


def shown(desk: Desk, qtbot) -> Desk:
    with qtbot.waitExposed(desk.window):
        desk.window.show()
    return desk


def test_the_menu_chooses_the_kind_and_ticks_the_one_shown(make_desk, qtbot):
    desk = make_desk(data=True)
    on = desk.window.registry
    assert on["pair.z_walk-forward"].isChecked()
    for kind in ZKind:
        on[f"pair.z_{kind}"].trigger()
        settled(qtbot, desk, kind)
        assert [each for each in ZKind if on[f"pair.z_{each}"].isChecked()] == [kind]


def test_a_click_on_the_panels_title_drops_the_kinds_down_and_a_key_chooses(make_desk, qtbot):
    desk = shown(make_desk(data=True), qtbot)
    panel, menu = desk.window.charts.panel("z"), desk.window.menus.z_kind
    qtbot.waitUntil(lambda: any(link == KIND_LINK for _, link in panel._hot), timeout=10_000)
    box = next(box for box, link in panel._hot if link == KIND_LINK)
    qtbot.mouseClick(panel.viewport(), Qt.MouseButton.LeftButton, pos=QPointF(box.center()).toPoint())
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is menu)
    qtbot.keyClick(menu, Qt.Key.Key_F)
    settled(qtbot, desk, ZKind.FULL_SAMPLE)
    assert not menu.isVisible()


def test_the_badge_is_on_the_picture_that_is_exported(make_desk, qtbot):
    desk = shown(make_desk(data=True), qtbot)
    desk.window.control.change(z_kind=ZKind.FULL_SAMPLE)
    settled(qtbot, desk, ZKind.FULL_SAMPLE)
    image = desk.window.charts.grab_picture()
    assert count(image.convertToFormat(image.Format.Format_RGB32), desk.theme.tokens.error) > 1_500


def test_the_kind_survives_a_restart_and_a_broken_one_falls_back(tmp_path):
    store = SettingsStore(tmp_path)
    store.settings.take_pair(PairSettings("BTCUSDT", "ETHUSDT", z_kind=ZKind.EWM))
    assert store.save()
    assert SettingsStore(tmp_path).settings.pair().z_kind is ZKind.EWM
    text = store.path.read_text("utf-8")
    assert '"ewm"' in text
    store.path.write_text(text.replace('"ewm"', '"crystal ball"'), "utf-8")
    assert SettingsStore(tmp_path).settings.pair().z_kind is ZKind.WALK_FORWARD


@pytest.mark.parametrize("kind", ZKind)
def test_the_dialog_offers_every_kind(qtbot, kind):
    dialog = PairSettingsDialog(PairSettings("BTCUSDT", "ETHUSDT", z_kind=kind), None)
    qtbot.addWidget(dialog)
    assert dialog.z_kind.currentIndex() == list(ZKind).index(kind)
    assert dialog.z_kind.accessibleName() == "Kind of z"
    assert [dialog.z_kind.itemText(row).endswith("LOOK-AHEAD") for row in range(6)] == [False] * 5 + [True]
    dialog.z_kind.setFocus()
    qtbot.keyClick(dialog.z_kind, Qt.Key.Key_Home)
    qtbot.keyClick(dialog.z_kind, Qt.Key.Key_Down)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.accept()
    assert chosen.args[0] == PairSettings("BTCUSDT", "ETHUSDT", z_kind=ZKind.REGRESSION)


def test_every_kind_has_its_words():
    for words in (kind_name, lambda kind: kind_title(kind, 60), lambda kind: kind_tip(kind, 60)):
        assert len({words(kind) for kind in ZKind}) == len(ZKind)
    assert "LOOK-AHEAD" in kind_tip(ZKind.FULL_SAMPLE, 60)


def test_the_strip_has_its_own_switch_and_stays_as_it_was_left(make_desk, qtbot):
    desk = shown(make_desk(data=True), qtbot)
    action, charts = desk.window.registry["view.panel_attribution"], desk.window.charts
    assert action.isChecked() and charts.is_panel_visible("attribution")
    action.trigger()
    assert not charts.is_panel_visible("attribution")
    assert "attribution" in charts.save_state()["hidden"]
    charts.restore_state({**charts.save_state(), "hidden": []})
    assert charts.is_panel_visible("attribution")
