"""Connect the window's actions to what they do, and build its menus."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from quantdesk.ui.chart_actions import connect_undo, connect_view, register_panels
from quantdesk.ui.key_flow import KeyFlow
from quantdesk.ui.menus import Menus
from quantdesk.ui.palette_flow import PaletteFlow
from quantdesk.ui.typing_flow import TypingFlow

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


def make_menus(window: MainWindow) -> Menus:
    """Register the panels' toggles and build the menu bar."""
    register_panels(window)

    def removable() -> list[str]:
        if window.replay.playback is not None:
            return []  # the symbols on screen are not those that stream
        held = window.workspaces.shown_symbols()
        return [symbol for symbol in window.market.symbols() if symbol not in held]

    menus = Menus(
        window,
        window.registry,
        window.charts.panel_names,
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
    connect_view(window)
    connect_undo(window)
    _connect_theme(window)
    TypingFlow(window, PaletteFlow(window))
    window.keys = KeyFlow(window)
    on = window.registry
    settings, prompts = window.store.settings, window.prompts
    on["market.add"].triggered.connect(lambda: prompts.search_symbol(window.market.symbols()))
    on["market.simulate"].triggered.connect(window.simulate_requested)
    on["market.reconnect"].triggered.connect(window.reconnect_requested)
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


def _connect_theme(window: MainWindow) -> None:
    for name in ("dark", "light", "system"):
        window.registry[f"view.theme_{name}"].triggered.connect(lambda _=False, n=name: _choose_theme(window, n))
    safe = window.registry["view.safe_colours"]
    safe.setChecked(window.store.settings.safe_colours)
    safe.triggered.connect(lambda chosen: _choose_safe(window, chosen))


def _choose_theme(window: MainWindow, name: str) -> None:
    window.theme.choose(name)
    window.store.settings.theme = name
    window.save_settings()


def _choose_safe(window: MainWindow, safe: bool) -> None:
    window.theme.choose_safe(safe)
    window.store.settings.safe_colours = safe
    window.save_settings()


def _show_about(window: MainWindow) -> None:
    from quantdesk.ui.about import AboutDialog

    window.prompts.show_dialog("about", AboutDialog(window, window.selftest))


def _open_logs(folder: Path | None) -> None:
    if folder is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
