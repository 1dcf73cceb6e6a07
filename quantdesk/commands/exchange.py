"""Find the exchange that a command reaches: the environment's, else the one chosen in the desk of its data folder."""

from __future__ import annotations

import argparse
import sys
import threading
from dataclasses import dataclass
from typing import Any

from quantdesk.commands.shared import paths_of, saved_choices
from quantdesk.config import ConfigError, Endpoints, check_url
from quantdesk.feed.proxy import SYSTEM_PROXY, ProxyChoice, ProxyVariables, parse_proxy
from quantdesk.store.keyring_secrets import find_secret

#: So long (s) the keyring may take for the proxy's password.
_PATIENCE = 20.0
_SCHEMES = {"ws_url": ("ws", "wss"), "rest_url": ("http", "https"), "archive_url": ("http", "https")}


@dataclass(frozen=True, slots=True)
class Reached:
    """Name the exchange and, in one line without a secret, where that was said and what it is reached through."""

    endpoints: Endpoints
    words: str


def reached(args: argparse.Namespace) -> Reached:
    """Return the exchange to connect to, and let whatever connects from now on take the chosen proxy.

    What the environment names goes before what was chosen in the desk. A choice that makes no sense is left out
    and said on stderr, as the desk leaves it out. Raises ConfigError for a variable that makes no sense.
    """
    given, chosen = Endpoints.from_environment(), saved_choices(paths_of(args).config)
    endpoints = given.or_chosen(*(_address(chosen, name) for name in _SCHEMES))
    words = f"exchange: {endpoints.rest_url}, {endpoints.ws_url}"
    if not given.is_default:
        words += " (environment)"
    elif not endpoints.is_default:
        words += " (chosen in the desk)"
    return Reached(endpoints, words + _take_proxy(chosen))


def _address(chosen: dict[str, Any], name: str) -> str:
    url = chosen.get(name)
    if not isinstance(url, str) or not url:
        return ""
    try:
        return check_url(url, name, _SCHEMES[name])
    except ConfigError as error:
        print(f"quantdesk: the address chosen in the desk is left out, {error}", file=sys.stderr)
        return ""


def _take_proxy(chosen: dict[str, Any]) -> str:
    """Take the proxy that was chosen where the environment names none; return it in words, "" for the system's."""
    variables, text = ProxyVariables(), chosen.get("proxy")
    if variables.named or not isinstance(text, str):
        return ""
    try:
        choice = parse_proxy(text)
    except ConfigError as error:
        print(f"quantdesk: the proxy chosen in the desk is left out, {error}", file=sys.stderr)
        return ""
    if choice.kind == SYSTEM_PROXY:
        return ""
    if choice.user and choice.password is None:
        choice = choice.with_password(_password_of(choice))
    variables.use(choice)
    place = choice.url.partition("://")[2].rpartition("@")[2]
    return f", through the proxy {place}" if place else ", through no proxy"


def _password_of(choice: ProxyChoice) -> str | None:
    """Ask the keyring, which may wait for somebody to unlock it, no longer than it may take."""
    found: list[str | None] = []
    asking = threading.Thread(target=lambda: found.append(find_secret(choice.url)), daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    if not found or found[0] is None:
        print("quantdesk: the keyring gives no password for the proxy chosen in the desk", file=sys.stderr)
        return None
    return found[0]
