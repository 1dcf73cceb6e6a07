"""Share the frame of the desk's dialogs: words, a body, buttons; opened, never executed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from quantdesk.ui.icons import pixmap
from quantdesk.ui.theme_tokens import Tokens


class DeskDialog(QDialog):
    """Lay out a heading, text, body and buttons; deletes itself once closed."""

    def __init__(self, title: str, parent: QWidget | None, *, width: int = 440) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setMinimumWidth(width)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(18, 16, 18, 14)
        self.body.setSpacing(10)
        self.buttons = QDialogButtonBox(self)
        self.buttons.setAccessibleName(self.tr("Buttons"))
        self.buttons.rejected.connect(self.reject)
        self.buttons.accepted.connect(self.accept)

    def add_heading(self, text: str, icon_name: str = "", colour: str = "") -> QLabel:
        """Add the line that says what this is about, with a coloured icon if named."""
        row = QHBoxLayout()
        row.setSpacing(10)
        if icon_name:
            mark = QLabel(self)
            picture = pixmap(icon_name, colour, 44)
            picture.setDevicePixelRatio(2)
            mark.setPixmap(picture)
            row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        label = self.words(text)
        label.setProperty("heading", True)
        row.addWidget(label, 1)
        self.body.addLayout(row)
        return label

    def add_text(self, text: str, *, dim: bool = False) -> QLabel:
        """Add a paragraph."""
        label = self.words(text)
        label.setProperty("dim", dim)
        self.body.addWidget(label)
        return label

    def add_details(self, text: str, name: str, height: int = 180) -> QPlainTextEdit:
        """Add a read-only box of text in a fixed-width font."""
        box = QPlainTextEdit(text, self)
        box.setReadOnly(True)
        box.setAccessibleName(name)
        box.setTabChangesFocus(True)
        font = box.font()
        font.setFamilies(["monospace", "DejaVu Sans Mono", "Consolas", "Menlo"])
        box.setFont(font)
        box.setMinimumHeight(height)
        self.body.addWidget(box, 1)
        return box

    def add_buttons(self) -> None:
        """Put the buttons below what was added so far."""
        self.body.addSpacing(2)
        self.body.addWidget(self.buttons)
        for button in self.buttons.buttons():
            button.setAccessibleName(button.text().replace("&", ""))

    def words(self, text: str) -> QLabel:
        """Return a wrapping label that shows text as it is, never as markup."""
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label


class CloseQuestion(DeskDialog):
    """Ask once what closing means while the market is recorded; ``choice`` is tray, quit or empty."""

    def __init__(self, tokens: Tokens, *, tray: bool, parent: QWidget) -> None:
        from PySide6.QtWidgets import QCheckBox

        super().__init__(self.tr("Close quantdesk"), parent)
        self.choice = ""
        self.add_heading(self.tr("The market is being recorded."), "info", tokens.accent)
        self.add_text(
            self.tr("Quitting ends the recording. In the tray it goes on, and alerts still reach you.")
            if tray
            else self.tr("Quitting ends the recording; the next start fills what was missed, as far as it can.")
        )
        self.ask_no_more = QCheckBox(self.tr("Do not ask again"), self)
        self.ask_no_more.setAccessibleName(self.ask_no_more.text())
        self.body.addWidget(self.ask_no_more)
        box = QDialogButtonBox.ButtonRole
        cancel = self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        quit_button = self.buttons.addButton(self.tr("Quit"), box.DestructiveRole)
        quit_button.clicked.connect(lambda: self._choose("quit"))
        if tray:
            keep = self.buttons.addButton(self.tr("Keep in tray"), box.AcceptRole)
            keep.clicked.connect(lambda: self._choose("tray"))
            keep.setDefault(True)
        else:
            cancel.setDefault(True)
        self.add_buttons()

    def _choose(self, choice: str) -> None:
        self.choice = choice
        self.accept()
