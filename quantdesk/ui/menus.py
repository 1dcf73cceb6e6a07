"""Lay out the menu bar from the registered actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMainWindow, QMenu

from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.chart_menus import ChartMenus
from quantdesk.ui.replay_actions import STEERING


def _tr(text: str) -> str:
    return QCoreApplication.translate("menus", text)


class Menus(ChartMenus):
    """Own the menu bar; the recent files and the symbols to remove are filled when shown."""

    def __init__(
        self,
        window: QMainWindow,
        actions: ActionRegistry,
        panels: Sequence[str],
        recent: Callable[[], Sequence[str]],
        open_recent: Callable[[Path], None],
        removable: Callable[[], Sequence[str]],
        remove: Callable[[str], None],
    ) -> None:
        super().__init__(window, actions)
        self.replay = self._submenu(_tr("Steer the repla&y"))
        self._put(self.replay, *STEERING)
        self.recent = self._submenu(_tr("Open re&cent"))
        self.recent.aboutToShow.connect(lambda: self._fill_recent(recent(), open_recent))
        self.remove = self._submenu(_tr("&Remove symbol"))
        self.remove.aboutToShow.connect(lambda: self._fill_remove(removable(), remove))
        self.panels = self._submenu(_tr("&Panels"))
        self._put(
            self.panels,
            *(f"view.panel_{name}" for name in panels),
            "",
            "view.metrics",
            "view.alerts",
            "view.data",
            "view.evidence",
            "view.ticks",
            "view.hedge_bench",
        )
        bar = window.menuBar()
        self.file = bar.addMenu(_tr("&File"))
        self._fill_file(self.file)
        view = bar.addMenu(_tr("&View"))
        for menu in (self.panels, self.theme, self.zone, self.scale, self.spread):
            view.addMenu(menu)
        self._put(view, "view.both_legs", "", "view.palette", "")
        self._put(view, "view.latest", "view.reset", "view.zoom_in", "view.zoom_out", "", "view.fullscreen", "")
        self._put(view, "view.explain", "view.measure", "", "view.reset_layout", "view.undo", "view.redo")
        self._add_workspace()
        self._add_draw()
        market = bar.addMenu(_tr("&Market"))
        self._put(market, "market.add")
        market.addMenu(self.remove)
        self._put(market, "", "market.simulate", "market.reconnect")
        self._put(bar.addMenu(_tr("&Data")), "data.holdings", "data.download", "", "data.storage", "data.copy_store")
        self._add_pair()
        self._put(bar.addMenu(_tr("&Alerts")), "alerts.rules", "alerts.here", "alerts.mute", "", "alerts.clear")
        # Alt+H draws a horizontal line.
        self._put(bar.addMenu(_tr("H&elp")), "help.shortcuts", "help.logs", "", "help.about")

    def _fill_file(self, file: QMenu) -> None:
        self._put(file, "file.open")
        file.addMenu(self.recent)
        self._put(file, "replay.choose")
        file.addMenu(self.replay)
        self._put(file, "file.live", "", "file.export_visible", "file.export_all", "file.picture", "file.report", "")
        self._put(file, "file.settings", "", "file.tray", "file.quit")

    def _fill_recent(self, files: Sequence[str], open_file: Callable[[Path], None]) -> None:
        self.recent.clear()
        for number, name in enumerate(files, 1):
            path = Path(name)
            # An ampersand in a file's name is no mnemonic.
            text = f"&{number % 10}  {path.name.replace('&', '&&')}"
            action = self.recent.addAction(text)
            action.setToolTip(name)
            action.setData(path.name)
            action.triggered.connect(lambda _=False, p=path: open_file(p))
        if not files:
            self.recent.addAction(_tr("No files opened yet")).setEnabled(False)
        self.recent.setToolTipsVisible(True)

    def _fill_remove(self, symbols: Sequence[str], remove: Callable[[str], None]) -> None:
        self.remove.clear()
        for symbol in symbols:
            self.remove.addAction(symbol.replace("&", "&&")).triggered.connect(lambda _=False, s=symbol: remove(s))
        if not symbols:
            self.remove.addAction(_tr("Both streaming symbols are in the pair")).setEnabled(False)
