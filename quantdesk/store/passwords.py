"""Keep a server's password in the system's keyring, or where there is none in the file of libpq."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from quantdesk.config import ConfigError
from quantdesk.store.address import StoreAddress
from quantdesk.store.keyring_secrets import find_secret, forget_secret, keep_secret

_OTHER_WAYS = "put the password into ~/.pgpass, or the whole URL into QUANTDESK_DATABASE_URL"


def find_password(address: StoreAddress) -> str | None:
    """Return the password kept for a server, or None; never raises, and may wait for the keyring to be unlocked."""
    return find_secret(address.words) if address.is_server else None


def keep_password(address: StoreAddress, password: str) -> None:
    """Keep a server's password; raise ConfigError saying where to put it instead."""
    if not address.is_server:
        raise ConfigError("a file has no password")
    reason = ""
    try:
        keep_secret(address.words, password)
    except ConfigError as error:
        reason = str(error)
    if reason:
        raise ConfigError(f"{reason}: {_OTHER_WAYS}")


def forget_password(address: StoreAddress) -> None:
    """Remove a server's password from the keyring, if it is there; raise ConfigError where that fails."""
    forget_secret(address.words)


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


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace(":", "\\:")
