"""The whole desk posts alerts of the live market, in order, and its secrets stand in no file of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from aiohttp import web
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from quantdesk.analytics.alerts.rule import z_rule
from quantdesk.app import webhooks
from quantdesk.app.desk import Desk
from quantdesk.feed import webhook
from quantdesk.feed.webhook import DELIVERY, SIGNATURE, TIMESTAMP, signature
from quantdesk.feed.webhook_address import public_url
from quantdesk.model.alerts import AlertEvent
from quantdesk.types import Origin
from quantdesk.ui.kept_webhooks import WebhookDraft
from tests.app.driven import drive, reached, settings_of
from tests.app.test_alert_keeping import fire
from tests.feed.receivers import Receiver, hangs, receiving
from tests.model.conftest import MINUTE, START
from tests.model.test_alerts import frame
from tests.store.keyrings import MemoryKeyring

SECRET, TOKEN = "s3cret-of-the-rule", "t0ken-of-the-address"
POSTING = replace(z_rule(), notice=replace(z_rule().notice, webhook=True, popup=False, sound=False))


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    monkeypatch.setattr(webhook, "PAUSES", (0.01, 0.02, 0.03))
    monkeypatch.setattr(webhook, "TRY_SECONDS", 2.0)
    monkeypatch.setattr(webhooks, "_LAST_SECONDS", 0.2)
    before = keyring.get_keyring()
    held = MemoryKeyring()
    keyring.set_keyring(held)
    yield held
    keyring.set_keyring(before)


def events(desk: Desk) -> list[AlertEvent]:
    return list(desk.alerts.events)


async def given(desk: Desk, receiver: Receiver, *, secret: str = SECRET, query: str = f"?key={TOKEN}") -> None:
    """Let the rule post to the receiver."""
    desk.alerts.set_rules((POSTING,))
    desk.window.webhooks.keep_requested.emit(WebhookDraft("z", receiver.url + query, secret))
    await reached(lambda: "z" in desk.settings.settings.webhooks, "the address")
    await reached(lambda: not desk.webhooks._tasks._running, "the keyring")


def said(desk: Desk) -> str:
    return " | ".join(toast.accessibleName() for toast in desk.window.toasts.toasts)


def texts(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def test_alerts_are_posted_in_their_order_and_a_restart_knows_the_secret(qapp, place, nowhere, memory, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    data = place / "data"
    posts: list[tuple[str, dict[str, str], bytes]] = []

    async def first(desk: Desk) -> None:
        async with receiving(500, 200) as receiver:
            await given(desk, receiver)
            fire(desk, [0.0, 2.5, 0.1, -3.0])
            await reached(lambda: len(receiver.posts) == 3 and desk.webhooks.waiting == 0, "both posts")
            posts.extend(receiver.posts)
            table = desk.window.table.rows
            assert "Webhook: answered 200" in table.tip(table.event_at(0))
            assert "at try 2" in table.tip(table.event_at(1))
            desk.window.table.copy()
            copied = QGuiApplication.clipboard().text() + "".join(table.tip(one) for one in events(desk))
            assert SECRET not in copied and TOKEN not in copied
        fire(desk, [0.0, 2.5, 0.1, -3.0, 0.1, 4.0])
        await reached(lambda: desk.webhooks.waiting == 0, "the failure")
        assert "connection refused; tried 4 times" in table.tip(table.event_at(0))
        assert "connection refused" in desk.window.toasts.toasts[-1].accessibleName()
        desk.window.save_settings()

    drive(qapp, nowhere, first, "--data-dir", data)
    bodies = [json.loads(body) for _, _, body in posts]
    assert [body["value"] for body in bodies] == [2.5, 2.5, -3.0]
    assert [headers[DELIVERY] for _, headers, _ in posts] == [body["id"] for body in bodies]
    assert bodies[0]["kind"] == "alert" and bodies[0]["origin"] == "live"
    assert (bodies[0]["bar_time"], bodies[0]["pair"]) == (START + MINUTE, {"y": "BTCUSDT", "x": "ETHUSDT"})
    for path, headers, body in posts:
        assert path.endswith(f"?key={TOKEN}")
        assert headers[SIGNATURE] == signature(SECRET, int(headers[TIMESTAMP]), body)
    (held,) = memory.held.values()
    assert SECRET in held and TOKEN in held
    assert "was posted to 127.0.0.1:" in caplog.text
    assert not any(word in caplog.text for word in (SECRET, TOKEN))
    assert any(path.name == "settings.json" for path, _ in texts(place))
    for path, raw in texts(place):
        assert SECRET.encode() not in raw and TOKEN.encode() not in raw, path

    async def second(desk: Desk) -> None:
        assert desk.alerts.rules == (POSTING,)
        kept = desk.window.webhooks.kept("z")
        assert kept is not None and kept.signed and kept.private
        async with receiving(204) as receiver:
            full = json.loads(next(iter(memory.held.values())))
            place_now = receiver.url
            memory.held = {name: json.dumps(full | {"url": place_now + f"?key={TOKEN}"}) for name in memory.held}
            desk.settings.settings.webhooks["z"]["url"] = public_url(place_now)
            fire(desk, [0.0, 2.5, -0.1, 5.0])
            await reached(lambda: receiver.posts, "a post with what the keyring gave")
            assert SIGNATURE in receiver.posts[0][1]

    drive(qapp, nowhere, second, "--data-dir", data)


def test_a_receiver_that_hangs_keeps_no_other_rules_posts_waiting(qapp, place, nowhere, caplog) -> None:
    other = replace(POSTING, id="far", name="far", enter=2.2)

    async def act(desk: Desk) -> None:
        async with receiving(hangs) as slow, receiving(204) as quick:
            await given(desk, slow)
            desk.alerts.set_rules((POSTING, other))
            desk.window.webhooks.keep_requested.emit(WebhookDraft("far", quick.url, ""))
            fire(desk, [0.0, 2.5, 0.1, 2.6])
            await reached(lambda: len(quick.posts) == 2 and slow.posts, "the other rule's posts")
            assert desk.webhooks.waiting == 2
            await desk.webhooks.stop()
            assert (desk.webhooks.waiting, desk.webhooks.given_up) == (0, 2)
            desk.webhooks.send(events(desk)[-1])  # the feed ends after it, and may bring one more
            assert (desk.webhooks.waiting, desk.webhooks.given_up) == (0, 3)
            assert len(settings_of(place / "data")["unposted"]) == 3

    drive(qapp, nowhere, act, "--data-dir", place / "data")
    assert "2 webhook posts were not sent: the desk was closed" in caplog.text


def test_what_was_not_posted_is_named_at_the_next_start_and_can_be_posted_then(qapp, place, nowhere, memory) -> None:
    data = place / "data"

    async def first(desk: Desk) -> None:
        async with receiving(204, hangs) as slow:
            await given(desk, slow, secret="", query="")
            fire(desk, [0.0, 2.5, 0.1, 2.6, 0.1, 2.7])
            await reached(lambda: len(slow.posts) == 2, "one post, and one that hangs")
            await reached(lambda: desk.keeping.waiting == 0, "the store")
            assert len(desk.settings.settings.unposted) == 2
            await desk.webhooks.stop()

    drive(qapp, nowhere, first, "--data-dir", data)
    left = settings_of(data)["unposted"]
    assert isinstance(left, list) and len(left) == 2
    elsewhere = "an alert of another store"
    kept = settings_of(data)
    kept["unposted"] = [elsewhere, *left]
    (data / "config" / "settings.json").write_text(json.dumps(kept), "utf-8")

    async def second(desk: Desk) -> None:
        table = desk.window.table.rows
        async with receiving(204) as receiver:
            held = json.loads(next(iter(memory.held.values()))) | {"url": receiver.url}
            memory.held = dict.fromkeys(memory.held, json.dumps(held))
            desk.settings.settings.webhooks["z"]["url"] = public_url(receiver.url)
            await reached(lambda: "Alerts not posted earlier: 2" in said(desk), "the word")
            assert [one.id for one in events(desk) if table.has_failed(one)] == left
            assert "Webhook: not delivered before the desk was closed" in table.tip(table.event_at(0))
            assert desk.settings.settings.unposted == [elsewhere], "it is said once, and no other one forgotten"
            toast = next(one for one in desk.window.toasts.toasts if "not posted" in one.accessibleName())
            QTest.keyClick(toast, Qt.Key.Key_Return)
            await reached(lambda: len(receiver.posts) == 2 and desk.webhooks.waiting == 0, "both posts")
            assert [headers[DELIVERY] for _, headers, _ in receiver.posts] == left
            assert not any(table.has_failed(one) for one in events(desk))
        desk.window.table.post_wanted.emit(events(desk)[-1])
        await reached(lambda: table.has_failed(events(desk)[-1]), "a post that fails")
        assert desk.settings.settings.unposted == [elsewhere, left[-1]]

    drive(qapp, nowhere, second, "--data-dir", data)
    assert settings_of(data)["unposted"] == [elsewhere, left[-1]]


def test_what_is_taken_in_the_last_moment_is_not_named_at_the_next_start(qapp, place, nowhere) -> None:
    data, taken = place / "data", asyncio.Event()

    async def waits(_request: web.Request) -> web.StreamResponse:
        await taken.wait()
        return web.Response(status=204)

    async def act(desk: Desk) -> None:
        async with receiving(waits) as receiver:
            await given(desk, receiver)
            fire(desk, [0.0, 2.5])
            await reached(lambda: receiver.posts, "the post")
            desk.window.save_settings()  # as the window does before anything is stopped
            assert settings_of(data)["unposted"] == [events(desk)[0].id]
            taken.set()
            await reached(lambda: desk.webhooks.waiting == 0, "its answer")
            await desk.webhooks.stop()
            assert settings_of(data)["unposted"] == []

    drive(qapp, nowhere, act, "--data-dir", data)


def test_more_than_can_wait_is_counted_and_said(qapp, place, nowhere, monkeypatch) -> None:
    monkeypatch.setattr(webhooks, "MOST_WAITING", 2)

    async def act(desk: Desk) -> None:
        async with receiving(hangs) as slow:
            await given(desk, slow)
            fire(desk, [0.0, 2.5, 0.1, 2.6, 0.1, 2.7])
            assert (desk.webhooks.waiting, desk.webhooks.given_up) == (2, 1)
            table = desk.window.table.rows
            assert "2 posts are waiting already, 1 were given up so far" in table.tip(table.event_at(0))

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_a_test_says_what_came_back_from_any_mode_and_that_it_is_one(qapp, place, nowhere) -> None:
    async def act(desk: Desk) -> None:
        async with receiving(200, 401) as receiver:
            desk.window.simulate_requested.emit()
            await reached(lambda: desk.feeding.session.plan.origin is Origin.SIMULATED, "the simulation")
            desk.window.registry["alerts.rules"].trigger()
            desk.window.rules.dialog._edit()
            hook = desk.window.rules.editing.form.webhook
            hook.on.setChecked(True)
            hook.url.setText(receiver.url)
            hook.secret.setText(SECRET)
            hook.test.click()
            await reached(lambda: "taken, signed: answered 200" in hook.words.text(), "the answer")
            hook.test.click()
            await reached(lambda: "not taken: access refused (401)" in hook.words.text(), "the refusal")
            body = json.loads(receiver.posts[0][2])
            assert body["kind"] == "test" and body["text"].startswith("TEST ") and "value" not in body
            assert desk.settings.settings.webhooks == {}
            desk.alerts.set_rules((POSTING,))
            desk.alerts.judge(frame([0.0], Origin.SIMULATED, epoch=7))
            desk.alerts.judge(frame([0.0, 3.0], Origin.SIMULATED, epoch=7))
            assert events(desk) and desk.webhooks.waiting == 0 and len(receiver.posts) == 2

    drive(qapp, nowhere, act, "--data-dir", place / "data")


def test_without_a_keyring_the_secret_lasts_for_the_session_and_that_is_said(qapp, place, nowhere, caplog) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())
    data = place / "data"

    async def act(desk: Desk) -> None:
        async with receiving(204) as receiver:
            await given(desk, receiver)
            said = desk.window.toasts.toasts[-1].accessibleName()
            assert "This system has no keyring. It is used until the desk is closed" in said and SECRET not in said
            fire(desk, [0.0, 2.5])
            await reached(lambda: receiver.posts, "the post")
            assert SIGNATURE in receiver.posts[0][1]

    drive(qapp, nowhere, act, "--data-dir", data)

    async def later(desk: Desk) -> None:
        fire(desk, [0.0, 2.5, -0.1, 2.7])
        table = desk.window.table.rows
        await reached(lambda: "the keyring does not give its secret" in table.tip(table.event_at(0)), "the reason")

    drive(qapp, nowhere, later, "--data-dir", data)
    assert SECRET not in caplog.text


def test_a_copy_posts_too_and_what_belongs_to_no_rule_is_forgotten_at_the_next_start(
    qapp, place, nowhere, memory
) -> None:
    data = place / "data"

    async def first(desk: Desk) -> None:
        async with receiving(204) as receiver:
            await given(desk, receiver)
            desk.window.webhooks.copy_requested.emit("z", "copy")
            await reached(lambda: len(memory.held) == 2, "the copy")
            desk.window.webhooks.keep_requested.emit(WebhookDraft("copy", None, ""))
            await reached(lambda: not desk.settings.settings.webhooks["copy"]["signed"], "the unsigned copy")

    drive(qapp, nowhere, first, "--data-dir", data)

    async def second(desk: Desk) -> None:
        assert list(desk.settings.settings.webhooks) == ["z"]
        await reached(lambda: len(memory.held) == 1, "the keyring")
        await asyncio.sleep(0)

    drive(qapp, nowhere, second, "--data-dir", data)
