"""Let the user give a rule a webhook: where to post, what to sign with, and a test at once."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from quantdesk.config import ConfigError
from quantdesk.feed.webhook_address import checked_url, is_readable_on_the_way, shown_url
from quantdesk.ui.kept_webhooks import KeptWebhook, WebhookDraft
from quantdesk.ui.status_flow import sentence

_MOST_SECRET = 500


class WebhookForm(QWidget):
    """Edit a rule's webhook; ``edited`` at every change, ``test_wanted`` when a test is to be sent now.

    What the keyring has is never shown: a field that is left as it was leaves it as it is.
    """

    edited = Signal()
    test_wanted = Signal()

    def __init__(self, rule_id: str, on: bool, kept: KeptWebhook | None, parent: QWidget) -> None:
        super().__init__(parent)
        self._rule_id, self._kept = rule_id, kept
        self._first = "" if kept is None else shown_url(kept.url + ("/…" if kept.private else ""))
        self.on = QCheckBox(self.tr("post to a &webhook (live market only)"), self)
        self.on.setAccessibleName(self.tr("Post to a webhook, live market only"))
        self.on.setChecked(on)
        self.url = QLineEdit(self._first, self)
        self.url.setPlaceholderText("https://example.org/alerts")
        self.secret = QLineEdit(self)
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.secret.setMaxLength(_MOST_SECRET)
        self.forget = QCheckBox(self.tr("unsigned"), self)
        self.forget.setAccessibleName(self.tr("Forget the secret that is kept and post unsigned"))
        signed = kept is not None and kept.signed
        self.forget.setVisible(signed)
        self.secret.setPlaceholderText(
            self.tr("kept in the keyring; type to change it") if signed else self.tr("optional: signs each post")
        )
        self.test = QPushButton(self.tr("&Send a test"), self)
        self.test.setAutoDefault(False)
        self.test.setAccessibleName(self.tr("Send a test to the webhook now"))
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.words.setAccessibleName(self.tr("What the webhook does"))
        self._lay_out()
        for box in (self.url, self.secret):
            box.textChanged.connect(self._on_edited)
        for tick in (self.on, self.forget):
            tick.toggled.connect(self._on_edited)
        self.test.clicked.connect(self._on_test)
        self._on_edited()

    def check(self) -> None:
        """Raise ConfigError in words where a webhook is wanted and its address cannot be used."""
        if self.on.isChecked() and self._url() is not None:
            checked_url(self.url.text())

    def draft(self) -> WebhookDraft:
        """Return what the fields say: None for what is left as it is kept."""
        url = self._url()
        secret = self.secret.text() or ("" if self.forget.isChecked() or self._kept is None else None)
        return WebhookDraft(self._rule_id, None if url is None else checked_url(url), secret)

    @property
    def is_changed(self) -> bool:
        """Return whether there is something to keep: an address or a secret that was not kept before."""
        changed = bool(self.secret.text()) or self.forget.isChecked() or self._url() is not None
        return changed and bool(self.url.text().strip())

    def show_result(self, words: str, *, ok: bool) -> None:
        """Say what came back of a test."""
        self.test.setEnabled(True)
        self._say(words, fault=not ok)

    def _url(self) -> str | None:
        """Return the address as entered, None where it stands as it is kept."""
        text = self.url.text()
        return None if self._kept is not None and text == self._first else text

    @Slot()
    def _on_edited(self) -> None:
        on = self.on.isChecked()
        for field in (self.url, self.secret, self.forget):
            field.setEnabled(on)
        self.secret.setEnabled(on and not self.forget.isChecked())
        problem, url = "", self._url()
        try:
            known = checked_url(self.url.text()) if url is not None else self._kept.url if self._kept else ""
        except ConfigError as error:
            known, problem = "", str(error)
        self.test.setEnabled(on and bool(known))
        words = self.tr("Each alert is posted as JSON. A secret, and all of the address but its host, ")
        words += self.tr("stay in the system's keyring.")
        if on and problem and self.url.text().strip():
            words = sentence(problem)
        elif on and known and is_readable_on_the_way(known):
            words = self.tr("With http:// others on the way can read the alerts: https:// is better.")
        self._say(words, fault=bool(on and problem and self.url.text().strip()))
        self.edited.emit()

    @Slot()
    def _on_test(self) -> None:
        self.test.setEnabled(False)
        self._say(self.tr("Sending a test…"))
        self.test_wanted.emit()

    def _say(self, words: str, *, fault: bool = False) -> None:
        self.words.setText(words)
        self.words.setProperty("fault", fault)
        self.words.setProperty("dim", not fault)
        self.words.style().unpolish(self.words)
        self.words.style().polish(self.words)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(7)
        lines = ((self.tr("A&ddress"), self.url, (self.test,)), (self.tr("Se&cret"), self.secret, (self.forget,)))
        for name, field, beside in lines:
            label = QLabel(name, self)
            label.setBuddy(field)
            field.setAccessibleName(self.tr("{0} of the webhook").format(name.replace("&", "")))
            line = QHBoxLayout()
            line.setSpacing(8)
            line.addWidget(field, 1)
            for widget in beside:
                line.addWidget(widget)
            form.addRow(label, line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(7)
        column.addWidget(self.on)
        column.addLayout(form)
        column.addWidget(self.words)
