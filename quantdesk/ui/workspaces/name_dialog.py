"""Ask for the name of a workspace, and say at once why one cannot be had."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialogButtonBox, QLineEdit, QWidget

from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.workspaces.store import LONGEST_NAME


class NameDialog(DeskDialog):
    """Ask for a name; ``chosen(str)`` on OK. ``refusal`` says in words why a name cannot be had."""

    chosen = Signal(str)

    def __init__(
        self, title: str, text: str, first: str, refusal: Callable[[str], str], parent: QWidget | None
    ) -> None:
        super().__init__(title, parent)
        self._refusal = refusal
        self.add_text(text, dim=True)
        self.name = QLineEdit(first, self)
        self.name.setAccessibleName(self.tr("Name of the workspace"))
        self.name.setMaxLength(LONGEST_NAME)
        self.body.addWidget(self.name)
        self.problem = self.add_text("")
        self.problem.setAccessibleName(self.tr("What is wrong"))
        self.problem.setProperty("fault", True)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self.name.textChanged.connect(self._check)
        self.accepted.connect(self._on_accepted)
        self._check()
        self.name.setFocus()
        self.name.selectAll()

    @Slot()
    def _check(self) -> None:
        words = self._refusal(self.name.text())
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not words)
        self.problem.setText(words if self.name.text().strip() else "")

    @Slot()
    def _on_accepted(self) -> None:
        self.chosen.emit(self.name.text().strip())
