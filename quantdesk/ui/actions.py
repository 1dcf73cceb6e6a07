"""Register every action once; menus, toolbar and the shortcut sheet all read this table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QToolBar, QWidget

from quantdesk.ui.action_spec import ActionSpec
from quantdesk.ui.icons import icon
from quantdesk.ui.theme_tokens import Tokens

#: So long after the theme is set the icons of closed menus are drawn.
_LATER_MS = 300


class ActionRegistry(QObject):
    """Own the window's actions, by id, in the order of the table."""

    def __init__(self, window: QWidget, specs: Sequence[ActionSpec]) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QAction] = {}
        self._icons: dict[str, str] = {}
        self._tips: dict[str, str] = {}
        self._sets: dict[str, QActionGroup] = {}
        self._tokens: Tokens | None = None
        self._later = QTimer(self, singleShot=True, interval=_LATER_MS)
        self._later.timeout.connect(self._colour_the_rest)
        for spec in specs:
            self.add(spec)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __contains__(self, name: str) -> bool:
        return name in self._actions

    def __iter__(self) -> Iterator[tuple[str, QAction]]:
        return iter(self._actions.items())

    def add(self, spec: ActionSpec) -> QAction:
        """Make one action from its description and give it to the window, so its key works."""
        action = QAction(spec.text, self._window)
        if spec.keys:
            action.setShortcut(QKeySequence(spec.keys))
        action.setCheckable(spec.checkable)
        if spec.one_of:
            group = self._sets.setdefault(spec.one_of, QActionGroup(self))
            group.addAction(action)
        self._icons[spec.id] = spec.icon
        return self._adopt(spec.id, action, spec.tip)

    def adopt(self, name: str, action: QAction, shortcut: str = "", tip: str = "") -> QAction:
        """Register an action that Qt made, such as a dock's toggle."""
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
        return self._adopt(name, action, tip)

    def share(self, name: str, action: QAction) -> None:
        """Take an action of another window in: its key works here, too, and its owner goes on colouring it."""
        self._actions[name] = action
        self._window.addAction(action)

    def set_keys(self, name: str, keys: str) -> None:
        """Give an action another key, in portable form ("" = none); menus and tips show it."""
        self._actions[name].setShortcut(QKeySequence(keys, QKeySequence.SequenceFormat.PortableText))
        self._write_tip(name)

    def set_icon(self, name: str, drawing: str) -> None:
        """Draw an action otherwise."""
        if self._icons[name] != drawing:
            self._icons[name] = drawing
            self._colour([self._actions[name]])

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the icons for the theme: those on a toolbar at once, those of menus a moment later."""
        # Drawing them all would be a tenth of the way to the first paint, and a menu is not open yet.
        self._tokens = tokens
        self._colour([action for action in self._with_icon() if _is_on_toolbar(action)])
        self._later.start()

    @Slot()
    def _colour_the_rest(self) -> None:
        self._colour([action for action in self._with_icon() if not _is_on_toolbar(action)])

    def _with_icon(self) -> list[QAction]:
        return [self._actions[name] for name, drawing in self._icons.items() if drawing]

    def _colour(self, actions: list[QAction]) -> None:
        for action in actions:
            if self._tokens is not None:
                action.setIcon(icon(self._icons[action.objectName()], self._tokens))

    def _adopt(self, name: str, action: QAction, tip: str) -> QAction:
        if name in self._actions:
            raise ValueError(f"action {name} is registered twice")
        action.setObjectName(name)
        self._actions[name] = action
        self._tips[name] = plain(tip or action.text())
        self._write_tip(name)
        self._window.addAction(action)
        return action

    def _write_tip(self, name: str) -> None:
        keys = self._actions[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        words = self._tips[name]
        self._actions[name].setToolTip(f"{words} ({keys})" if keys else words)


def _is_on_toolbar(action: QAction) -> bool:
    return any(isinstance(shown, QToolBar) for shown in action.associatedObjects())


def plain(text: str) -> str:
    """Return an action's text without its mnemonic and its dots; a doubled ampersand is one."""
    return re.sub("&(&?)", r"\1", text).removesuffix("…")
