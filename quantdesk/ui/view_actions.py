"""List the actions of the View menu: words, keys and icons."""

from __future__ import annotations

from quantdesk.ui.action_spec import ActionSpec, translate


def _view_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "view.metrics",
            translate("actions", "&Metrics"),
            keys="Ctrl+Shift+M",
            tip=translate("actions", "Show the boxes above the charts"),
            checkable=True,
        ),
        ActionSpec("view.theme_dark", translate("actions", "&Dark"), checkable=True, one_of="theme"),
        ActionSpec("view.theme_light", translate("actions", "&Light"), checkable=True, one_of="theme"),
        ActionSpec("view.theme_system", translate("actions", "&System"), checkable=True, one_of="theme"),
        ActionSpec(
            "view.safe_colours",
            translate("actions", "&Colour-blind-safe colours"),
            tip=translate("actions", "Rising and falling in blue and orange instead of green and red"),
            checkable=True,
        ),
        ActionSpec(
            "view.latest",
            translate("actions", "&Latest bar"),
            keys="End",
            icon="latest",
            tip=translate("actions", "Follow the newest bar"),
        ),
        ActionSpec(
            "view.reset",
            translate("actions", "&Reset view"),
            keys="Ctrl+0",
            icon="reset-view",
            tip=translate("actions", "Default zoom, automatic scales"),
        ),
        ActionSpec(
            "view.explain",
            translate("actions", "&Why this bar…"),
            keys="Ctrl+I",
            tip=translate("actions", "Tell whether the bar under the crosshair is complete, and why"),
        ),
        ActionSpec(
            "view.palette",
            translate("actions", "&Command palette…"),
            keys="Ctrl+Shift+P",
            icon="search",
            tip=translate("actions", "Find any command, symbol or file by typing"),
        ),
        ActionSpec(
            "view.measure",
            translate("actions", "&Measure"),
            keys="M",
            tip=translate("actions", "Measure change, bars and time: Shift and drag, or Left and Right"),
        ),
        ActionSpec("view.zoom_in", translate("actions", "Zoom &in"), keys="Ctrl++", icon="zoom-in"),
        ActionSpec("view.zoom_out", translate("actions", "Zoom &out"), keys="Ctrl+-", icon="zoom-out"),
    )


def _reading_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec("view.scale_linear", translate("actions", "&Linear"), checkable=True, one_of="scale"),
        ActionSpec("view.scale_log", translate("actions", "Lo&garithmic"), checkable=True, one_of="scale"),
        ActionSpec(
            "view.scale_percent",
            translate("actions", "&Percent"),
            tip=translate("actions", "Percent of the first visible bar's close"),
            checkable=True,
            one_of="scale",
        ),
        ActionSpec(
            "view.scale_indexed",
            translate("actions", "&Indexed to 100"),
            tip=translate("actions", "The first visible bar's close is 100"),
            checkable=True,
            one_of="scale",
        ),
        ActionSpec(
            "view.both_legs",
            translate("actions", "&Both legs"),
            keys="Ctrl+B",
            tip=translate(
                "actions", "Draw the other leg over the candles, both indexed to 100 where they begin in sight"
            ),
            checkable=True,
        ),
        ActionSpec("view.zone_utc", translate("actions", "&UTC"), checkable=True, one_of="zone"),
        ActionSpec(
            "view.zone_local",
            translate("actions", "&Local"),
            tip=translate("actions", "Write the window's times by this computer's clock; exports and dialogs stay UTC"),
            checkable=True,
            one_of="zone",
        ),
    )


def _spread_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "view.spread_candles",
            translate("actions", "&Candles"),
            tip=translate("actions", "Draw the spread as candles of both legs' trades, where these are at hand"),
            checkable=True,
            one_of="spread_style",
        ),
        ActionSpec(
            "view.spread_line",
            translate("actions", "&Line"),
            tip=translate("actions", "Draw the spread's closes as a line"),
            checkable=True,
            one_of="spread_style",
        ),
        ActionSpec(
            "view.spread_difference",
            translate("actions", "&Y − β X"),
            tip=translate("actions", "The spread of the prices"),
            checkable=True,
            one_of="spread_formula",
        ),
        ActionSpec(
            "view.spread_log",
            translate("actions", "l&n Y − β ln X"),
            tip=translate("actions", "The spread of the prices' logarithms"),
            checkable=True,
            one_of="spread_formula",
        ),
        ActionSpec(
            "view.spread_ratio",
            translate("actions", "Y / X, the &ratio"),
            tip=translate("actions", "The ratio of the prices; z and the statistics stay those of the spread"),
            checkable=True,
            one_of="spread_formula",
        ),
    )


def _layout_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "view.fullscreen", translate("actions", "&Full screen"), keys="F11", icon="fullscreen", checkable=True
        ),
        ActionSpec(
            "view.reset_layout",
            translate("actions", "Reset la&yout"),
            icon="layout",
            tip=translate("actions", "Put panels and docks back"),
        ),
        ActionSpec("view.undo", translate("actions", "&Undo"), keys="Ctrl+Z", icon="undo"),
        ActionSpec("view.redo", translate("actions", "Re&do"), keys="Ctrl+Shift+Z"),
    )


def view_actions() -> tuple[ActionSpec, ...]:
    """Return what one sees and how: docks, scales, zones, layout."""
    return (*_view_actions(), *_reading_actions(), *_spread_actions(), *_layout_actions())
