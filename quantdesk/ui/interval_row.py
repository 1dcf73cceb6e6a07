"""Show the intervals on the toolbar: side by side, or as one button with a menu where room is short."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.ui.actions import ActionRegistry, plain

#: From this width of the toolbar on all intervals stand side by side.
_WIDE = 1_340


def segment(action: QAction, text: str, parent: QWidget) -> QToolButton:
    """Return a button with a short text for an action whose menu entry says more."""
    button = QToolButton(parent)
    button.setDefaultAction(action)
    action.setIconText(text)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    button.setProperty("segment", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(plain(action.text()))
    return button


class IntervalRow(QWidget):
    """Offer the intervals of the market; one of a file that is none of them stands beside, or on the button."""

    def __init__(self, actions: ActionRegistry, parent: QWidget) -> None:
        super().__init__(parent)
        self._actions = {name: actions[f"pair.{name}"] for name in TIMEFRAMES}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        self.buttons = {name: segment(action, name, self) for name, action in self._actions.items()}
        self.other = QToolButton(self)
        self.other.setProperty("segment", True)
        self.other.setCheckable(True)
        self.other.setChecked(True)
        self.other.setEnabled(False)
        self.other.setAccessibleName(self.tr("Interval of the file"))
        self.choice = QToolButton(self)
        self.choice.setProperty("segment", True)
        self.choice.setProperty("chosen", True)
        self.choice.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.choice.setToolTip(self.tr("Interval of the bars"))
        menu = QMenu(self.choice)
        menu.setAccessibleName(self.tr("Interval of the bars"))
        menu.addActions(list(self._actions.values()))
        self.choice.setMenu(menu)
        for button in (*self.buttons.values(), self.other, self.choice):
            row.addWidget(button)
        self._now, self._wide = "", True
        self._arrange()

    def show_interval(self, now: str, offered: Sequence[str]) -> None:
        """Tick the interval that is shown, and offer those that its source has."""
        self._now = now
        for name, action in self._actions.items():
            action.setEnabled(name in offered)
        if now in self._actions:
            self._actions[now].setChecked(True)
        else:
            group = next(iter(self._actions.values())).actionGroup()
            group.setExclusive(False)
            for action in self._actions.values():
                action.setChecked(False)
            group.setExclusive(True)
        self.other.setText(now)
        self.other.setAccessibleName(self.tr("Interval of the file: {0}").format(now))
        self.choice.setText(now)
        self.choice.setAccessibleName(self.tr("Interval of the bars: {0}").format(now))
        self._arrange()

    def fit(self, width: int) -> None:
        """Take the form that a toolbar of this width has room for."""
        if self._wide != (width >= _WIDE):
            self._wide = width >= _WIDE
            self._arrange()

    def _arrange(self) -> None:
        for button in self.buttons.values():
            button.setVisible(self._wide)
        self.choice.setVisible(not self._wide)
        self.other.setVisible(self._wide and bool(self._now) and self._now not in self._actions)
