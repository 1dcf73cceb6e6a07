"""Ask from which store into which to copy, and tell how it went."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QLabel, QWidget

from quantdesk.config import ConfigError
from quantdesk.store.address import StoreAddress
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.status_flow import sentence
from quantdesk.ui.storage_dialog import StoreChoices
from quantdesk.ui.store_fields import StoreFields
from quantdesk.ui.theme_tokens import Tokens


class CopyDialog(DeskDialog):
    """Name both stores; ``copy_requested(from, to)`` on *Copy*, which closes it."""

    copy_requested = Signal(object, object)

    def __init__(self, choices: StoreChoices, parent: QWidget | None) -> None:
        super().__init__(self.tr("Copy to another store"), parent, width=600)
        self.add_text(
            self.tr(
                "Trades, bars and the ledger of gaps are copied; what the other store has already stays. "
                "A copy that was stopped goes on where it stopped. Recording goes on meanwhile."
            ),
            dim=True,
        )
        self.source = QComboBox(self)
        for part in (self.source, self.source.view()):
            part.setAccessibleName(self.tr("Copy from"))
        self._from = _distinct([choices.present, *choices.known])
        self.source.addItems([address.words for address in self._from])
        self._heading(self.tr("From"), self.source)
        self.body.addWidget(self.source)
        self.fields = StoreFields(choices.file, choices.folder, self)
        self._heading(self.tr("To"), self.fields)
        self.body.addWidget(self.fields)
        self.problem = self.words("")
        self.problem.setProperty("fault", True)
        self.problem.setMinimumHeight(self.fontMetrics().lineSpacing())
        self.body.addWidget(self.problem)
        self.body.addStretch(1)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.copy = self.buttons.addButton(self.tr("&Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setDefault(True)
        self.copy.clicked.connect(self._choose)
        self.add_buttons()
        self.fields.changed.connect(lambda: self.problem.setText(""))
        self.source.currentIndexChanged.connect(lambda _index: self.problem.setText(""))
        others = [a for a in self._from if choices.present is None or not same_store(a, choices.present)]
        if others:
            self.fields.show_address(others[0])
        elif choices.present is not None and not choices.present.is_server:
            self.fields.server_choice.setChecked(True)
        self.copy.setEnabled(bool(self._from))
        if not self._from:
            self.problem.setText(self.tr("There is no store to copy from yet: record or import something first."))

    def propose(self, source: StoreAddress | None, target: StoreAddress) -> None:
        """Fill in both stores."""
        if source in self._from:
            self.source.setCurrentIndex(self._from.index(source))
        self.fields.show_address(target)

    def _choose(self) -> None:
        source = self._from[self.source.currentIndex()]
        try:
            target = self.fields.address()
        except ConfigError as error:
            self.problem.setText(sentence(str(error)))
            return
        if same_store(source, target):
            self.problem.setText(self.tr("That is the same store twice: name another one to copy to."))
            return
        self.accept()
        self.copy_requested.emit(source, target)

    def _heading(self, text: str, buddy: QWidget) -> None:
        label = QLabel(text, self)
        label.setProperty("heading", True)
        label.setBuddy(buddy)
        self.body.addWidget(label, 0, Qt.AlignmentFlag.AlignLeft)


class CopiedDialog(DeskDialog):
    """Tell what was copied and whether both stores agree; ``use_clicked`` where the new one is wanted."""

    use_clicked = Signal()

    def __init__(
        self, lines: Sequence[str], tokens: Tokens, parent: QWidget | None, *, verified: bool, offer_use: bool
    ) -> None:
        super().__init__(self.tr("Copied"), parent, width=560)
        if verified:
            self.add_heading(self.tr("All is copied, and both stores agree."), "check", tokens.ok)
        else:
            self.add_heading(self.tr("The copy differs from the original."), "warning", tokens.warn)
            self.add_text(
                self.tr("The lines below name what differs. Copy again: only what is missing is brought over."),
                dim=True,
            )
        self.add_details("\n".join(lines), self.tr("Report of the copy"))
        if offer_use:
            use = self.buttons.addButton(self.tr("&Use the new store…"), QDialogButtonBox.ButtonRole.ActionRole)
            use.setAutoDefault(False)
            use.clicked.connect(self.accept)
            use.clicked.connect(self.use_clicked)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        self.add_buttons()


def same_store(one: StoreAddress, other: StoreAddress) -> bool:
    """Tell whether two addresses name the same store, whoever the user is."""
    if one.path is not None or other.path is not None:
        return one.path == other.path
    return (one.host, one.port, one.database) == (other.host, other.port, other.database)


def _distinct(addresses: Sequence[StoreAddress | None]) -> list[StoreAddress]:
    found: list[StoreAddress] = []
    for address in addresses:
        if address is not None and not any(same_store(address, held) for held in found):
            found.append(address)
    return found
