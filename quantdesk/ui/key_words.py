"""Write keys as text: read them from a press or from settings, and know those that stay where they are."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

_LONGEST = 40
_ALONE = (
    Qt.Key.Key_Shift,
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Meta,
    Qt.Key.Key_Super_L,
    Qt.Key.Key_Super_R,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_NumLock,
    Qt.Key.Key_unknown,
)
_ALONE_NAMES = frozenset(QKeySequence(key).toString() for key in _ALONE) - {""}
_MODIFIERS = (
    Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_CHARTS = ("Left", "Right", "Ctrl+Left", "Ctrl+Right", "Home", "+", "-", "=")
_LISTS = ("Up", "Down", "PgUp", "PgDown", "Tab", "Shift+Tab", "Return", "Enter", "Esc", "Space")
_TEXTS = ("Backspace", "Del", "Ins", "Ctrl+C")


def _tr(text: str) -> str:
    return QCoreApplication.translate("keys", text)


def pressed_keys(event: QKeyEvent) -> str:
    """Return what was pressed in portable form, such as "Ctrl+Shift+K"; nothing for a modifier alone."""
    key, held = Qt.Key(event.key()), event.modifiers() & _MODIFIERS
    if key in _ALONE:
        return ""
    if key == Qt.Key.Key_Backtab:
        key = Qt.Key.Key_Tab
    text = event.text()
    # Shift that only makes a sign, as in "!", belongs to the sign.
    if text[:1].isprintable() and text[:1] and not text[:1].isalnum() and not text[:1].isspace():
        held &= ~Qt.KeyboardModifier.ShiftModifier
    return QKeySequence(QKeyCombination(held, key)).toString(QKeySequence.SequenceFormat.PortableText)


def canonical(text: str) -> str | None:
    """Return one key in portable form, "" for none; None where the text names no single key."""
    if not text:
        return ""
    if len(text) > _LONGEST:
        return None
    keys = QKeySequence(text, QKeySequence.SequenceFormat.PortableText)
    found = keys.toString(QKeySequence.SequenceFormat.PortableText)
    if keys.count() != 1 or not found or found.rpartition("+")[2] in _ALONE_NAMES:
        return None
    return found


def shown(keys: str) -> str:
    """Return portable keys as this desktop writes them."""
    sequence = QKeySequence(keys, QKeySequence.SequenceFormat.PortableText)
    return sequence.toString(QKeySequence.SequenceFormat.NativeText)


def why_fixed(keys: str) -> str:
    """Return in words why a key cannot be given to an action; nothing where it can."""
    if keys in _CHARTS:
        return _tr("{0} moves or zooms the charts, and stays with them.").format(shown(keys))
    if keys in _LISTS:
        return _tr("{0} walks through lists and dialogs, and stays with them.").format(shown(keys))
    if keys in _TEXTS:
        return _tr("{0} edits or copies text, and stays with it.").format(shown(keys))
    if keys == "Alt+F4":
        return _tr("{0} closes the window, and stays with it.").format(shown(keys))
    return ""
