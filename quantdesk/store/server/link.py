"""Connect to the database server so that no pulled cable and no stopped server holds anything for long."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import sqlalchemy as sa
from sqlalchemy.pool import NullPool, QueuePool

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import StoreError
from quantdesk.store.passwords import find_password
from quantdesk.store.server.words import in_words

SCHEMA = "quantdesk"
_DRIVER = "postgresql+psycopg2://"
#: The client's side: a dead line is noticed within 11 s.
_KEEPALIVE = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "application_name": "quantdesk",
    "client_encoding": "UTF8",
}
#: The server's side: a client whose cable is pulled loses its locks after about as long.
_SESSION = {
    "search_path": f"{SCHEMA},public",
    "timezone": "UTC",
    "jit": "off",  # compiling costs more than our short statements take
    "idle_in_transaction_session_timeout": "8s",
    "lock_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
#: So long (s) one transaction of the writer or one question may take.
PATIENCE = 25.0
#: So long (s) a reader's idle connection may take to show that it is alive.
PING = 5.0


def connect(address: StoreAddress, patience: float = PATIENCE) -> Any:
    """Return a psycopg2 connection, set up; the password is the address's, the keyring's or the driver's own."""
    password = address.password if address.password is not None else find_password(address)
    given = {**_KEEPALIVE, **dict(address.options)}
    if password is not None:
        given["password"] = password
    session = {**_SESSION, "statement_timeout": str(int(patience * 1_000))}
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    return psycopg2.connect(
        host=address.host, port=address.port, dbname=address.database, user=address.user, options=options, **given
    )


class Dialler:
    """Open the lines of one engine; one that is not set up in time is cut.

    An engine asks a new connection some questions of its own before anybody can watch it.
    """

    def __init__(self, address: StoreAddress, patience: float) -> None:
        self._address, self._patience = address, patience
        self._local = threading.local()

    def __call__(self) -> Any:
        """Return a new connection, watched while this thread is in ``within``."""
        raw = connect(self._address, self._patience)
        watches: contextlib.ExitStack | None = getattr(self._local, "watches", None)
        if watches is not None:
            watches.enter_context(watched(raw, self._local.seconds))
        return raw

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut what this thread opens in the block and has not set up after ``seconds``."""
        with contextlib.ExitStack() as watches:
            self._local.watches, self._local.seconds = watches, seconds
            try:
                yield
            finally:
                self._local.watches = None


class Lines:
    """Lend connections to readers of any thread; two stay open."""

    def __init__(
        self, address: StoreAddress, on_connect: Callable[[], None], patience: float = PATIENCE, ping: float = PING
    ) -> None:
        self._patience, self._ping = patience, ping
        self._dialler = Dialler(address, patience)
        self._engine = sa.create_engine(
            _DRIVER,
            creator=self._dialler,
            poolclass=QueuePool,
            pool_size=2,
            max_overflow=4,
            pool_recycle=600,
            use_native_hstore=False,
        )
        sa.event.listen(self._engine, "connect", lambda *_: on_connect())
        sa.event.listen(self._engine, "checkout", self._check)

    def _check(self, raw: Any, *_: Any) -> None:
        """Let a connection that broke meanwhile be made anew. The pool's own ping would wait for ever."""
        try:
            with watched(raw, self._ping):
                raw.autocommit = True
                with raw.cursor() as cursor:
                    cursor.execute("SELECT 1")
                raw.autocommit = False
        except psycopg2.Error as error:
            raise sa.exc.DisconnectionError from error

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Use a connection inside one transaction; what the driver raises comes as it is."""
        with self._dialler.within(self._patience):
            connection = self._engine.connect()
        with watched(driver_of(connection), slack(self._patience)), connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Let go of the server."""
        self._engine.dispose()


def driver_of(connection: sa.Connection) -> Any:
    """Return the driver's own connection."""
    return connection.connection.driver_connection


def slack(patience: float) -> float:
    """Return when (s) to cut a line whose server should have given up by itself after ``patience``."""
    return patience + min(5.0, patience)


@contextmanager
def watched(raw: Any, seconds: float) -> Iterator[None]:
    """Cut the line when the block takes longer: a server that is stopped answers nothing, not even a timeout."""
    handle = _handle(raw)
    if handle is None:  # it is broken already: the block will say so
        yield
        return
    timer = threading.Timer(seconds, _cut, (handle,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        handle.close()


def _handle(raw: Any) -> socket.socket | None:
    """Return a second handle on a connection's socket, None where it is broken."""
    with contextlib.suppress(OSError, psycopg2.Error):
        return socket.fromfd(raw.fileno(), socket.AF_INET, socket.SOCK_STREAM)
    return None


def _cut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


class Link:
    """Hold the one connection of a thread; a broken one is made anew at the next use."""

    def __init__(
        self,
        address: StoreAddress,
        on_connect: Callable[[sa.Connection], None],
        patience: float = PATIENCE,
        *,
        autocommit: bool = False,
    ) -> None:
        self._address, self._on_connect, self._patience = address, on_connect, patience
        isolation = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
        self._dialler = Dialler(address, patience)
        self._engine = sa.create_engine(
            _DRIVER, creator=self._dialler, poolclass=NullPool, use_native_hstore=False, **isolation
        )
        self._connection: sa.Connection | None = None
        self._raw: Any = None
        self._closed = False

    @property
    def is_up(self) -> bool:
        """Tell whether there is a connection, as far as is known."""
        return self._connection is not None

    def connection(self) -> sa.Connection:
        """Return the connection, made and set up where there is none. Raises StoreError in words."""
        if self._closed:
            raise StoreError(f"the store {self._address.words} is closed")
        if self._connection is not None and self._connection.invalidated:
            self.drop()
        if self._connection is None:
            with in_words(self._address), self._dialler.within(4 * self._patience):
                made = self._engine.connect()
                try:
                    self._raw = driver_of(made)
                    self._on_connect(made)
                except BaseException:
                    _let_go(made)
                    raise
            self._connection = made
        return self._connection

    @contextmanager
    def session(self, patience: float | None = None) -> Iterator[sa.Connection]:
        """Use the connection outside of any transaction. Raises StoreError in words."""
        connection = self.connection()
        try:
            limit = self._patience if patience is None else patience
            with in_words(self._address), watched(driver_of(connection), slack(limit)):
                yield connection
        except BaseException:
            if connection.invalidated or connection.closed or _is_broken(connection):
                self.drop()
            raise

    @contextmanager
    def transaction(self, patience: float | None = None) -> Iterator[sa.Connection]:
        """Use the connection inside one transaction: all of it or nothing. Raises StoreError in words."""
        with self.session(patience) as connection, connection.begin():
            if patience is not None and patience > self._patience:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(patience * 1_000)}")
            yield connection

    def drop(self) -> None:
        """Let go of the connection; the next use makes another."""
        made, self._connection = self._connection, None
        if made is not None:
            _let_go(made)

    def cut(self) -> None:
        """Break the line under whatever waits on it; from any thread."""
        handle = _handle(self._raw) if self._raw is not None else None
        if handle is not None:
            _cut(handle)
            handle.close()

    def close(self) -> None:
        """Let go of the server for good."""
        self._closed = True
        self.drop()
        self._engine.dispose()


def _is_broken(connection: sa.Connection) -> bool:
    try:
        raw = driver_of(connection)
    except sa.exc.SQLAlchemyError:
        return True
    return raw is None or bool(raw.closed)


def _let_go(connection: sa.Connection) -> None:
    with contextlib.suppress(sa.exc.SQLAlchemyError, psycopg2.Error, OSError):
        connection.invalidate()
    with contextlib.suppress(sa.exc.SQLAlchemyError, psycopg2.Error, OSError):
        connection.close()
