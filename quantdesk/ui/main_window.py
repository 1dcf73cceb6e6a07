"""Compose the desk's window: charts, strips, docks, bars; it asks for disk and network by signal only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent

from quantdesk.model.alerts import AlertEvent, AlertModel
from quantdesk.model.clock import FrameClock
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.types import SymbolInfo
from quantdesk.ui.action_table import desk_actions
from quantdesk.ui.alert_flow import AlertFlow
from quantdesk.ui.alert_table import AlertTable
from quantdesk.ui.chart_window import ChartWindow
from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.closing import ClosingFlow
from quantdesk.ui.data_flow import DataFlow
from quantdesk.ui.draw_flow import DrawFlow
from quantdesk.ui.holdings_flow import HoldingsFlow
from quantdesk.ui.icons import app_icon
from quantdesk.ui.indicator_flow import IndicatorFlow
from quantdesk.ui.key_flow import KeyFlow
from quantdesk.ui.level_flow import LevelFlow
from quantdesk.ui.line_flow import LineFlow
from quantdesk.ui.pair_docks import PairDocks
from quantdesk.ui.preferences_flow import PreferencesFlow
from quantdesk.ui.progress import Progress, ProgressStrip
from quantdesk.ui.replay_flow import ReplayFlow
from quantdesk.ui.rules_flow import RulesFlow
from quantdesk.ui.self_test import SelfTestFlow
from quantdesk.ui.settings_flow import SettingsFlow
from quantdesk.ui.settings_store import SettingsStore
from quantdesk.ui.spread_flow import SpreadFlow
from quantdesk.ui.status_bar import DeskMode, DeskStatusBar
from quantdesk.ui.status_flow import StatusFlow
from quantdesk.ui.storage_flow import StorageFlow
from quantdesk.ui.theme import Theme
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.toasts import ToastStack
from quantdesk.ui.tray import Tray
from quantdesk.ui.webhook_flow import WebhookFlow
from quantdesk.ui.window_actions import connect_actions, make_menus
from quantdesk.ui.workspaces.flow import WorkspaceFlow
from quantdesk.ui.workspaces.store import WorkspaceStore

if TYPE_CHECKING:
    from quantdesk.store.files import LoadReport


class MainWindow(ChartWindow):
    """Show one pair and everything about it, and own what the windows beside it share.

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
    keys: KeyFlow

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
        # The workspace that was open last says how this window was, more lately than the settings could.
        kept = WorkspaceStore(store.path.parent, store.settings)
        super().__init__(pair, market, clock, theme, store, store.settings, desk_actions())
        self.alerts, self.log_folder = alerts, log_folder
        self._leaving = False
        self.setObjectName("main_window")
        self.setAcceptDrops(True)
        self._compose(theme.tokens, kept)
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
        """Follow another market model (live, simulated or replayed), in every window."""
        super().set_market(market)
        self.workspaces.windows.set_market(market)

    def set_mode(self, mode: DeskMode) -> None:
        """Show where the data come from, in badge and title, and offer what makes sense there."""
        self.mode = mode
        self.states.set_mode(mode)
        self.show_title()
        self.workspaces.on_mode(mode)

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

    def set_zone(self, zone: Zone) -> None:
        """Write every time of day in the window by one clock; what leaves it stays UTC."""
        super().set_zone(zone)
        for part in (self.flow, self.data, self.pair_docks):
            part.set_zone(zone)
        self.replay.show_zone()

    def start_progress(self, text: str) -> Progress:
        """Follow a long task in the window; call ``finish`` on the result."""
        return self.progress.start(text)

    def show_last_alert(self) -> None:
        """Show the bar of the newest popup (a desktop notification was clicked)."""
        self.flow.show_popped()

    def save_settings(self) -> None:
        """Write layout, pair, rules and workspaces, now."""
        self.keeper.save()

    def save_soon(self) -> None:
        """Write them once the changes pause."""
        self.keeper.save_soon()

    def close_for_good(self) -> None:
        """Save and close; the event loop may end after this."""
        self.save_settings()
        self.drawing.save()
        self.lines.save()
        self._leaving = True
        self.keeper.stop()
        self.layouts.stop()
        self.workspaces.close_all()
        self.tray.hide()
        self.close()

    # -- composition ---------------------------------------------------------------------------

    def _compose(self, tokens: Tokens, kept: WorkspaceStore) -> None:
        self.progress = ProgressStrip(self)
        self._compose_charts(self.progress)
        self.table = AlertTable(tokens, self)
        dock = self.layouts.add_dock("alerts", self.tr("Alerts"), self.table)
        self.registry.adopt("view.alerts", dock.toggleViewAction(), "Ctrl+Shift+L")
        self.data = DataFlow(self)
        self._compose_bar()
        self.status = DeskStatusBar(tokens, self)
        self.setStatusBar(self.status)
        self.toasts = ToastStack(self, tokens, self.status)
        self.tray = Tray(app_icon(), self.registry["alerts.mute"], self.registry["file.quit"], self)
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
        self.lines = LineFlow(self)
        self.menus = make_menus(self)
        self.workspaces = WorkspaceFlow(self, kept)

    def _connect(self) -> None:
        connect_actions(self)
        self._connect_charts()
        self.data.connect_window()
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

    def _follow(self, market: MarketModel) -> None:
        super()._follow(market)
        self.states.set_market(market)

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
        super()._set_tokens(tokens)
        for part in (self.status, self.table, self.data, self.holdings, self.pair_docks, self.replay):
            part.set_tokens(tokens)

    @Slot()
    def _on_pair(self) -> None:
        super()._on_pair()
        self._mark_alerts()

    @Slot()
    def _mark_alerts(self) -> None:
        self.charts.set_marks(self.flow.marks(self.control.text, self.pair.settings.interval))

    def show_title(self) -> None:
        """Write the titles of window and tray; the workspace is named where there are several."""
        words = self.title_words
        several = len(self.workspaces.names) > 1
        self.setWindowTitle(f"{words} · {self.workspaces.name} – quantdesk" if several else f"{words} – quantdesk")
        self.tray.set_tip(f"quantdesk · {words}")

    # -- Qt ------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Leave the decision to the user and the composition root."""
        if self._leaving:
            event.accept()
            return
        event.ignore()
        self.closing.request()

    def showEvent(self, event: QShowEvent) -> None:
        """Count ages while one can see them; the other windows come along."""
        self.states.run(True)
        self.workspaces.windows.follow_main(True)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while hidden; in the tray the other windows are, too."""
        self.states.run(False)
        if not event.spontaneous():  # else it is only minimised
            self.workspaces.windows.follow_main(False)
        super().hideEvent(event)

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
