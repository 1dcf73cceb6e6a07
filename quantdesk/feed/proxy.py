"""Find the proxy for an address, the system's own or a chosen one; this machine itself is never asked through one."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from quantdesk.config import ConfigError

SYSTEM_PROXY = "system"
NO_PROXY = "none"
_VARIABLES = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy", "no_proxy")
#: This machine is never asked through a proxy, whatever is chosen.
_BYPASSED = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """Say how the exchange is reached: by the system's proxy, by none, or by the one at ``url``.

    ``url`` has no password; that is in ``password`` and shows in no text of this object.
    """

    kind: str = SYSTEM_PROXY
    url: str = ""
    password: str | None = field(default=None, repr=False)

    @property
    def without_password(self) -> str:
        """Return the choice as the settings keep it."""
        return self.url or self.kind

    @property
    def user(self) -> str:
        """Return the user's name in the URL, "" for none."""
        return unquote(urlsplit(self.url).username or "")

    def with_user(self, user: str) -> ProxyChoice:
        """Return the choice for a user at the proxy."""
        scheme, _, place = self.url.partition("://")
        return replace(self, url=f"{scheme}://{quote(user, safe='')}@{place.rpartition('@')[2]}")

    def with_password(self, password: str | None) -> ProxyChoice:
        """Return the choice with the user's password."""
        return replace(self, password=password)

    def full_url(self) -> str:
        """Return the URL with the password, for a connection and nothing else."""
        if not self.user or self.password is None:
            return self.url
        parts = urlsplit(self.url)
        place = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{place}"


def parse_proxy(text: str) -> ProxyChoice:
    """Return what a text means: "system", "none", or the URL of an HTTP proxy; raise ConfigError in words."""
    text = text.strip()
    if text in ("", SYSTEM_PROXY):
        return ProxyChoice()
    if text == NO_PROXY:
        return ProxyChoice(NO_PROXY)
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConfigError("the proxy is not a URL: write it as http://host:port") from None
    if parts.scheme not in ("http", "https"):
        raise ConfigError(f"a {parts.scheme} proxy is not supported: write an HTTP proxy as http://host:port")
    if not parts.hostname or not port or parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError("the proxy needs a host and a port, and nothing behind them: http://host:port")
    if any(not c.isprintable() or c.isspace() for c in text):
        raise ConfigError("the proxy's address holds a character that no address has")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    user = f"{quote(unquote(parts.username), safe='')}@" if parts.username else ""
    password = unquote(parts.password) if parts.password is not None and user else None
    return ProxyChoice("url", f"{parts.scheme}://{user}{host}:{port}", password)


class ProxyVariables:
    """Put a choice into the variables that every library of this process asks, and take it back.

    They are where sockets, requests and the processes started from here look for a proxy; "system"
    leaves them as they were when the program started.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._names = [*_VARIABLES, *(name.upper() for name in _VARIABLES)]
        self._before = {name: environ[name] for name in self._names if name in environ}
        self._choice = ProxyChoice()

    @property
    def named(self) -> bool:
        """Tell whether the environment named a proxy when the program started."""
        return any(value for name, value in self._before.items() if name.lower() != "no_proxy")

    def use(self, choice: ProxyChoice) -> None:
        """Let everything that connects from now on follow a choice."""
        self._choice = choice
        for name in self._names:
            self._environ.pop(name, None)
        if choice.kind == SYSTEM_PROXY:
            self._environ.update(self._before)
        elif choice.kind == NO_PROXY:
            self._environ["no_proxy"] = self._environ["NO_PROXY"] = "*"
        else:
            url = choice.full_url()
            for name in ("http_proxy", "https_proxy"):
                self._environ[name] = self._environ[name.upper()] = url
            self._environ["no_proxy"] = self._environ["NO_PROXY"] = _BYPASSED

    def proxy_by(self, choice: ProxyChoice, url: str) -> str | None:
        """Return the proxy that a URL would be asked through if this were chosen."""
        chosen = self._choice
        self.use(choice)
        try:
            return proxy_for(url)
        finally:
            self.use(chosen)


def without_passwords(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for another program: proxies with a password in them are none of its business."""
    proxies = {name for name in environ if name.lower() in _VARIABLES and "@" in environ[name]}
    return {name: value for name, value in environ.items() if name not in proxies}


def is_loopback(url: str) -> bool:
    """Tell whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """Return the proxy that the choice, the system or the environment sets for a URL."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    # A websocket takes the way of the requests that belong to it.
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    found = proxies.get(scheme) or proxies.get("all")
    return found if found is None or "://" in found else f"http://{found}"
