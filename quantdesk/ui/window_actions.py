"""Connect the window's actions to what they do, and build its menus."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QCursor, QDesktopServices

from quantdesk.ui.action_spec import ActionSpec, translate
from quantdesk.ui.chart_choices import connect_chart_choices
from quantdesk.ui.charts.panels import KIND_LINK
from quantdesk.ui.key_flow import KeyFlow
from quantdesk.ui.menus import Menus
from quantdesk.ui.palette_flow import PaletteFlow
from quantdesk.ui.typing_flow import TypingFlow

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


def _panel_titles() -> dict[str, str]:
    return {
        "price": translate("actions", "&Price"),
        "spread": translate("actions", "&Spread"),
        "attribution": translate("actions", "&Attribution strip"),
        "z": translate("actions", "&z-score"),
        "correlation": translate("actions", "&Correlation"),
    }


def make_menus(window: MainWindow) -> Menus:
    """Register the panels' toggles and build the menu bar."""
    names, titles = window.charts.panel_names, _panel_titles()
    for name in names:
        text = titles.get(name, name.capitalize())
        action = window.registry.add(ActionSpec(f"view.panel_{name}", text, checkable=True))
        action.triggered.connect(lambda on, n=name: _show_panel(window, n, on))

    def removable() -> list[str]:
        if window.replay.playback is not None:
            return []  # the symbols on screen are not those that stream
        held = (window.pair.settings.y, window.pair.settings.x)
        return [symbol for symbol in window.market.symbols() if symbol not in held]

    menus = Menus(
        window,
        window.registry,
        names,
        lambda: window.store.settings.recent,
        lambda path: window.open_files_requested.emit([path], False),
        removable,
        window.remove_symbol_requested.emit,
    )
    # A tray may come up after the desk, or leave.
    menus.file.aboutToShow.connect(lambda: window.registry["file.tray"].setEnabled(window.tray.available))
    return menus


def connect_actions(window: MainWindow) -> None:
    """Connect every action that is not the pair's own."""
    _connect_files(window)
    _connect_view(window)
    TypingFlow(window, PaletteFlow(window))
    KeyFlow(window)
    on = window.registry
    settings, prompts = window.store.settings, window.prompts
    on["market.add"].triggered.connect(lambda: prompts.search_symbol(window.market.symbols()))
    on["market.simulate"].triggered.connect(window.simulate_requested)
    on["market.reconnect"].triggered.connect(window.reconnect_requested)
    on["pair.settings"].triggered.connect(lambda: prompts.edit_pair(window.pair.settings))
    on["alerts.clear"].triggered.connect(window.alerts.clear)
    on["help.about"].triggered.connect(lambda: _show_about(window))
    on["help.logs"].setEnabled(window.log_folder is not None)
    on["help.logs"].triggered.connect(lambda: _open_logs(window.log_folder))
    on["file.open"].triggered.connect(lambda: prompts.choose_files(settings.last_folder))


def _connect_files(window: MainWindow) -> None:
    on, prompts, settings = window.registry, window.prompts, window.store.settings

    def export(everything: bool) -> None:
        prompts.choose_csv(f"{_suggested_name(window)}.csv", settings.last_folder, everything=everything)

    on["file.live"].triggered.connect(window.live_requested)
    on["file.export_visible"].triggered.connect(lambda: export(False))
    on["file.export_all"].triggered.connect(lambda: export(True))
    on["file.picture"].triggered.connect(
        lambda: prompts.choose_picture(f"{_suggested_name(window)}.png", settings.last_folder)
    )
    on["file.report"].triggered.connect(
        lambda: prompts.choose_report(f"{_suggested_name(window)}.html", settings.last_folder)
    )
    prompts.report_chosen.connect(lambda path: _save_report(window, path))
    on["file.tray"].setEnabled(window.tray.available)
    on["file.tray"].triggered.connect(lambda: window.hide() if window.tray.available else None)
    # Quit means quit: only the window's own close button may mean the tray.
    on["file.quit"].triggered.connect(window.quit_requested)


def _save_report(window: MainWindow, path: Path) -> None:
    window.store.settings.last_folder = str(path.parent)
    window.report_requested.emit(path)


def _suggested_name(window: MainWindow) -> str:
    """Return a file name for an export, without its suffix."""
    settings = window.pair.settings
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    words = "-".join(part for part in (settings.y, settings.x, settings.interval, stamp) if part)
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", words)


def _connect_view(window: MainWindow) -> None:
    on, charts, settings = window.registry, window.charts, window.store.settings
    on["view.latest"].triggered.connect(charts.go_latest)
    charts.panel("z").linked.connect(lambda link: _choose_z_kind(window) if link == KIND_LINK else None)
    on["view.reset"].triggered.connect(charts.reset_view)
    on["view.measure"].triggered.connect(charts.measure)
    on["view.zoom_in"].triggered.connect(lambda: charts.zoom(1.25))
    on["view.zoom_out"].triggered.connect(lambda: charts.zoom(0.8))
    on["view.fullscreen"].triggered.connect(window.toggle_fullscreen)
    # The bound method would be called without the flag: PySide picks its overload by name.
    on["view.metrics"].triggered.connect(lambda shown: window.metrics.setVisible(shown))  # noqa: PLW0108
    for name in ("dark", "light", "system"):
        on[f"view.theme_{name}"].triggered.connect(lambda _=False, n=name: _choose_theme(window, n))
    on["view.safe_colours"].setChecked(settings.safe_colours)
    on["view.safe_colours"].triggered.connect(lambda safe: _choose_safe(window, safe))
    connect_chart_choices(window)
    undo = window.layouts.undo
    on["view.reset_layout"].triggered.connect(window.layouts.reset)
    on["view.undo"].triggered.connect(undo.undo)
    on["view.undo"].setEnabled(False)
    undo.canUndoChanged.connect(on["view.undo"].setEnabled)
    undo.undoTextChanged.connect(
        lambda words: on["view.undo"].setText(translate("actions", "&Undo {0}").format(words).rstrip())
    )
    on["view.redo"].triggered.connect(undo.redo)
    on["view.redo"].setEnabled(False)
    undo.canRedoChanged.connect(on["view.redo"].setEnabled)
    undo.redoTextChanged.connect(
        lambda words: on["view.redo"].setText(translate("actions", "Re&do {0}").format(words).rstrip())
    )
    undo.indexChanged.connect(lambda _index: window.show_panels_checked())


def _choose_theme(window: MainWindow, name: str) -> None:
    window.theme.choose(name)
    window.store.settings.theme = name
    window.save_settings()


def _choose_safe(window: MainWindow, safe: bool) -> None:
    window.theme.choose_safe(safe)
    window.store.settings.safe_colours = safe
    window.save_settings()


def _choose_z_kind(window: MainWindow) -> None:
    """Drop the kinds of z down where the panel's title was clicked."""
    window.menus.z_kind.popup(QCursor.pos())


def _show_panel(window: MainWindow, name: str, shown: bool) -> None:
    window.charts.set_panel_visible(name, shown)
    window.show_panels_checked()


def _show_about(window: MainWindow) -> None:
    from quantdesk.ui.about import AboutDialog

    window.prompts.show_dialog("about", AboutDialog(window, window.selftest))


def _open_logs(folder: Path | None) -> None:
    if folder is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
