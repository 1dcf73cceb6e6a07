"""Type an interval over the charts: say what it would be, take it with Enter, leave it with Esc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QVBoxLayout, QWidget

from quantdesk.model.intervals import named_interval

#: So long (ms) after a single digit nothing more comes, it was meant as the key of an action.
KEY_AFTER_MS = 700
_ANOTHER_PROGRAM = Qt.FocusReason.ActiveWindowFocusReason
_WIDTH, _TOP, _LONGEST = 300, 48, 8


class IntervalEntry(QFrame):
    """Take what is typed. ``chosen(str)``: an interval; ``key_chosen(str)``: a digit that stayed alone.

    A digit that opened the entry and has a key's action means that action, by Enter or by silence; with more
    behind it, it is part of what is typed.
    """

    chosen = Signal(str)
    key_chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("interval_entry")
        self.setAccessibleName(self.tr("Interval"))
        self._offered: Sequence[str] = ()
        self._titles: Mapping[str, str] = {}
        self._keys: Mapping[str, str] = {}
        self._meant: str | None = None
        self._charts = parent
        self.typed = QLineEdit(self)
        self.typed.setObjectName("interval_typed")
        self.typed.setAccessibleName(self.tr("Interval, such as 15m or 4h"))
        self.typed.setMaxLength(_LONGEST)
        self.typed.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words = QLabel(self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 8)
        column.setSpacing(6)
        column.addWidget(self.typed)
        column.addWidget(self.words)
        self._silence = QTimer(self, singleShot=True, interval=KEY_AFTER_MS)
        self._silence.timeout.connect(self._take)
        self.typed.textChanged.connect(self._on_typed)
        self.typed.installEventFilter(self)
        parent.installEventFilter(self)
        self.hide()

    def open(
        self, typed: str, offered: Sequence[str], titles: Mapping[str, str], keys: Mapping[str, str] | None = None
    ) -> None:
        """Show the entry with what was typed so far; ``keys``: what each digit does that stays alone."""
        self._offered, self._titles, self._keys = offered, titles, keys or {}
        self.typed.clear()
        self._on_typed()
        self.show()
        self.raise_()
        self.typed.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.typed.setText(typed)

    def close_up(self) -> None:
        """Hide, and give the keyboard back to the charts."""
        if self.isHidden():
            return
        self._silence.stop()
        had = self.typed.hasFocus()
        self.hide()
        if had:
            self._charts.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take Enter and Esc; leave when the keyboard does."""
        kind = event.type()
        if watched is self._charts:
            if kind == QEvent.Type.Resize and not self.isHidden():
                self._place()
            return False
        if isinstance(event, QKeyEvent) and kind in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            acts = {Qt.Key.Key_Return: self._take, Qt.Key.Key_Enter: self._take, Qt.Key.Key_Escape: self.close_up}
            act = acts.get(Qt.Key(event.key()))
            if act is not None:
                event.accept()
                if kind == QEvent.Type.KeyPress:
                    act()
                return True
        # Another program in front is no choice against it.
        elif isinstance(event, QFocusEvent) and not event.gotFocus() and event.reason() != _ANOTHER_PROGRAM:
            self.close_up()
        return False

    def _take(self) -> None:
        typed, meant = self.typed.text(), self._meant
        if typed in self._keys:
            self.close_up()
            self.key_chosen.emit(typed)
        elif meant is not None:
            self.close_up()
            self.chosen.emit(meant)

    def _on_typed(self) -> None:
        typed = self.typed.text()
        self._silence.stop()
        self._meant = named_interval(typed, self._offered)
        if len(typed) > 1:
            self._keys = {}  # it has become an interval's name, also when some of it is taken back
        if typed in self._keys:
            self._silence.start()
            self._say(self.tr("{0}, or type on: 15m, 4h …").format(self._keys[typed]))
        elif self._meant is not None:
            self._say(self._titles.get(self._meant, self._meant))
        elif not typed.strip():
            self._say(self.tr("A number and s, m, h or d, such as 15m"))
        else:
            begun = [name for name in self._offered if name.startswith(typed.strip().lower())]
            if begun:
                self._say(self.tr("Type on: {0}").format(" ".join(begun)))
            else:
                words = self.tr("There is no {0} here. There is: {1}")
                self._say(words.format(typed.strip(), " ".join(self._offered)), fault=True)

    def _say(self, words: str, *, fault: bool = False) -> None:
        self.words.setProperty("fault", fault)
        self.words.style().unpolish(self.words)
        self.words.style().polish(self.words)
        self.words.setText(words)
        self._place()
        if not self.isHidden():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def _place(self) -> None:
        room = self._charts.width()
        wide = min(_WIDTH, room - 20)
        tall = self._column.heightForWidth(wide)
        self.setGeometry((room - wide) // 2, _TOP, wide, tall)
