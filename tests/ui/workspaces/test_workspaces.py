"""Several named workspaces in the real window: switched, copied, renamed, deleted, reset, kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantdesk.types import Origin
from quantdesk.ui.status_bar import DeskMode
from quantdesk.ui.workspaces.name_dialog import NameDialog
from quantdesk.ui.workspaces.placing import into_view
from tests.ui.conftest import Desk

Make = Callable[..., Desk]


def pair_of(desk: Desk) -> tuple[str, str, str]:
    settings = desk.pair.settings
    return settings.y, settings.x, settings.interval


def shown(desk: Desk) -> list[tuple[str, str]]:
    return [(w.pair.settings.y, w.pair.settings.x) for w in desk.window.workspaces.windows.all]


def titles(desk: Desk) -> list[str]:
    return [desk.window.registry[f"workspace.go_{n}"].text() for n in (1, 2, 3)]


def test_each_workspace_has_its_layout_charts_pair_and_windows(make_desk: Make) -> None:
    desk = make_desk(data=True)
    window, flow = desk.window, desk.window.workspaces
    flow.create("Night")
    window.layouts.docks["alerts"].hide()
    window.registry["view.scale_log"].trigger()
    window.registry["view.panel_z"].trigger()
    window.registry["pair.leg_x"].trigger()
    window.control.change(y="SOLUSDT", x="ETHUSDT", interval="5m", log=True)
    second = flow.windows.open_new()
    assert second is not None
    second.control.change(y="ETHUSDT", x="BTCUSDT", window=99)
    flow.switch("Default")
    assert pair_of(desk) == ("BTCUSDT", "ETHUSDT", "1m") and not desk.pair.settings.log
    assert not window.layouts.docks["alerts"].isHidden() and window.registry["view.scale_linear"].isChecked()
    assert window.charts.is_panel_visible("z") and window.charts.price_leg == "y" and shown(desk) == []
    flow.switch("Night")
    assert pair_of(desk) == ("SOLUSDT", "ETHUSDT", "5m") and desk.pair.settings.log
    assert window.layouts.docks["alerts"].isHidden() and window.registry["view.scale_log"].isChecked()
    assert not window.charts.is_panel_visible("z") and window.charts.price_leg == "x"
    assert shown(desk) == [("ETHUSDT", "BTCUSDT")]
    assert flow.windows.all[0].pair.settings.window == 99


def test_they_are_there_after_a_crash_the_last_one_on_screen(make_desk: Make, tmp_path: Path, qtbot: QtBot) -> None:
    desk = make_desk(data=True, folder=tmp_path)
    desk.window.show()
    desk.window.workspaces.create("Night")
    second = desk.window.workspaces.windows.open_new()
    assert second is not None
    second.control.change(y="SOLUSDT", x="BTCUSDT")
    # Nothing is closed: what the timer has written is all there is.
    kept = tmp_path / "workspaces.json"
    qtbot.waitUntil(lambda: '"SOLUSDT"' in kept.read_text("utf-8"), timeout=10_000)
    after = make_desk(data=True, folder=tmp_path)
    flow = after.window.workspaces
    assert flow.name == "Night" and shown(after) == [], "the other windows wait for the first paint"
    assert "· Night –" in after.window.windowTitle()
    after.window.show()
    qtbot.waitUntil(lambda: shown(after) == [("SOLUSDT", "BTCUSDT")], timeout=10_000)


def test_windows_that_were_never_opened_are_not_forgotten(make_desk: Make, tmp_path: Path, qtbot: QtBot) -> None:
    desk = make_desk(data=True, folder=tmp_path)
    for _ in range(2):
        desk.window.workspaces.windows.open_new()
    desk.window.save_settings()
    unseen = make_desk(data=True, folder=tmp_path)
    unseen.window.workspaces.windows.open_new()
    unseen.window.save_settings()
    third = make_desk(data=True, folder=tmp_path)
    third.window.workspaces.open_windows()
    assert len(shown(third)) == 1, "one a turn of the loop"
    third.window.save_settings()
    assert len(third.window.workspaces._store.active.others) == 3
    qtbot.waitUntil(lambda: len(shown(third)) == 3)


def test_copying_renaming_and_deleting_can_be_seen_and_undone(make_desk: Make) -> None:
    desk = make_desk(data=True)
    window, flow = desk.window, desk.window.workspaces
    second = flow.windows.open_new()
    assert second is not None
    flow.save_as("Copy & more")
    assert flow.names == ("Default", "Copy & more") and flow.name == "Copy & more" and len(shown(desk)) == 1
    assert titles(desk)[:2] == ["&1  Default", "&2  Copy && more"]
    assert not window.registry["workspace.go_3"].isVisible() and window.registry["workspace.go_2"].isChecked()
    flow.rename("Other")
    assert flow.names == ("Default", "Other")
    window.registry["workspace.delete"].trigger()
    assert flow.names == ("Default",) and not window.registry["workspace.delete"].isEnabled()
    assert "Other" in window.registry["view.undo"].text()
    window.registry["view.undo"].trigger()
    assert flow.names == ("Default", "Other") and flow.name == "Other" and len(shown(desk)) == 1


def test_reset_leaves_one_window_in_its_first_layout_and_can_be_undone(make_desk: Make) -> None:
    desk = make_desk(data=True)
    window, flow = desk.window, desk.window.workspaces
    flow.windows.open_new()
    window.layouts.docks["alerts"].hide()
    window.registry["view.panel_spread"].trigger()
    flow.windows.main_link.choose("C")
    window.registry["workspace.reset"].trigger()
    assert shown(desk) == [] and not window.layouts.docks["alerts"].isHidden()
    assert window.charts.is_panel_visible("spread") and flow.windows.main_link.group == ""
    window.registry["pair.log"].trigger()
    window.registry["view.undo"].trigger()
    assert len(shown(desk)) == 1 and window.layouts.docks["alerts"].isHidden()
    assert not window.charts.is_panel_visible("spread") and flow.windows.main_link.group == "C"
    assert desk.pair.settings.log, "what was chosen since then stays"


def test_keys_and_the_palette_switch_by_name(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    window, flow = desk.window, desk.window.workspaces
    window.show()
    flow.create("Night")
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert flow.name == "Default"
    from quantdesk.ui.palette_entries import entries_of

    found = {entry.title: entry for entry in entries_of(window) if entry.above == "Workspace"}
    found["2  Night"].run()
    assert flow.name == "Night"
    assert "3  Workspace" not in found


def test_the_dialog_says_why_a_name_cannot_be_had(make_desk: Make) -> None:
    desk = make_desk()
    desk.window.show()
    desk.window.registry["workspace.new"].trigger()
    dialog = desk.window.prompts.dialog("workspace")
    assert isinstance(dialog, NameDialog) and dialog.name.text() == "Workspace 2"
    ok = dialog.buttons.button(dialog.buttons.StandardButton.Ok)
    dialog.name.setText("default")
    assert not ok.isEnabled() and "already" in dialog.problem.text()
    dialog.name.setText("Night")
    ok.click()
    assert desk.window.workspaces.names == ("Default", "Night")


def test_nine_workspaces_are_the_most(make_desk: Make) -> None:
    desk = make_desk()
    flow, on = desk.window.workspaces, desk.window.registry
    for number in range(2, 10):
        flow.save_as(f"w{number}")
    assert not on["workspace.new"].isEnabled() and not on["workspace.save_as"].isEnabled()
    on["workspace.delete"].trigger()
    assert on["workspace.new"].isEnabled() and len(flow.names) == 8


def test_the_pair_of_a_workspace_waits_for_the_market_behind_a_file(make_desk: Make) -> None:
    desk = make_desk(data=True)
    flow = desk.window.workspaces
    flow.create("Night")
    desk.window.control.change(y="SOLUSDT", x="BTCUSDT")
    flow.switch("Default")
    desk.window.set_mode(DeskMode(Origin.FILE, "a / b"))
    flow.switch("Night")
    assert pair_of(desk)[:2] == ("BTCUSDT", "ETHUSDT"), "what is shown is the file's business"
    desk.window.set_mode(DeskMode(Origin.LIVE))
    assert pair_of(desk)[:2] == ("SOLUSDT", "BTCUSDT")


def test_a_broken_file_is_said_in_the_window(make_desk: Make, tmp_path: Path) -> None:
    (tmp_path / "workspaces.json").write_text("{")
    desk = make_desk(folder=tmp_path)
    assert any("workspaces file was damaged" in notice.text for notice in desk.window.banner.notices())


def test_a_window_beside_every_screen_comes_back(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk()
    window = desk.window
    window.setGeometry(6_000, 4_000, 1_000, 700)
    assert into_view(window)
    area = QGuiApplication.primaryScreen().availableGeometry()
    assert area.contains(window.frameGeometry().topLeft()) and not into_view(window)
    window.setGeometry(-400, 100, 1_000, 700)
    assert not into_view(window), "it can be taken hold of"


def test_the_place_of_a_window_is_kept_when_it_is_moved(make_desk: Make, tmp_path: Path, qtbot: QtBot) -> None:
    desk = make_desk(folder=tmp_path)
    desk.window.show()
    qtbot.waitUntil((tmp_path / "workspaces.json").exists, timeout=10_000)
    before = (tmp_path / "workspaces.json").read_bytes()
    desk.window.move(37, 41)
    qtbot.waitUntil(lambda: (tmp_path / "workspaces.json").read_bytes() != before, timeout=10_000)
    assert not QByteArray.fromBase64(desk.window.choices.geometry.encode()).isEmpty()


def test_a_save_while_the_desk_closes_forgets_no_window(make_desk: Make, tmp_path: Path) -> None:
    desk = make_desk(data=True, folder=tmp_path)
    desk.window.workspaces.windows.open_new()
    desk.window.close_for_good()
    before = (tmp_path / "workspaces.json").read_bytes()
    desk.window.save_settings()
    assert (tmp_path / "workspaces.json").read_bytes() == before
    again = make_desk(data=True, folder=tmp_path)
    again.window.workspaces.open_windows()
    assert len(shown(again)) == 1


def test_undo_finds_a_workspace_by_its_new_name_and_touches_no_other(make_desk: Make) -> None:
    desk = make_desk(data=True)
    window, flow = desk.window, desk.window.workspaces
    flow.create("Night")
    window.layouts.docks["alerts"].hide()
    flow.reset()
    flow.rename("Late")
    window.layouts.reset()
    flow.switch("Default")
    undo = window.registry["view.undo"]
    undo.trigger()  # the layout of another workspace: nothing happens here
    undo.trigger()
    assert not window.layouts.docks["alerts"].isHidden() and flow.name == "Default"
    flow.switch("Late")
    assert window.layouts.docks["alerts"].isHidden()
