"""Open one websocket with our bounds and translate its failures; the only file that knows the library."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
)

from quantdesk.config import FeedLimits
from quantdesk.feed.certificates import tls_context
from quantdesk.feed.failures import Remedy, error_remedy, error_words, retry_after, status_remedy, status_words
from quantdesk.feed.proxy import is_loopback

#: Frames above our own limit go to the quarantine; only above this many times it the socket is cut.
HARD_LIMIT = 4

_logger = logging.getLogger("quantdesk.feed.websockets")
_logger.setLevel(logging.CRITICAL)  # what goes wrong is told in the status, not by the library


@dataclass(frozen=True)
class OpenError(Exception):
    """Say why no connection came about; ``answered`` handshakes count against the exchange's limit."""

    words: str
    remedy: Remedy = Remedy.RETRY
    answered: bool = False
    wait: float = 0.0  # Retry-After, seconds


@dataclass(frozen=True)
class ClosedError(Exception):
    """Say why a connection ended."""

    words: str


class Socket:
    """Send and receive on one open websocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @property
    def waiting(self) -> int:
        """Return how many frames have come and are not read yet; the library bounds it by ``max_queue``."""
        return len(self._connection.recv_messages.frames)

    async def receive(self) -> bytes:
        """Return the next frame as bytes, or raise ClosedError."""
        try:
            frame = await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise ClosedError(_closing_words(error)) from error
        except OSError as error:
            raise ClosedError(error_words(error)) from error
        return frame if isinstance(frame, bytes) else bytes(frame, "utf-8")

    async def send(self, message: str) -> None:
        """Send a text frame, or raise ClosedError."""
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise ClosedError(_closing_words(error)) from error
        except OSError as error:
            raise ClosedError(error_words(error)) from error

    async def close(self) -> None:
        """Say goodbye; ends within the close time-out."""
        await self._connection.close()

    def abort(self) -> None:
        """Cut the connection without waiting for the other side."""
        self._connection.transport.abort()


async def open_socket(
    url: str, limits: FeedLimits, open_timeout: float, *, proxy: str | Literal[True] | None = True
) -> Socket:
    """Connect through the system's proxy (True), another one or none, or raise OpenError.

    The library's own pings are off: a loop that was busy for long would see them as lost. The
    watch over silent streams does that work, and the exchange pings us.
    """
    try:
        connection = await connect(
            url,
            ssl=tls_context() if url.startswith("wss:") else None,
            proxy=None if is_loopback(url) else proxy,
            compression=None,
            open_timeout=open_timeout,
            close_timeout=limits.close_timeout,
            ping_interval=None,
            max_size=limits.max_frame_bytes * HARD_LIMIT,
            max_queue=limits.max_queue,
            user_agent_header="quantdesk",
            logger=_logger,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        wait = retry_after(error.response.headers.get("Retry-After"), 60.0 if status in (418, 429) else 0.0)
        raise OpenError(status_words(status), status_remedy(status), answered=True, wait=wait) from error
    except InvalidProxyStatus as error:
        words = f"the proxy refuses: {status_words(error.response.status_code)}"
        raise OpenError(words, status_remedy(error.response.status_code)) from error
    except (InvalidProxy, InvalidURI) as error:
        raise OpenError(f"the address cannot be used: {error}", Remedy.TELL) from error
    except InvalidHandshake as error:
        raise OpenError(f"the other side is no websocket server ({error_words(error)})", answered=True) from error
    except (OSError, TimeoutError, ImportError, ValueError, EOFError) as error:
        raise OpenError(error_words(error), error_remedy(error)) from error
    return Socket(connection)


def _closing_words(error: ConnectionClosed) -> str:
    if error.rcvd is not None:
        reason = f" {error.rcvd.reason[:60]}" if error.rcvd.reason else ""
        return f"the exchange closed the connection ({error.rcvd.code}{reason})"
    if error.sent is not None:
        return f"we closed the connection ({error.sent.code} {error.sent.reason[:60]})".rstrip()
    return "the connection broke"
