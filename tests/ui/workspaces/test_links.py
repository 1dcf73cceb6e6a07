"""Windows of one group show the same pair, interval and moment; nothing goes in circles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from quantdesk.model.market import MarketModel
from quantdesk.types import Origin
from quantdesk.ui.theme_tokens import DARK, LIGHT
from quantdesk.ui.workspaces.corner import link_colour, link_icon
from quantdesk.ui.workspaces.second_window import SecondWindow
from tests.ui.conftest import MINUTE, START, Desk, bars_of

Make = Callable[..., Desk]


def linked(desk: Desk, group: str = "A") -> SecondWindow:
    windows = desk.window.workspaces.windows
    second = windows.open_new()
    assert second is not None
    windows.main_link.choose(group)
    windows.link_of(second).choose(group)
    return second


def now(window: object) -> tuple[str, str, str]:
    settings = window.pair.settings  # type: ignore[attr-defined]
    return settings.y, settings.x, settings.interval


def test_pair_and_interval_go_both_ways_and_each_change_is_made_once(make_desk: Make) -> None:
    desk = make_desk(data=True)
    second, third = linked(desk), linked(desk)
    changes: list[str] = []
    for name, window in (("main", desk.window), ("second", second), ("third", third)):
        window.pair.settings_changed.connect(lambda n=name: changes.append(n))
    desk.window.control.change(y="SOLUSDT", interval="5m")
    assert now(second) == now(third) == ("SOLUSDT", "ETHUSDT", "5m")
    assert sorted(changes) == ["main", "second", "third"]
    changes.clear()
    third.control.swap()
    assert now(desk.window) == now(second) == ("ETHUSDT", "SOLUSDT", "5m")
    assert sorted(changes) == ["main", "second", "third"]
    changes.clear()
    second.control.change(window=99)
    assert changes == ["second"], "a window of bars is each window's own"


def test_other_groups_and_windows_without_one_stay_as_they_are(make_desk: Make) -> None:
    desk = make_desk(data=True)
    second = linked(desk)
    other, free = linked(desk, "A"), desk.window.workspaces.windows.open_new()
    desk.window.workspaces.windows.link_of(other).choose("B")
    assert free is not None
    desk.window.control.change(y="SOLUSDT")
    assert now(second)[0] == "SOLUSDT" and now(other)[0] == now(free)[0] == "BTCUSDT"


def test_a_window_that_joins_shows_what_its_group_shows(make_desk: Make) -> None:
    desk = make_desk(data=True)
    windows = desk.window.workspaces.windows
    windows.main_link.choose("D")
    second = windows.open_new()
    assert second is not None
    second.control.change(y="SOLUSDT", interval="5m")
    windows.link_of(second).choose("D")
    assert now(second) == now(desk.window) == ("BTCUSDT", "ETHUSDT", "1m")


@pytest.mark.parametrize(("share", "kept"), [("pair", ("BTCUSDT", "5m")), ("interval", ("SOLUSDT", "1m"))])
def test_each_of_the_three_can_be_left_out(make_desk: Make, share: str, kept: tuple[str, str]) -> None:
    desk = make_desk(data=True)
    second = linked(desk)
    second.registry[f"workspace.share_{share}"].trigger()
    desk.window.control.change(y="SOLUSDT", interval="5m")
    assert (now(second)[0], now(second)[2]) == kept
    second.control.change(y="ETHUSDT", x="BTCUSDT") if share == "pair" else second.control.change(interval="1s")
    assert now(desk.window) == ("SOLUSDT", "ETHUSDT", "5m"), "it does not lead either"


def test_a_window_that_cannot_show_the_pair_says_so_and_keeps_its_own(make_desk: Make) -> None:
    desk = make_desk(data=True)
    second = linked(desk)
    other = MarketModel(Origin.SIMULATED)
    from tests.ui.conftest import fill

    fill(other)
    other.remove_symbol("SOLUSDT")
    second.set_market(other)
    desk.window.control.change(y="SOLUSDT")
    assert now(second) == ("BTCUSDT", "ETHUSDT", "1m")
    assert any("SOLUSDT is not here" in notice.text for notice in second.banner.notices())
    desk.window.control.change(y="ETHUSDT", x="BTCUSDT")
    assert now(second)[:2] == ("ETHUSDT", "BTCUSDT") and second.banner.notices() == []


def with_five_minutes(desk: Desk) -> None:
    minute = desk.market.series("BTCUSDT", "1m").arrays()
    count = len(minute) // 5
    for symbol in ("BTCUSDT", "ETHUSDT"):
        made = bars_of(minute.close[: count * 5 : 5])
        times = START + 5 * MINUTE * (made.open_time - START) // MINUTE
        bars = replace(made, open_time=times)
        desk.market.on_source_bars(desk.market.instrument(symbol), "5m", bars, "kline")


def test_the_crosshair_stands_at_the_same_time_in_another_interval(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    with_five_minutes(desk)
    second = linked(desk)
    second.registry["workspace.share_interval"].trigger()
    second.control.change(interval="5m")
    for window in (desk.window, second):
        window.show()
        qtbot.waitUntil(lambda state=window.charts._state: len(state.line) > 50, timeout=20_000)
    charts, other = desk.window.charts, second.charts
    charts._pointing.put(0.6 * charts._axis.plot_width, 20.0, "price")
    qtbot.waitUntil(lambda: charts.reading is not None and charts.reading.under_cursor)
    qtbot.waitUntil(lambda: other.reading is not None and other.reading.under_cursor)
    moment = charts.reading.time_ms
    assert other.reading.time_ms == moment - moment % (5 * MINUTE)
    assert other.pointer_at() is None, "the pointer itself is not there"
    charts._pointing.leave()
    qtbot.waitUntil(lambda: not other.reading.under_cursor)
    # And back: within a bar of five minutes the fine chart follows each minute.
    seen: list[int] = []
    line, view = other._state.line, other._state.view
    for fifth in range(5):
        row = len(line) - 10 - 0.5 + (fifth + 0.5) / 5
        other._pointing.put((row - view.left) / view.span * other._axis.plot_width, 20.0, "price")
        charts._refresh()
        seen.append(charts.reading.time_ms)
    first = int(line.at(len(line) - 10))
    assert seen == [first + minute * MINUTE for minute in range(5)]
    other._pointing.leave()
    charts._refresh()
    assert not charts.reading.under_cursor


def test_the_crosshair_goes_when_the_link_or_the_window_goes(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    second = linked(desk)
    windows, charts = desk.window.workspaces.windows, desk.window.charts
    qtbot.waitUntil(lambda: second.charts.visible_range() is not None, timeout=20_000)

    def point() -> bool:
        second.charts._pull()
        second.charts._pointing.put(200.0, 20.0, "price")
        return charts._pointing._elsewhere is not None

    assert point()
    second.registry["workspace.share_crosshair"].trigger()
    assert charts._pointing._elsewhere is None and not point()
    second.registry["workspace.share_crosshair"].trigger()
    assert point()
    windows.link_of(second).choose("B")
    assert charts._pointing._elsewhere is None
    windows.link_of(second).choose("A")
    assert point()
    second.close()
    assert charts._pointing._elsewhere is None


def test_a_key_goes_through_the_groups_and_letter_and_words_say_which(make_desk: Make, qtbot: QtBot) -> None:
    desk = make_desk()
    desk.window.show()
    qtbot.waitUntil(desk.window.isActiveWindow)
    corner = desk.window.menuBar().cornerWidget()
    seen = []
    for _ in range(5):
        QTest.keyClick(desk.window, Qt.Key.Key_G, Qt.KeyboardModifier.AltModifier)
        seen.append(corner.link.accessibleName()[-7:])
    assert seen == ["group A", "group B", "group C", "group D", "windows"]
    assert not desk.window.registry["workspace.share_pair"].isEnabled()


@pytest.mark.parametrize("tokens", [DARK, LIGHT])
def test_the_groups_differ_in_colour_and_in_letter(qapp: object, tokens) -> None:
    assert len({link_colour(group, tokens) for group in ("", "A", "B", "C", "D")}) == 5
    drawn = [bytes(link_icon(g, tokens).pixmap(17, 17).toImage().constBits()) for g in ("", "A", "B", "C", "D")]
    assert len(set(drawn)) == 5
