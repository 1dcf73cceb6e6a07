"""Whatever a server or its driver reports is said in words that tell what to do, and never with a secret."""

from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg2
import pytest
import sqlalchemy as sa

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import DiskLowError, Store, StoreError, StoreRefusedError
from quantdesk.store.opening import open_reader, open_store, try_address
from quantdesk.store.server.words import ServerBusyError, in_words, worded
from tests.store.kinds import assert_bars_are_exact, sql
from tests.store.samples import BTC, trades

Opened = Callable[[StoreAddress], Store]
SECRET = "s3cret-pässword"


def assert_no_secret(error: BaseException, secret: str = SECRET) -> None:
    assert secret not in "".join(traceback.format_exception(error))


def with_options(address: StoreAddress, **options: str) -> StoreAddress:
    return replace(address, options=(*address.options, *options.items()))


@pytest.fixture
def silent() -> Iterator[StoreAddress]:
    """Name a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        yield StoreAddress(None, "127.0.0.1", port, "desk", "desk", (("connect_timeout", "2"),), password=SECRET)


def test_a_wrong_password_is_refused_at_once(timescale_address: StoreAddress) -> None:
    wrong = timescale_address.with_password(SECRET)
    for attempt in (open_store, open_reader, try_address):
        with pytest.raises(StoreRefusedError, match=r"does not take the password: give it in .*~/.pgpass") as refused:
            attempt(wrong)
        assert_no_secret(refused.value)
        assert timescale_address.words in str(refused.value)


def test_no_password_at_all_is_refused_at_once(timescale_address: StoreAddress) -> None:
    with pytest.raises(StoreRefusedError, match="does not take the password"):
        open_store(timescale_address.with_password(None))


def test_a_database_that_does_not_exist_is_refused_at_once(timescale_address: StoreAddress) -> None:
    with pytest.raises(StoreRefusedError, match="has no such database: create it there, or name another") as refused:
        open_store(replace(timescale_address, database="nowhere"))
    assert_no_secret(refused.value, timescale_address.password or "")


def test_a_role_without_a_login_or_a_connection_is_told(timescale_address: StoreAddress) -> None:
    role = f"few_{timescale_address.database[-12:]}"
    sql(timescale_address, f"CREATE ROLE {role} LOGIN PASSWORD 'few' CONNECTION LIMIT 0")
    few = replace(timescale_address, user=role, password="few")
    try:
        with pytest.raises(StoreError, match="has no connection free"):
            open_reader(few)
        sql(timescale_address, f"ALTER ROLE {role} NOLOGIN")
        with pytest.raises(StoreRefusedError, match="does not let this user in"):
            open_reader(few)
    finally:
        sql(timescale_address, f"DROP ROLE {role}")


def test_a_port_that_nothing_listens_on_is_told_and_asked_again(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    away = StoreAddress(None, "127.0.0.1", port, "desk", "desk", password=SECRET)
    store = opened(away)  # the writer may begin before its server does
    words = "cannot be reached: nothing listens there: start the database, or name another"
    for attempt in (store.probe, lambda: store.append_ticks(BTC, trades(2)), lambda: open_reader(away)):
        with pytest.raises(StoreError, match=words) as failed:
            attempt()
        assert not isinstance(failed.value, StoreRefusedError)
        assert_no_secret(failed.value)
    assert (store.words, store.bar_mode, store.size_bytes(), store.enforce_limits()) == ("", "", 0, 0)


def test_a_host_that_does_not_exist_is_told() -> None:
    nowhere = StoreAddress(None, "no-such-host.invalid", 5432, "desk", "desk", password=SECRET)
    with pytest.raises(StoreError, match="no such host: check the name and the network") as failed:
        open_reader(nowhere)
    assert_no_secret(failed.value)


def test_a_server_that_never_answers_is_given_up_within_the_connect_timeout(silent: StoreAddress) -> None:
    begun = time.monotonic()
    with pytest.raises(StoreError, match="it does not answer: check the network") as failed:
        open_reader(silent)
    assert time.monotonic() - begun < 2 + 2
    assert_no_secret(failed.value)


def test_tls_that_is_asked_for_and_not_offered_is_refused(timescale_address: StoreAddress) -> None:
    with pytest.raises(StoreRefusedError, match=r"no secure connection .*check sslmode and certificates") as refused:
        open_store(with_options(timescale_address, sslmode="require"))
    assert_no_secret(refused.value, timescale_address.password or "")


def test_a_database_that_is_read_only_is_told_read_and_written_again_later(
    timescale_address: StoreAddress, opened: Opened
) -> None:
    ticks = trades(300)
    first = open_store(timescale_address)
    first.append_ticks(BTC, ticks[:200])
    first.close()
    database = timescale_address.database
    sql(timescale_address, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    store, reader = opened(timescale_address), open_reader(timescale_address)
    for attempt in (store.probe, lambda: store.append_ticks(BTC, ticks)):
        with pytest.raises(StoreError, match=r"is read-only now \(a standby, or set so\): make it writable") as failed:
            attempt()
        assert not isinstance(failed.value, StoreRefusedError)
    assert_bars_are_exact(reader, ticks[:200], BTC)
    reader.close()
    sql(timescale_address, "SET default_transaction_read_only = off", f"ALTER DATABASE {database} RESET ALL")
    store.probe()
    assert store.append_ticks(BTC, ticks) == 100


def test_a_server_that_turns_read_only_under_the_writer_is_told(server_address: StoreAddress, opened: Opened) -> None:
    store = opened(server_address)
    with pytest.raises(StoreError, match="is read-only now"), store._writing() as connection:
        connection.execute(sa.text("SET TRANSACTION READ ONLY"))
        store._count(connection, 1, 1, trades(1)[0])
    with store._reading() as connection:
        connection.execute(sa.text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
    with pytest.raises(StoreError, match="read-only now: make it writable"):
        store.probe()


RAISED = [
    ("53100", DiskLowError, "has no disk space left: make room there"),
    ("53200", StoreError, "is out of memory"),
    ("57014", StoreError, "took too long for one statement"),
    ("58030", StoreError, "cannot read or write its disk"),
    ("40001", ServerBusyError, "asks for another try"),
    ("55P03", ServerBusyError, "is busy: another program holds a lock"),
    ("42501", StoreRefusedError, "does not grant this user what is needed"),
    ("28000", StoreRefusedError, "does not grant this user what is needed"),
    ("0A000", StoreRefusedError, "lacks something this store needs"),
    ("22003", ValueError, "cannot hold a value: the server says so"),
    ("P0001", StoreError, r"reports: the server says so \(P0001\)"),
]


def test_what_the_server_raises_is_told_and_leaves_nothing_behind(server_address: StoreAddress, opened: Opened) -> None:
    store, ticks = opened(server_address), trades(300)
    store.append_ticks(BTC, ticks[:100])
    sql(
        server_address,
        "CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the server says so'"
        " USING ERRCODE = (SELECT value FROM meta WHERE key = 'trouble'), DETAIL = 'Failing row contains (s3cret)';"
        " END $$",
        # Behind the trades: they are in the same transaction.
        "CREATE TRIGGER trouble BEFORE UPDATE ON instruments FOR EACH ROW EXECUTE FUNCTION trouble()",
    )
    for code, kind, words in RAISED:
        noted = "INSERT INTO meta VALUES ('trouble', %s) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"
        sql(server_address, noted, values=(code,))
        with pytest.raises(kind, match=words) as failed:
            store.append_ticks(BTC, ticks)
        assert type(failed.value) is kind and "s3cret" not in str(failed.value)
    sql(server_address, "DROP TRIGGER trouble ON instruments")
    assert store.append_ticks(BTC, ticks) == 200
    assert_bars_are_exact(store, ticks, BTC)


def test_a_statement_that_takes_too_long_is_ended_by_the_server(timescale_address: StoreAddress) -> None:
    store = open_store(timescale_address, StoreLimits(answer_seconds=0.4))
    begun = time.monotonic()
    with pytest.raises(StoreError, match="took too long for one statement"), store._writing() as connection:
        connection.execute(sa.text("SELECT pg_sleep(20)"))
    assert time.monotonic() - begun < 2
    assert store._link.is_up and store.append_ticks(BTC, trades(5)) == 5
    with store._link.transaction(3.0) as connection:  # what is known to take longer may
        connection.execute(sa.text("SELECT pg_sleep(0.6)"))
    store.close()


MESSAGES = [
    ("SSL connection has been closed unexpectedly", StoreError, "the connection broke"),
    ("SSL SYSCALL error: EOF detected", StoreError, "the connection broke"),
    ("SSL SYSCALL error: Success", StoreError, "the connection broke"),
    ("SSL error: certificate verify failed", StoreRefusedError, "no secure connection"),
    ('connection to server at "x", port 1 failed: FATAL:  role "database" does not exist', StoreRefusedError, "let"),
    ('connection to server at "x", port 1 failed: FATAL:  database "a b" does not exist', StoreRefusedError, "no such"),
    ("connection to server failed: FATAL:  the database system is starting up", StoreError, "is starting up"),
    ("connection to server failed: FATAL:  sorry, too many clients already", StoreError, "no connection free"),
    ("server closed the connection unexpectedly\n\tThis probably means", StoreError, "the connection broke"),
    ("could not receive data from server: Connection timed out", StoreError, "it does not answer"),
    ("connection to server failed: No route to host", StoreError, "there is no way to it"),
    ("something that nobody has foreseen", StoreError, "cannot be used: something that nobody"),
    ("", StoreError, "no reason was given"),
]


@pytest.mark.parametrize(("message", "kind", "words"), MESSAGES)
def test_a_message_without_a_code_is_understood_by_its_marks(message: str, kind: type[Exception], words: str) -> None:
    address = StoreAddress(None, "desk.example", 5432, "trades", "anna", password=SECRET)
    error = worded(address, psycopg2.OperationalError(message))
    assert type(error) is kind and words in str(error) and "anna@desk.example:5432/trades" in str(error)


def test_a_secret_that_a_driver_quotes_is_left_out() -> None:
    options = (("sslpassword", "of-the-key"),)
    address = StoreAddress(None, "desk.example", 5432, "trades", "anna", options, password=SECRET)
    said = str(worded(address, psycopg2.OperationalError(f"cannot use {SECRET} nor of-the-key here")))
    assert "cannot use … nor … here" in said


def test_a_password_that_is_a_word_does_not_hide_what_the_server_says() -> None:
    address = StoreAddress(None, "desk.example", 5432, "trades", "anna", password="password")
    said = psycopg2.OperationalError('connection to server failed: FATAL: password authentication failed for "anna"')
    assert isinstance(worded(address, said), StoreRefusedError)


def test_what_sqlalchemy_itself_refuses_is_a_store_error_and_a_value_no_column_holds_a_value_error() -> None:
    address = StoreAddress(None, "desk.example", 5432, "trades", "anna")
    with pytest.raises(StoreError, match="cannot be used: QueuePool"), in_words(address):
        raise sa.exc.TimeoutError("QueuePool limit of size 2 reached")
    with pytest.raises(StoreError, match="the connection broke"), in_words(address):
        raise sa.exc.InvalidRequestError("This connection is closed")
    with pytest.raises(ValueError, match="cannot hold a value: date value out of range"), in_words(address):
        raise sa.exc.StatementError("(…)", "INSERT", {}, OverflowError("date value out of range"))
    with pytest.raises(KeyError), in_words(address):
        raise KeyError("a mistake of ours is not hidden")
