"""Let the charts be typed to: digits name an interval, letters a symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence

from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.ui.actions import plain
from quantdesk.ui.pair_actions import interval_titles
from quantdesk.ui.palette_flow import PaletteFlow

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow
    from quantdesk.ui.interval_entry import IntervalEntry

_SHIFTED = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
_DIGITS = "0123456789"


class TypingFlow(QObject):
    """Watch the keys of the charts. A letter that is the key of an action stays that.

    A digit opens the interval's entry: alone it means the action whose key it is, a moment later.
    """

    def __init__(self, window: ChartWindow, palette: PaletteFlow) -> None:
        super().__init__(window)
        self._window, self._palette = window, palette
        self.entry: IntervalEntry | None = None
        window.registry["pair.interval"].triggered.connect(lambda: self.type_interval(""))
        window.registry["pair.symbol"].triggered.connect(lambda: palette.open_symbols(""))
        window.charts.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take digits before they act as keys, and letters that no action has."""
        if not isinstance(event, QKeyEvent) or event.modifiers() & ~_SHIFTED:
            return False
        text, kind = event.text(), event.type()
        if len(text) != 1 or not (text in _DIGITS or (text.isalpha() and self._action_of(text) is None)):
            return False
        if kind == QEvent.Type.ShortcutOverride and text in _DIGITS:
            event.accept()
            return True
        if kind == QEvent.Type.KeyPress:
            if not event.isAutoRepeat():
                self._type(text)
            return True
        return False

    def type_interval(self, typed: str) -> None:
        """Open the interval's entry with what was typed so far."""
        from quantdesk.ui.interval_entry import IntervalEntry

        window = self._window
        if self.entry is None:
            self.entry = IntervalEntry(window.charts)
            self.entry.chosen.connect(lambda name: window.control.change(interval=name))
            self.entry.key_chosen.connect(self._on_key)
        source, settings = window.pair.source, window.pair.settings
        offered = (source.intervals(settings.y) if source is not None and settings.y else ()) or TIMEFRAMES
        titles = {name: title.replace("&", "") for name, title in interval_titles().items()}
        bound = {digit: self._action_of(digit) for digit in typed}
        keys = {digit: plain(action.text()) for digit, action in bound.items() if action and action.isEnabled()}
        self.entry.open(typed, offered, titles, keys)

    def _type(self, text: str) -> None:
        if text not in _DIGITS:
            self._palette.open_symbols(text)
        elif self.entry is not None and self.entry.isVisible():
            self.entry.typed.insert(text)
        else:
            self.type_interval(text)

    @Slot(str)
    def _on_key(self, digit: str) -> None:
        action = self._action_of(digit)
        if action is not None:
            action.trigger()

    def _action_of(self, text: str) -> QAction | None:
        """Return the action that a single sign is the key of."""
        keys = QKeySequence(text.upper())
        return next((action for _, action in self._window.registry if action.shortcut() == keys), None)
