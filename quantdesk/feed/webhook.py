"""Post an alert to a webhook: signed, bounded in time and tries, and without a word of its secrets anywhere."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ssl
import time
from dataclasses import dataclass, field

import aiohttp

from quantdesk import __version__
from quantdesk.feed.certificates import tls_context
from quantdesk.feed.failures import Remedy, error_remedy, error_words, retry_after
from quantdesk.feed.proxy import proxy_for
from quantdesk.feed.webhook_address import host_of, private_parts

TIMESTAMP, SIGNATURE, DELIVERY = "X-Quantdesk-Timestamp", "X-Quantdesk-Signature", "X-Quantdesk-Delivery"
#: Seconds for one try, from the connection to the answer's head; the pauses before the others.
TRY_SECONDS = 10.0
PAUSES = (1.0, 4.0, 16.0)
#: A receiver that asks for more time than this is asked again after it all the same.
_MOST_PAUSE = 60.0
_AGAIN = frozenset({408, 425, 429})
_STATUS = {
    400: "it does not understand the post (400)",
    401: "access refused (401)",
    403: "access refused (403)",
    404: "there is nothing at this address (404)",
    405: "it takes no POST (405)",
    407: "the proxy asks for a password (407)",
    408: "it gave up waiting (408)",
    410: "the address is gone (410)",
    413: "the post is too long for it (413)",
    429: "too many posts (429)",
}


class WebhookError(Exception):
    """Say in plain words why a post was not taken; no address, no secret."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Hold where to post to and with what to sign ("" = unsigned); neither is ever shown."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Say that a post was taken: by which status, at which try, in how many seconds."""

    status: int
    tries: int
    seconds: float


class _AgainError(Exception):
    """Say what failed that may go better, and how long the receiver wants to be left alone."""

    def __init__(self, words: str, wait: float = 0.0) -> None:
        super().__init__(words)
        self.wait = wait


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return "v1=" and HMAC-SHA256(secret, timestamp in seconds, ".", body) in hexadecimal (RFC 2104)."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


class WebhookClient:
    """Post to webhooks over one pool of connections; ``close`` it."""

    def __init__(self, try_seconds: float | None = None, pauses: tuple[float, ...] | None = None) -> None:
        self._try_seconds = TRY_SECONDS if try_seconds is None else try_seconds
        self._pauses = PAUSES if pauses is None else pauses
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, hook: Webhook, body: bytes, delivery: str, *, once: bool = False) -> Receipt:
        """Post JSON until it is taken (2xx). Raises WebhookError in words.

        What may go better (no connection, no answer, 408, 425, 429, 5xx) is tried again after growing
        pauses, unless ``once``; ``delivery`` names the post, the same at every try.
        """
        begun = time.monotonic()
        pauses = () if once else self._pauses
        for tries, pause in enumerate((*pauses, None), 1):
            try:
                status = await self._try(hook, body, delivery)
                return Receipt(status, tries, time.monotonic() - begun)
            except _AgainError as error:
                if pause is None:
                    words = str(error) if tries == 1 else f"{error}; tried {tries} times"
                    raise WebhookError(words) from None
                await asyncio.sleep(min(max(pause, error.wait), _MOST_PAUSE))
        raise AssertionError("the last try returns or raises")

    async def _try(self, hook: Webhook, body: bytes, delivery: str) -> int:
        words, again = "", True
        try:
            return await self._post(hook, body, delivery)
        except (WebhookError, _AgainError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, its own text may hold the address
            words = _without(_words(error), hook)
            again = error_remedy(error) is not Remedy.TELL and isinstance(error, (OSError, aiohttp.ClientError))
        # Outside of the handler: no traceback that may show the address is chained on.
        raise _AgainError(words) if again else WebhookError(words)

    async def _post(self, hook: Webhook, body: bytes, delivery: str) -> int:
        if self._session is None:
            # Nothing is remembered between two posts; .netrc is none of our business.
            connector = aiohttp.TCPConnector(ssl=tls_context(), force_close=True)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=jar)
        now = int(time.time())
        headers = {"Content-Type": "application/json", "User-Agent": f"quantdesk/{__version__}"}
        headers |= {DELIVERY: delivery, TIMESTAMP: str(now)}
        if hook.secret:
            headers[SIGNATURE] = signature(hook.secret, now, body)
        patience = aiohttp.ClientTimeout(total=self._try_seconds)
        # The answer's head says it all: its body may be of any length and is not read.
        async with self._session.post(
            hook.url, data=body, headers=headers, allow_redirects=False, proxy=proxy_for(hook.url), timeout=patience
        ) as answer:
            status, target = answer.status, answer.headers.get("Location", "")
            wait = retry_after(answer.headers.get("Retry-After"), 0.0)
        if 200 <= status < 300:
            return status
        if status in _AGAIN or status >= 500:
            raise _AgainError(_STATUS.get(status, f"the receiver has a fault ({status})"), wait)
        if 300 <= status < 400:
            raise WebhookError(_redirected(status, hook.url, target))
        raise WebhookError(_STATUS.get(status, f"it refuses the post ({status})"))


def _redirected(status: int, url: str, target: str) -> str:
    """Say where it leads to, by host alone; nobody but who entered the address decides where alerts go."""
    try:
        host = host_of(target)
    except ValueError:
        host = ""
    where = f"to {host[:100]}" if host and host != host_of(url) and host.isprintable() else "elsewhere"
    return f"it redirects {where} ({status}), which is not followed: enter the address that it leads to"


def _words(error: BaseException) -> str:
    if isinstance(error, (OSError, ssl.SSLError, ImportError)):
        return error_words(error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refuses ({error.status})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it closed the connection without an answer"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address makes no sense"
    if isinstance(error, aiohttp.ClientError):
        return "its answer is no HTTP"
    return f"it cannot be posted ({type(error).__name__})"


def _without(words: str, hook: Webhook) -> str:
    """Return words in which nothing of the address' private parts or of the secret stands."""
    hidden = (*private_parts(hook.url), *((hook.secret,) if hook.secret else ()))
    return "the network refuses" if any(part in words for part in hidden) else words
