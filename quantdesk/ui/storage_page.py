"""Let the user choose the store, try it before, and start a database of one's own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from quantdesk.config import ConfigError
from quantdesk.store.address import StoreAddress
from quantdesk.ui.icons import pixmap
from quantdesk.ui.status_flow import sentence
from quantdesk.ui.store_fields import StoreFields
from quantdesk.ui.theme_tokens import Tokens

_ICONS = {"ok": "check", "error": "error", "warning": "warning", "info": "info"}


class Outcome(QFrame):
    """Say how something went, with a mark of its kind; empty while there is nothing to say."""

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self.level = ""
        self._mark = QLabel(self)
        self._mark.setFixedWidth(20)
        self.text = QLabel(self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(8)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)

    def say(self, level: str, words: str) -> None:
        """Show words; ``level`` is ok, info, warning, error, or empty for nothing."""
        self.level = level if words else ""
        self.text.setText(words)
        self.setAccessibleName(words)
        tokens = self._tokens
        colours = {"ok": tokens.ok, "error": tokens.error, "warning": tokens.warn}
        if self.level:
            picture = pixmap(_ICONS.get(level, "info"), colours.get(level, tokens.accent), 36)
            picture.setDevicePixelRatio(2)
            self._mark.setPixmap(picture)
        else:
            self._mark.clear()


class StorePage(QWidget):
    """Choose and try a store; what it asks for leaves by signal, with the address that the fields name.

    The password travels in the address, and once more beside it where it is to be kept.
    """

    test_requested = Signal(object)
    use_requested = Signal(object, str)
    pgpass_requested = Signal(object, str)
    start_local_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, fields: StoreFields, tokens: Tokens, no_docker: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Choose a store"))
        self.fields = fields
        self._no_docker = no_docker
        self.test = self._button(self.tr("&Test connection"))
        self.use = self._button(self.tr("&Use this store"))
        self.local = self._button(self.tr("Start &local database"))
        self.pgpass = self._button(self.tr("Write it to .&pgpass"))
        self.cancel = self._button(self.tr("&Cancel"))
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(self.tr("Work that is going on"))
        self.outcome = Outcome(tokens, self)
        self._lay_out()
        self._connect()
        self.show_busy("")
        self.pgpass.hide()

    def show_busy(self, words: str, *, can_cancel: bool = False) -> None:
        """Say what is going on and take no other order meanwhile; no words = it has ended."""
        busy = bool(words)
        if busy:
            self.outcome.say("info", words)
            self.pgpass.hide()
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy and can_cancel)
        for part in (self.fields, self.test, self.use):
            part.setEnabled(not busy)
        self.local.setEnabled(not busy and not self._no_docker)

    def show_outcome(self, level: str, words: str, *, offer_pgpass: bool = False) -> None:
        """Say how it went; ``offer_pgpass`` where the keyring did not take the password."""
        self.show_busy("")
        self.outcome.say(level, sentence(words))
        self.pgpass.setVisible(offer_pgpass)

    @Slot()
    def _on_edited(self) -> None:
        if self.bar.isHidden():
            self.outcome.say("", "")
            self.pgpass.hide()

    def _ask(self, act: Callable[[StoreAddress], None]) -> None:
        try:
            address = self.fields.address()
        except ConfigError as error:
            self.show_outcome("error", str(error))
            return
        act(address)

    def _connect(self) -> None:
        self.fields.changed.connect(self._on_edited)
        self.test.clicked.connect(lambda: self._ask(self.test_requested.emit))
        self.use.clicked.connect(lambda: self._ask(lambda a: self.use_requested.emit(a, self._typed())))
        self.pgpass.clicked.connect(lambda: self._ask(lambda a: self.pgpass_requested.emit(a, self._typed())))
        self.local.clicked.connect(self.start_local_requested)
        self.cancel.clicked.connect(self.cancel_requested)

    def _typed(self) -> str:
        return self.fields.password.text() if self.fields.server_choice.isChecked() else ""

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 14, 2, 2)
        column.setSpacing(12)
        column.addWidget(self.fields)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.test, self.use):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.local)
        column.addLayout(row)
        if self._no_docker:
            words = QLabel(self._no_docker, self)
            words.setProperty("dim", True)
            words.setWordWrap(True)
            words.setAlignment(Qt.AlignmentFlag.AlignRight)
            column.addWidget(words)
            self.local.setToolTip(self._no_docker)
        else:
            self.local.setToolTip(self.tr("Run TimescaleDB on this machine in a container, for this machine only"))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        column.addLayout(row)
        column.addWidget(self.outcome)
        column.addWidget(self.pgpass, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.setAccessibleName(text.replace("&", ""))
        return button
