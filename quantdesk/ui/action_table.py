"""List every action of the desk: words, keys and icons."""

from __future__ import annotations

from quantdesk.ui.action_spec import ActionSpec, translate
from quantdesk.ui.draw_actions import draw_actions
from quantdesk.ui.pair_actions import pair_actions
from quantdesk.ui.replay_actions import replay_actions
from quantdesk.ui.view_actions import view_actions
from quantdesk.ui.workspace_actions import link_actions, workspace_actions


def group_titles() -> dict[str, str]:
    """Return the title of every group, in the order of the menus."""
    return {
        "file": translate("actions", "File"),
        "replay": translate("actions", "Replay"),
        "view": translate("actions", "View"),
        "workspace": translate("actions", "Workspace"),
        "draw": translate("actions", "Draw"),
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
            "file.settings",
            translate("actions", "&Settings…"),
            keys="Ctrl+,",
            icon="sliders",
            tip=translate("actions", "Appearance, data, alerts, connection, keys"),
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
            "data.holdings",
            translate("actions", "Data &held…"),
            keys="Ctrl+Shift+G",
            icon="layout",
            tip=translate("actions", "What the store holds of each symbol; import, export and delete"),
        ),
        ActionSpec(
            "data.download",
            translate("actions", "&Download history…"),
            icon="export",
            tip=translate("actions", "Fetch trades and bars of past days from the exchange's archive"),
        ),
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
            "alerts.here",
            translate("actions", "&Alert here"),
            keys="Alt+N",
            tip=translate("actions", "Add a rule at the crosshair's value, or at the newest z"),
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
        *replay_actions(),
        *view_actions(),
        *workspace_actions(),
        *link_actions(),
        *draw_actions(),
        *_market_actions(),
        *_data_actions(),
        *pair_actions(),
        *_alerts_actions(),
        *_help_actions(),
    )
