"""Hold a database that a test spoils: kill, stop and mend its server, lie between it and the writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention
from quantdesk.store.ledger_report import Account, account_of
from quantdesk.store.opening import open_reader
from quantdesk.store.server.link import connect
from quantdesk.types import Instrument, Light
from tests.faults.harness import VENUE, Market, Session, check, until
from tests.faults.proxy import Proxy
from tests.servers import DatabaseServer, tool

#: Times a tenth of the real ones, queues that fill within a test.
SOON = StoreLimits(
    lease_seconds=2.0,
    answer_seconds=5.0,
    spill_after=0.3,
    spill_rows=300,
    queue_rows=5_000,
    last_retry=0.5,
)


@dataclass
class Database:
    """Hold one database of a server of our own."""

    server: DatabaseServer
    address: StoreAddress

    def _script(self, word: str) -> None:
        getattr(tool("timescale_server"), word)(self.server.process)

    async def kill(self) -> None:
        """End the server at once (-9)."""
        await asyncio.to_thread(self._script, "kill")

    async def restart(self) -> None:
        """Start it again on the same data; it has to recover first."""
        await asyncio.to_thread(self._script, "restart")

    def pause(self) -> None:
        """Let nothing of it run (SIGSTOP)."""
        self._script("pause")

    def resume(self) -> None:
        """Let it go on."""
        self._script("resume")

    def is_alive(self) -> bool:
        """Tell whether the server runs."""
        return self.server.process.process.poll() is None

    def ask(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the server's owner; return the rows of the last one."""
        connection = connect(self.address)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    async def sql(self, *statements: str) -> None:
        """Run statements as the server's owner, beside the loop."""
        await asyncio.to_thread(self.ask, *statements)

    async def cut(self) -> None:
        """End every other session of this database."""
        await self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'quantdesk'"
        )

    @asynccontextmanager
    async def behind(self, **options: str) -> AsyncIterator[tuple[Proxy, StoreAddress]]:
        """Lie between; yield what does so and the address to use."""
        proxy = Proxy(f"tcp://{self.address.host}:{self.address.port}")
        await proxy.start()
        port = urlsplit(proxy.url).port
        assert port is not None
        try:
            yield proxy, replace(self.address, port=port, options=tuple(options.items()))
        finally:
            await proxy.stop()


@contextmanager
def database(server: DatabaseServer, folder: Path) -> Iterator[Database]:
    """Make a database for one test; leave the server running and as it was."""
    made = Database(server, server.fresh(folder))
    try:
        yield made
    finally:
        made.resume()
        if not made.is_alive():
            made._script("restart")
        server.drop(made.address)


def lay_out(address: StoreAddress) -> None:
    """Make the schema, as a first start does: what spoils a table needs one."""
    from quantdesk.store.server.store import open_server

    store = open_server(address)
    store.set_retention(Retention())
    store.close()


async def told(run: Session, words: str, light: Light = Light.RED) -> None:
    """Wait until the store's status says this in a colour."""
    await until(lambda: words in run.writer.status.text and run.writer.status.light is light)


async def spilling(run: Session) -> None:
    """Wait until trades are in the spill file."""
    await until(lambda: run.writer.status.spilled)


async def recovered(run: Session, seconds: float = 40.0) -> None:
    """Wait until the store takes rows again and has taken all that waited."""
    await until(lambda: run.writer.status.light is Light.GREEN and not run.writer.status.spilled, seconds)


def accounts(address: StoreAddress, symbols: tuple[str, ...], venue: str = VENUE) -> list[Account]:
    """Return what the ledger says, through a reader of another program's."""
    reader = open_reader(address)
    try:
        return [account_of(reader, Instrument(venue, symbol)) for symbol in symbols]
    finally:
        reader.close()


async def whole(at: Market, run: Session, address: StoreAddress) -> None:
    """End the session; hold store, bars, screen and ledger against what was generated."""
    await run.healed()
    await check(at, run, address)
    for account in await asyncio.to_thread(accounts, address, run.symbols):
        assert account.complete, account
        assert account.bars.matching + account.bars.count_only == account.bars.checked
