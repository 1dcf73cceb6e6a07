"""Compose the desk's window: charts, strips, docks, bars; it asks for disk and network by signal only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from quantdesk.model.alerts import AlertEvent, AlertModel
from quantdesk.model.clock import FrameClock
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.types import Origin, SymbolInfo
from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.alert_flow import AlertFlow
from quantdesk.ui.alert_table import AlertTable
from quantdesk.ui.banner import Banner
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.closing import ClosingFlow
from quantdesk.ui.data_flow import DataFlow
from quantdesk.ui.docks import Layout
from quantdesk.ui.draw_flow import DrawFlow
from quantdesk.ui.holdings_flow import HoldingsFlow
from quantdesk.ui.icons import app_icon
from quantdesk.ui.indicator_flow import IndicatorFlow
from quantdesk.ui.level_flow import LevelFlow
from quantdesk.ui.metrics import MetricStrip
from quantdesk.ui.pair_control import PairControl
from quantdesk.ui.pair_docks import PairDocks
from quantdesk.ui.preferences_flow import PreferencesFlow
from quantdesk.ui.progress import Progress, ProgressStrip
from quantdesk.ui.prompts import Prompts
from quantdesk.ui.replay_flow import ReplayFlow
from quantdesk.ui.rules_flow import RulesFlow
from quantdesk.ui.self_test import SelfTestFlow
from quantdesk.ui.settings_flow import SettingsFlow
from quantdesk.ui.settings_store import SettingsStore
from quantdesk.ui.spread_flow import SpreadFlow
from quantdesk.ui.status_bar import DeskMode, DeskStatusBar, mode_text
from quantdesk.ui.status_flow import StatusFlow
from quantdesk.ui.storage_flow import StorageFlow
from quantdesk.ui.theme import Theme
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.toasts import ToastStack
from quantdesk.ui.toolbar import Toolbar
from quantdesk.ui.tray import Tray
from quantdesk.ui.webhook_flow import WebhookFlow
from quantdesk.ui.window_actions import connect_actions, make_menus

if TYPE_CHECKING:
    from quantdesk.store.files import LoadReport

_SMALLEST = QSize(900, 560)
_FIRST = QSize(1500, 900)
_LEAST_CENTRE = 410


class MainWindow(QMainWindow):
    """Show one pair and everything about it.

    ``open_files_requested([Path], skip_bad_rows)``, ``export_csv_requested(Path, all_bars)``,
    ``export_picture_requested(Path, QImage)``, ``report_requested(Path)`` and the others ask the
    composition root to act; ``quit_requested`` asks it to end: it then calls ``close_for_good``.
    """

    open_files_requested = Signal(list, bool)
    live_requested = Signal()
    simulate_requested = Signal()
    reconnect_requested = Signal()
    add_symbol_requested = Signal(str)
    remove_symbol_requested = Signal(str)
    symbols_info_requested = Signal()
    export_csv_requested = Signal(object, bool)
    export_picture_requested = Signal(object, object)
    report_requested = Signal(object)
    notify_requested = Signal(str, str)
    quit_requested = Signal()

    def __init__(
        self,
        pair: PairModel,
        market: MarketModel,
        alerts: AlertModel,
        clock: FrameClock,
        theme: Theme,
        store: SettingsStore,
        log_folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.pair, self.market, self.alerts, self.clock = pair, market, alerts, clock
        self.theme, self.store, self.log_folder = theme, store, log_folder
        self.mode = DeskMode()
        self._leaving = False
        self._was_maximized = False
        self.setObjectName("main_window")
        self.setWindowIcon(app_icon())
        self.setMinimumSize(_SMALLEST)
        self.setAcceptDrops(True)
        self.resize(_FIRST)
        self.registry = ActionRegistry(self)
        self.prompts = Prompts(self)
        self._compose(theme.tokens)
        self._connect()
        self._set_tokens(theme.tokens)
        self.layouts.remember_default()
        self.keeper.restore()
        self.registry[f"view.theme_{theme.name}"].setChecked(True)
        self._follow(market)
        self.set_mode(self.mode)
        self.rules.show()
        self.charts.setFocus()

    # -- what the composition root calls ------------------------------------------------------

    def set_market(self, market: MarketModel) -> None:
        """Follow another market model (live, simulated or replayed)."""
        self.market.ticked.disconnect(self._on_ticked)
        self.market.symbols_changed.disconnect(self.control.refresh)
        self._follow(market)

    def set_mode(self, mode: DeskMode) -> None:
        """Show where the data come from, in badge and title, and offer what makes sense there."""
        self.mode = mode
        self.states.set_mode(mode)
        self._show_title()

    def set_symbols_info(self, infos: Sequence[SymbolInfo]) -> None:
        """Fill the symbol search; the answer to ``symbols_info_requested``."""
        self.prompts.show_symbols_info(infos)

    def set_symbols_problem(self, text: str) -> None:
        """Say in the symbol search why the exchange's list is not there."""
        self.prompts.show_symbols_problem(text)

    def show_opened(self, report: LoadReport, notes: Sequence[str] = ()) -> None:
        """Tell that a file was opened; a click shows the report in full."""
        self.store.settings.remember_file(report.path)
        self.keeper.save_soon()
        odd = bool(report.bad_rows) or bool(notes)
        words = "\n".join([report.summary(), *notes])
        title = self.tr("Opened {0}").format(report.path.name)
        self.toast(title, words, "warning" if odd else "ok", lambda: self.prompts.show_report(report))

    def show_open_failed(self, paths: Sequence[Path], error: str, *, can_skip: bool = True) -> None:
        """Say why files did not open, with the choice to skip bad rows."""
        self.prompts.show_open_failed(paths, error, self.theme.tokens, can_skip=can_skip)

    def toast(self, title: str, text: str = "", level: str = "info", activated: object = None) -> None:
        """Show a short message; ``level`` is info, ok, warning or error."""
        self.toasts.show_toast(title, text, level, activated if callable(activated) else None)

    def start_progress(self, text: str) -> Progress:
        """Follow a long task in the window; call ``finish`` on the result."""
        return self.progress.start(text)

    def bring_to_front(self) -> None:
        """Show the window above the others: a second start, the tray, a popup."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def show_last_alert(self) -> None:
        """Show the bar of the newest popup (a desktop notification was clicked)."""
        self.flow.show_popped()

    def save_settings(self) -> None:
        """Write layout, pair and rules to the settings, now."""
        self.keeper.save()

    def close_for_good(self) -> None:
        """Save and close; the event loop may end after this."""
        self.save_settings()
        self.drawing.save()
        self._leaving = True
        self.keeper.stop()
        self.layouts.stop()
        self.tray.hide()
        self.close()

    # -- composition ---------------------------------------------------------------------------

    def _compose(self, tokens: Tokens) -> None:
        self.charts = ChartStack(self.pair, self.clock, tokens, self)
        self.metrics = MetricStrip(self.pair, self._live_quotes, tokens, self)
        self.banner = Banner(tokens, self)
        self.progress = ProgressStrip(self)
        central = QWidget(self)
        # The layout's own guess is that of the narrowest strip: it would leave the dock below no room.
        central.setMinimumHeight(_LEAST_CENTRE)
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.banner, self.progress, self.metrics):
            column.addWidget(part)
        column.addWidget(self.charts, 1)
        self.setCentralWidget(central)
        self.table = AlertTable(tokens, self)
        self.layouts = Layout(self, self.charts, self.metrics)
        dock = self.layouts.add_dock("alerts", self.tr("Alerts"), self.table)
        self.registry.adopt("view.alerts", dock.toggleViewAction(), "Ctrl+Shift+L")
        self.data = DataFlow(self)
        self.bar = Toolbar(self.registry, self)
        self.addToolBar(self.bar)
        self.status = DeskStatusBar(tokens, self)
        self.setStatusBar(self.status)
        self.toasts = ToastStack(self, tokens, self.status)
        self.tray = Tray(app_icon(), self.registry["alerts.mute"], self.registry["file.quit"], self)
        self.control = PairControl(self.pair, self.registry, self.bar, self.charts)
        self.flow = AlertFlow(self.alerts, self.table, self.toasts, self.tray)
        self.states = StatusFlow(self.pair, self.registry, self.banner, self.status)
        self.keeper = SettingsFlow(self)
        self.closing = ClosingFlow(self)
        self.preferences = PreferencesFlow(self)
        self.storage = StorageFlow(self)
        self.holdings = HoldingsFlow(self)
        self.pair_docks = PairDocks(self)
        self.selftest = SelfTestFlow(self)
        self.webhooks = WebhookFlow(self)
        self.rules = RulesFlow(self)
        self.drawing = DrawFlow(self)
        self.indicators = IndicatorFlow(self)
        self.replay = ReplayFlow(self)
        self.spread = SpreadFlow(self)
        self.levels = LevelFlow(self)
        self.menus = make_menus(self)

    def _connect(self) -> None:
        connect_actions(self)
        self.data.connect_window()
        self.theme.tokens_changed.connect(self._set_tokens)
        self.clock.tick.connect(self._on_frame)
        self.pair.settings_changed.connect(self._on_pair)
        self.pair.failed.connect(
            lambda text: self.toast(self.tr("The statistics could not be computed"), text, "error")
        )
        self.control.refused.connect(lambda text: self.toast(self.tr("That cannot be shown"), text, "warning"))
        self.flow.bar_wanted.connect(self.show_bar)
        self.flow.notify_requested.connect(self.notify_requested)
        self.flow.webhook_requested.connect(self.webhooks.send_requested)
        self.flow.marks_changed.connect(self._mark_alerts)
        self.tray.show_requested.connect(self.bring_to_front)
        prompts = self.prompts
        prompts.files_chosen.connect(self._open_files)
        prompts.csv_chosen.connect(self._export_csv)
        prompts.picture_chosen.connect(
            lambda path: self.export_picture_requested.emit(path, self.charts.grab_picture())
        )
        prompts.symbol_chosen.connect(self.add_symbol_requested)
        prompts.symbols_wanted.connect(self.symbols_info_requested)
        prompts.pair_chosen.connect(self.control.put)

    def _live_quotes(self) -> MarketModel | None:
        return None if self.mode.origin is Origin.FILE else self.market

    def _follow(self, market: MarketModel) -> None:
        self.market = market
        market.ticked.connect(self._on_ticked)
        market.symbols_changed.connect(self.control.refresh)
        self.states.set_market(market)
        self.control.refresh()

    # -- slots ---------------------------------------------------------------------------------

    @Slot(object)
    def show_bar(self, event: AlertEvent) -> None:
        """Show the bar of an alert, changing the pair or interval if it was raised on another."""
        self.bring_to_front()
        legs = event.pair.split(" / ")
        source = self.pair.source
        if source is not None and len(legs) == 2 and set(legs) <= set(source.symbols()):
            self.control.change(y=legs[0], x=legs[1], interval=event.interval)
        elif (event.pair, event.interval) != (self.control.text, self.pair.settings.interval):
            self.toast(self.tr("That bar is not loaded"), self.tr("{0} is not shown now.").format(event.pair))
            return
        self.charts.show_time(event.time_ms)

    def show_panels_checked(self) -> None:
        """Tick the menu's panels as they are shown; the last one cannot be hidden."""
        shown = [name for name in self.charts.panel_names if self.charts.is_panel_visible(name)]
        for name in self.charts.panel_names:
            action = self.registry[f"view.panel_{name}"]
            action.setChecked(name in shown)
            action.setEnabled(shown != [name])
        self.registry["view.metrics"].setChecked(not self.metrics.isHidden())

    def toggle_fullscreen(self, on: bool) -> None:
        """Fill the screen, or return to what the window was."""
        if on:
            self._was_maximized = self.isMaximized()
            self.showFullScreen()
        elif self._was_maximized:
            self.showMaximized()
        else:
            self.showNormal()

    @Slot(list, bool)
    def _open_files(self, paths: list[Path], skip_bad_rows: bool) -> None:
        self.store.settings.last_folder = str(paths[0].parent)
        self.open_files_requested.emit(paths, skip_bad_rows)

    @Slot(object, bool)
    def _export_csv(self, path: Path, everything: bool) -> None:
        self.store.settings.last_folder = str(path.parent)
        self.export_csv_requested.emit(path, everything)

    @Slot(object)
    def _set_tokens(self, tokens: Tokens) -> None:
        self.registry.set_tokens(tokens)
        for part in (
            self.charts,
            self.metrics,
            self.banner,
            self.bar,
            self.status,
            self.toasts,
            self.table,
            self.data,
            self.holdings,
            self.pair_docks,
            self.replay,
        ):
            part.set_tokens(tokens)

    @Slot()
    def _on_frame(self) -> None:
        if not self.metrics.isHidden() and not self.isHidden():
            self.metrics.refresh()

    @Slot(str)
    def _on_ticked(self, symbol: str) -> None:
        if symbol in (self.pair.settings.y, self.pair.settings.x):
            self.clock.mark()

    @Slot()
    def _on_pair(self) -> None:
        self._show_title()
        self._mark_alerts()
        self.keeper.save_soon()

    @Slot()
    def _mark_alerts(self) -> None:
        self.charts.set_marks(self.flow.marks(self.control.text, self.pair.settings.interval))

    def _show_title(self) -> None:
        mode = mode_text(self.mode) + (self.tr(" · READ-ONLY") if self.mode.read_only else "")
        words = " · ".join(part for part in (self.control.text, self.pair.settings.interval, mode) if part)
        self.setWindowTitle(f"{words} – quantdesk")
        self.tray.set_tip(f"quantdesk · {words}")

    # -- Qt ------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave the decision to the user and the composition root."""
        if self._leaving:
            event.accept()
            return
        event.ignore()
        self.closing.request()

    def changeEvent(self, event: QEvent) -> None:
        """Keep the full-screen tick true when the window manager changes the state."""
        if event.type() == QEvent.Type.WindowStateChange:
            self.registry["view.fullscreen"].setChecked(self.isFullScreen())
        super().changeEvent(event)

    def showEvent(self, event: QEvent) -> None:
        """Count ages while one can see them."""
        self.states.run(True)
        super().showEvent(event)  # type: ignore[arg-type]  # Qt passes a QShowEvent

    def hideEvent(self, event: QEvent) -> None:
        """Rest while hidden."""
        self.states.run(False)
        super().hideEvent(event)  # type: ignore[arg-type]  # Qt passes a QHideEvent

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Remember the size; the place is saved along."""
        super().resizeEvent(event)
        self.keeper.save_soon()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the files that were dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self._open_files(paths, False)
