"""Name a store: a SQLite file here, or a PostgreSQL database on a server. Pure: nothing is opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from quantdesk.config import ConfigError

SQLITE = "sqlite:///"
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2", "timescaledb")
#: What may stand behind the ? of a server's URL: TLS and waiting, handed to the driver as it is.
OPTIONS = frozenset(
    {
        "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "channel_binding", "gssencmode",
        "ssl_min_protocol_version", "target_session_attrs", "connect_timeout", "passfile", "application_name",
    }
)  # fmt: skip
_SECRET = "sslpassword"  # noqa: S105  # the option's name
DEFAULT_PORT = 5432


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Name a store by ``path`` (a SQLite file) or by host, port, database and user (a server).

    ``words`` is for people, logs and exports and never holds a secret; neither does ``repr``.
    ``spill`` is the file here that rows wait in while the store takes none.
    """

    path: Path | None = None
    host: str = ""
    port: int = DEFAULT_PORT
    database: str = ""
    user: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    spill: Path | None = None
    password: str | None = field(default=None, repr=False, compare=False)

    @property
    def is_server(self) -> bool:
        """Tell whether this is a database on a server."""
        return self.path is None

    @property
    def words(self) -> str:
        """Return the name to show."""
        if self.path is not None:
            return str(self.path)
        return f"{self.user}@{_host(self.host)}:{self.port}/{self.database}"

    @property
    def url(self) -> str:
        """Return the URL without any password."""
        if self.path is not None:
            return f"{SQLITE}{self.path}"
        shown = [(key, value) for key, value in self.options if key != _SECRET]
        query = "&".join(f"{key}={quote(value, safe='/')}" for key, value in shown)
        account = quote(self.user, safe="")
        place = f"{_host(self.host)}:{self.port}/{quote(self.database, safe='')}"
        return f"postgresql://{account}@{place}{'?' + query if query else ''}"

    def with_password(self, password: str | None) -> StoreAddress:
        """Return the same store with this password."""
        return replace(self, password=password)


def file_address(path: Path) -> StoreAddress:
    """Name the store in a SQLite file."""
    try:
        path = path.expanduser().absolute()
    except RuntimeError as error:
        raise ConfigError(f"the store {path} cannot be found: {error}") from error
    return StoreAddress(path=path, spill=path.with_name(path.name + ".spill"))


def parse_address(text: str, folder: Path) -> StoreAddress:
    """Read sqlite:///FILE or postgresql://USER@HOST[:PORT]/DATABASE[?sslmode=…]; raise ConfigError in words.

    ``folder`` is where the spill file of a server store is kept. The words never repeat the text: it
    may hold a password.
    """
    text = text.strip()
    if text.startswith(SQLITE):
        if len(text) == len(SQLITE):
            raise ConfigError("the database URL names no file: it is sqlite:///FILE")
        return file_address(Path(text[len(SQLITE) :]))
    wrong = "a database is sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"the database URL cannot be read: {wrong}") from None
    if parts.scheme not in _SCHEMES or parts.fragment:
        raise ConfigError(wrong)
    database = unquote(parts.path.removeprefix("/"))
    user = unquote(parts.username or "")
    if not host or not database or not user or "/" in database or port == 0:
        raise ConfigError(f"the database URL must name user, host and database: {wrong}")
    if not all(part.isprintable() for part in (host, database, user)):
        raise ConfigError(f"the database URL holds characters that cannot be shown: {wrong}")
    options = tuple(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted({key for key, _ in options} - OPTIONS)
    if unknown:
        raise ConfigError("the database URL has an option that is not known: it takes " + ", ".join(sorted(OPTIONS)))
    password = None if parts.password is None else unquote(parts.password)
    found = StoreAddress(None, host, port or DEFAULT_PORT, database, user, options, None, password)
    return replace(found, spill=folder / f"server-{_fingerprint(found)}.spill")


def has_password(text: str) -> bool:
    """Tell whether a URL holds a password: one on the command line can be read by every user of the machine."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return False
    return bool(parts.password) or any(key == _SECRET for key, _ in parse_qsl(parts.query))


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _fingerprint(address: StoreAddress) -> str:
    """Tell servers apart in a file's name, without naming them in it."""
    return hashlib.sha256(f"{address.host}:{address.port}/{address.database}".encode()).hexdigest()[:12]
