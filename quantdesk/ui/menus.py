"""Lay out the menu bar from the registered actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMainWindow, QMenu

from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.replay_actions import STEERING


def _tr(text: str) -> str:
    return QCoreApplication.translate("menus", text)


class Menus:
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
        self._window = window
        self._actions = actions
        self.recent = self._submenu(_tr("Open re&cent"))
        self.recent.aboutToShow.connect(lambda: self._fill_recent(recent(), open_recent))
        self.remove = self._submenu(_tr("&Remove symbol"))
        self.remove.aboutToShow.connect(lambda: self._fill_remove(removable(), remove))
        self._choices()
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
        bar.setAccessibleName(_tr("Menu bar"))
        self.file = bar.addMenu(_tr("&File"))
        self._fill_file(self.file)
        view = bar.addMenu(_tr("&View"))
        for menu in (self.panels, self.theme, self.zone, self.scale, self.spread):
            view.addMenu(menu)
        self._put(view, "view.both_legs", "", "view.palette", "")
        self._put(view, "view.latest", "view.reset", "view.zoom_in", "view.zoom_out", "", "view.fullscreen", "")
        self._put(view, "view.explain", "view.measure", "", "view.reset_layout", "view.undo", "view.redo")
        draw = bar.addMenu(_tr("D&raw"))
        self._put(draw, "draw.horizontal", "draw.trend", "draw.magnet", "", "draw.next", "draw.edit", "draw.delete")
        self._put(draw, "draw.delete_all", "", "draw.indicators")
        market = bar.addMenu(_tr("&Market"))
        self._put(market, "market.add")
        market.addMenu(self.remove)
        self._put(market, "", "market.simulate", "market.reconnect")
        self._put(bar.addMenu(_tr("&Data")), "data.holdings", "data.download", "", "data.storage", "data.copy_store")
        pair = bar.addMenu(_tr("&Pair"))
        pair.addMenu(self.interval)
        self._put(pair, "pair.symbol", "", "pair.leg_y", "pair.leg_x", "pair.leg_spread", "", "pair.swap", "pair.log")
        pair.addMenu(self.z_kind)
        self._put(pair, "", "pair.refit", "pair.settings")
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

    def _choices(self) -> None:
        """Make the menus of which one entry is ticked, and the one that steers a replay."""
        self.replay = self._submenu(_tr("Steer the repla&y"))
        self._put(self.replay, *STEERING)
        self.theme = self._submenu(_tr("&Theme"))
        self._put(self.theme, "view.theme_dark", "view.theme_light", "view.theme_system", "", "view.safe_colours")
        self.scale = self._submenu(_tr("Price &scale"))
        self._put(self.scale, *(f"view.scale_{scale}" for scale in PriceScale))
        self.spread = self._submenu(_tr("Spr&ead"))
        self._put(self.spread, "view.spread_candles", "view.spread_line", "")
        self._put(self.spread, "view.spread_difference", "view.spread_log", "view.spread_ratio")
        self.zone = self._submenu(_tr("Time &zone of the charts"))
        self._put(self.zone, "view.zone_utc", "view.zone_local")
        self.interval = self._submenu(_tr("&Interval"))
        self._put(self.interval, *(f"pair.{name}" for name in TIMEFRAMES), "", "pair.interval")
        self.z_kind = self._submenu(_tr("&z-score"))
        self._put(self.z_kind, *(f"pair.z_{kind}" for kind in ZKind))

    def _submenu(self, title: str) -> QMenu:
        menu = QMenu(title, self._window)
        menu.setAccessibleName(title.replace("&", ""))
        return menu

    def _put(self, menu: QMenu, *names: str) -> None:
        menu.setAccessibleName(menu.title().replace("&", ""))
        for name in names:
            if name:
                menu.addAction(self._actions[name])
            else:
                menu.addSeparator()

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
