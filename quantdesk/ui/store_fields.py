"""Ask which store is meant: a file here, or a database on a server with user and password."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QRadioButton, QWidget

from quantdesk.config import ConfigError
from quantdesk.store.address import StoreAddress, file_address, has_password, parse_address

_INDENT = 24


class StoreFields(QWidget):
    """Hold the fields of one store; account and password move out of a URL that is pasted with them.

    ``changed`` tells of every edit; ``kept_requested(address)`` asks whether the keyring has the password of
    the server that is named now (``show_kept`` answers), ``forget_requested(address)`` to remove it there.
    """

    changed = Signal()
    kept_requested = Signal(object)
    forget_requested = Signal(object)

    def __init__(self, file: Path, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self.file_choice = QRadioButton(self.tr("&Embedded file"), self)
        self.server_choice = QRadioButton(self.tr("&Database server (PostgreSQL, best with TimescaleDB)"), self)
        self.file = self._line(self.tr("File"), str(file))
        self.browse = QPushButton(self.tr("Bro&wse…"), self)
        self.url = self._line(self.tr("URL"), "")
        self.url.setPlaceholderText("postgresql://127.0.0.1:5432/quantdesk?sslmode=require")
        self.user = self._line(self.tr("User"), "")
        self.password = self._line(self.tr("Password"), "")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        self.forget = QPushButton(self.tr("&Forget"), self)
        self.forget.setToolTip(self.tr("Remove the password of this server from the keyring"))
        for button in (self.browse, self.forget):
            button.setAutoDefault(False)
        for part in (self.file_choice, self.server_choice, self.browse, self.forget):
            part.setAccessibleName(part.text().replace("&", "").removesuffix("…"))
        self._lay_out()
        self._connect()
        self.show_kept(False)
        self.file_choice.setChecked(True)
        self._enable()

    def address(self) -> StoreAddress:
        """Return the store that the fields name, with the password typed; raise ConfigError in words."""
        if self.file_choice.isChecked():
            name = self.file.text().strip()
            if not name:
                raise ConfigError(self.tr("Name the file of the store."))
            try:
                return file_address(Path(name))
            except RuntimeError:
                raise ConfigError(self.tr("The file's folder is not known: name it in full.")) from None
        self._move_account()
        found = parse_address(self._whole_url(), self._folder)
        if any(key == "sslpassword" for key, _ in found.options):
            raise ConfigError(
                self.tr("A key's password cannot be kept: use a key without one, or QUANTDESK_DATABASE_URL.")
            )
        return found.with_password(self.password.text() or None)

    def show_address(self, address: StoreAddress) -> None:
        """Fill the fields from a store."""
        if address.path is not None:
            self.file.setText(str(address.path))
            self.file_choice.setChecked(True)
        else:
            self.url.setText(address.url)
            self.password.setText(address.password or "")
            self._move_account()
            self.server_choice.setChecked(True)
        self._enable()
        self._ask_kept()

    def show_kept(self, kept: bool) -> None:
        """Say whether the keyring has this server's password."""
        self.password.setPlaceholderText(
            self.tr("kept in the keyring") if kept else self.tr("none kept; .pgpass is looked at too")
        )
        self._kept = kept
        self._enable()

    def server(self) -> StoreAddress | None:
        """Return the server that the fields name now, None where they name a file or nothing yet."""
        try:
            found = self.address()
        except ConfigError:
            return None
        return found if found.is_server else None

    @Slot()
    def _ask_kept(self) -> None:
        named = self.server()
        if named is not None:
            self.kept_requested.emit(named)
        else:
            self.show_kept(False)

    @Slot()
    def _forget(self) -> None:
        named = self.server()
        if named is not None:
            self.forget_requested.emit(named)

    @Slot()
    def _enable(self) -> None:
        on_server = self.server_choice.isChecked()
        for part in (self.file, self.browse):
            part.setEnabled(not on_server)
        for part in (self.url, self.user, self.password):
            part.setEnabled(on_server)
        self.forget.setEnabled(on_server and self._kept)
        for label in self._labels:
            label.setEnabled(on_server is (label is not self._labels[0]))

    @Slot(str)
    def _on_url(self, text: str) -> None:
        if has_password(text):
            self._move_account()
        self.changed.emit()

    @Slot()
    def _move_account(self) -> None:
        """Move user and password from the URL into their own fields."""
        try:
            parts = urlsplit(self.url.text().strip())
            host = parts.hostname
        except ValueError:
            return
        account, at, place = parts.netloc.rpartition("@")
        if not at or not host:
            return
        user, _, password = account.partition(":")
        if user:
            self.user.setText(unquote(user))
        if password:
            self.password.setText(unquote(password))
        self.url.setText(urlunsplit(parts._replace(netloc=place)))

    def _whole_url(self) -> str:
        text, user = self.url.text().strip(), self.user.text().strip()
        if not user:
            raise ConfigError(self.tr("Name the user of the database."))
        try:
            parts = urlsplit(text)
        except ValueError:
            return text
        return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}@{parts.netloc}")) if parts.netloc else text

    @Slot()
    def _browse(self) -> None:
        dialog = QFileDialog(self)
        dialog.setWindowTitle(self.tr("The file of the store"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        # A store that is there is used, not replaced.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setDefaultSuffix("sqlite")
        dialog.setNameFilters([self.tr("Stores (*.sqlite)"), self.tr("All files (*)")])
        held = Path(self.file.text() or ".")
        if held.parent.is_dir():
            dialog.setDirectory(str(held.parent))
        dialog.selectFile(held.name)
        dialog.fileSelected.connect(self.file.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _connect(self) -> None:
        self.browse.clicked.connect(self._browse)
        self.forget.clicked.connect(self._forget)
        self.url.textChanged.connect(self._on_url)
        self.url.editingFinished.connect(self._move_account)
        for part in (self.url, self.user):
            part.editingFinished.connect(self._ask_kept)
        for part in (self.user, self.password, self.file):
            part.textChanged.connect(self.changed)
        self.server_choice.toggled.connect(self._enable)
        self.server_choice.toggled.connect(self.changed)
        self.server_choice.toggled.connect(self._ask_kept)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, _INDENT - 10)
        grid.setColumnStretch(2, 1)
        self._labels: list[QLabel] = []
        grid.addWidget(self.file_choice, 0, 0, 1, 4)
        self._row(grid, 1, self.file, self.browse)
        grid.addWidget(self.server_choice, 2, 0, 1, 4)
        self._row(grid, 3, self.url)
        self._row(grid, 4, self.user)
        self._row(grid, 5, self.password, self.forget)

    def _row(self, grid: QGridLayout, row: int, field: QLineEdit, button: QPushButton | None = None) -> None:
        label = QLabel(field.accessibleName(), self)
        label.setBuddy(field)
        self._labels.append(label)
        grid.addWidget(label, row, 1)
        grid.addWidget(field, row, 2, 1, 1 if button is not None else 2)
        if button is not None:
            grid.addWidget(button, row, 3)

    def _line(self, name: str, text: str) -> QLineEdit:
        line = QLineEdit(text, self)
        line.setAccessibleName(name)
        return line
