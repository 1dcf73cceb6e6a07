"""Make the menus that every window of charts has from its registered actions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMainWindow, QMenu

from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.workspace_actions import CLOSE, GO, LINKS, SHARES


def _tr(text: str) -> str:
    return QCoreApplication.translate("menus", text)


class ChartMenus:
    """Own the submenus of choices, and put registered actions into menus; a name the window lacks is left out."""

    def __init__(self, window: QMainWindow, actions: ActionRegistry) -> None:
        self._window = window
        self._actions = actions
        self.theme = self._submenu(_tr("&Theme"))
        self._put(self.theme, "view.theme_dark", "view.theme_light", "view.theme_system", "", "view.safe_colours")
        self.scale = self._submenu(_tr("Price &scale"))
        self._put(self.scale, *(f"view.scale_{scale}" for scale in PriceScale))
        self.spread = self._submenu(_tr("Spr&ead"))
        self._put(self.spread, "view.spread_candles", "view.spread_line", "")
        self._put(self.spread, "view.spread_difference", "view.spread_log", "view.spread_ratio")
        self.zone = self._submenu(_tr("Time &zone"))
        self._put(self.zone, "view.zone_utc", "view.zone_local")
        self.interval = self._submenu(_tr("&Interval"))
        self._put(self.interval, *(f"pair.{name}" for name in TIMEFRAMES), "", "pair.interval")
        self.z_kind = self._submenu(_tr("&z-score"))
        self._put(self.z_kind, *(f"pair.z_{kind}" for kind in ZKind))
        self.link = self._submenu(_tr("&Link group"))
        self._put(self.link, *LINKS, "", "workspace.link_next", "", *SHARES)
        window.menuBar().setAccessibleName(_tr("Menu bar"))

    def _add_workspace(self) -> None:
        menu = self.workspace = self._window.menuBar().addMenu(_tr("&Workspace"))
        self._put(menu, "workspace.new_window", CLOSE, "workspace.reopen")
        menu.addMenu(self.link)
        self._put(menu, "", *GO, "", "workspace.new", "workspace.save_as", "workspace.rename")
        self._put(menu, "workspace.delete", "workspace.reset")

    def _add_pair(self) -> None:
        pair = self._window.menuBar().addMenu(_tr("&Pair"))
        pair.addMenu(self.interval)
        self._put(pair, "pair.symbol", "", "pair.leg_y", "pair.leg_x", "pair.leg_spread", "", "pair.swap", "pair.log")
        pair.addMenu(self.z_kind)
        self._put(pair, "", "pair.refit", "pair.settings")

    def _add_draw(self) -> None:
        draw = self._window.menuBar().addMenu(_tr("D&raw"))
        self._put(draw, "draw.horizontal", "draw.trend", "draw.magnet", "", "draw.next", "draw.edit", "draw.delete")
        self._put(draw, "draw.delete_all", "", "draw.indicators")

    def _submenu(self, title: str) -> QMenu:
        menu = QMenu(title, self._window)
        menu.setAccessibleName(title.replace("&", ""))
        return menu

    def _put(self, menu: QMenu, *names: str) -> None:
        menu.setAccessibleName(menu.title().replace("&", ""))
        for name in names:
            if not name:
                menu.addSeparator()
            elif name in self._actions:
                menu.addAction(self._actions[name])


class SecondMenus(ChartMenus):
    """Lay out the menu bar of a window that is not the main one."""

    def __init__(self, window: QMainWindow, actions: ActionRegistry, panels: Sequence[str]) -> None:
        super().__init__(window, actions)
        self.panels = self._submenu(_tr("&Panels"))
        self._put(self.panels, *(f"view.panel_{name}" for name in panels), "", "view.metrics")
        view = window.menuBar().addMenu(_tr("&View"))
        for menu in (self.panels, self.theme, self.zone, self.scale, self.spread):
            view.addMenu(menu)
        self._put(view, "view.both_legs", "", "view.palette", "")
        self._put(view, "view.latest", "view.reset", "view.zoom_in", "view.zoom_out", "", "view.fullscreen", "")
        self._put(view, "view.explain", "view.measure", "", "view.reset_layout", "view.undo", "view.redo")
        self._add_workspace()
        self._add_draw()
        self._add_pair()
