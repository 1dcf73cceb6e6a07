"""Show the key of one action as a key's cap, and take another one from the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPushButton, QWidget

from quantdesk.ui.key_words import pressed_keys, shown


class KeyCap(QPushButton):
    """Wait for keys after a click, Enter or Space: ``keys_pressed(str)`` in portable form.

    Esc or a click elsewhere gives up; Delete asks for no key at all: ``cleared``. ``waiting(bool)`` tells of both
    ends, ``focused`` of the keyboard's arrival.
    """

    keys_pressed = Signal(str)
    cleared = Signal()
    waiting = Signal(bool)
    focused = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._title, self._keys, self._taking = title, "", False
        self.setProperty("keycap", True)
        self.clicked.connect(self.start)

    @property
    def keys(self) -> str:
        """Return the key that is shown, in portable form."""
        return self._keys

    def show_keys(self, keys: str, first: str) -> None:
        """Show a key; one that differs from the ``first`` one is marked."""
        self._keys = keys
        self._dress("changed", keys != first)
        words = self.tr("was {0}").format(shown(first) or self.tr("no key")) if keys != first else ""
        self.setToolTip(words)
        name = f"{self._title}: {shown(keys) or self.tr('no key')}"
        self.setAccessibleName(f"{name}, {words}" if words else name)
        self._write()

    def start(self) -> None:
        """Wait for keys."""
        if not self._taking:
            self._set_taking(True)

    def event(self, event: QEvent) -> bool:
        """Claim every key while waiting, those of shortcuts too."""
        if self._taking and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Stay while waiting: Tab is a key like others then."""
        return not self._taking and super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys, or act as a button."""
        if not self._taking:
            if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
                self.cleared.emit()
            else:
                super().keyPressEvent(event)
            return
        event.accept()
        if event.key() == Qt.Key.Key_Escape and not event.modifiers():
            self._set_taking(False)
            return
        keys = pressed_keys(event)
        if keys and not event.isAutoRepeat():
            self._set_taking(False)
            self.keys_pressed.emit(keys)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Leave the release of a taken key alone: it is no click."""
        if not self._taking:
            super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell that the keyboard is here."""
        super().focusInEvent(event)
        self.focused.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Give up waiting."""
        super().focusOutEvent(event)
        if self._taking:
            self._set_taking(False)

    def _set_taking(self, taking: bool) -> None:
        self._taking = taking
        self._dress("taking", taking)
        self._write()
        self.waiting.emit(taking)

    def _write(self) -> None:
        # An ampersand in a button's text would be a mnemonic.
        self.setText(self.tr("press keys…") if self._taking else shown(self._keys).replace("&", "&&") or "–")

    def _dress(self, name: str, on: bool) -> None:
        if self.property(name) != on:
            self.setProperty(name, on)
            self.style().unpolish(self)
            self.style().polish(self)
