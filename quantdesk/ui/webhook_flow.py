"""Let alerts leave the window by webhook, and show on row, toast and dialog what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from quantdesk.model.alerts import AlertEvent
from quantdesk.ui.kept_webhooks import KeptWebhook, kept_of

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


class WebhookFlow(QObject):
    """Ask for posts by signal; the composition root answers by call.

    ``send_requested(AlertEvent)``; ``test_requested(Rule, WebhookDraft)``; ``keep_requested(WebhookDraft)``;
    ``copy_requested(rule id, id of its copy)``.
    """

    send_requested = Signal(object)
    test_requested = Signal(object, object)
    keep_requested = Signal(object)
    copy_requested = Signal(str, str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.table.post_wanted.connect(self.send_requested)

    def kept(self, rule_id: str) -> KeptWebhook | None:
        """Return what the settings know of a rule's webhook."""
        return kept_of(self._window.store.settings.webhooks.get(rule_id))

    def show_state(self, event: AlertEvent, words: str) -> None:
        """Say on an alert's row how its post stands."""
        self._window.table.mark(event.id, words)

    def show_failed(self, event: AlertEvent, reason: str) -> None:
        """Mark an alert's row with the reason, and say it at once."""
        self._window.table.mark(event.id, self.tr("webhook failed: {0}").format(reason), failed=True)
        title = self.tr("Webhook of “{0}” failed").format(event.rule.name)
        self._window.toast(title, self.tr("The alert was not posted: {0}.").format(reason), "error")

    def show_left(self, events: Sequence[AlertEvent]) -> None:
        """Mark the rows of alerts that were not posted before the desk was closed, and offer to post them now."""
        for event in events:
            self._window.table.mark(event.id, self.tr("webhook: not delivered before the desk was closed"), failed=True)
        title = self.tr("Alerts not posted earlier: {0}").format(len(events))
        text = self.tr("No webhook has taken them. Click here to post them now; the menu of a row posts one.")

        def post() -> None:
            for event in events:
                if self._window.table.rows.has_failed(event):  # else a row was posted by itself meanwhile
                    self.send_requested.emit(event)

        self._window.toast(title, text, "warning", post)

    def show_unkept(self, reason: str) -> None:
        """Say that what is secret of a webhook lasts no longer than this session."""
        title = self.tr("The webhook's secret is not kept")
        text = self.tr("{0}. It is used until the desk is closed; enter it again after that.")
        self._window.toast(title, text.format(reason[:1].upper() + reason[1:]), "warning")

    def show_test(self, rule_id: str, words: str, *, ok: bool) -> None:
        """Say in the rule's dialog, while it is open, what came back of a test."""
        dialog = self._window.rules.editing
        if dialog is not None and dialog.form.rule_id == rule_id:
            dialog.form.webhook.show_result(words, ok=ok)
