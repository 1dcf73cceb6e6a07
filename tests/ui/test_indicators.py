"""Indicators are chosen in a dialog, kept between starts, and every choice can be undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from quantdesk.analytics.indicators import Indicator, IndicatorKind
from quantdesk.model.indicators import MOST_INDICATORS
from quantdesk.ui.charts.indicator_lines import INDICATORS_LINK
from quantdesk.ui.charts.indicator_words import ShownIndicator
from quantdesk.ui.charts.inks import INKS
from quantdesk.ui.indicator_dialog import IndicatorDialog
from quantdesk.ui.kept_indicators import accepted, indicators_of, plain_of
from quantdesk.ui.settings_store import SettingsStore

from .conftest import Desk

SMA = ShownIndicator(Indicator(IndicatorKind.SMA, 30), "purple")
BANDS = ShownIndicator(Indicator(IndicatorKind.BOLLINGER, 25, 2.5), "grey", shown=False)
one = st.builds(
    ShownIndicator,
    st.builds(Indicator, st.sampled_from(IndicatorKind), st.integers(2, 5_000), st.floats(0.1, 10.0)),
    st.sampled_from(list(INKS)),
    st.booleans(),
)


def dialog_of(desk: Desk) -> IndicatorDialog:
    desk.window.registry["draw.indicators"].trigger()
    dialog = desk.window.prompts.dialog("indicators")
    assert isinstance(dialog, IndicatorDialog)
    return dialog


@given(st.lists(one, max_size=MOST_INDICATORS))
def test_indicators_come_back_from_their_plain_values(made: list[ShownIndicator]) -> None:
    plain, words = accepted({"indicators": json.loads(json.dumps(plain_of(made)))})
    assert indicators_of(plain) == tuple(made) and not words


@pytest.mark.parametrize(
    "change",
    [{"kind": "rsi"}, {"bars": 1}, {"bars": True}, {"bars": "20"}, {"deviations": 99}, {"ink": "mud"}, {"ink": 3}],
)
def test_one_bad_indicator_costs_no_other_and_the_settings_are_kept_aside(
    tmp_path: Path, change: dict[str, object]
) -> None:
    plain = plain_of([SMA, BANDS])
    plain["indicators"][0].update(change)
    (tmp_path / "settings.json").write_text(json.dumps({"indicators": plain}), encoding="utf-8")
    store = SettingsStore(tmp_path)
    assert indicators_of(store.settings.indicators) == (BANDS,)
    assert "1 of 2 indicators cannot be read" in store.problem
    assert list(tmp_path.glob("settings.indicators-*.json"))


@pytest.mark.parametrize("held", [3, [], {"schema": 9, "indicators": []}, {"schema": 1}])
def test_a_list_that_is_none_is_said(held: object) -> None:
    assert accepted({"indicators": held})[0] == {}
    assert accepted({"indicators": held})[1]


def test_what_is_chosen_is_drawn_kept_and_undone(make_desk: Callable[..., Desk], qtbot: QtBot, tmp_path: Path) -> None:
    desk = make_desk(data=True)
    desk.window.show()
    dialog = dialog_of(desk)
    assert not dialog.empty.isHidden() and not dialog.rows
    dialog.add(IndicatorKind.SMA)
    dialog.add(IndicatorKind.BOLLINGER)
    dialog.add(IndicatorKind.EMA)
    dialog.rows[2].remove.click()
    dialog.rows[0].bars.setValue(30)
    dialog.rows[0].colour.setCurrentIndex(list(INKS).index("purple"))
    dialog.rows[1].bars.setValue(25)
    dialog.rows[1].deviations.setValue(2.5)
    dialog.rows[1].shown.setChecked(False)
    assert dialog.empty.isHidden()
    dialog.accept()
    assert desk.window.indicators.shown == (SMA, BANDS)
    assert desk.window.indicators.drawn() == (SMA.indicator,)
    assert [p.shown for p in desk.window.charts.indicators._plotted] == [SMA]
    assert indicators_of(SettingsStore(tmp_path).settings.indicators) == (SMA, BANDS)
    again = make_desk(data=True)
    assert again.window.indicators.shown == (SMA, BANDS)
    assert [p.shown for p in again.window.charts.indicators._plotted] == [SMA]
    desk.window.registry["view.undo"].trigger()
    assert desk.window.indicators.shown == () and not desk.window.charts.indicators._plotted
    desk.window.registry["view.redo"].trigger()
    assert desk.window.indicators.shown == (SMA, BANDS)


def test_cancel_changes_nothing_and_a_click_on_the_names_opens_the_list(desk: Desk) -> None:
    dialog = dialog_of(desk)
    dialog.add(IndicatorKind.EMA)
    dialog.reject()
    assert desk.window.indicators.shown == ()
    desk.window.charts.panel("price").linked.emit(INDICATORS_LINK)
    assert isinstance(desk.window.prompts.dialog("indicators"), IndicatorDialog)


def test_the_dialog_asks_for_what_each_kind_has_and_stops_at_the_bound(desk: Desk) -> None:
    dialog = dialog_of(desk)
    dialog.show()
    for kind in IndicatorKind:
        dialog.add(kind)
        row = dialog.rows[-1]
        assert row.bars.isHidden() == (kind is IndicatorKind.VWAP_DAY)
        assert row.deviations.isHidden() == (kind is not IndicatorKind.BOLLINGER)
    for _ in range(MOST_INDICATORS):
        dialog.add(IndicatorKind.SMA)
    assert len(dialog.rows) == MOST_INDICATORS and not dialog.add_button.isEnabled()
    dialog.rows[0].remove.click()
    assert dialog.add_button.isEnabled()
