"""List every action of the desk: words, keys and icons."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.zscore import ZKind


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Describe an action: its id is "group.name"; ``one_of`` names an exclusive set."""

    id: str
    text: str
    keys: str = ""
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    one_of: str = ""

    @property
    def group(self) -> str:
        """Return the group that the shortcut sheet lists it under."""
        return self.id.partition(".")[0]


#: The words of menus and tips, found by lupdate under the context "actions".
translate = QCoreApplication.translate


def group_titles() -> dict[str, str]:
    """Return the title of every group, in the order of the menus."""
    return {
        "file": translate("actions", "File"),
        "view": translate("actions", "View"),
        "market": translate("actions", "Market"),
        "data": translate("actions", "Data"),
        "pair": translate("actions", "Pair"),
        "alerts": translate("actions", "Alerts"),
        "help": translate("actions", "Help"),
    }


def _file_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "file.open",
            translate("actions", "&Open file…"),
            keys="Ctrl+O",
            icon="open",
            tip=translate("actions", "Open bars or trades from files"),
        ),
        ActionSpec(
            "file.live",
            translate("actions", "&Back to live market"),
            keys="Ctrl+L",
            icon="live",
            tip=translate("actions", "Close the file, show the market"),
        ),
        ActionSpec(
            "file.export_visible",
            translate("actions", "Export visible &range…"),
            keys="Ctrl+E",
            icon="export",
            tip=translate("actions", "Save what is on screen as CSV"),
        ),
        ActionSpec(
            "file.export_all",
            translate("actions", "Export &all bars…"),
            keys="Ctrl+Shift+E",
            tip=translate("actions", "Save all loaded bars as CSV"),
        ),
        ActionSpec(
            "file.picture",
            translate("actions", "Export &picture…"),
            keys="Ctrl+Shift+S",
            icon="picture",
            tip=translate("actions", "Save the panels as PNG"),
        ),
        ActionSpec(
            "file.report",
            translate("actions", "Sa&ve report…"),
            keys="Ctrl+Shift+H",
            tip=translate("actions", "Save all tests and charts of the pair as one HTML page"),
        ),
        ActionSpec(
            "file.tray",
            translate("actions", "Close to &tray"),
            keys="Ctrl+W",
            icon="tray",
            tip=translate("actions", "Hide the window, keep recording"),
        ),
        ActionSpec("file.quit", translate("actions", "&Quit"), keys="Ctrl+Q", icon="quit"),
    )


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
            tip=translate("actions", "Write the charts' times by this computer's clock; tables and exports stay UTC"),
            checkable=True,
            one_of="zone",
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
    )


def _market_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "market.add",
            translate("actions", "&Add symbol…"),
            keys="Ctrl+N",
            icon="add",
            tip=translate("actions", "Search the exchange's symbols"),
        ),
        ActionSpec(
            "market.simulate",
            translate("actions", "&Simulated exchange"),
            icon="simulate",
            tip=translate("actions", "Run on made-up prices, without a network"),
        ),
        ActionSpec(
            "market.reconnect",
            translate("actions", "Re&connect"),
            keys="F5",
            icon="reconnect",
            tip=translate("actions", "Drop the connection and connect again"),
        ),
    )


def _data_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "data.storage",
            translate("actions", "&Storage…"),
            keys="Ctrl+D",
            icon="database",
            tip=translate("actions", "Where the trades are kept, and how much of them"),
        ),
        ActionSpec(
            "data.copy_store",
            translate("actions", "&Copy to another store…"),
            icon="copy",
            tip=translate("actions", "Copy trades, bars and the ledger into another store"),
        ),
    )


def _pair_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "pair.1s",
            translate("actions", "&1 second"),
            keys="1",
            tip=translate("actions", "Bars of one second"),
            checkable=True,
            one_of="interval",
        ),
        ActionSpec(
            "pair.1m",
            translate("actions", "1 &minute"),
            keys="2",
            tip=translate("actions", "Bars of one minute"),
            checkable=True,
            one_of="interval",
        ),
        ActionSpec(
            "pair.5m",
            translate("actions", "&5 minutes"),
            keys="3",
            tip=translate("actions", "Bars of five minutes"),
            checkable=True,
            one_of="interval",
        ),
        ActionSpec(
            "pair.leg_y",
            translate("actions", "Candles of &Y"),
            keys="Alt+1",
            tip=translate("actions", "Draw the dependent leg"),
            checkable=True,
            one_of="leg",
        ),
        ActionSpec(
            "pair.leg_x",
            translate("actions", "Candles of &X"),
            keys="Alt+2",
            tip=translate("actions", "Draw the other leg"),
            checkable=True,
            one_of="leg",
        ),
    )


def _fit_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "pair.swap",
            translate("actions", "S&wap legs"),
            keys="Alt+S",
            icon="swap",
            tip=translate("actions", "Exchange Y and X"),
        ),
        ActionSpec(
            "pair.log",
            translate("actions", "&Log prices"),
            keys="Alt+L",
            icon="log",
            tip=translate("actions", "Regress logarithms of the prices"),
            checkable=True,
        ),
        ActionSpec(
            "pair.refit",
            translate("actions", "&Refit"),
            keys="Ctrl+R",
            icon="refit",
            tip=translate("actions", "Fit the hedge ratio anew on the newest bars"),
        ),
        ActionSpec(
            "pair.settings", translate("actions", "Windows and refit &schedule…"), keys="Ctrl+Shift+R", icon="schedule"
        ),
    )


def _z_actions() -> tuple[ActionSpec, ...]:
    names = {
        ZKind.WALK_FORWARD: translate("actions", "&Walk-forward (the signal)"),
        ZKind.REGRESSION: translate("actions", "&Regression, the bar itself included"),
        ZKind.ROLLING: translate("actions", "R&olling"),
        ZKind.EXPANDING: translate("actions", "&Expanding"),
        ZKind.EWM: translate("actions", "E&xponentially weighted"),
        ZKind.FULL_SAMPLE: translate("actions", "&Full sample (looks ahead)"),
    }
    return tuple(ActionSpec(f"pair.z_{kind}", text, checkable=True, one_of="z_kind") for kind, text in names.items())


def _alerts_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "alerts.rules",
            translate("actions", "&Rules…"),
            keys="Ctrl+Shift+A",
            icon="bell",
            tip=translate("actions", "What raises an alert, and what became of those it raised"),
        ),
        ActionSpec(
            "alerts.mute",
            translate("actions", "&Mute"),
            keys="Ctrl+M",
            icon="sound/sound-off",
            tip=translate("actions", "No sound, no popup; rows and toasts stay"),
            checkable=True,
        ),
        ActionSpec(
            "alerts.clear",
            translate("actions", "&Clear the table"),
            icon="clear",
            tip=translate("actions", "Remove every alert row"),
        ),
    )


def _help_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec("help.shortcuts", translate("actions", "&Keyboard shortcuts"), keys="F1", icon="keyboard"),
        ActionSpec("help.logs", translate("actions", "Open &log folder"), icon="folder"),
        ActionSpec("help.about", translate("actions", "&About quantdesk"), icon="info"),
    )


def desk_actions() -> tuple[ActionSpec, ...]:
    """Return every action of the desk, in the order of the menus."""
    return (
        *_file_actions(),
        *_view_actions(),
        *_reading_actions(),
        *_layout_actions(),
        *_market_actions(),
        *_data_actions(),
        *_pair_actions(),
        *_fit_actions(),
        *_z_actions(),
        *_alerts_actions(),
        *_help_actions(),
    )
