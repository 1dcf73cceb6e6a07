"""Give tests real database servers: TimescaleDB on PostgreSQL, and one with continuous aggregates."""

from __future__ import annotations

import importlib.util
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg2
import pytest

from quantdesk.store.address import StoreAddress, file_address, parse_address
from quantdesk.store.server.link import connect

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("sqlite", "timescale", "aggregates")
SERVERS = KINDS[1:]


def tool(name: str) -> ModuleType:
    """Load one of the project's own scripts that run servers."""
    known = f"quantdesk_ci_{name}"
    if known in sys.modules:
        return sys.modules[known]
    folder = str(ROOT / ".ci")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(known, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[known] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class DatabaseServer:
    """Hold a server that a test may use; ``fresh`` makes an empty database."""

    url: str
    shared: bool  #: one database for everything: it is emptied instead
    process: Any = None  #: what the script that started it knows of it

    def fresh(self, folder: Path) -> StoreAddress:
        """Return the address of an empty database."""
        address = parse_address(self.url, folder)
        if self.shared:
            _run(address, "DROP SCHEMA IF EXISTS quantdesk CASCADE")
            return address
        name = f"quantdesk_test_{uuid.uuid4().hex[:12]}"
        _run(address, f"CREATE DATABASE {name}")
        start, _, end = self.url.rpartition("/")
        query = f"?{end.partition('?')[2]}" if "?" in end else ""
        return parse_address(f"{start}/{name}{query}", folder)

    def drop(self, address: StoreAddress) -> None:
        """Remove a database that ``fresh`` made."""
        if not self.shared:
            with suppress(psycopg2.Error):
                _run(parse_address(self.url, Path()), f"DROP DATABASE IF EXISTS {address.database} WITH (FORCE)")


def _run(address: StoreAddress, statement: str) -> None:
    connection = connect(address)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _absent(words: str) -> None:
    """Skip with a word; where the gate has promised the servers, their absence is a failure."""
    if os.environ.get("QUANTDESK_SERVERS_REQUIRED"):
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="session")
def timescale() -> Iterator[DatabaseServer]:
    """Run TimescaleDB on PostgreSQL 17 for this session, or use the server that the environment names."""
    given = os.environ.get("QUANTDESK_TEST_DATABASE_URL")
    if given:
        yield DatabaseServer(given, shared=False)
        return
    yield from _timescale()


@pytest.fixture(scope="module")
def own_server() -> Iterator[DatabaseServer]:
    """Run TimescaleDB on PostgreSQL 17 for one module, which may kill and stop it."""
    yield from _timescale()


def _timescale() -> Iterator[DatabaseServer]:
    script = tool("timescale_server")
    try:
        server = script.start()
    except script.ServerError as error:
        _absent(f"no TimescaleDB: {error}")
        return
    yield DatabaseServer(server.url, shared=False, process=server)
    script.stop(server, "immediate")


@pytest.fixture(scope="session")
def aggregates() -> Iterator[DatabaseServer]:
    """Run a server with continuous aggregates for this session."""
    script = tool("pglite_server")
    try:
        server = script.start()
    except script.ServerError as error:
        _absent(f"no continuous aggregates: {error}")
        return
    yield DatabaseServer(server.url, shared=True, process=server)
    script.stop(server)


@pytest.fixture(params=KINDS)
def store_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Name an empty store of each kind in turn."""
    yield from _named(request, request.param, tmp_path)


@pytest.fixture(params=SERVERS)
def server_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Name an empty store on each kind of server in turn."""
    yield from _named(request, request.param, tmp_path)


@pytest.fixture
def timescale_address(timescale: DatabaseServer, tmp_path: Path) -> Iterator[StoreAddress]:
    """Name an empty store on PostgreSQL with TimescaleDB."""
    address = timescale.fresh(tmp_path)
    yield address
    timescale.drop(address)


@pytest.fixture
def aggregate_address(aggregates: DatabaseServer, tmp_path: Path) -> StoreAddress:
    """Name an empty store that keeps its bars as continuous aggregates."""
    return aggregates.fresh(tmp_path)


@pytest.fixture
def new_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], StoreAddress]]:
    """Return what names an empty store of a kind; several at once, but one of "aggregates" only."""
    made: list[tuple[DatabaseServer, StoreAddress]] = []

    def make(kind: str) -> StoreAddress:
        if kind == "sqlite":
            return file_address(tmp_path / f"store {len(made)}-{uuid.uuid4().hex[:6]}.sqlite")
        server: DatabaseServer = request.getfixturevalue(kind)
        made.append((server, server.fresh(tmp_path)))
        return made[-1][1]

    yield make
    for server, address in made:
        server.drop(address)


def _named(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[StoreAddress]:
    if kind == "sqlite":
        yield file_address(folder / "store.sqlite")
        return
    server: DatabaseServer = request.getfixturevalue(kind)
    address = server.fresh(folder)
    yield address
    server.drop(address)
