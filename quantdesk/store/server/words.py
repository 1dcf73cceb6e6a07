"""Turn what the database server and its driver report into one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import sqlalchemy as sa

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import DiskLowError, StoreError, StoreRefusedError

_REMEDY = "give it in Data > Storage, with quantdesk store password, or in ~/.pgpass"
#: By SQLSTATE: what a person can mend, and what passes by itself.
_REFUSED = {
    "28P01": f"does not take the password: {_REMEDY}",
    "28000": f"does not let this user in: {_REMEDY}, and look at the server's pg_hba.conf",
    "3D000": "has no such database: create it there, or name another",
    "42501": "does not grant this user what is needed: see the README for the rights",
    "3F000": "has no schema quantdesk for this user: see the README for the rights",
    "0A000": "lacks something this store needs: use the TimescaleDB or PostgreSQL version the README names",
}
_PASSING = {
    "57P01": "is being shut down",
    "57P02": "has crashed and is starting again",
    "57P03": "is starting up or recovering",
    "53300": "has no connection free: close some programs, or raise its max_connections",
    "53200": "is out of memory",
    "25006": "is read-only now (a standby, or set so): make it writable",
    "57014": "took too long for one statement",
    "25P03": "closed a transaction that was idle for too long",
    "57P05": "closed a connection that was idle for too long",
    "58030": "cannot read or write its disk",
}
#: Another session was in the way: the same works a moment later.
_BUSY = {
    "55P03": "is busy: another program holds a lock",
    "40P01": "broke a deadlock: it is tried again",
    "40001": "asks for another try",
}
#: Marks in a failed connection's message; such an error has no SQLSTATE.
_AT_CONNECT = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ("is not permitted to log in", "28000"),
    ("permission denied for database", "42501"),
    ("starting up", "57P03"),
    ("shutting down", "57P01"),
    ("not yet accepting connections", "57P03"),
    ("in recovery mode", "57P02"),
    ("too many clients", "53300"),
    ("too many connections", "53300"),
    ("remaining connection slots", "53300"),
)
_NETWORK = (
    ("connection refused", "nothing listens there: start the database, or name another"),
    ("could not translate host name", "no such host: check the name and the network"),
    ("timeout expired", "it does not answer: check the network"),
    ("timed out", "it does not answer: check the network"),
    ("no route to host", "there is no way to it: check the network"),
    ("network is unreachable", "there is no way to it: check the network"),
    ("server closed the connection", "the connection broke"),
    ("connection reset", "the connection broke"),
    ("could not receive data", "the connection broke"),
    ("could not send data", "the connection broke"),
    ("connection not open", "the connection broke"),
    ("connection already closed", "the connection broke"),
    ("cursor already closed", "the connection broke"),
    ("terminating connection", "the connection broke"),
    ("lost synchronization", "the connection broke"),
    ("broken pipe", "the connection broke"),
    ("bad file descriptor", "the connection broke"),
    ("eof detected", "the connection broke"),
    ("connection has been closed unexpectedly", "the connection broke"),
    ("ssl syscall error", "the connection broke"),
    ("this connection is closed", "the connection broke"),
)
_TLS = ("ssl", "certificate", "tls")


class ServerBusyError(StoreError):
    """Another session has a lock now; trying again helps."""


@contextmanager
def in_words(address: StoreAddress) -> Iterator[None]:
    """Raise StoreError in words for what the driver raises; impossible rows are ValueError."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise worded(address, error.orig if error.orig is not None else error) from error
    except sa.exc.StatementError as error:
        if isinstance(error.orig, ValueError | OverflowError | TypeError):
            raise ValueError(f"the database server {address.words} cannot hold a value: {error.orig}") from error
        raise worded(address, error.orig or error) from error
    except (sa.exc.SQLAlchemyError, psycopg2.Error) as error:
        raise worded(address, error) from error


def worded(address: StoreAddress, error: BaseException) -> Exception:
    """Return the error to raise instead; its words hold nothing of what was sent."""
    message = " ".join(str(error).split())
    code = getattr(error, "pgcode", None) or _code_of(message.lower())
    if code == getattr(error, "pgcode", None) == "28000":  # said to one who is in: a right is lacking
        code = "42501"
    server = f"the database server {address.words}"
    said = _without_secrets(address, _first(error) if code else message)[:200]
    return _by_code(server, code, said) if code else _by_message(server, message.lower(), said)


def _without_secrets(address: StoreAddress, message: str) -> str:
    """Leave out the password should a driver or a server ever quote it."""
    for secret in (address.password, dict(address.options).get("sslpassword")):
        if secret and len(secret) > 3:
            message = message.replace(secret, "…")
    return message


def _code_of(message: str) -> str:
    """Return the SQLSTATE that a failed connection's message stands for, empty where it tells of none."""
    code = next((found for mark, found in _AT_CONNECT if mark in message), "")
    if not code and message.startswith("connection to server") and message.endswith("does not exist"):
        return "3D000" if 'fatal: database "' in message else "28000"
    return code


def _by_code(server: str, code: str, said: str) -> Exception:
    if code in _REFUSED:
        return StoreRefusedError(f"{server} {_REFUSED[code]}")
    if code in _PASSING:
        return StoreError(f"{server} {_PASSING[code]}")
    if code in _BUSY:
        return ServerBusyError(f"{server} {_BUSY[code]}")
    if code == "53100":
        return DiskLowError(f"{server} has no disk space left: make room there")
    if code.startswith("22"):
        return ValueError(f"{server} cannot hold a value: {said}")
    return StoreError(f"{server} reports: {said} ({code})")


def _by_message(server: str, message: str, said: str) -> Exception:
    network = next((words for mark, words in _NETWORK if mark in message), "")
    if network:
        return StoreError(f"{server} cannot be reached: {network}")
    if any(mark in message for mark in _TLS):
        return StoreRefusedError(f"{server}: no secure connection ({said}): check sslmode and certificates")
    return StoreError(f"{server} cannot be used: {said or 'no reason was given'}")


def _first(error: BaseException) -> str:
    """Return the server's own sentence without the statement and the row that it may quote below."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return str(primary or next(iter(str(error).splitlines()), "") or type(error).__name__)
