"""Know which key each action has, which it came with, and change that."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence

from quantdesk.ui.actions import ActionRegistry, plain
from quantdesk.ui.kept_keys import without_clashes
from quantdesk.ui.key_words import canonical, shown, why_fixed

_PORTABLE = QKeySequence.SequenceFormat.PortableText


class KeyBindings(QObject):
    """Give keys to a registry's actions; made once all of them are registered. Keys are portable text.

    ``menus`` are the keys that open the menus, with the menus' titles. ``changed`` after every change.
    """

    changed = Signal()

    def __init__(self, registry: ActionRegistry, menus: Mapping[str, str]) -> None:
        super().__init__(registry)
        self._registry = registry
        self._menus = menus
        self._first = {name: action.shortcut().toString(_PORTABLE) for name, action in registry}
        self._chosen: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._first

    @property
    def chosen(self) -> dict[str, str]:
        """Return the keys that differ from those the actions came with; "" = none."""
        return dict(self._chosen)

    def keys(self, name: str) -> str:
        """Return the key of an action; "" for none."""
        return self._chosen.get(name, self._first[name])

    def first(self, name: str) -> str:
        """Return the key that an action came with."""
        return self._first[name]

    def title(self, name: str) -> str:
        """Return what an action is called."""
        return plain(self._registry[name].text())

    def holder(self, keys: str, but: str) -> str:
        """Return the other action that has a key; "" for none."""
        return next((name for name in self._first if keys and name != but and self.keys(name) == keys), "")

    def refusal(self, keys: str) -> str:
        """Return in words why a key cannot be given to any action; nothing where it can."""
        if canonical(keys) != keys:
            return self.tr("That is no key an action could have.")
        if keys in self._menus:
            return self.tr("{0} opens the menu {1}, and stays with it.").format(shown(keys), self._menus[keys])
        return why_fixed(keys)

    def bind(self, name: str, keys: str) -> None:
        """Give an action a key, or none; whoever had it loses it. A key that is refused raises ValueError."""
        words = self.refusal(keys)
        if words:
            raise ValueError(words)
        wanted = {**self._chosen, name: keys}
        holder = self.holder(keys, name)
        if holder:
            wanted[holder] = ""
        self.put(wanted)

    def put(self, chosen: Mapping[str, str]) -> list[str]:
        """Take these choices in place of all others; return the actions whose choice clashed and fell back."""
        able = {name: keys for name, keys in chosen.items() if name in self._first and not self.refusal(keys)}
        kept = without_clashes(self._first, able)
        before = self._chosen
        self._chosen = {name: keys for name, keys in kept.items() if keys != self._first[name]}
        for name in before.keys() | self._chosen.keys():
            self._registry.set_keys(name, self.keys(name))
        self.changed.emit()
        return [name for name in chosen if name in self._first and name not in kept]
