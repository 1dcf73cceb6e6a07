"""Reach the exchange as the user chose: by which addresses, through which proxy."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from quantdesk.app.tasks import Tasks, apart
from quantdesk.config import ConfigError, Endpoints, FeedLimits
from quantdesk.feed.proxy import ProxyChoice, ProxyVariables, parse_proxy
from quantdesk.store.keyring_secrets import find_secret, keep_secret
from quantdesk.ui.connection_page import Connecting

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.settings_store import SettingsStore

log = logging.getLogger(__name__)

#: So long (s) the keyring may take at the start.
_PATIENCE = 20
#: What is being tried as the desk is closed has so long (s) to end.
_LAST_SECONDS = 3.0


class Connections(QObject):
    """Keep the choice of addresses and proxy, try it, and let the feed connect anew by it."""

    def __init__(self, settings: SettingsStore, given: Endpoints) -> None:
        super().__init__()
        self._settings, self._given = settings, given
        self._variables = ProxyVariables()
        self._proxy = parse_proxy(settings.settings.proxy)
        self._tasks = Tasks()
        self._feeding: Feeding | None = None
        self._variables.use(self._proxy)

    @property
    def endpoints(self) -> Endpoints:
        """Return the exchange to connect to."""
        chosen = self._settings.settings
        return self._given.or_chosen(chosen.ws_url, chosen.rest_url, chosen.archive_url)

    def attach(self, window: MainWindow, feeding: Feeding) -> None:
        """Serve the settings of this window."""
        self._flow, self._feeding = window.preferences, feeding
        window.preferences.now = self._now
        window.preferences.test_requested.connect(self._on_test)
        window.preferences.use_requested.connect(self._on_use)

    async def unlock(self) -> None:
        """Fetch the proxy's password, if it has a user, before anything connects."""
        if not self._proxy.user:
            return
        try:
            # A keyring may wait for somebody to unlock it; the market must not wait for ever.
            async with asyncio.timeout(_PATIENCE):
                self._proxy = await self._with_password(Connecting(proxy=self._proxy))
        except TimeoutError:
            log.warning("the keyring did not give the proxy's password within %d s", _PATIENCE)
        self._variables.use(self._proxy)

    async def stop(self) -> None:
        """Give what is being tried a moment to end, then let go of it."""
        await self._tasks.stop(_LAST_SECONDS)

    def _now(self) -> tuple[Connecting, str]:
        chosen = self._settings.settings
        if not self._given.is_default:
            words = self.tr("The addresses come from the environment (QUANTDESK_WS_URL, QUANTDESK_REST_URL).")
            return Connecting(self._given.ws_url, self._given.rest_url, self._proxy, self._given.archive_url), words
        return Connecting(chosen.ws_url, chosen.rest_url, self._proxy, chosen.archive_url), ""

    @Slot(object)
    def _on_test(self, asked: Connecting) -> None:
        self._tasks.start(self._test(asked))

    async def _test(self, asked: Connecting) -> None:
        from quantdesk.feed.binance import Route, stream_url
        from quantdesk.feed.rest import RestClient, RestError
        from quantdesk.feed.socket import OpenError, open_socket

        flow, title = self._flow, self.tr("Connection tested")
        wanted = await self._with_password(asked)
        endpoints = Endpoints.of(asked.ws_url, asked.rest_url)
        flow.show_busy(self.tr("Asking {0}…").format(endpoints.rest_url))
        limits = FeedLimits()
        client = RestClient(endpoints, limits, proxy_of=lambda url: self._variables.proxy_by(wanted, url))
        url = stream_url(endpoints.ws_url, Route.MARKET)
        try:
            await client.time()
            flow.show_busy(self.tr("Opening a stream of {0}…").format(endpoints.ws_url))
            proxy = self._variables.proxy_by(wanted, url)
            await (await open_socket(url, limits, limits.open_timeout, proxy=proxy)).close()
        except (RestError, OpenError) as error:
            words = error.words if isinstance(error, OpenError) else str(error)
            flow.show_outcome("error", title, words)
        else:
            late = client.clock_offset_ms or 0.0
            words = self.tr("Requests and streams both answer. The exchange's clock is {0} ms from this computer's.")
            flow.show_outcome("ok", title, words.format(f"{late:+.0f}"))
        finally:
            await client.close()

    @Slot(object)
    def _on_use(self, asked: Connecting) -> None:
        self._tasks.start(self._use(asked))

    async def _use(self, asked: Connecting) -> None:
        settings, before, words = self._settings.settings, self.endpoints, []
        wanted = await self._with_password(asked)
        if asked.proxy.password:
            unkept = await apart(lambda: _keep(asked.proxy))
            if unkept:
                words.append(self.tr("The password is not kept, and the next start needs it: {0}.").format(unkept))
        if self._given.is_default:
            settings.ws_url, settings.rest_url = asked.ws_url, asked.rest_url
            settings.archive_url = asked.archive_url
        settings.proxy = wanted.without_password
        self._proxy = wanted
        self._variables.use(wanted)
        if not self._settings.save():
            words.append(self._settings.problem)
        if self._feeding is not None:
            self._feeding.use_endpoints(self.endpoints)
        said = (
            self.tr("The market comes from {0} from now on.").format(self.endpoints.rest_url)
            if self.endpoints != before
            else self.tr("The connection is made anew this way.")
        )
        self._flow.show_outcome("warning" if words else "ok", self.tr("Connection changed"), " ".join([said, *words]))

    async def _with_password(self, asked: Connecting) -> ProxyChoice:
        """Return the proxy that is meant, with the password that was kept for it where none was typed."""
        proxy = asked.proxy
        if proxy.user and proxy.password is None:
            return proxy.with_password(await apart(lambda: find_secret(proxy.url)))
        return proxy


def _keep(proxy: ProxyChoice) -> str:
    """Keep the proxy's password in the keyring; return in words why not."""
    try:
        keep_secret(proxy.url, proxy.password or "")
    except ConfigError as error:
        return str(error)
    return ""
