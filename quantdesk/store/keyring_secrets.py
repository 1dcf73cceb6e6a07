"""Keep secrets in the system's keyring, each under a name that is none itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from quantdesk.config import ConfigError

if TYPE_CHECKING:
    from types import ModuleType

SERVICE = "quantdesk"
_log = logging.getLogger(__name__)


def find_secret(name: str) -> str | None:
    """Return the secret kept under a name, or None; never raises, and may wait for the keyring to be unlocked."""
    try:
        found = _keyring().get_password(SERVICE, name)
    except Exception as error:  # noqa: BLE001  # a backend may raise anything
        _log.info("the keyring was not asked: %s", type(error).__name__)
        return None
    return found or None


def keep_secret(name: str, secret: str) -> None:
    """Keep a secret under a name; raise ConfigError saying in words why it is not kept."""
    kept: str | None = None
    reason = ""
    try:
        keyring = _keyring()
        keyring.set_password(SERVICE, name, secret)
        kept = keyring.get_password(SERVICE, name)  # some keep nothing and say nothing
    except Exception as error:  # noqa: BLE001  # a backend may raise anything
        reason = _words(error, secret)
    if kept != secret:
        # Outside of the handler: no traceback of a backend, which may show its arguments, is chained on.
        raise ConfigError(reason or "the keyring did not keep it")


def forget_secret(name: str) -> None:
    """Remove what is kept under a name, if anything; raise ConfigError where that fails."""
    reason = ""
    try:
        keyring = _keyring()
        if keyring.get_password(SERVICE, name) is not None:
            keyring.delete_password(SERVICE, name)
    except Exception as error:  # noqa: BLE001  # a backend may raise anything
        reason = _words(error, None)
    if reason:
        raise ConfigError(f"it was not removed, {reason}: remove it with your system's own keyring program")


def _keyring() -> ModuleType:
    """Import the library when it is needed: it looks for its backends at once, over D-Bus among others."""
    import keyring

    return keyring


def _words(error: Exception, secret: str | None) -> str:
    """Say what a keyring answered, without the secret."""
    if isinstance(error, ImportError):
        return "the keyring's library is not installed"
    from keyring.errors import KeyringLocked, NoKeyringError

    if isinstance(error, NoKeyringError):
        return "this system has no keyring"
    if isinstance(error, KeyringLocked):
        return "the keyring stayed locked"
    said = (str(error).strip().splitlines() or [""])[0][:120]
    if secret and secret in said:
        said = ""
    return f"the keyring refused ({said or type(error).__name__})"
