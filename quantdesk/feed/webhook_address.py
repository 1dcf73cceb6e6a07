"""Check the address of a webhook and show it without what is nobody's business; nothing here opens a connection."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from quantdesk.config import ConfigError
from quantdesk.feed.proxy import is_loopback

LONGEST_URL = 2_000
_HIDDEN = "•••"


def checked_url(text: str) -> str:
    """Return the address of a webhook as it is used. Raises ConfigError in words that never repeat it."""
    text = text.strip()
    if not text:
        raise ConfigError("the webhook needs an address, such as https://example.org/alerts")
    if len(text) > LONGEST_URL:
        raise ConfigError(f"the webhook's address is longer than {LONGEST_URL:,} characters")
    if any(not letter.isprintable() or letter.isspace() or letter in '\\<>"^`{|}' for letter in text):
        raise ConfigError("the webhook's address holds a blank or another character that no address has")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError("the webhook's address is no URL: its host or port makes no sense") from None
    if parts.scheme not in ("http", "https"):
        raise ConfigError("the webhook's address must begin with https:// or http://")
    if not host or not _is_host(host):
        raise ConfigError("the webhook's address names no host, as example.org in https://example.org/alerts")
    if port == 0:
        raise ConfigError("the webhook's address has port 0, which nobody listens on")
    if parts.fragment or text.endswith("#"):
        raise ConfigError("the webhook's address has a part after #, which is never sent: leave it out")
    return text


def public_url(url: str) -> str:
    """Return scheme and host of an address: what may stand in a settings file.

    The path does not: many services tell who may post by it alone.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, _place(parts), "", "", ""))


def shown_url(url: str) -> str:
    """Return an address for people: all but its host is masked."""
    return public_url(url) + (f"/{_HIDDEN}" if private_parts(url) else "")


def host_of(url: str) -> str:
    """Return host and port, all that a log says of an address."""
    return _place(urlsplit(url))


def is_readable_on_the_way(url: str) -> bool:
    """Return whether others on the network can read what is sent there."""
    return urlsplit(url).scheme == "http" and not is_loopback(url)


def private_parts(url: str) -> tuple[str, ...]:
    """Return what of an address must stand in no log: user, password, path and query."""
    parts = urlsplit(url)
    found = (parts.username, parts.password, parts.path.strip("/"), parts.query, parts.netloc.rpartition("@")[0])
    return tuple(part for part in found if part)


def _place(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _is_host(host: str) -> bool:
    """Return whether a name could be one: its labels are not empty, too long, or numbers that are no address."""
    if ":" in host:
        return True  # urlsplit has looked into an IPv6 address
    try:
        plain = host.encode("idna").decode()
    except UnicodeError:
        return False
    labels = plain.removesuffix(".").split(".")
    good = all(label and all(c.isalnum() or c in "-_" for c in label) for label in labels)
    if labels[-1].isdigit():
        return good and len(labels) == 4 and all(label.isdigit() and int(label) < 256 for label in labels)
    return good
