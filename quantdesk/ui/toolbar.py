"""Hold the pair, the interval and the commands at hand above the charts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSpinBox,
    QToolBar,
    QToolButton,
    QWidget,
)

from quantdesk.analytics.alerts.rule import Rule
from quantdesk.model.frame import LONGEST_WINDOW, SHORTEST_WINDOW
from quantdesk.ui.actions import ActionRegistry, plain
from quantdesk.ui.interval_row import IntervalRow, segment
from quantdesk.ui.rule_words import level_text
from quantdesk.ui.theme_tokens import Tokens


class SymbolBox(QComboBox):
    """Pick one symbol by list or by typing part of its name."""

    picked = Signal(str)

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setAccessibleName(name)
        self.setToolTip(self.tr("{0}: choose, or type part of a symbol").format(name))
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        completer = self.completer() or QCompleter(self.model(), self)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        popup = completer.popup()
        assert popup is not None
        popup.setObjectName("completions")
        popup.setAccessibleName(self.tr("Matching symbols"))
        self.setCompleter(completer)
        self._current = ""
        line = self.lineEdit()
        assert line is not None
        self._line = line
        line.setAccessibleName(name)
        line.editingFinished.connect(self._settle)
        self.activated.connect(lambda row: self._pick(self.itemText(row)))

    def show_symbols(self, symbols: Sequence[str], current: str) -> None:
        """List the symbols and show the current one, leaving a half-typed text alone."""
        held = [self.itemText(row) for row in range(self.count())]
        typing = self._line.hasFocus() and self.currentText() != self._current
        self._current = current
        self.blockSignals(True)
        if held != list(symbols):
            text = self.currentText()
            self.clear()
            self.addItems(list(symbols))
            self.setEditText(text)
        if not typing:
            self.setCurrentIndex(self.findText(current))
            self.setEditText(current)
            self._line.setCursorPosition(0)
        self.blockSignals(False)

    def _settle(self) -> None:
        """Take what was typed if it names one symbol, else show the current one again."""
        typed = self.currentText().strip().casefold()
        names = [self.itemText(row) for row in range(self.count())]
        exact = [n for n in names if n.casefold() == typed]
        found = exact or [n for n in names if typed and typed in n.casefold()]
        if len(found) == 1 and found[0] != self._current:
            self._pick(found[0])
        else:
            self.setEditText(self._current)

    def _pick(self, symbol: str) -> None:
        if symbol and symbol != self._current:
            self._current = symbol
            self.picked.emit(symbol)
        self.setEditText(self._current)


class Toolbar(QToolBar):
    """Show the pair picker, intervals, legs, window and commands; it changes nothing itself."""

    y_picked = Signal(str)
    x_picked = Signal(str)
    window_changed = Signal(int)

    def __init__(self, actions: ActionRegistry, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        self.setWindowTitle(self.tr("Toolbar"))
        self.setAccessibleName(self.tr("Toolbar"))
        self.setMovable(False)
        self.setIconSize(QSize(18, 18))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.toggleViewAction().setVisible(False)
        self._actions = actions
        self._add_pair()
        self.addSeparator()
        self.intervals = IntervalRow(actions, self)
        self.addWidget(self.intervals)
        self.addSeparator()
        self._segments(("pair.leg_y", "Y"), ("pair.leg_x", "X"), ("pair.leg_spread", "Y−βX"))
        self.addSeparator()
        self._add_window()
        self._segments(("pair.log", "log"))
        self._icons("pair.refit")
        self.addSeparator()
        self._icons("view.latest")
        spacer = QWidget(self)
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.level: QToolButton | None = None
        if "file.open" in actions:  # else a window beside the main one: files and alerts are the main one's
            self._icons("file.open")
            self._add_export()
            self.addSeparator()
            self._icons("alerts.rules")
            self.level = self._button("alerts.rules")
            self.level.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            self._icons("alerts.mute")

    def show_pair(
        self, symbols: Sequence[str], y: str, x: str, window: int, intervals: Sequence[str], now: str
    ) -> None:
        """Show the pair, its window and which intervals its source offers."""
        self.y_box.show_symbols(symbols, y)
        self.x_box.show_symbols(symbols, x)
        if not self.window_box.hasFocus() or not self.window_box.isEnabled():
            self.window_box.blockSignals(True)
            self.window_box.setValue(window)
            self.window_box.blockSignals(False)
        self.intervals.show_interval(now, intervals)

    def show_rules(self, rules: Sequence[Rule]) -> None:
        """Show beside the bell which rule is on, or how many are."""
        if self.level is None:
            return
        on = [rule for rule in rules if rule.enabled]
        words = self.tr("off") if not on else self.tr("{0} rules").format(len(on))
        # The action's own: a button's would be gone with the next change of the icon's colour.
        self._actions["alerts.rules"].setIconText(level_text(on[0]).replace("≥ ", "") if len(on) == 1 else words)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold the intervals into one button where there is no room for all of them."""
        self.intervals.fit(event.size().width())
        super().resizeEvent(event)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the legs' marks as the charts draw them."""
        self._y_mark.setStyleSheet(f"color: {tokens.leg_y}; font-weight: 700;")
        self._x_mark.setStyleSheet(f"color: {tokens.leg_x}; font-weight: 700;")

    def _add_pair(self) -> None:
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(2, 0, 2, 0)
        row.setSpacing(4)
        self.y_box = SymbolBox(self.tr("Y, the dependent leg"), holder)
        self.x_box = SymbolBox(self.tr("X, the other leg"), holder)
        self._y_mark, self._x_mark = QLabel("Y", holder), QLabel("X", holder)
        swap = QToolButton(holder)
        swap.setDefaultAction(self._actions["pair.swap"])
        swap.setAccessibleName(plain(self._actions["pair.swap"].text()))
        swap.setIconSize(QSize(18, 18))
        for part in (self._y_mark, self.y_box, swap, self._x_mark, self.x_box):
            row.addWidget(part)
        self.y_box.picked.connect(self.y_picked)
        self.x_box.picked.connect(self.x_picked)
        self.addWidget(holder)
        if "market.add" in self._actions:
            self._icons("market.add")

    def _segments(self, *items: tuple[str, str]) -> None:
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for name, text in items:
            row.addWidget(segment(self._actions[name], text, holder))
        self.addWidget(holder)

    def _add_window(self) -> None:
        self.window_box = QSpinBox(self)
        self.window_box.setRange(SHORTEST_WINDOW, LONGEST_WINDOW)
        self.window_box.setKeyboardTracking(False)
        self.window_box.setAccessibleName(self.tr("Window of the z-score, in bars"))
        self.window_box.setToolTip(self.tr("Bars that z judges by; for exponential weights their half-life"))
        self.window_box.lineEdit().setTextMargins(4, 0, 0, 0)
        self.window_box.setSuffix(self.tr(" bars"))
        self.window_box.setFixedWidth(self.window_box.fontMetrics().horizontalAdvance("0000 bars") + 36)
        self.window_box.valueChanged.connect(self.window_changed)
        self.addWidget(self.window_box)

    def _icons(self, *names: str) -> None:
        for name in names:
            self.addAction(self._actions[name])
            button = self._button(name)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(plain(self._actions[name].text()))

    def _button(self, name: str) -> QToolButton:
        button = self.widgetForAction(self._actions[name])
        assert isinstance(button, QToolButton)
        return button

    def _add_export(self) -> None:
        button = QToolButton(self)
        menu = QMenu(button)
        menu.setAccessibleName(self.tr("Export CSV, picture or report"))
        menu.addAction(self._actions["file.export_visible"])
        menu.addAction(self._actions["file.export_all"])
        menu.addSeparator()
        menu.addAction(self._actions["file.picture"])
        menu.addAction(self._actions["file.report"])
        button.setMenu(menu)
        button.setDefaultAction(self._actions["file.export_visible"])
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(self.tr("Export CSV, picture or report"))
        self.addWidget(button)
