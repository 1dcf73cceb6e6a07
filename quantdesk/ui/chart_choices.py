"""Choose how the charts are written, and keep it between starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantdesk.ui.charts.zone import UTC_ZONE, Zone

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


def connect_chart_choices(window: MainWindow) -> None:
    """Show what the settings hold, and follow the actions of the View menu."""
    on, settings = window.registry, window.store.settings
    on[f"view.zone_{settings.time_zone}"].setChecked(True)
    window.charts.set_zone(_zone_of(settings.time_zone))
    for name in ("utc", "local"):
        on[f"view.zone_{name}"].triggered.connect(lambda _=False, n=name: _choose_zone(window, n))


def _zone_of(name: str) -> Zone:
    return Zone.local() if name == "local" else UTC_ZONE


def _choose_zone(window: MainWindow, name: str) -> None:
    window.charts.set_zone(_zone_of(name))
    window.store.settings.time_zone = name
    window.save_settings()
