"""Bring the hedge bench into the window: its dock, and adopting a method with a way back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QVBoxLayout, QWidget

from quantdesk.config import ConfigError
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.hedge_words import hedge_name
from quantdesk.ui.pair_control import pair_text
from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.ui.hedge_bench_panel import HedgeBenchPanel
    from quantdesk.ui.main_window import MainWindow

_DOCK_HEIGHT = 320
translate = QCoreApplication.translate


class HedgeBenchFlow(QObject):
    """Own the dock of the hedge bench; its content is made when it is first shown."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._zone = window, UTC_ZONE
        self.panel: HedgeBenchPanel | None = None
        self._place = QWidget(window)
        self._dock = window.layouts.add_dock("hedge_bench", self.tr("Hedge bench"), self._place, below=True)
        self._dock.hide()
        window.layouts.share_place("data", self._dock)
        self._dock.visibilityChanged.connect(self._on_visible)
        action = window.registry.adopt(
            "view.hedge_bench",
            self._dock.toggleViewAction(),
            "Ctrl+Shift+B",
            self.tr("Compare the ways to estimate the hedge ratio"),
        )
        action.triggered.connect(lambda shown: self._dock.raise_() if shown else None)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the content for the theme."""
        if self.panel is not None:
            self.panel.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write the content's times in another zone."""
        self._zone = zone
        if self.panel is not None:
            self.panel.set_zone(zone)

    @Slot(bool)
    def _on_visible(self, shown: bool) -> None:
        if shown:
            self._make()
            QTimer.singleShot(0, self, self._make_room)

    def _make(self) -> None:
        if self.panel is not None:
            return
        from quantdesk.model.hedge_bench import HedgeBenchModel
        from quantdesk.ui.hedge_bench_panel import HedgeBenchPanel

        window = self._window
        model = HedgeBenchModel(window.pair, window.pair.jobs, self)
        self.panel = HedgeBenchPanel(window.pair, model, window.theme.tokens, self._place)
        self.panel.set_zone(self._zone)
        self.panel.adopt_wanted.connect(self.adopt)
        room = QVBoxLayout(self._place)
        room.setContentsMargins(0, 0, 0, 0)
        room.addWidget(self.panel)

    @Slot()
    def _make_room(self) -> None:
        """Give the bench the height of its rows where Qt gave it less."""
        wanted = min(_DOCK_HEIGHT, self._window.height() // 3)
        if self._dock.isVisible() and not self._dock.isFloating() and self._dock.height() < wanted:
            self._window.resizeDocks([self._dock], [wanted], Qt.Orientation.Vertical)

    @Slot(object, bool)
    def adopt(self, method: HedgeMethod, log: bool) -> None:
        """Draw the spread with a method's ratio; the undo stack and a message know the way back."""
        window, settings = self._window, self._window.pair.settings
        try:
            replace(settings, hedge=method, log=log)
        except ConfigError:
            window.control.change(hedge=method, log=log)  # it says why not
            return
        words = self.tr("β by {0}").format(hedge_name(method))
        command = _Adoption(window, (settings.hedge, settings.log), (method, log), words)
        window.layouts.undo.push(command)
        text = self.tr("The spread is drawn with it now. Click here to take it back.")
        window.toast(words, text, "ok", lambda: self._take_back(command))

    def _take_back(self, command: _Adoption) -> None:
        stack = self._window.layouts.undo
        if stack.index() > 0 and stack.command(stack.index() - 1) == command:
            stack.undo()
        else:
            command.undo()


class _Adoption(QUndoCommand):
    """Swap one method and unit for another, both ways, on the pair that it was adopted for and on no other."""

    def __init__(
        self, window: MainWindow, before: tuple[HedgeMethod, bool], after: tuple[HedgeMethod, bool], words: str
    ) -> None:
        super().__init__(words)
        self._window, self._before, self._after = window, before, after
        self._pair = pair_text(window.pair.settings)

    def redo(self) -> None:
        """Adopt."""
        self._change(*self._after)

    def undo(self) -> None:
        """Return to what was there before."""
        self._change(*self._before)

    def _change(self, method: HedgeMethod, log: bool) -> None:
        window = self._window
        if pair_text(window.pair.settings) == self._pair:
            window.control.change(hedge=method, log=log)
            return
        text = translate("bench", "{0} was adopted for {1}: nothing is changed here.").format(self.text(), self._pair)
        window.toast(translate("bench", "This belongs to another pair"), text, "info")
