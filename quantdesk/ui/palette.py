"""Find any command by typing: a frameless list over the window that runs one and goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from quantdesk.ui.palette_entries import Entry, Found, ranked
from quantdesk.ui.palette_line import FOUND, PaletteLine
from quantdesk.ui.theme_tokens import Tokens

_WIDTH, _TALLEST, _MARGIN, _TOP = 620, 460, 20, 56
_MAX_LENGTH = 80
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}


class CommandPalette(QFrame):
    """Show what matches; ``chosen(Entry)`` once it has closed on one that can be used.

    Up and Down walk, past the ends too; Enter runs, Esc or a click elsewhere closes.
    """

    chosen = Signal(object)

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAccessibleName(self.tr("Command palette"))
        self._entries: Sequence[Entry] = ()
        self._used: Sequence[str] = ()
        self._before: QWidget | None = None
        self.typed = QLineEdit(self)
        self.typed.setAccessibleName(self.tr("Words of a command"))
        self.typed.setMaxLength(_MAX_LENGTH)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Matching commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.line = PaletteLine(tokens, self.list)
        self.list.setItemDelegate(self.line)
        self.state = QLabel(self)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.state.setProperty("dim", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        for part in (self.typed, self.list, self.state):
            column.addWidget(part)
        self.typed.textChanged.connect(self._show)
        self.typed.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item: self._run())
        self.list.currentRowChanged.connect(self._say)
        parent.installEventFilter(self)
        self.hide()

    def open(self, entries: Sequence[Entry], used: Sequence[str], typed: str = "", hint: str = "") -> None:
        """Show the entries with the cursor behind what was typed so far; ``used`` are ids, newest first."""
        self._entries, self._used = entries, used
        self._before = self.window().focusWidget()
        self.typed.setPlaceholderText(hint or self.tr("Type a command, a symbol, a pair or a file"))
        self.typed.setText(typed)
        self._show()
        self.show()
        self.raise_()
        self.window().activateWindow()  # a floating dock may have the keyboard
        self.typed.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.typed.end(False)

    def close_up(self) -> None:
        """Hide, and give the keyboard back to what had it."""
        before, self._before = self._before, None
        had = self.window().focusWidget() is self.typed
        self.hide()
        if had and before is not None and isValid(before):
            before.setFocus(Qt.FocusReason.OtherFocusReason)

    def found(self) -> list[Found]:
        """Return what is listed, best first."""
        return [self.list.item(row).data(FOUND) for row in range(self.list.count())]

    def current(self) -> Entry | None:
        """Return the entry that Enter would run."""
        item = self.list.currentItem()
        return item.data(FOUND).entry if item is not None else None

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the lines for the theme."""
        self.line.tokens = tokens
        self.list.viewport().update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let keys walk the list while the cursor stays in the text; leave when the keyboard does."""
        kind = event.type()
        if watched is self.typed and isinstance(event, QKeyEvent):
            act = self._act_of(event)
            if act is not None and kind == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if act is not None and kind == QEvent.Type.KeyPress:
                act()
                return True
        elif watched is self.typed and kind == QEvent.Type.FocusOut and isinstance(event, QFocusEvent):
            # Another program in front is no choice against the palette.
            if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
                self.close_up()
        elif watched is self.parent() and kind == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return False

    def _act_of(self, event: QKeyEvent) -> Callable[[], None] | None:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        key = Qt.Key(event.key())
        if key in _STEPS:
            return lambda: self._walk(_STEPS[key])
        known = {Qt.Key.Key_Return: self._run, Qt.Key.Key_Enter: self._run, Qt.Key.Key_Escape: self.close_up}
        # Tab has nowhere to go: the list follows the arrows.
        return known.get(key, (lambda: None) if key == Qt.Key.Key_Tab else None)

    def _walk(self, step: int) -> None:
        rows, row = self.list.count(), self.list.currentRow()
        if rows:
            past = (row, step) in ((rows - 1, 1), (0, -1))
            self.list.setCurrentRow((row + step) % rows if past else max(0, min(rows - 1, row + step)))

    def _run(self) -> None:
        entry = self.current()
        if entry is not None and entry.enabled:
            self.close_up()
            self.chosen.emit(entry)

    def _show(self) -> None:
        self.list.clear()
        for found in ranked(self._entries, self.typed.text(), self._used):
            item = QListWidgetItem()
            item.setData(FOUND, found)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken(found.entry))
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.list.setVisible(self.list.count() > 0)
        self._say()
        self._place()

    def _say(self, _row: int = 0) -> None:
        entry = self.current()
        if entry is None:
            self.state.setText(self.tr("Nothing is called that. Try fewer letters."))
            return
        off = self.tr("Not now: {0}").format(entry.why) if entry.why else self.tr("Not now")
        self.state.setText(self.tr("Enter runs it, Esc closes") if entry.enabled else off)
        if not self.isHidden():
            # The keyboard stays in the text: a screen reader would not hear of the list.
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, spoken(entry)))

    def _place(self) -> None:
        """Stand in the middle, below the toolbar, as tall as the list needs."""
        room = self.window().size()
        rows = self.list.count() * self.list.sizeHintForRow(0) + 2 * self.list.frameWidth() if self.list.count() else 0
        parts = self.typed.sizeHint().height() + self.state.sizeHint().height()
        tall = min(_TALLEST, rows + parts + 20 + 6 * (2 if rows else 1), room.height() - _TOP - _MARGIN)
        wide = min(_WIDTH, room.width() - 2 * _MARGIN)
        self.setGeometry((room.width() - wide) // 2, _TOP, wide, tall)


def spoken(entry: Entry) -> str:
    """Return an entry as it is read out."""
    return ", ".join(part for part in (entry.title, entry.above, entry.keys, entry.why) if part)
