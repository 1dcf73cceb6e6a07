"""Show another pair of the same market in a window beside the main one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence
from PySide6.QtWidgets import QLabel, QStatusBar

from quantdesk.model.clock import FrameClock
from quantdesk.model.jobs import JobLane
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.ui.action_spec import ActionSpec
from quantdesk.ui.chart_actions import VIEW, connect_view, register_panels
from quantdesk.ui.chart_menus import SecondMenus
from quantdesk.ui.chart_window import ChartWindow
from quantdesk.ui.charts.indicator_lines import INDICATORS_LINK
from quantdesk.ui.draw_actions import draw_actions
from quantdesk.ui.draw_flow import DrawFlow
from quantdesk.ui.pair_actions import pair_actions
from quantdesk.ui.palette_flow import PaletteFlow
from quantdesk.ui.prompts import Prompts
from quantdesk.ui.rules_flow import level_of, z_levels
from quantdesk.ui.spread_flow import SpreadFlow
from quantdesk.ui.status_bar import DeskMode
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.toasts import ToastStack
from quantdesk.ui.typing_flow import TypingFlow
from quantdesk.ui.view_actions import view_actions
from quantdesk.ui.window_settings import WindowSettings
from quantdesk.ui.workspace_actions import CLOSE, close_action, link_actions

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow

#: What the main window does for all: its keys work in this window, too.
_SHARED = ("workspace.", "view.theme_", "replay.")
_SHARED_NAMES = frozenset({
    "view.undo", "view.redo", "view.safe_colours", "draw.indicators", "file.live", "file.settings", "file.quit",
    "market.add", "data.holdings", "alerts.mute", "alerts.rules", "help.shortcuts",
})  # fmt: skip
_LATE_MS = 3_000


def _specs() -> tuple[ActionSpec, ...]:
    view = (spec for spec in view_actions() if spec.id in VIEW)
    draw = (spec for spec in draw_actions() if spec.id != "draw.indicators")
    return (*view, *draw, *pair_actions(), *link_actions(), close_action())


class SecondWindow(ChartWindow):
    """Own a pair model and its charts; recording, alerts and storage stay the main window's.

    ``closing`` tells, with this window, that the user closes it.
    """

    closing = Signal(object)

    def __init__(self, main: MainWindow, choices: WindowSettings, number: int) -> None:
        self.lane = JobLane(main.pair.jobs, f"window {number}")
        pair = PairModel(self.lane, kept=main.pair.kept)
        super().__init__(pair, main.market, FrameClock(), main.theme, main.store, choices, _specs())
        self.number = number
        self._main = main
        self._leaving = False
        for part in (self.pair, self.clock):
            part.setParent(self)
        self.setObjectName(f"window_{number}")
        self._compose_charts()
        self.charts.intake.measures = False  # the paint latency is the main window's
        self.layouts.undo = main.layouts.undo
        self._compose_bar()
        self._share_actions()
        self.state = QStatusBar(self)
        self._compose_state()
        self.toasts = ToastStack(self, self.theme.tokens, self.state)
        register_panels(self)
        self.spread = SpreadFlow(self)
        self.drawing = DrawFlow(self, main.drawing)
        self.menus = SecondMenus(self, self.registry, self.charts.panel_names)
        self._late = QTimer(self, singleShot=True, interval=_LATE_MS)
        self._late.timeout.connect(self._say_missing)
        self._connect()
        self._set_tokens(self.theme.tokens)
        self._show_rules()
        self.layouts.remember_default()
        self._follow(main.market)
        self.restore_choices()
        self.charts.setFocus()

    @property
    def searching(self) -> Prompts:
        """Return the main window's prompts: the exchange answers those."""
        return self._main.prompts

    def set_market(self, market: MarketModel) -> None:
        """Show the pair of this window in another market."""
        self.market.symbols_changed.disconnect(self._on_symbols)
        self.market.restarted.disconnect(self._begin_anew)
        super().set_market(market)

    def leave(self) -> None:
        """Close for good, without asking or telling, and free the models."""
        self._leaving = True
        self.lane.close()
        self.clock.stop()
        self.layouts.turn += 1  # what was done to this layout cannot be undone any more
        self.close()
        self.deleteLater()

    def _follow(self, market: MarketModel) -> None:
        super()._follow(market)
        market.symbols_changed.connect(self._on_symbols)
        market.restarted.connect(self._begin_anew)
        self.mode = DeskMode(market.origin)
        self.pair.set_source(market, self.choices.pair())
        self.show_title()

    @Slot()
    def _begin_anew(self) -> None:
        """Forget bars and hedge lines of a replay that has gone back: the main window's pair is set by its follower."""
        self.pair.set_source(self.market, self.pair.settings)

    def _share_actions(self) -> None:
        for name, action in self._main.registry:
            if name not in self.registry and (name.startswith(_SHARED) or name in _SHARED_NAMES):
                self.registry.share(name, action)

    def _compose_state(self) -> None:
        self.state.setAccessibleName(self.tr("Status bar"))
        self.state.setSizeGripEnabled(False)
        words = self.tr(
            "Alert rules judge the main window's pair only; files, exports, recording, storage are the main window's."
        )
        note = QLabel(words, self.state)
        note.setTextFormat(Qt.TextFormat.PlainText)
        note.setProperty("dim", True)
        note.setContentsMargins(8, 2, 8, 2)
        self.state.addWidget(note)
        self.setStatusBar(self.state)

    def _connect(self) -> None:
        connect_view(self)
        TypingFlow(self, PaletteFlow(self))
        self._connect_charts()
        self.pair.changed.connect(self.clock.mark)
        self.registry[CLOSE].triggered.connect(self.close)
        main = self._main
        main.alerts.rules_changed.connect(self._show_rules)
        main.flow.marks_changed.connect(self._mark_alerts)
        main.indicators.changed.connect(self._show_indicators)
        self._show_indicators()
        self.charts.panel("price").linked.connect(self._on_linked)
        main.keys.bindings.changed.connect(self._take_keys)
        self._take_keys()

    @Slot()
    def _take_keys(self) -> None:
        """Give this window's actions the keys that the user chose in the main one."""
        for name, action in self.registry:
            if name in self._main.registry and action is not self._main.registry[name]:
                keys = self._main.registry[name].shortcut().toString(QKeySequence.SequenceFormat.PortableText)
                self.registry.set_keys(name, keys)

    @Slot()
    def _show_rules(self) -> None:
        rules = self._main.alerts.rules
        self.charts.alert_level(level_of(rules), z_levels(rules))
        self.metrics.alert_level(level_of(rules))

    @Slot()
    def _show_indicators(self) -> None:
        self.charts.indicators.show(self._main.indicators.shown)

    @Slot(str)
    def _on_linked(self, link: str) -> None:
        if link == INDICATORS_LINK:
            self._main.indicators.ask()

    @Slot()
    def _mark_alerts(self) -> None:
        self.charts.set_marks(self._main.flow.marks(self.control.text, self.pair.settings.interval))

    @Slot()
    def _on_pair(self) -> None:
        super()._on_pair()
        self._mark_alerts()
        self._on_symbols()

    @Slot()
    def _on_symbols(self) -> None:
        """Say after a moment which legs the market does not have: they may be on their way."""
        if self._missing():
            self._late.start()
        else:
            self._late.stop()
            self.banner.clear_notice("missing")

    @Slot()
    def _say_missing(self) -> None:
        missing = self._missing()
        if missing and not self.market.symbols():
            words = self.tr("Nothing of the market has come yet; the main window says why.")
            self.banner.show_notice("missing", "info", words)
        elif missing:
            words = self.tr("{0} is not streamed now: add it, or choose another pair above. The choice is kept.")
            self.banner.show_notice(
                "missing", "info", words.format(" / ".join(missing)), [self._main.registry["market.add"]]
            )

    def _missing(self) -> list[str]:
        settings, symbols = self.pair.settings, self.market.symbols()
        return [leg for leg in (settings.y, settings.x) if leg and leg not in symbols]

    @Slot(object)
    def _set_tokens(self, tokens: Tokens) -> None:
        super()._set_tokens(tokens)

    def show_title(self) -> None:
        """Write the title, with the window's number."""
        words = self.tr("window {0}").format(self.number)
        self.setWindowTitle(f"{self.title_words} · {words} – quantdesk")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that the user closes the window; it is gone after that."""
        event.accept()
        if not self._leaving:
            self.closing.emit(self)
