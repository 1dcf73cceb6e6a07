"""Hold the pages of the settings: appearance, data, alerts, connection, keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QListWidget, QStackedWidget, QWidget

from quantdesk.ui.dialogs import DeskDialog

_LIST_WIDTH = 148


class PreferencesDialog(DeskDialog):
    """Show one page at a time beside the list of their names; every page takes effect by itself."""

    def __init__(self, pages: Sequence[QWidget], parent: QWidget | None) -> None:
        super().__init__(self.tr("Settings"), parent, width=680)
        self.resize(720, 470)
        self.names = QListWidget(self)
        self.names.setProperty("framed", True)
        self.names.setFixedWidth(_LIST_WIDTH)
        self.names.setAccessibleName(self.tr("Pages of the settings"))
        self.stack = QStackedWidget(self)
        for page in pages:
            page.setParent(self)
            self.names.addItem(page.accessibleName())
            self.stack.addWidget(page)
        self.names.currentRowChanged.connect(self.stack.setCurrentIndex)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.names)
        row.addWidget(self.stack, 1)
        self.body.addLayout(row, 1)
        close = self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.setDefault(True)
        self.add_buttons()
        self.show_page(0)
        self.names.setFocus()

    @Slot(int)
    def show_page(self, number: int) -> None:
        """Bring a page to the front, by its place in the list."""
        self.names.setCurrentRow(number)
