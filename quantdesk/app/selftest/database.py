"""Check the database that is configured: whether it answers, what it is and what this user may do there."""

from __future__ import annotations

import io
from contextlib import closing, redirect_stderr
from typing import TYPE_CHECKING

from quantdesk.app.selftest.findings import Finding, Ground, failed, ok, warning
from quantdesk.commands.shared import store_address
from quantdesk.config import ConfigError

if TYPE_CHECKING:
    from quantdesk.store.address import StoreAddress
    from quantdesk.store.base import StoreFacts

#: Whether a store is there, and whether this user may write it or make one.
_RIGHTS = (
    "SELECT to_regclass('quantdesk.ticks') IS NOT NULL, has_database_privilege(current_database(), 'CREATE')"
    " OR (SELECT bool_or(has_schema_privilege(oid, 'CREATE')) FROM pg_namespace WHERE nspname = 'quantdesk'),"
    " pg_is_in_recovery()"
)
_MAY_WRITE = "SELECT has_table_privilege('quantdesk.ticks', 'INSERT')"


def check_database(ground: Ground) -> Finding:
    """Look at the store that --database, QUANTDESK_DATABASE_URL or the settings name; change nothing in it."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            address = store_address(ground.args)
    except ConfigError as error:
        return failed(str(error))
    if said.getvalue():
        return warning(said.getvalue().strip().removeprefix("quantdesk: "))
    if address.is_server:
        return _server(address)
    return _file(address, is_default=address.path == ground.paths.store_file)


def _file(address: StoreAddress, *, is_default: bool) -> Finding:
    from quantdesk.app.store_work import look_at

    facts = look_at(address)
    words = _words_of(facts, address.words) if facts is not None else f"{address.words} is made at the first start"
    return warning(f"no server is configured, trades are kept in a file: {words}") if is_default else ok(words)


def _server(address: StoreAddress) -> Finding:
    from quantdesk.app.store_work import look_at

    facts = look_at(address)
    if facts is None:
        return failed(f"{address.words} does not say what it is")
    words, may_write = _words_of(facts, address.words), _rights(address)
    return ok(f"{words}; {may_write}") if may_write.startswith("may") else warning(f"{words}; {may_write}")


def _rights(address: StoreAddress) -> str:
    """Say what this user may do; it begins with "may" where that is enough to record."""
    import psycopg2

    from quantdesk.store.server.link import connect
    from quantdesk.store.server.words import worded

    try:
        with closing(connect(address)) as connection, connection.cursor() as cursor:
            cursor.execute(_RIGHTS)
            there, may_create, standby = cursor.fetchone()
            if there:
                cursor.execute(_MAY_WRITE)
                there, may_write = True, bool(cursor.fetchone()[0])
    except psycopg2.Error as error:
        raise worded(address, error) from None
    if standby:
        return "it is a standby that takes no writes: what is stored is shown, nothing is kept"
    if there:
        return "may write the store" if may_write else "this user may only read: it is shown, nothing is kept"
    return "may make the store" if may_create else "this user may not make the store there: see the README"


def _words_of(facts: StoreFacts, place: str) -> str:
    if not facts.bar_mode:
        return f"{place} answers: {facts.kind}, no store in it yet"
    trades = facts.rows.get("ticks", 0)
    notes = "".join(f"; {note}" for note in (*facts.notes, *facts.jobs))
    return f"{place} answers: {facts.kind}, {trades:,} trades, bars as {facts.bar_mode}{notes}"
