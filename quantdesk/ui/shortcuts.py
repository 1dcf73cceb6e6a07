"""List every key of the desk, and let the user change those of the actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.key_bindings import KeyBindings
from quantdesk.ui.key_cap import KeyCap
from quantdesk.ui.key_words import shown
from quantdesk.ui.menu_walk import INTO, Placed

_COLUMNS, _WIDEST, _TALLEST, _MOST_UNDONE = 3, 1_080, 860, 50
#: A block: its heading, and for each row its words with an action's name or fixed keys.
Block = tuple[str, list[tuple[str, str, str]]]


class ShortcutSheet(DeskDialog):
    """Show the actions by menu, each with its key to press anew, and the keys of the charts.

    Every change takes effect at once; ``keys_chosen(dict)`` then holds those that differ from the first ones.
    """

    keys_chosen = Signal(dict)

    def __init__(self, placed: Iterable[Placed], bindings: KeyBindings, parent: QWidget | None) -> None:
        super().__init__(self.tr("Keyboard shortcuts"), parent, width=760)
        self._bindings = bindings
        self._past: list[dict[str, str]] = []
        self._asked: tuple[str, str] | None = None
        self._current = ""
        self.caps: dict[str, KeyCap] = {}
        self.add_text(
            self.tr("To change a key, press Enter on it or click it, then press the new one. Delete leaves it empty."),
            dim=True,
        )
        self._add_columns([*_blocks(placed), (self.tr("Charts (fixed)"), self._fixed())])
        self._add_answer()
        role = QDialogButtonBox.ButtonRole.ResetRole
        self.undo_button = self.buttons.addButton(self.tr("&Undo"), role)
        self.reset_one = self.buttons.addButton(self.tr("&Reset this key"), role)
        self.reset_all = self.buttons.addButton(self.tr("Reset &all keys"), role)
        self.undo_button.clicked.connect(self.undo)
        self.reset_one.clicked.connect(self._reset_one)
        self.reset_all.clicked.connect(self._reset_all)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.add_buttons()
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self).activated.connect(self.undo)
        self.refresh()
        next(iter(self.caps.values())).setFocus()

    @Slot()
    def refresh(self) -> None:
        """Show the keys as they are now."""
        for name, cap in self.caps.items():
            cap.show_keys(self._bindings.keys(name), self._bindings.first(name))
        self._offer()

    @Slot()
    def undo(self) -> None:
        """Return to the keys before the last change."""
        if self._past:
            self._drop_question()
            self._take(self._past.pop())
            self._say(self.tr("The last change is undone."))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Esc answer an open question before it closes the sheet."""
        if event.key() == Qt.Key.Key_Escape and self._asked is not None:
            self.caps[self._asked[0]].setFocus()
            self._drop_question()
            self._say("")
        else:
            super().keyPressEvent(event)

    # -- changes ------------------------------------------------------------------------------

    def _choose(self, name: str, keys: str) -> None:
        """Give an action a key, unless it is refused or somebody has it: then say so."""
        self._drop_question()
        words = self._bindings.refusal(keys)
        if words:
            self._say(words, fault=True)
            return
        holder = self._bindings.holder(keys, name)
        if holder:
            self._asked = (name, keys)
            self._say(
                self.tr("{0} is the key of “{1}”, which would have none.").format(
                    shown(keys), self._bindings.title(holder)
                ),
                fault=True,
            )
            self.take_over.setText(self.tr("&Give it to “{0}”").format(self._bindings.title(name)))
            self.take_over.setAccessibleName(self.take_over.text().replace("&", ""))
            self.take_over.show()
            self.take_over.setFocus()
            return
        self._bind(name, keys)

    @Slot()
    def _take_over(self) -> None:
        if self._asked is not None:
            name, keys = self._asked
            self._drop_question()
            self.caps[name].setFocus()
            self._bind(name, keys)

    def _bind(self, name: str, keys: str) -> None:
        if keys == self._bindings.keys(name):
            self._say("")
            return
        self._remember()
        self._bindings.bind(name, keys)
        self._take(self._bindings.chosen)
        words = self.tr("“{0}” has the key {1} now.") if keys else self.tr("“{0}” has no key now.")
        self._say(words.format(self._bindings.title(name), shown(keys)))

    @Slot()
    def _reset_one(self) -> None:
        if self._current:
            self._choose(self._current, self._bindings.first(self._current))

    @Slot()
    def _reset_all(self) -> None:
        self._drop_question()
        self._remember()
        self._take({})
        self._say(self.tr("All keys are the first ones again."))

    def _remember(self) -> None:
        self._past = [*self._past[1 - _MOST_UNDONE :], self._bindings.chosen]

    def _take(self, chosen: dict[str, str]) -> None:
        self._bindings.put(chosen)
        self.keys_chosen.emit(self._bindings.chosen)
        self.refresh()

    def _drop_question(self) -> None:
        self._asked = None
        self.take_over.hide()

    def _on_waiting(self, waiting: bool) -> None:
        self._drop_question()
        self._say(self.tr("Press the new keys. Esc leaves it as it is.") if waiting else "")

    def _on_focus(self, name: str) -> None:
        self._current = name
        self._offer()

    def _offer(self) -> None:
        changed = self._bindings.chosen
        self.undo_button.setEnabled(bool(self._past))
        self.reset_one.setEnabled(self._current in changed)
        self.reset_all.setEnabled(bool(changed))

    def _say(self, words: str, *, fault: bool = False) -> None:
        self.answer.setProperty("fault", fault)
        self.answer.style().unpolish(self.answer)
        self.answer.style().polish(self.answer)
        self.answer.setText(words)
        if words:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    # -- composition --------------------------------------------------------------------------

    def _fixed(self) -> list[tuple[str, str, str]]:
        rows = (
            (self.tr("Move one bar"), "← →"),
            (self.tr("Move a page"), "Ctrl+← →"),
            (self.tr("Oldest bar"), "Home"),
            (self.tr("Zoom"), "+ −"),
            (self.tr("Another interval"), self.tr("15m, 4h …")),
            (self.tr("Digit alone, after a moment"), "1 – 9"),
            (self.tr("Symbol, unless it is a key"), "A – Z"),
            (self.tr("Zoom at the cursor"), self.tr("wheel")),
            (self.tr("Move along"), self.tr("Shift and wheel")),
            (self.tr("Move the view"), self.tr("drag")),
            (self.tr("Measure"), self.tr("Shift and drag")),
            (self.tr("Move, edit or delete the chosen drawing"), self.tr("← → ↑ ↓, Enter, Del")),
            (self.tr("Scale an axis"), self.tr("drag the axis")),
            (self.tr("Scale automatically"), self.tr("double click")),
        )
        return [(words, "", keys) for words, keys in rows]

    def _add_columns(self, blocks: Sequence[Block]) -> None:
        page = QWidget(self)
        columns = QHBoxLayout(page)
        columns.setContentsMargins(0, 0, 12, 0)
        columns.setSpacing(28)
        for share in _shared_out(blocks, _COLUMNS):
            columns.addLayout(self._column(share, page), 1)
        area = QScrollArea(self)
        area.setAccessibleName(self.tr("Keys by menu"))
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidgetResizable(True)
        area.setWidget(page)
        self.body.addWidget(area, 1)
        parent = self.parentWidget()
        wide, tall = (parent.width() - 40, parent.height() - 40) if parent is not None else (_WIDEST, _TALLEST)
        self.resize(min(_WIDEST, wide), min(_TALLEST, tall, page.sizeHint().height() + 150))

    def _column(self, blocks: Sequence[Block], page: QWidget) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(6)
        for title, rows in blocks:
            head = QLabel(title, page)
            head.setProperty("heading", True)
            column.addWidget(head)
            grid = QGridLayout()
            grid.setVerticalSpacing(2)
            for number, (words, name, keys) in enumerate(rows):
                label = QLabel(words, page)
                label.setWordWrap(True)
                grid.addWidget(label, number, 0)
                cap = self._cap(name, words, page) if name else _fixed_cap(words, keys, page)
                grid.addWidget(cap, number, 1, Qt.AlignmentFlag.AlignRight)
            grid.setColumnStretch(0, 1)
            column.addLayout(grid)
            column.addSpacing(8)
        column.addStretch(1)
        return column

    def _cap(self, name: str, words: str, page: QWidget) -> KeyCap:
        cap = self.caps[name] = KeyCap(words, page)
        cap.keys_pressed.connect(lambda keys: self._choose(name, keys))
        cap.cleared.connect(lambda: self._choose(name, ""))
        cap.waiting.connect(self._on_waiting)
        cap.focused.connect(lambda: self._on_focus(name))
        return cap

    def _add_answer(self) -> None:
        line = QHBoxLayout()
        self.answer = self.words("")
        self.answer.setAccessibleName(self.tr("What came of it"))
        self.take_over = QPushButton(self)
        self.take_over.setAccessibleName(self.tr("Take the key over"))
        self.take_over.clicked.connect(self._take_over)
        kept = self.take_over.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.take_over.setSizePolicy(kept)
        self.take_over.hide()
        line.addWidget(self.answer, 1)
        line.addWidget(self.take_over)
        self.body.addLayout(line)


def _fixed_cap(words: str, keys: str, page: QWidget) -> QLabel:
    cap = QLabel(keys, page)
    cap.setProperty("keycap", True)
    cap.setAccessibleName(f"{words}: {keys}")
    return cap


def _blocks(placed: Iterable[Placed]) -> list[Block]:
    """Put the actions under the menus they stand in."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for one in placed:
        found.setdefault(INTO.join(one.above), []).append((one.title, one.action.objectName(), ""))
    return list(found.items())


def _shared_out(blocks: Sequence[Block], count: int) -> list[list[Block]]:
    """Spread the blocks over columns of about equal length, in their order."""
    lines = [len(rows) + 2 for _, rows in blocks]
    columns: list[list[Block]] = [[] for _ in range(count)]
    before = 0
    for block, tall in zip(blocks, lines, strict=True):
        columns[min(count - 1, int((before + tall / 2) * count / sum(lines)))].append(block)
        before += tall
    return columns
