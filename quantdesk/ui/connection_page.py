"""Ask how the exchange is reached: its addresses, and the proxy on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import Qt, Signal, SignalInstance, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QProgressBar, QPushButton, QWidget

from quantdesk.config import DEFAULT_ARCHIVE_URL, DEFAULT_REST_URL, DEFAULT_WS_URL, ConfigError, check_url
from quantdesk.feed.proxy import NO_PROXY, SYSTEM_PROXY, ProxyChoice, parse_proxy
from quantdesk.ui.preferences_page import PreferencesPage
from quantdesk.ui.status_flow import sentence
from quantdesk.ui.storage_page import Outcome
from quantdesk.ui.theme_tokens import Tokens

_URL = "url"


@dataclass(frozen=True, slots=True)
class Connecting:
    """Hold how the exchange is reached; an empty address means the exchange's own."""

    ws_url: str = ""
    rest_url: str = ""
    proxy: ProxyChoice = field(default_factory=ProxyChoice)
    archive_url: str = ""


class ConnectionPage(PreferencesPage):
    """Edit addresses and proxy; ``test_requested`` and ``use_requested`` carry a Connecting, its password included.

    ``fixed`` says in words where the addresses come from when not from here (the environment).
    """

    test_requested = Signal(object)
    use_requested = Signal(object)

    def __init__(self, now: Connecting, tokens: Tokens, fixed: str = "", parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Connection"))
        proxy = now.proxy
        kinds = (
            (SYSTEM_PROXY, self.tr("The system's own")),
            (NO_PROXY, self.tr("None")),
            (_URL, self.tr("This one")),
        )
        self.kind = self.choice(self.tr("Proxy"), kinds, proxy.kind, lambda _: self._enable())
        self.url = self._line(self.tr("Proxy's address"), proxy.url.replace(f"{proxy.user}@", "", 1))
        self.url.setPlaceholderText("http://proxy.example:3128")
        self.user = self._line(self.tr("Proxy's user"), proxy.user)
        self.password = self._line(self.tr("Proxy's password"), "")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        self.password.setPlaceholderText(self.tr("goes to the system's keyring"))
        self.ws_url = self._line(self.tr("Streams (websocket)"), now.ws_url)
        self.ws_url.setPlaceholderText(DEFAULT_WS_URL)
        self.rest_url = self._line(self.tr("Requests (REST)"), now.rest_url)
        self.rest_url.setPlaceholderText(DEFAULT_REST_URL)
        self.archive_url = self._line(self.tr("Archive (files of past days)"), now.archive_url)
        self.archive_url.setPlaceholderText(DEFAULT_ARCHIVE_URL)
        self.words(
            fixed
            or self.tr(
                "Another address must speak the same protocol; its trades are kept apart from the exchange's own. "
                "What is chosen here counts at once: the connection is made anew, and what was missed is filled in."
            )
        )
        for line in (self.ws_url, self.rest_url, self.archive_url):
            line.setEnabled(not fixed)
        self._add_buttons(tokens)
        self._enable()
        self.end()

    def chosen(self) -> Connecting:
        """Return what the fields say; raise ConfigError in words."""
        ws, rest = self.ws_url.text().strip(), self.rest_url.text().strip()
        archive = self.archive_url.text().strip()
        return Connecting(
            check_url(ws, self.tr("The address of the streams"), ("ws", "wss")) if ws else "",
            check_url(rest, self.tr("The address of the requests"), ("http", "https")) if rest else "",
            self._proxy(),
            check_url(archive, self.tr("The address of the archive"), ("http", "https")) if archive else "",
        )

    def show_busy(self, words: str) -> None:
        """Say what is going on and take no other order meanwhile."""
        self.bar.setVisible(bool(words))
        self.test.setEnabled(not words)
        self.use.setEnabled(not words)
        if words:
            self.outcome.say("info", words)

    def show_outcome(self, level: str, words: str) -> None:
        """Say how it went."""
        self.show_busy("")
        self.outcome.say(level, sentence(words))

    def _proxy(self) -> ProxyChoice:
        kind = self.kind.currentData()
        if kind != _URL:
            return ProxyChoice(kind)
        if not self.url.text().strip():
            raise ConfigError(self.tr("Write the proxy's address: http://host:port"))
        found = parse_proxy(self.url.text())
        if found.kind != _URL:
            raise ConfigError(self.tr("Write the proxy's address: http://host:port"))
        user, password = self.user.text().strip(), self.password.text()
        if not user and not found.user:
            return found
        scheme, _, place = found.url.partition("://")
        named = ProxyChoice(_URL, f"{scheme}://{place.rpartition('@')[2]}").with_user(user or found.user)
        return named.with_password(password or found.password)

    @Slot()
    def _enable(self) -> None:
        own = self.kind.currentData() == _URL
        for line in (self.url, self.user, self.password):
            line.setEnabled(own)

    @Slot()
    def _on_test(self) -> None:
        self._ask(self.test_requested)

    @Slot()
    def _on_use(self) -> None:
        self._ask(self.use_requested)

    def _ask(self, signal: SignalInstance) -> None:
        try:
            chosen = self.chosen()
        except ConfigError as error:
            self.show_outcome("error", str(error))
            return
        signal.emit(chosen)

    def _add_buttons(self, tokens: Tokens) -> None:
        self.test: QPushButton = self.button(self.tr("&Test connection"), self._on_test)
        self.use: QPushButton = self.button(self.tr("&Use"), self._on_use)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.test)
        row.addWidget(self.use)
        row.addStretch(1)
        self.column.addLayout(row)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(self.tr("Work that is going on"))
        self.bar.hide()
        self.column.addWidget(self.bar)
        self.outcome = Outcome(tokens, self)
        self.column.addWidget(self.outcome)

    def _line(self, name: str, text: str) -> QLineEdit:
        line = QLineEdit(text, self)
        line.setAccessibleName(name)
        self.form.addRow(name, line)
        return line
