"""Show one pair in a window: charts, boxes, toolbar and layout; the main window and the others build on it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QMoveEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QVBoxLayout, QWidget

from quantdesk.model.clock import FrameClock
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.types import Origin
from quantdesk.ui.action_spec import ActionSpec
from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.banner import Banner
from quantdesk.ui.chart_choices import show_chart_choices
from quantdesk.ui.chart_menus import ChartMenus
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.docks import LAYOUT_VERSION, Layout
from quantdesk.ui.icons import app_icon
from quantdesk.ui.metrics import MetricStrip
from quantdesk.ui.pair_control import PairControl
from quantdesk.ui.prompts import Prompts
from quantdesk.ui.settings_store import SettingsStore
from quantdesk.ui.spread_flow import SpreadFlow
from quantdesk.ui.status_bar import DeskMode, mode_text
from quantdesk.ui.theme import Theme
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.toasts import ToastStack
from quantdesk.ui.toolbar import Toolbar
from quantdesk.ui.window_settings import WindowSettings

_SMALLEST = QSize(900, 560)
_FIRST = QSize(1500, 900)
_LEAST_CENTRE = 410


class ChartWindow(QMainWindow):
    """Own the charts of one pair and what is done to them; ``choices`` hold what outlives the window.

    ``arranged`` tells that something worth keeping has changed; ``shown_changed`` that another pair is shown.
    """

    arranged = Signal()
    shown_changed = Signal()
    menus: ChartMenus
    toasts: ToastStack
    spread: SpreadFlow

    def __init__(
        self,
        pair: PairModel,
        market: MarketModel,
        clock: FrameClock,
        theme: Theme,
        store: SettingsStore,
        choices: WindowSettings,
        actions: Sequence[ActionSpec],
    ) -> None:
        super().__init__()
        self.pair, self.market, self.clock = pair, market, clock
        self.theme, self.store, self.choices = theme, store, choices
        self.mode = DeskMode()
        self._was_maximized = False
        self.setWindowIcon(app_icon())
        self.setMinimumSize(_SMALLEST)
        self.resize(_FIRST)
        self.registry = ActionRegistry(self, actions)
        self.prompts = Prompts(self)

    # -- composition ---------------------------------------------------------------------------

    def _compose_charts(self, *strips: QWidget) -> None:
        """Put the charts into the middle, below the boxes and ``strips``."""
        tokens = self.theme.tokens
        self.charts = ChartStack(self.pair, self.clock, tokens, self)
        self.metrics = MetricStrip(self.pair, self._live_quotes, tokens, self)
        self.banner = Banner(tokens, self)
        central = QWidget(self)
        # The layout's own guess is that of the narrowest strip: it would leave the dock below no room.
        central.setMinimumHeight(_LEAST_CENTRE)
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.banner, *strips, self.metrics):
            column.addWidget(part)
        column.addWidget(self.charts, 1)
        self.setCentralWidget(central)
        # A dock's edge that is dragged tells nobody but the middle that gives way.
        central.installEventFilter(self)
        self.layouts = Layout(self, self.charts, self.metrics)

    def _compose_bar(self) -> None:
        """Put the pair's controls above."""
        self.bar = Toolbar(self.registry, self)
        self.addToolBar(self.bar)
        self.control = PairControl(self.pair, self.registry, self.bar, self.charts)

    def _connect_charts(self) -> None:
        """Follow theme, clock and pair."""
        self.theme.tokens_changed.connect(self._set_tokens)
        self.clock.tick.connect(self._on_frame)
        self.pair.settings_changed.connect(self._on_pair)
        self.pair.failed.connect(self._on_failed)
        self.control.refused.connect(self._on_refused)
        self.prompts.pair_chosen.connect(self.control.put)
        self.charts.leg_changed.connect(self.save_soon)
        self.layouts.undo.indexChanged.connect(self._on_undone)
        splitter = self.charts.findChild(QSplitter)
        assert splitter is not None
        splitter.splitterMoved.connect(self.save_soon)
        for dock in self.layouts.docks.values():
            dock.visibilityChanged.connect(self.save_soon)
            dock.dockLocationChanged.connect(self.save_soon)

    def _live_quotes(self) -> MarketModel | None:
        return None if self.mode.origin is Origin.FILE else self.market

    # -- what others ask for -------------------------------------------------------------------

    @property
    def title_words(self) -> str:
        """Return pair, interval and mode, as titles say them."""
        mode = mode_text(self.mode) + (self.tr(" · READ-ONLY") if self.mode.read_only else "")
        return " · ".join(part for part in (self.control.text, self.pair.settings.interval, mode) if part)

    @property
    def searching(self) -> Prompts:
        """Return what asks for symbols of the exchange."""
        return self.prompts

    def toast(self, title: str, text: str = "", level: str = "info", activated: object = None) -> None:
        """Show a short message; ``level`` is info, ok, warning or error."""
        self.toasts.show_toast(title, text, level, activated if callable(activated) else None)

    def set_market(self, market: MarketModel) -> None:
        """Follow another market model (live, simulated or replayed)."""
        self.market.ticked.disconnect(self._on_ticked)
        self.market.symbols_changed.disconnect(self.control.refresh)
        self._follow(market)

    def _follow(self, market: MarketModel) -> None:
        self.market = market
        market.ticked.connect(self._on_ticked)
        market.symbols_changed.connect(self.control.refresh)
        self.control.refresh()

    @Slot()
    def save_soon(self) -> None:
        """Tell that something worth keeping has changed."""
        self.arranged.emit()

    def save_settings(self) -> None:
        """Keep what was chosen, now."""
        self.arranged.emit()

    def restore_choices(self) -> None:
        """Show place, layout and chart choices as they are kept; a layout of another version is passed over."""
        choices = self.choices
        if choices.geometry:
            self.restoreGeometry(QByteArray.fromBase64(choices.geometry.encode()))
        if choices.layout and choices.layout_version == LAYOUT_VERSION:
            self.layouts.apply(
                {
                    "version": choices.layout_version,
                    "state": choices.layout,
                    "charts": choices.charts,
                    "metrics": choices.metrics_shown,
                }
            )
        show_chart_choices(self)
        self.spread.restore()
        self.show_panels_checked()

    def collect_choices(self) -> None:
        """Bring what is kept up to date."""
        layout, choices = self.layouts.capture(), self.choices
        choices.geometry = self.saveGeometry().toBase64().toStdString()
        choices.layout, choices.layout_version = layout["state"], layout["version"]
        choices.charts, choices.metrics_shown = layout["charts"], layout["metrics"]
        pair = self.pair.settings
        # What a file, a replay or the simulator shows is no choice for the next start.
        if self.mode.origin is Origin.LIVE and pair.y and pair.x:
            choices.take_pair(pair)

    def bring_to_front(self) -> None:
        """Show the window above the others: a second start, the tray, a popup."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

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

    def set_zone(self, zone: Zone) -> None:
        """Write every time of day in the window by one clock; what leaves it stays UTC."""
        self.charts.set_zone(zone)
        self.metrics.set_zone(zone)

    # -- slots ---------------------------------------------------------------------------------

    @Slot(object)
    def _set_tokens(self, tokens: Tokens) -> None:
        self.registry.set_tokens(tokens)
        for part in (self.charts, self.metrics, self.banner, self.bar, self.toasts):
            part.set_tokens(tokens)

    @Slot()
    def _on_frame(self) -> None:
        if not self.metrics.isHidden() and not self.isHidden():
            self.metrics.follow()

    @Slot(str)
    def _on_ticked(self, symbol: str) -> None:
        if symbol in (self.pair.settings.y, self.pair.settings.x):
            self.clock.mark_newest()

    @Slot()
    def _on_pair(self) -> None:
        self.show_title()
        self.save_soon()
        self.shown_changed.emit()

    def show_title(self) -> None:
        """Write the window's title."""
        self.setWindowTitle(f"{self.title_words} – quantdesk")

    @Slot()
    def _on_undone(self) -> None:
        self.show_panels_checked()
        self.save_soon()

    @Slot(str)
    def _on_failed(self, text: str) -> None:
        self.toast(self.tr("The statistics could not be computed"), text, "error")

    @Slot(str)
    def _on_refused(self, text: str) -> None:
        self.toast(self.tr("That cannot be shown"), text, "warning")

    # -- Qt ------------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        """Keep the full-screen tick true when the window manager changes the state."""
        if event.type() == QEvent.Type.WindowStateChange:
            self.registry["view.fullscreen"].setChecked(self.isFullScreen())
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Remember the size."""
        super().resizeEvent(event)
        self.save_soon()

    def moveEvent(self, event: QMoveEvent) -> None:
        """Remember the place."""
        super().moveEvent(event)
        self.save_soon()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remember how wide the docks are."""
        if event.type() == QEvent.Type.Resize and watched is self.centralWidget():
            self.save_soon()
        return super().eventFilter(watched, event)
