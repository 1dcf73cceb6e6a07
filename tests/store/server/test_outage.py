"""A server that is killed, stopped, restarted or cut off frees its callers soon and is used again afterwards."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store, StoreError, StoreRefusedError
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.server.reader import PooledReader
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Light
from tests.servers import DatabaseServer, tool
from tests.store.kinds import all_bars, assert_bars_are_exact, held_ids, sql, told_by
from tests.store.samples import BTC, trades

Opened = Callable[[StoreAddress], Store]
TICKS = trades(400)
#: So long (s) a store of these tests waits for an answer; it cuts the line after twice as long.
PATIENCE = 0.5


@pytest.fixture(scope="module")
def own_server(timescale: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Run a server, with TLS, that a test may stop and kill."""
    script = tool("timescale_server")
    server = script.start()
    made = tmp_path_factory.mktemp("tls")
    _make_certificates(made)
    for name in ("server.crt", "server.key"):
        target = server.data / name
        target.write_bytes((made / name).read_bytes())
        target.chmod(0o600)
        os.chown(target, script.OWNER, script.OWNER)
    with (server.data / "postgresql.conf").open("a") as file:
        file.write("ssl = on\n")
    script.restart(server)
    server.certificates = made
    yield server
    script.stop(server, "immediate")


def _make_certificates(folder: Path) -> None:
    """Make an authority, a server's certificate for localhost by it, and another authority."""
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    for name in ("root", "other"):
        keys = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", "-subj", f"/CN={name}"]
        subprocess.run([*new, *keys], check=True, capture_output=True)
    signed = ["-CA", folder / "root.crt", "-CAkey", folder / "root.key", "-addext", "subjectAltName=DNS:localhost"]
    keys = ["-keyout", folder / "server.key", "-out", folder / "server.crt", "-subj", "/CN=localhost"]
    subprocess.run([*new, *signed, *keys], check=True, capture_output=True)


@pytest.fixture
def address(own_server: Any, tmp_path: Path) -> Iterator[StoreAddress]:
    """Name an empty store on that server."""
    server = DatabaseServer(own_server.url, shared=False, process=own_server)
    made = server.fresh(tmp_path)
    yield replace(made, options=(("connect_timeout", "2"), ("sslmode", "disable")))
    server.drop(made)


@pytest.fixture
def paused(own_server: Any) -> Iterator[Callable[[], None]]:
    """Return what stops the server in the middle of whatever it does; it goes on at the end."""
    script = tool("timescale_server")
    yield lambda: script.pause(own_server)
    script.resume(own_server)


def impatient(address: StoreAddress) -> Store:
    return open_store(address, StoreLimits(answer_seconds=PATIENCE))


def test_a_killed_session_is_told_and_made_anew(address: StoreAddress, opened: Opened) -> None:
    store, reader = opened(address), open_reader(address)
    store.append_ticks(BTC, TICKS[:100])
    assert reader.last_tick(BTC) is not None
    kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    sql(address, f"{kill} AND application_name = 'quantdesk' AND datname = current_database()")
    assert held_ids(reader, BTC) == [t.agg_id for t in TICKS[:100]]  # a reader does not even notice
    with pytest.raises(StoreError, match=r"is being shut down|the connection broke"):
        store.append_ticks(BTC, TICKS[:200])
    assert store.append_ticks(BTC, TICKS) == 300
    assert_bars_are_exact(store, TICKS, BTC)
    reader.close()


def test_a_session_killed_inside_copy_leaves_nothing_of_its_batch(address: StoreAddress, opened: Opened) -> None:
    store = opened(address)
    store.append_ticks(BTC, TICKS[:100])
    sql(
        address,
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pg_backend_pid()) WHERE NEW.agg_id = 150; RETURN NEW; END $$",
        "CREATE TRIGGER die BEFORE INSERT ON ticks FOR EACH ROW EXECUTE FUNCTION die()",
    )
    with pytest.raises(StoreError, match=r"is being shut down|the connection broke"):
        store.append_ticks(BTC, TICKS)
    sql(address, "DROP TRIGGER die ON ticks")
    assert held_ids(store, BTC) == [t.agg_id for t in TICKS[:100]]
    assert store.append_ticks(BTC, TICKS) == 300
    assert_bars_are_exact(store, TICKS, BTC)


def test_a_stopped_server_frees_the_writer_and_is_used_again(
    address: StoreAddress, own_server: Any, paused: Callable[[], None]
) -> None:
    store = impatient(address)
    store.append_ticks(BTC, TICKS[:100])
    paused()
    begun = time.monotonic()
    with pytest.raises(StoreError, match="cannot be reached: the connection broke"):
        store.append_ticks(BTC, TICKS)
    assert time.monotonic() - begun < 2 * PATIENCE + 1
    with pytest.raises(StoreError, match="it does not answer"):
        store.append_ticks(BTC, TICKS)
    tool("timescale_server").resume(own_server)
    assert store.append_ticks(BTC, TICKS) == 300
    assert_bars_are_exact(store, TICKS, BTC)
    store.close()


def test_a_stopped_server_frees_a_reader_and_is_used_again(
    address: StoreAddress, own_server: Any, paused: Callable[[], None]
) -> None:
    store, reader = open_store(address), PooledReader(address, PATIENCE)
    store.append_ticks(BTC, TICKS)
    store.close()
    assert all_bars(reader, BTC) == told_by(TICKS)
    paused()
    begun = time.monotonic()
    with pytest.raises(StoreError, match=r"it does not answer|the connection broke"):
        reader.last_tick(BTC)  # its idle connection is looked at first, then a new one is tried
    assert time.monotonic() - begun < 2 * PATIENCE + 2 * 2 + 1
    tool("timescale_server").resume(own_server)
    assert all_bars(reader, BTC) == told_by(TICKS)
    reader.close()


def test_a_server_that_stops_within_a_readers_question_frees_it(
    address: StoreAddress, own_server: Any, paused: Callable[[], None]
) -> None:
    open_store(address).close()
    reader = PooledReader(address, PATIENCE)
    threading.Timer(0.2, paused).start()
    begun = time.monotonic()
    with pytest.raises(StoreError, match="the connection broke"), reader._reading() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(sa.text("SELECT pg_sleep(60)"))
    assert time.monotonic() - begun < 2 * PATIENCE + 1
    reader.close()


def test_a_store_is_closed_soon_though_its_server_has_stopped(
    address: StoreAddress, own_server: Any, paused: Callable[[], None]
) -> None:
    store = impatient(address)
    store.append_ticks(BTC, TICKS)
    paused()
    begun = time.monotonic()
    store.close()
    assert time.monotonic() - begun < 2 * PATIENCE + 2


def test_a_killed_server_is_told_and_used_again_after_its_recovery(
    address: StoreAddress, own_server: Any, opened: Opened
) -> None:
    script, store = tool("timescale_server"), opened(address)
    store.append_ticks(BTC, TICKS[:100])
    script.kill(own_server)
    try:
        with pytest.raises(StoreError, match="the connection broke"):
            store.append_ticks(BTC, TICKS)
        with pytest.raises(StoreError, match="nothing listens there"):
            store.append_ticks(BTC, TICKS)
    finally:
        script.restart(own_server)
    assert store.append_ticks(BTC, TICKS) == 300
    assert_bars_are_exact(store, TICKS, BTC)
    assert sql(address, "SELECT count(*) FROM ticks") == [(400,)]


def test_the_writers_thread_rides_out_a_stop_and_loses_nothing(
    address: StoreAddress, own_server: Any, paused: Callable[[], None]
) -> None:
    limits = StoreLimits(answer_seconds=PATIENCE, spill_after=0.2)
    writer = StoreWriter(lambda: open_store(address, limits), limits)
    writer.start()
    writer.put_ticks(BTC, TICKS[:100])
    assert writer.flush(20)
    paused()
    for start in range(100, 400, 20):
        assert writer.put_ticks(BTC, TICKS[start : start + 20])
    end = time.monotonic() + 20
    while writer.status.light is not Light.RED:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert "cannot be reached" in writer.status.text
    tool("timescale_server").resume(own_server)
    assert writer.flush(30)
    assert writer.status.light is Light.GREEN
    assert writer.stop()
    reader = open_reader(address)
    assert_bars_are_exact(reader, TICKS, BTC)
    reader.close()


def secured(address: StoreAddress, own_server: Any, root: str, mode: str = "verify-full") -> StoreAddress:
    path = str(own_server.certificates / root)
    options = (("connect_timeout", "2"), ("sslmode", mode), ("sslrootcert", path))
    return replace(address, host="localhost", options=options)


def test_the_tls_parameters_of_the_url_are_respected(address: StoreAddress, own_server: Any, opened: Opened) -> None:
    store = opened(secured(address, own_server, "root.crt"))
    assert store.append_ticks(BTC, TICKS) == 400
    with store._reading() as connection:
        encrypted = connection.execute(sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
        assert encrypted.scalar() is True
    with pytest.raises(StoreRefusedError, match=r"no secure connection .*certificate verify failed"):
        open_store(secured(address, own_server, "other.crt"))
    with pytest.raises(StoreRefusedError, match=r"no secure connection .*does not match host name"):
        open_reader(replace(secured(address, own_server, "root.crt"), host="127.0.0.1"))
    with pytest.raises(StoreRefusedError, match=r"no secure connection .*absent.crt"):
        open_store(secured(address, own_server, "absent.crt"))


def test_a_line_that_breaks_under_tls_is_no_matter_of_certificates(
    address: StoreAddress, own_server: Any, opened: Opened
) -> None:
    store = opened(secured(address, own_server, "root.crt"))
    store.append_ticks(BTC, TICKS[:100])
    store._link.cut()
    with pytest.raises(StoreError, match="the connection broke") as failed:
        store.append_ticks(BTC, TICKS)
    assert not isinstance(failed.value, StoreRefusedError)
    assert store.append_ticks(BTC, TICKS) == 300
