"""Let the user keep the alert rules: switch, add, edit, duplicate, move and delete them, and undo that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import uuid4

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QPushButton, QWidget

from quantdesk.analytics.alerts.rule import Rule, z_rule
from quantdesk.model.alerts import MOST_RULES
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.rule_table import RuleRow, RuleTable
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.toasts import ToastStack

_MOST_UNDONE = 50


class RulesDialog(DeskDialog):
    """Show the rules; ``rules_chosen([Rule])`` at every change, ``edit_wanted(Rule, new)`` to ask for the details,
    ``copied(id, id of the copy)`` before a copy is among the rules.

    ``rows`` is asked for the rules in force with their records whenever the list is filled.
    """

    rules_chosen = Signal(list)
    edit_wanted = Signal(object, bool)
    copied = Signal(str, str)

    def __init__(self, rows: Callable[[], Sequence[RuleRow]], tokens: Tokens, parent: QWidget | None) -> None:
        super().__init__(self.tr("Alert rules"), parent, width=760)
        self.resize(min(1_120, parent.width() - 40 if parent is not None else 1_120), 420)
        self._rows = rows
        self._past: list[list[Rule]] = []
        self.add_text(
            self.tr(
                "Every closed bar is judged once by each rule that is on. Only news of the live market may make a "
                "sound or leave this window; everything else is a marked row in the table."
            ),
            dim=True,
        )
        self.table = RuleTable(self)
        self.table.setMinimumHeight(230)
        self.body.addWidget(self.table, 1)
        self.empty = self.add_text(self.tr("There is no rule: nothing raises an alert. Add one."))
        self.commands = {
            name: self._button(text, tip)
            for name, text, tip in (
                ("add", self.tr("&Add…"), self.tr("Add a rule (Insert)")),
                ("edit", self.tr("&Edit…"), self.tr("Edit the chosen rule (Enter)")),
                ("duplicate", self.tr("D&uplicate"), self.tr("Add a copy of the chosen rule (Ctrl+D)")),
                ("delete", self.tr("&Delete"), self.tr("Delete the chosen rule (Delete)")),
                ("up", self.tr("Move u&p"), self.tr("Move the chosen rule up (Alt+Up)")),
                ("down", self.tr("Move do&wn"), self.tr("Move the chosen rule down (Alt+Down)")),
            )
        }
        self._acts: dict[str, Callable[[], None]] = {
            "add": lambda: self.edit_wanted.emit(self._fresh(), True),
            "edit": self._edit,
            "duplicate": self._duplicate,
            "delete": self._delete,
            "up": lambda: self._move(-1),
            "down": lambda: self._move(1),
            "undo": self.undo,
        }
        line = QHBoxLayout()
        line.setSpacing(8)
        for name, button in self.commands.items():
            button.clicked.connect(self._acts[name])
            line.addWidget(button)
        line.addStretch(1)
        self.body.addLayout(line)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.add_buttons()
        self.toasts = ToastStack(self, tokens, self.buttons)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self).activated.connect(self.undo)
        self.table.switched.connect(self._switch)
        self.table.pressed_key.connect(lambda name: self._acts[name]())
        self.table.cellDoubleClicked.connect(lambda _row, column: self._edit() if column else None)
        self.table.currentCellChanged.connect(lambda *_: self._offer())
        self.refresh()
        self.table.choose(0)
        self.table.setFocus()

    @property
    def rules(self) -> list[Rule]:
        """Return the rules that are shown."""
        return [row.rule for row in self._shown]

    @Slot()
    def refresh(self) -> None:
        """Show the rules in force and their records as they are now."""
        self._shown = list(self._rows())
        self.table.show_rows(self._shown)
        self.empty.setVisible(not self._shown)
        self._offer()

    def take(self, rule: Rule) -> None:
        """Put an edited rule in its place, or a new one at the end."""
        rules = self.rules
        place = next((i for i, one in enumerate(rules) if one.id == rule.id), len(rules))
        self._put([*rules[:place], rule, *rules[place + 1 :]], place)

    @Slot()
    def undo(self) -> None:
        """Return to the rules before the last change."""
        if self._past:
            before = self._past.pop()
            self.rules_chosen.emit(before)
            self.refresh()
            self.table.choose(min(max(0, self.table.currentRow()), len(before) - 1))

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the messages for the theme."""
        self.toasts.set_tokens(tokens)

    def _put(self, rules: list[Rule], row: int) -> None:
        self._past = [*self._past[1 - _MOST_UNDONE :], self.rules]
        self.rules_chosen.emit(rules)
        self.refresh()
        self.table.choose(row)

    def _row(self) -> int:
        row = self.table.currentRow()
        return row if row < len(self._shown) else -1

    def _fresh(self) -> Rule:
        return replace(z_rule(), id=uuid4().hex[:12], name=self._name(self.tr("New rule")))

    def _name(self, wanted: str) -> str:
        """Return a name that no rule has yet."""
        names, number = {rule.name for rule in self.rules}, 1
        name = wanted = wanted[:70]
        while name in names:
            number += 1
            name = f"{wanted} {number}"
        return name

    @Slot()
    def _edit(self) -> None:
        if self._row() >= 0:
            self.edit_wanted.emit(self.rules[self._row()], False)

    @Slot()
    def _duplicate(self) -> None:
        row, rules = self._row(), self.rules
        if row >= 0 and len(rules) < MOST_RULES:
            copy = replace(rules[row], id=uuid4().hex[:12], name=self._name(rules[row].name))
            self.copied.emit(rules[row].id, copy.id)
            self._put([*rules[: row + 1], copy, *rules[row + 1 :]], row + 1)

    @Slot()
    def _delete(self) -> None:
        row, rules = self._row(), self.rules
        if row < 0:
            return
        gone = rules.pop(row)
        self._put(rules, min(row, len(rules) - 1))
        title = self.tr("Rule “{0}” deleted").format(gone.name)
        self.toasts.show_toast(
            title, self.tr("Undo: click here, or press Ctrl+Z."), "info", lambda: self._bring_back(gone, row)
        )

    def _bring_back(self, gone: Rule, row: int) -> None:
        """Put a deleted rule where it was; what was changed since stays."""
        rules = self.rules
        if all(rule.id != gone.id for rule in rules):
            self._put([*rules[:row], gone, *rules[row:]], row)

    def _move(self, by: int) -> None:
        row, rules = self._row(), self.rules
        if row >= 0 and 0 <= row + by < len(rules):
            rules[row], rules[row + by] = rules[row + by], rules[row]
            self._put(rules, row + by)

    @Slot(int, bool)
    def _switch(self, row: int, on: bool) -> None:
        rules = self.rules
        self._put([*rules[:row], replace(rules[row], enabled=on), *rules[row + 1 :]], row)

    def _offer(self) -> None:
        """Offer what can be done with the chosen row."""
        row, count = self._row(), len(self._shown)
        for name in ("edit", "delete"):
            self.commands[name].setEnabled(row >= 0)
        self.commands["add"].setEnabled(count < MOST_RULES)
        self.commands["duplicate"].setEnabled(row >= 0 and count < MOST_RULES)
        self.commands["up"].setEnabled(row > 0)
        self.commands["down"].setEnabled(0 <= row < count - 1)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.setAccessibleName(tip)
        button.setToolTip(tip)
        return button
