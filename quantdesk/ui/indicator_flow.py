"""Bring the indicators to the window: their dialog, the settings that keep them, and a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand

from quantdesk.analytics.indicators import Indicator
from quantdesk.ui.charts.indicator_lines import INDICATORS_LINK
from quantdesk.ui.charts.indicator_words import ShownIndicator
from quantdesk.ui.kept_indicators import indicators_of, plain_of

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


class IndicatorFlow(QObject):
    """Own what is drawn over the candles of every symbol; ``changed`` tells the other windows."""

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._shown = indicators_of(window.store.settings.indicators)
        window.registry["draw.indicators"].triggered.connect(self.ask)
        window.charts.panel("price").linked.connect(lambda link: self.ask() if link == INDICATORS_LINK else None)
        if self._shown:
            window.charts.indicators.show(self._shown)

    @property
    def shown(self) -> tuple[ShownIndicator, ...]:
        """Return all that were chosen, also those that are not drawn now."""
        return self._shown

    def drawn(self) -> tuple[Indicator, ...]:
        """Return the indicators that are drawn now, for an export."""
        return tuple(dict.fromkeys(one.indicator for one in self._shown if one.shown))

    @Slot()
    def ask(self) -> None:
        """Open the list of indicators."""
        from quantdesk.ui.indicator_dialog import IndicatorDialog

        dialog = IndicatorDialog(self._shown, self._window.theme.tokens, self._window)
        dialog.indicators_chosen.connect(self.choose)
        self._window.prompts.show_dialog("indicators", dialog)

    @Slot(object)
    def choose(self, shown: tuple[ShownIndicator, ...]) -> None:
        """Draw these; the undo stack knows the way back."""
        if shown != self._shown:
            self._window.layouts.undo.push(_Choice(self, self._shown, shown, self.tr("choice of indicators")))

    def put(self, shown: tuple[ShownIndicator, ...]) -> None:
        """Draw these and keep them."""
        self._shown = shown
        self._window.charts.indicators.show(shown)
        self._window.store.settings.indicators = plain_of(shown)
        self._window.save_settings()
        self.changed.emit()


class _Choice(QUndoCommand):
    """Swap one choice for another, both ways."""

    def __init__(
        self,
        flow: IndicatorFlow,
        before: tuple[ShownIndicator, ...],
        after: tuple[ShownIndicator, ...],
        words: str,
    ) -> None:
        super().__init__(words)
        self._flow, self._before, self._after = flow, before, after

    def redo(self) -> None:
        """Draw what was chosen."""
        self._flow.put(self._after)

    def undo(self) -> None:
        """Draw what was there before."""
        self._flow.put(self._before)
