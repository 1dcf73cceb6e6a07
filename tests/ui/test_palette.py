"""The command palette finds every command, says what is off, runs one and remembers it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantdesk.ui.actions import plain
from quantdesk.ui.palette import CommandPalette, spoken
from quantdesk.ui.palette_entries import Entry, entries_of, ranked
from quantdesk.ui.palette_flow import PaletteFlow
from quantdesk.ui.theme_tokens import DARK, LIGHT

from .conftest import Desk

CONTROL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def opened(desk: Desk, qtbot: QtBot) -> CommandPalette:
    window = desk.window
    if not window.isVisible():
        with qtbot.waitExposed(window):
            window.show()
    flow = window.findChild(PaletteFlow)
    assert flow is not None
    window.registry["view.palette"].trigger()
    assert flow.palette is not None and flow.palette.isVisible()
    return flow.palette


def listed(palette: CommandPalette) -> list[str]:
    return [found.entry.id for found in palette.found()]


def type_in(palette: CommandPalette, text: str) -> None:
    palette.typed.clear()
    QTest.keyClicks(palette.typed, text)


def press(palette: CommandPalette, key: Qt.Key) -> None:
    QTest.keyClick(palette.typed, key)


def test_it_offers_every_action_of_the_menus_but_itself_in_their_words(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    entries = {found.entry.id: found.entry for found in palette.found()}
    there = {name for name, action in desk.window.registry if action.isVisible()}  # not yet: workspaces 2 to 9
    assert set(entries) == there - {"view.palette"}
    for name, entry in entries.items():
        action = desk.window.registry[name]
        assert entry.title == plain(action.text())
        assert entry.keys == action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
        assert entry.enabled == action.isEnabled()
    assert entries["view.theme_dark"].above == "View › Theme"


def test_the_key_opens_it_and_opens_no_other_command(desk: Desk, qtbot: QtBot) -> None:
    keys = {k.toString(): a for a in desk.window.actions() for k in a.shortcuts()}
    assert keys["Ctrl+Shift+P"].objectName() == "view.palette"


def test_typed_words_find_and_rank_and_enter_runs_the_best(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    for typed, first in (
        ("mute", "alerts.mute"),
        ("light", "view.theme_light"),
        ("theme dark", "view.theme_dark"),
        ("dark theme", "view.theme_dark"),
        ("evr", "file.export_visible"),
        ("ctrl+0", "view.reset"),
        ("rcnn", "market.reconnect"),
    ):
        type_in(palette, typed)
        assert listed(palette)[0] == first, typed
    type_in(palette, "mute")
    press(palette, Qt.Key.Key_Return)
    assert desk.alerts.muted and not palette.isVisible()


def test_arrows_walk_past_the_ends_and_escape_leaves_all_as_it_was(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show()
    desk.window.charts.setFocus()
    palette = opened(desk, qtbot)
    rows = palette.list.count()
    press(palette, Qt.Key.Key_Up)
    assert palette.list.currentRow() == rows - 1
    press(palette, Qt.Key.Key_Down)
    press(palette, Qt.Key.Key_Down)
    assert palette.list.currentRow() == 1
    press(palette, Qt.Key.Key_PageDown)
    assert palette.list.currentRow() == 9
    press(palette, Qt.Key.Key_Escape)
    assert not palette.isVisible() and desk.store.settings.palette_used == []
    assert desk.window.focusWidget() is desk.window.charts


def test_what_is_off_is_listed_with_its_reason_and_does_not_run(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    ran: list[bool] = []
    desk.window.registry["pair.refit"].triggered.connect(ran.append)
    type_in(palette, "refit")
    current = palette.current()
    assert current is not None and not current.enabled
    assert current.why == "no bars are loaded" and current.why in palette.state.text()
    press(palette, Qt.Key.Key_Return)
    assert palette.isVisible() and not ran
    for found in palette.found():
        assert found.entry.enabled or found.entry.why, found.entry.id


def test_every_action_that_is_off_at_the_start_says_why(desk: Desk) -> None:
    silent = [entry.id for entry in entries_of(desk.window) if not entry.enabled and not entry.why]
    assert not silent


def test_nothing_found_is_said(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    type_in(palette, "qqq")
    assert palette.current() is None and "Nothing" in palette.state.text()
    press(palette, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_symbols_pairs_and_files_are_found_and_switched_to(
    make_desk: Callable[..., Desk], tmp_path: Path, qtbot: QtBot
) -> None:
    desk = make_desk(data=True)
    desk.store.settings.remember_file(tmp_path / "a & b.csv")
    asked: list[list[Path]] = []
    desk.window.open_files_requested.connect(lambda paths, _skip: asked.append(paths))
    palette = opened(desk, qtbot)
    assert not [name for name in listed(palette) if ":" in name]  # they wait for words
    type_in(palette, "sol eth")
    assert listed(palette)[:2] == ["pair:SOLUSDT / ETHUSDT", "pair:ETHUSDT / SOLUSDT"]
    type_in(palette, "sol")
    best = palette.found()[0].entry
    assert best.id == "y:SOLUSDT" and best.above == "Pair › Y, the dependent leg"  # never its removal
    type_in(palette, "remove sol")
    assert palette.found()[0].entry.title == "Remove symbol › SOLUSDT"
    type_in(palette, "SOLUSDT / BTC")
    press(palette, Qt.Key.Key_Return)
    assert (desk.pair.settings.y, desk.pair.settings.x) == ("SOLUSDT", "BTCUSDT")
    opened(desk, qtbot)
    type_in(palette, "ethusdt other")
    press(palette, Qt.Key.Key_Return)
    assert (desk.pair.settings.y, desk.pair.settings.x) == ("SOLUSDT", "ETHUSDT")
    opened(desk, qtbot)
    type_in(palette, "a & b.csv")
    current = palette.current()
    assert current is not None and current.title == "a & b.csv"
    press(palette, Qt.Key.Key_Return)
    assert asked == [[tmp_path / "a & b.csv"]]


def test_what_was_used_last_is_on_top_also_after_a_restart(
    make_desk: Callable[..., Desk], tmp_path: Path, qtbot: QtBot
) -> None:
    desk = make_desk(folder=tmp_path / "one")
    for words in ("mute", "metrics"):
        palette = opened(desk, qtbot)
        type_in(palette, words)
        press(palette, Qt.Key.Key_Return)
    assert listed(opened(desk, qtbot))[:2] == ["view.metrics", "alerts.mute"]
    desk.window.save_settings()
    again = make_desk(folder=tmp_path / "one")
    assert listed(opened(again, qtbot))[:3] == ["view.metrics", "alerts.mute", "file.open"]


def test_lately_used_wins_among_equals_only() -> None:
    def entry(name: str) -> Entry:
        return Entry(name, name, "", lambda: None)

    entries = [entry("bar one"), entry("bar two"), entry("one bar")]
    assert next(f.entry.id for f in ranked(entries, "bar", ())) == "bar one"
    assert next(f.entry.id for f in ranked(entries, "bar", ("bar two",))) == "bar two"
    assert next(f.entry.id for f in ranked(entries, "bar", ("one bar",))) != "one bar"


def test_what_takes_something_away_comes_last_and_is_not_remembered(
    make_desk: Callable[..., Desk], qtbot: QtBot
) -> None:
    desk = make_desk(data=True)
    removed: list[str] = []
    desk.window.remove_symbol_requested.connect(removed.append)
    palette = opened(desk, qtbot)
    for typed in ("mo", "cl", "q"):
        type_in(palette, typed)
        assert not palette.found()[0].entry.careful, typed
    type_in(palette, "remove sol")
    press(palette, Qt.Key.Key_Return)
    opened(desk, qtbot)
    type_in(palette, "clear")
    press(palette, Qt.Key.Key_Return)
    assert removed == ["SOLUSDT"] and desk.store.settings.palette_used == []


def test_keys_of_the_window_go_into_the_text(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    interval = desk.pair.settings.interval
    QTest.keyClicks(palette.typed, "31")
    assert palette.typed.text() == "31" and desk.pair.settings.interval == interval


def test_its_key_closes_it_again_and_focus_elsewhere_does_too(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    desk.window.registry["view.palette"].trigger()
    assert not palette.isVisible()
    opened(desk, qtbot)
    desk.window.charts.setFocus()
    qtbot.waitUntil(lambda: not palette.isVisible())


def test_it_stays_inside_the_smallest_window(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    for width, height in ((1500, 900), (900, 560)):
        desk.window.resize(width, height)
        qtbot.waitUntil(lambda: desk.window.rect().contains(palette.geometry()))
    assert palette.geometry().height() > 300


def test_it_is_drawn_in_the_themes_colours_and_read_out(desk: Desk, qtbot: QtBot) -> None:
    palette = opened(desk, qtbot)
    assert palette.accessibleName() and palette.typed.accessibleName() and palette.list.accessibleName()
    current = palette.current()
    assert current is not None and spoken(current) == "Open file, File, Ctrl+O"
    type_in(palette, "mute")

    def colours() -> set[str]:
        picture = palette.list.grab().toImage()
        return {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}

    assert DARK.accent in colours()
    palette.set_tokens(LIGHT)
    assert LIGHT.accent in colours()
