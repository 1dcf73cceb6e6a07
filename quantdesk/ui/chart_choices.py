"""Choose how the charts are written, and keep it between starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantdesk.ui.action_spec import translate
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.charts.state import SPREAD
from quantdesk.ui.charts.zone import UTC_ZONE, Zone

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow


def connect_chart_choices(window: ChartWindow) -> None:
    """Show what is kept, and follow the actions of the View menu."""
    on = window.registry
    for name in ("utc", "local"):
        on[f"view.zone_{name}"].triggered.connect(lambda _=False, n=name: _choose_zone(window, n))
    on["view.both_legs"].triggered.connect(lambda shown: _overlay(window, shown))
    for scale in PriceScale:
        on[f"view.scale_{scale}"].triggered.connect(lambda _=False, s=scale: _choose_scale(window, s))
    show_chart_choices(window)


def show_chart_choices(window: ChartWindow) -> None:
    """Draw the charts as is kept, and tick it in the menus."""
    on, choices = window.registry, window.choices
    on[f"view.zone_{choices.time_zone}"].setChecked(True)
    window.set_zone(zone_of(choices.time_zone))
    on["view.both_legs"].setChecked(choices.both_legs)
    window.charts.set_both_legs(choices.both_legs)
    on[f"view.scale_{choices.price_scale}"].setChecked(True)
    window.charts.set_scale(PriceScale(choices.price_scale))


def _overlay(window: ChartWindow, shown: bool) -> None:
    """Lay one leg over the other; where the spread is shown the legs come first, or nothing would be seen."""
    if window.charts.price_leg == SPREAD:
        window.registry["pair.leg_y"].trigger()
        window.registry["view.both_legs"].setChecked(True)
        shown = True
    window.charts.set_both_legs(shown)
    window.choices.both_legs = shown
    window.save_settings()


def _choose_scale(window: ChartWindow, scale: PriceScale) -> None:
    if scale is not PriceScale.LINEAR and window.charts.price_leg == SPREAD and not window.spread.bars.is_ratio:
        words = translate(
            "choices", "It may go through zero, which has no logarithm and no percent. The legs take the scale."
        )
        window.toast(translate("choices", "The spread stays linear"), words)
    elif (
        window.choices.both_legs and window.charts.price_leg != SPREAD and scale in (PriceScale.LINEAR, PriceScale.LOG)
    ):
        words = translate(
            "choices", "Only so do they lie over one another. The scale is taken once one leg shows alone."
        )
        window.toast(translate("choices", "Both legs stay indexed"), words)
    window.charts.set_scale(scale)
    window.choices.price_scale = scale.value
    window.save_settings()


def zone_of(name: str) -> Zone:
    """Return the zone that a choice names."""
    return Zone.local() if name == "local" else UTC_ZONE


def _choose_zone(window: ChartWindow, name: str) -> None:
    window.choices.time_zone = name
    window.set_zone(zone_of(name))
    window.save_settings()
