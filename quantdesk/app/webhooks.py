"""Post alerts to the webhooks of their rules, and keep what is secret of them in the keyring."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from PySide6.QtCore import QObject, Slot

from quantdesk.analytics.alerts.delivery import alert_body, test_body
from quantdesk.app.tasks import Tasks
from quantdesk.config import ConfigError
from quantdesk.feed.webhook_address import host_of, private_parts, public_url
from quantdesk.store.keyring_secrets import find_secret, forget_secret, keep_secret
from quantdesk.ui.kept_webhooks import KeptWebhook, WebhookDraft, kept_of
from quantdesk.ui.settings_store import SettingsStore

if TYPE_CHECKING:
    from quantdesk.analytics.alerts.rule import Rule
    from quantdesk.feed.webhook import Receipt, Webhook, WebhookClient
    from quantdesk.model.alerts import AlertEvent
    from quantdesk.model.jobs import JobRunner
    from quantdesk.ui.main_window import MainWindow

T = TypeVar("T")
log = logging.getLogger(__name__)

#: So many posts may wait for their receivers; more are given up, counted and said.
MOST_WAITING = 100
#: What is being posted as the desk is closed has so long (s) to end.
_LAST_SECONDS = 2.0


class Webhooks(QObject):
    """Answer the window's webhook flow; ``start`` on the running loop, ``stop`` as the desk is closed.

    The posts of one rule go out in their order; a receiver that hangs keeps no other rule's waiting.
    """

    def __init__(self, window: MainWindow, store: SettingsStore, jobs: JobRunner) -> None:
        super().__init__()
        self._window, self._flow, self._store, self._jobs = window, window.webhooks, store, jobs
        self._tasks = Tasks()
        self._lanes: dict[str, deque[AlertEvent]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._client: WebhookClient | None = None
        self._known: dict[str, Webhook] = {}  # by the key in the keyring
        self._keeping = asyncio.Lock()
        self._stopped = False
        self._earlier: frozenset[str] = frozenset()  # alerts of earlier sessions that were not posted
        self.given_up = 0  #: posts that found the queue full, or the desk closing
        flow = self._flow
        window.alerts.restored.connect(self._on_restored)
        flow.send_requested.connect(self.send)
        flow.test_requested.connect(lambda rule, draft: self._start(self._test(rule, draft)))
        flow.keep_requested.connect(lambda draft: self._start(self._keep(draft)))
        flow.copy_requested.connect(lambda old, new: self._start(self._copy(old, new)))

    @property
    def waiting(self) -> int:
        """Return how many posts are waiting or on their way."""
        return sum(map(len, self._lanes.values()))

    def start(self) -> None:
        """Forget the webhooks of rules that are gone: within a session undo may have brought them back.

        What earlier sessions did not post is said once their alerts are back.
        """
        self._earlier = frozenset(self._store.settings.unposted)
        rules = {rule.id for rule in self._window.alerts.rules}
        held = self._store.settings.webhooks
        if self._store.problem:
            return  # a rule that this version cannot read may still have one
        for rule_id in [one for one in held if one not in rules]:
            kept = kept_of(held.pop(rule_id))
            if kept is not None and kept.in_keyring:
                self._start(self._forget(kept))

    async def stop(self) -> None:
        """Give what is on its way a moment, then let go."""
        self._stopped = True
        waiting = list(self._lanes.values())
        await self._tasks.stop(_LAST_SECONDS)
        unsent = sum(map(len, waiting))
        if unsent:
            self.given_up += unsent
            log.warning("%d webhook posts were not sent: the desk was closed, its next start names them", unsent)
        self._store.save()  # the window has saved before: what was taken since is not to be named
        if self._client is not None:
            await self._client.close()

    @Slot(object)
    def send(self, event: AlertEvent) -> None:
        """Post a firing as soon as those before it of the same rule are through."""
        self._note(event.id, taken=False)
        if self._stopped:
            self.given_up += 1
            log.warning("a webhook post was not sent: the desk was closed, its next start names it")
            self._store.save()
            return
        if self.waiting >= MOST_WAITING:
            self.given_up += 1
            log.warning("a webhook post was given up: %d wait (%d given up so far)", MOST_WAITING, self.given_up)
            words = self.tr("{0} posts are waiting already, {1} were given up so far")
            self._flow.show_failed(event, words.format(MOST_WAITING, self.given_up))
            return
        rule_id = event.rule.id
        self._lanes.setdefault(rule_id, deque()).append(event)
        self._flow.show_state(event, self.tr("webhook: being posted"))
        if rule_id not in self._running:
            self._running[rule_id] = self._start(self._work(rule_id))

    def _start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        return self._tasks.start(work)

    async def _work(self, rule_id: str) -> None:
        lane = self._lanes[rule_id]
        try:
            while lane:
                await self._deliver(lane[0])
                lane.popleft()
        finally:
            del self._running[rule_id]
            self._lanes.pop(rule_id, None)

    async def _deliver(self, event: AlertEvent) -> None:
        from quantdesk.feed.webhook import WebhookError

        try:
            hook = await self._hook(event.rule.id)
            receipt = await self._post(hook, alert_body(event.record), event.id)
        except WebhookError as error:
            log.warning("the webhook of rule %r failed: %s", event.rule.name, error)
            self._flow.show_failed(event, str(error))
            return
        self._note(event.id, taken=True)
        log.info("an alert of rule %r was posted to %s: %d", event.rule.name, host_of(hook.url), receipt.status)
        self._flow.show_state(event, self.tr("webhook: {0}").format(self._words(receipt)))

    def _note(self, alert: str, *, taken: bool) -> None:
        self._store.settings.note_post(alert, taken=taken)
        self._window.keeper.save_soon()

    @Slot()
    def _on_restored(self) -> None:
        """Name once what earlier sessions did not post, of rules that still have a webhook."""
        found = [event for event in self._window.alerts.events if event.earlier and event.id in self._earlier]
        if not found:
            return
        for event in found:  # from now on it is up to the user
            self._note(event.id, taken=True)
        self._earlier -= {event.id for event in found}  # another store may have the others
        left = [event for event in found if self._flow.kept(event.rule.id) is not None]
        if left:
            self._flow.show_left(left)

    async def _test(self, rule: Rule, draft: WebhookDraft) -> None:
        from quantdesk.feed.webhook import WebhookError

        try:
            hook, delivery = await self._drafted(draft), uuid4().hex
            body = test_body(rule, delivery, time.time_ns() // 1_000_000)
            receipt = await self._post(hook, body, delivery, once=True)
        except WebhookError as error:
            log.info("a test of the webhook of rule %r failed: %s", rule.name, error)
            self._flow.show_test(rule.id, self.tr("The test was not taken: {0}.").format(error), ok=False)
            return
        how = self.tr("signed") if hook.secret else self.tr("unsigned")
        words = self.tr("The test was taken, {0}: {1}.").format(how, self._words(receipt))
        self._flow.show_test(rule.id, words, ok=True)

    async def _post(self, hook: Webhook, body: bytes, delivery: str, *, once: bool = False) -> Receipt:
        from quantdesk.feed.webhook import WebhookClient

        if self._client is None:
            self._client = WebhookClient()
        return await self._client.send(hook, body, delivery, once=once)

    def _words(self, receipt: Receipt) -> str:
        words = self.tr("answered {0} after {1} s").format(receipt.status, f"{receipt.seconds:.2f}")
        return words if receipt.tries == 1 else self.tr("{0}, at try {1}").format(words, receipt.tries)

    # -- what is kept of them -------------------------------------------------------------------

    async def _hook(self, rule_id: str) -> Webhook:
        """Return a rule's webhook with its secrets. Raises WebhookError in words."""
        from quantdesk.feed.webhook import Webhook, WebhookError

        kept = kept_of(self._store.settings.webhooks.get(rule_id))
        if kept is None:
            raise WebhookError(self.tr("the rule has no address: edit it and enter one"))
        if kept.key in self._known:
            return self._known[kept.key]
        if not kept.in_keyring:
            return Webhook(kept.url)
        found = _hook_of(await self._aside(lambda: find_secret(_name(kept))))
        if found is None or public_url(found.url) != kept.url or bool(found.secret) != kept.signed:
            raise WebhookError(self.tr("the keyring does not give its secret: edit the rule and enter it again"))
        self._known[kept.key] = found
        return found

    async def _drafted(self, draft: WebhookDraft) -> Webhook:
        """Return what a dialog says, filled with what is kept where it says nothing."""
        from quantdesk.feed.webhook import Webhook

        if draft.url is not None and draft.secret is not None:
            return Webhook(draft.url, draft.secret)
        held = await self._hook(draft.rule_id)
        return Webhook(
            held.url if draft.url is None else draft.url, held.secret if draft.secret is None else draft.secret
        )

    async def _keep(self, draft: WebhookDraft) -> None:
        from quantdesk.feed.webhook import WebhookError

        async with self._keeping:  # two changes of one rule stay in their order
            before = kept_of(self._store.settings.webhooks.get(draft.rule_id))
            try:
                hook = await self._drafted(draft)
            except WebhookError as error:
                self._flow.show_unkept(str(error))
                return
            url = public_url(hook.url)
            kept = KeptWebhook(
                url, before.key if before else uuid4().hex, bool(private_parts(hook.url)), bool(hook.secret)
            )
            self._known[kept.key] = hook
            self._store.settings.webhooks[draft.rule_id] = asdict(kept)
            self._window.keeper.save_soon()
            if kept.in_keyring:
                secret = json.dumps({"url": hook.url, "secret": hook.secret})
                reason = await self._aside(lambda: _why_not(keep_secret, _name(kept), secret))
                if reason:
                    log.warning("the secret of a webhook is not kept: %s", reason)
                    self._flow.show_unkept(reason)
            elif before is not None and before.in_keyring:
                await self._forget(before)

    async def _copy(self, old: str, new: str) -> None:
        from quantdesk.feed.webhook import WebhookError

        if kept_of(self._store.settings.webhooks.get(old)) is None:
            return
        try:
            hook = await self._hook(old)
        except WebhookError as error:
            self._flow.show_unkept(str(error))
            return
        await self._keep(WebhookDraft(new, hook.url, hook.secret))

    async def _forget(self, kept: KeptWebhook) -> None:
        reason = await self._aside(lambda: _why_not(forget_secret, _name(kept)))
        if reason:
            log.warning("the secret of a webhook stays in the keyring: %s", reason)

    async def _aside(self, ask: Callable[[], T]) -> T:
        """Ask the keyring beside the screen: it may wait for the user to unlock it."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def take(found: T) -> None:
            if not answer.done():
                answer.set_result(found)

        self._jobs.submit(f"webhook {uuid4().hex}", ask, take)
        return await answer


def _why_not(act: Callable[..., None], *words: str) -> str:
    """Return in words why the keyring did not do something, "" where it did."""
    try:
        act(*words)
    except ConfigError as error:
        return str(error)
    return ""


def _name(kept: KeptWebhook) -> str:
    return f"webhook:{kept.key}"


def _hook_of(text: str | None) -> Webhook | None:
    from quantdesk.feed.webhook import Webhook

    try:
        plain = json.loads(text or "")
        return Webhook(str(plain["url"]), str(plain["secret"]))
    except (ValueError, TypeError, KeyError):
        return None
