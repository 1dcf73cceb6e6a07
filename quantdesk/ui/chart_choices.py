"""Choose how the charts are written, and keep it between starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.charts.zone import UTC_ZONE, Zone

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


def connect_chart_choices(window: MainWindow) -> None:
    """Show what the settings hold, and follow the actions of the View menu."""
    on, settings = window.registry, window.store.settings
    on[f"view.zone_{settings.time_zone}"].setChecked(True)
    window.charts.set_zone(zone_of(settings.time_zone))
    for name in ("utc", "local"):
        on[f"view.zone_{name}"].triggered.connect(lambda _=False, n=name: _choose_zone(window, n))
    on["view.both_legs"].setChecked(settings.both_legs)
    window.charts.set_both_legs(settings.both_legs)
    on["view.both_legs"].triggered.connect(lambda shown: _overlay(window, shown))
    on[f"view.scale_{settings.price_scale}"].setChecked(True)
    window.charts.set_scale(PriceScale(settings.price_scale))
    for scale in PriceScale:
        on[f"view.scale_{scale}"].triggered.connect(lambda _=False, s=scale: _choose_scale(window, s))


def _overlay(window: MainWindow, shown: bool) -> None:
    window.charts.set_both_legs(shown)
    window.store.settings.both_legs = shown
    window.save_settings()


def _choose_scale(window: MainWindow, scale: PriceScale) -> None:
    window.charts.set_scale(scale)
    window.store.settings.price_scale = scale.value
    window.save_settings()


def zone_of(name: str) -> Zone:
    """Return the zone that a choice names."""
    return Zone.local() if name == "local" else UTC_ZONE


def _choose_zone(window: MainWindow, name: str) -> None:
    window.charts.set_zone(zone_of(name))
    window.store.settings.time_zone = name
    window.replay.show_zone()
    window.save_settings()
