"""Formula and style of the spread are chosen in the View menu, shown at once and kept."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from quantdesk.ui.charts.synthetic import FORMULA_LINK
from quantdesk.ui.settings_store import SettingsStore

from .conftest import Desk


def test_the_style_is_chosen_and_kept(make_desk: Callable[..., Desk]) -> None:
    window = make_desk().window
    assert window.registry["view.spread_candles"].isChecked() and window.charts._state.spread_candles
    window.registry["view.spread_line"].trigger()
    assert not window.charts._state.spread_candles
    again = make_desk().window
    assert not again.charts._state.spread_candles and again.registry["view.spread_line"].isChecked()


def test_the_formula_is_chosen_and_its_logs_are_those_of_the_pair(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    on, bars = desk.window.registry, desk.window.spread.bars
    assert on["view.spread_difference"].isChecked()
    on["view.spread_log"].trigger()
    assert desk.pair.settings.log and not bars.is_ratio and on["pair.log"].isChecked()
    on["view.spread_ratio"].trigger()
    assert bars.is_ratio and desk.pair.settings.log
    on["view.spread_difference"].trigger()
    assert not desk.pair.settings.log and not bars.is_ratio
    on["pair.log"].trigger()
    assert on["view.spread_log"].isChecked()
    on["view.spread_ratio"].trigger()
    again = make_desk().window
    assert again.spread.bars.is_ratio and again.registry["view.spread_ratio"].isChecked()
    assert again.registry["pair.leg_spread"].iconText() == "Y/X"
    again.registry["view.spread_difference"].trigger()
    assert again.registry["pair.leg_spread"].iconText() == "Y−βX"


def test_choices_that_do_not_exist_fall_back(make_desk: Callable[..., Desk]) -> None:
    first = make_desk()
    first.store.settings.spread_style, first.store.settings.spread_formula = "bricks", "sum"
    first.store.save()
    kept = SettingsStore(first.store.path.parent).settings
    assert (kept.spread_style, kept.spread_formula) == ("candles", "hedged")


def test_a_key_puts_the_spread_into_the_price_chart(desk: Desk) -> None:
    action = desk.window.registry["pair.leg_spread"]
    assert action.shortcut().toString() == "Alt+3"
    action.trigger()
    assert desk.window.charts.price_leg == "spread"
    desk.window.registry["pair.leg_y"].trigger()
    assert desk.window.charts.price_leg == "y" and not action.isChecked()


def test_the_formula_in_the_legend_drops_its_menu_down(desk: Desk, qtbot: QtBot) -> None:
    desk.window.show()
    desk.window.charts.panel("spread").linked.emit(FORMULA_LINK)
    assert desk.window.menus.spread.isVisible()
    desk.window.menus.spread.close()


def test_candles_are_made_only_while_somebody_can_see_them(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    charts, bars = desk.window.charts, desk.window.spread.bars
    charts._refresh()
    assert bars._watchers
    charts.set_panel_visible("spread", False)
    charts._refresh()
    assert not bars._watchers
    charts.set_price_leg("spread")
    charts._refresh()
    assert bars._watchers
