"""Say in plain words why the exchange cannot be reached or refuses."""

from __future__ import annotations

import errno
import socket
import ssl
from enum import StrEnum
from math import isfinite


class Remedy(StrEnum):
    """Say what helps against a refused or failed handshake; each is tried again, at its own pace."""

    RETRY = "retry"  #: the network or a fault of the exchange: soon again
    WAIT = "wait"  #: the exchange wants some time: not before it is over
    TELL = "tell"  #: only the user can change it: seldom again, and said


_STATUS = {
    401: "access refused (401)",
    403: "refused by a firewall on the way or at the exchange (403)",
    404: "the address is not the exchange's (404)",
    407: "the proxy asks for a password (407)",
    418: "the exchange has banned this address for a while (418)",
    429: "too many requests (429)",
    451: "the exchange does not serve this region (451)",
}
_ERRNO = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ENETUNREACH: "no network",
    errno.ENETDOWN: "no network",
    errno.EHOSTUNREACH: "host not reachable",
    errno.ETIMEDOUT: "no answer",
    errno.EMFILE: "too many open files",
}
_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "no secure connection (TLS failed)"),
    (socket.gaierror, "name not found"),
    (TimeoutError, "no answer"),
    (ConnectionError, "connection lost"),
    (ImportError, "the proxy's kind is not supported; use an HTTP proxy"),
)


def status_words(status: int) -> str:
    """Name an HTTP status."""
    if status in _STATUS:
        return _STATUS[status]
    return f"the exchange has a fault ({status})" if status >= 500 else f"unexpected answer ({status})"


def status_remedy(status: int) -> Remedy:
    """Sort the status of a refused handshake."""
    if status in (418, 425, 429):
        return Remedy.WAIT
    return Remedy.RETRY if status >= 500 or status == 408 else Remedy.TELL


def error_remedy(error: BaseException) -> Remedy:
    """Sort what went wrong on the network: a certificate or a kind of proxy needs the user."""
    lasting = (ssl.SSLCertVerificationError, ImportError)
    return Remedy.TELL if any(isinstance(cause, lasting) for cause in _causes(error)) else Remedy.RETRY


def error_words(error: BaseException) -> str:
    """Name what went wrong on the network."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            # aiohttp's own error is of this kind, but has the reason in the one that it carries.
            reason = getattr(getattr(cause, "certificate_error", cause), "verify_message", "") or "TLS failed"
            return f"the certificate is not accepted ({reason})"
        if isinstance(cause, OSError) and cause.errno in _ERRNO:
            return _ERRNO[cause.errno]
        for kind, words in _KINDS:
            if isinstance(cause, kind):
                return words
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found and len(found) < 8:
        found.append(following)
        following = getattr(following, "os_error", None) or following.__cause__ or following.__context__
    return found


def retry_after(value: str | None, otherwise: float) -> float:
    """Return the seconds of a Retry-After header, or ``otherwise``; a day at most."""
    try:
        seconds = float(value) if value else otherwise
    except ValueError:
        return otherwise
    return min(max(seconds, 0.0), 86_400.0) if isfinite(seconds) else otherwise
