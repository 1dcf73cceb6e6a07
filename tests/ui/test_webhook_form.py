"""A rule gets its webhook in its dialog: checked in words, tested at once, its secret shown nowhere."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from quantdesk.analytics.alerts.rule import Rule, z_rule
from quantdesk.types import Origin
from quantdesk.ui.kept_webhooks import KeptWebhook, WebhookDraft
from quantdesk.ui.rule_dialog import RuleDialog

from .conftest import Desk, alert
from .test_rules import editing, ok, opened

URL = "https://example.org/alerts"
POSTING = replace(z_rule(), notice=replace(z_rule().notice, webhook=True))


def edited(desk: Desk, rule: Rule | None = None) -> RuleDialog:
    opened(desk, *([rule] if rule else []))._edit()
    return editing(desk)


def keep(desk: Desk, **changes: object) -> None:
    desk.store.settings.webhooks["z"] = asdict(replace(KeptWebhook("https://example.org", "k1"), **changes))  # type: ignore[arg-type]


def test_a_webhook_needs_an_address_that_can_be_used(desk: Desk) -> None:
    dialog = edited(desk)
    hook = dialog.form.webhook
    assert ok(dialog) and not hook.url.isEnabled() and not hook.test.isEnabled()
    hook.on.setChecked(True)
    assert not ok(dialog) and "needs an address" in dialog.problem.text()
    hook.url.setText("ftp://example.org")
    assert not ok(dialog) and "must begin with https://" in hook.words.text() and not hook.test.isEnabled()
    hook.url.setText("http://example.org/alerts")
    assert ok(dialog) and "others on the way can read" in hook.words.text()
    hook.url.setText(URL)
    assert ok(dialog) and "stay in the system's keyring" in hook.words.text() and hook.test.isEnabled()
    hook.on.setChecked(False)
    hook.url.setText("nonsense")
    assert ok(dialog) and dialog.form.rule() == z_rule()


def test_what_was_entered_leaves_as_a_draft_and_the_rule_says_that_it_posts(desk: Desk) -> None:
    kept: list[WebhookDraft] = []
    desk.window.webhooks.keep_requested.connect(kept.append)
    dialog = edited(desk)
    hook = dialog.form.webhook
    hook.on.setChecked(True)
    hook.url.setText(f" {URL}?token=t0ken ")
    hook.secret.setText("s3cret")
    assert hook.secret.echoMode() is QLineEdit.EchoMode.Password
    dialog.accept()
    assert kept == [WebhookDraft("z", f"{URL}?token=t0ken", "s3cret")]
    assert desk.alerts.rules == (POSTING,)


def test_what_is_kept_is_not_shown_and_stays_where_it_is_left(desk: Desk) -> None:
    kept: list[WebhookDraft] = []
    desk.window.webhooks.keep_requested.connect(kept.append)
    keep(desk, private=True, signed=True)
    dialog = edited(desk, POSTING)
    hook = dialog.form.webhook
    assert hook.url.text() == "https://example.org/•••" and hook.secret.text() == ""
    assert "kept in the keyring" in hook.secret.placeholderText()
    assert ok(dialog) and hook.test.isEnabled()
    dialog.accept()
    assert kept == []
    desk.window.rules.show_rules()
    again = edited(desk)
    again.form.webhook.secret.setText("another")
    again.accept()
    assert kept == [WebhookDraft("z", None, "another")]
    last = edited(desk)
    last.form.webhook.forget.setChecked(True)
    last.accept()
    assert kept[1:] == [WebhookDraft("z", None, "")]


def test_a_test_is_asked_for_and_its_answer_shown(desk: Desk, qtbot: QtBot) -> None:
    asked: list[tuple[Rule, WebhookDraft]] = []
    desk.window.webhooks.test_requested.connect(lambda *words: asked.append(words))
    dialog = edited(desk)
    hook = dialog.form.webhook
    hook.on.setChecked(True)
    hook.url.setText(URL)
    qtbot.mouseClick(hook.test, Qt.MouseButton.LeftButton)
    assert asked == [(POSTING, WebhookDraft("z", URL, ""))] and not hook.test.isEnabled()
    assert hook.words.text() == "Sending a test…"
    desk.window.webhooks.show_test("another", "not mine", ok=False)
    assert not hook.test.isEnabled()
    desk.window.webhooks.show_test("z", "The test was not taken: access refused (401).", ok=False)
    assert hook.test.isEnabled() and "401" in hook.words.text() and hook.words.property("fault")
    assert desk.alerts.rules == (z_rule(),), "a test keeps nothing"
    dialog.reject()
    desk.window.webhooks.show_test("z", "too late", ok=True)


@pytest.mark.parametrize("origin", [Origin.SIMULATED, Origin.REPLAY, Origin.FILE, Origin.HISTORY])
def test_what_is_no_live_market_is_never_posted(desk: Desk, origin: Origin) -> None:
    posted: list[object] = []
    desk.window.webhooks.send_requested.connect(posted.append)
    desk.alerts.fired.emit(alert(origin=origin, popup=False, rule=POSTING))
    desk.alerts.fired.emit(alert(rule=z_rule()))
    desk.alerts.set_muted(True)
    desk.alerts.fired.emit(alert(rule=POSTING, minute=301))
    assert posted == []
    desk.alerts.set_muted(False)
    live = alert(rule=POSTING, minute=302)
    desk.alerts.fired.emit(live)
    assert posted == [live]


def test_a_failure_is_a_toast_and_a_mark_on_its_row_with_the_reason(desk: Desk) -> None:
    event, other = alert(rule=POSTING), alert(rule=POSTING, minute=301)
    for one in (event, other):
        desk.alerts.fired.emit(one)
    desk.window.webhooks.show_state(event, "webhook: answered 200 after 0.02 s")
    desk.window.webhooks.show_failed(other, "access refused (401)")
    rows = desk.window.table.rows
    failed, good = rows.index(0, 0, QModelIndex()), rows.index(1, 0, QModelIndex())
    assert "Webhook failed: access refused (401)" in rows.data(failed, Qt.ItemDataRole.ToolTipRole)
    assert rows.data(failed, Qt.ItemDataRole.DecorationRole).width() > 0
    assert rows.data(failed, Qt.ItemDataRole.AccessibleTextRole).endswith("webhook failed: access refused (401)")
    assert "Webhook: answered 200" in rows.data(good, Qt.ItemDataRole.ToolTipRole)
    assert rows.data(good, Qt.ItemDataRole.DecorationRole) is None
    said = desk.window.toasts.toasts[-1].accessibleName()
    assert "Webhook of “|z|” failed" in said and "access refused (401)" in said


def test_a_copy_of_a_rule_asks_for_a_copy_of_its_webhook(desk: Desk, qtbot: QtBot) -> None:
    copied: list[tuple[str, str]] = []
    desk.window.webhooks.copy_requested.connect(lambda *ids: copied.append(ids))
    dialog = opened(desk, POSTING)
    dialog.table.choose(0)
    dialog._duplicate()
    assert copied == [("z", desk.alerts.rules[1].id)] and desk.alerts.rules[1].notice.webhook
