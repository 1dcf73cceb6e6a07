"""Keep a server's password in the system's keyring, or where there is none in the file of libpq."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.config import ConfigError
from quantdesk.store.address import StoreAddress

if TYPE_CHECKING:
    from types import ModuleType

SERVICE = "quantdesk"
_OTHER_WAYS = "put the password into ~/.pgpass, or the whole URL into QUANTDESK_DATABASE_URL"
_log = logging.getLogger(__name__)


def find_password(address: StoreAddress) -> str | None:
    """Return the password kept for a server, or None; never raises, and may wait for the keyring to be unlocked."""
    if not address.is_server:
        return None
    try:
        found = _keyring().get_password(SERVICE, address.words)
    except Exception as error:  # noqa: BLE001  # a backend may raise anything; .pgpass may still have the password
        _log.info("the keyring was not asked for the password: %s", type(error).__name__)
        return None
    return found or None


def with_found_password(address: StoreAddress) -> StoreAddress:
    """Return the address with the password that the keyring has for it; as it is where it has one or needs none."""
    if address.password is not None or not address.is_server:
        return address
    return address.with_password(find_password(address))


def keep_password(address: StoreAddress, password: str) -> None:
    """Keep a server's password; raise ConfigError saying where to put it instead."""
    if not address.is_server:
        raise ConfigError("a file has no password")
    kept: str | None = None
    reason = ""
    try:
        keyring = _keyring()
        keyring.set_password(SERVICE, address.words, password)
        kept = keyring.get_password(SERVICE, address.words)  # some keep nothing and say nothing
    except Exception as error:  # noqa: BLE001  # a backend may raise anything
        reason = _words(error, password)
    if kept != password:
        # Outside of the handler: no traceback of a backend, which may show its arguments, is chained on.
        raise ConfigError(f"{reason or 'the keyring did not keep the password'}: {_OTHER_WAYS}")


def forget_password(address: StoreAddress) -> None:
    """Remove a server's password from the keyring, if it is there; raise ConfigError where that fails."""
    reason = ""
    try:
        keyring = _keyring()
        if keyring.get_password(SERVICE, address.words) is not None:
            keyring.delete_password(SERVICE, address.words)
    except Exception as error:  # noqa: BLE001  # a backend may raise anything
        reason = _words(error, None)
    if reason:
        raise ConfigError(f"the password was not removed, {reason}: remove it with your system's own keyring program")


def pgpass_file() -> Path:
    """Return the file in which libpq looks for passwords."""
    named = os.environ.get("PGPASSFILE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "~"), "postgresql", "pgpass.conf").expanduser()
    return Path("~/.pgpass").expanduser()


def keep_in_pgpass(address: StoreAddress, password: str) -> Path:
    """Put a server's password on top of libpq's own file, readable by its owner alone; return the file.

    Raises ConfigError in words.
    """
    if any(not part.isprintable() for part in (address.words, password)):
        raise ConfigError("the password holds a character that .pgpass cannot hold: choose another one")
    path = pgpass_file()
    path = path.resolve() if path.is_symlink() else path
    fields = (address.host, str(address.port), address.database, address.user)
    place = ":".join(_escaped(part) for part in fields) + ":"
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        held = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        lines = [place + _escaped(password), *(line for line in held if not line.startswith(place))]
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(temporary, "\n".join(lines) + "\n")
        temporary.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        why = (error.strerror if isinstance(error, OSError) else None) or "it is no text"
        raise ConfigError(f"{path} cannot be written ({why}): write the password there yourself") from None
    return path


def write_private(path: Path, text: str) -> None:
    """Write a new file that its owner alone can read, from its first byte on; raise OSError."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


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


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace(":", "\\:")
