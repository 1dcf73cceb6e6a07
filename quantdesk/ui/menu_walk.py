"""Walk the menu bar: every action with the menus above it, in the order of the menus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from quantdesk.ui.actions import plain

#: Between a menu and what is in it.
INTO = " › "


@dataclass(frozen=True, slots=True)
class Placed:
    """Hold an action and the plain titles of the menus that lead to it."""

    action: QAction
    above: tuple[str, ...]

    @property
    def title(self) -> str:
        """Return what the action is called; a file's entry says its name without the number before it."""
        return str(self.action.data() or plain(self.action.text()))

    @property
    def long_title(self) -> str:
        """Return the title with the submenu it stands in, without the menu."""
        return INTO.join((*self.above[1:], self.title))


def walk(bar: QMenuBar) -> list[Placed]:
    """Return every action of the menu bar; menus that are filled when they are shown are filled first."""
    return [one for top in bar.actions() for one in _inside(top, ())]


def _inside(action: QAction, above: tuple[str, ...]) -> Iterator[Placed]:
    menu = action.menu()
    if isinstance(menu, QMenu):
        menu.aboutToShow.emit()
        for inner in menu.actions():
            yield from _inside(inner, (*above, plain(menu.title())))
    elif not action.isSeparator():
        yield Placed(action, above)
