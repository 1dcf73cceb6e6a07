"""What is chosen for the charts is shown at once and again at the next start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QTimeZone

from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.settings_store import SettingsStore

from .conftest import Desk


def test_the_time_zone_is_chosen_and_kept(make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QTimeZone, "systemTimeZone", staticmethod(lambda: QTimeZone(b"Europe/Berlin")))
    window = make_desk().window
    assert window.charts._state.chosen_zone == UTC_ZONE and window.registry["view.zone_utc"].isChecked()
    window.registry["view.zone_local"].trigger()
    assert window.charts._state.chosen_zone == Zone("Europe/Berlin")
    again = make_desk().window
    assert again.charts._state.chosen_zone == Zone("Europe/Berlin") and again.registry["view.zone_local"].isChecked()
    again.registry["view.zone_utc"].trigger()
    assert again.charts._state.chosen_zone == UTC_ZONE
    assert SettingsStore(again.store.path.parent).settings.time_zone == "utc"


def test_a_choice_that_does_not_exist_falls_back(make_desk: Callable[..., Desk]) -> None:
    first = make_desk()
    first.store.settings.time_zone = "mars"
    first.store.save()
    assert SettingsStore(first.store.path.parent).settings.time_zone == "utc"


def test_the_price_scale_is_chosen_and_kept(make_desk: Callable[..., Desk]) -> None:
    window = make_desk().window
    assert window.registry["view.scale_linear"].isChecked()
    window.registry["view.scale_log"].trigger()
    again = make_desk().window
    assert again.charts._state.scale is PriceScale.LOG and again.registry["view.scale_log"].isChecked()


def test_both_legs_stay_overlaid_at_the_next_start(make_desk: Callable[..., Desk]) -> None:
    make_desk().window.registry["view.both_legs"].trigger()
    again = make_desk().window
    assert again.charts._state.both_legs and again.registry["view.both_legs"].isChecked()


def test_both_legs_asked_for_while_the_spread_shows_bring_the_legs(make_desk: Callable[..., Desk]) -> None:
    window = make_desk(data=True).window
    for _ in range(2):  # also where they were on, unseen, behind the spread
        window.registry["pair.leg_spread"].trigger()
        window.registry["view.both_legs"].trigger()
        assert window.charts.price_leg == "y" and window.charts._state.both_legs
        assert window.registry["view.both_legs"].isChecked() and window.registry["pair.leg_y"].isChecked()
    window.registry["view.both_legs"].trigger()
    assert not window.charts._state.both_legs


def test_a_scale_that_the_spread_does_not_take_is_said(make_desk: Callable[..., Desk]) -> None:
    window = make_desk(data=True).window
    window.registry["view.scale_percent"].trigger()
    assert not window.toasts.toasts
    window.registry["pair.leg_spread"].trigger()
    window.registry["view.scale_linear"].trigger()
    assert not window.toasts.toasts
    window.registry["view.scale_log"].trigger()
    assert "The spread stays linear" in window.toasts.toasts[0].accessibleName()
    window.spread.bars.set_ratio(True)
    window.registry["view.scale_percent"].trigger()
    assert len(window.toasts.toasts) == 1


def test_a_scale_that_both_legs_do_not_take_is_said(make_desk: Callable[..., Desk]) -> None:
    window = make_desk(data=True).window
    window.registry["view.both_legs"].trigger()
    window.registry["view.scale_percent"].trigger()
    assert not window.toasts.toasts
    window.registry["view.scale_log"].trigger()
    assert "Both legs stay indexed" in window.toasts.toasts[0].accessibleName()
