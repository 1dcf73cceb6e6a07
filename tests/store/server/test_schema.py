"""The schema on a server is made once, migrated whole or not at all, and never mistaken for another's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store, StoreRefusedError
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.schema import SCHEMA_VERSION
from quantdesk.store.server import schema
from quantdesk.store.server.link import Link
from quantdesk.store.server.probe import Ability, look
from tests.store.kinds import assert_bars_are_exact, held_ids, own, sql
from tests.store.samples import BTC, trades

Opened = Callable[[StoreAddress], Store]
_CATALOG = (
    "SELECT c.relname::text, c.relkind::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " pg_get_expr(d.adbin, d.adrelid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " WHERE n.nspname = 'quantdesk' ORDER BY 1, 3"
)


def everything(address: StoreAddress) -> list[Any]:
    """Return what there is of a store: its relations with their columns, and what it noted of itself."""
    return [*sql(address, _CATALOG), *sql(address, "SELECT key, value FROM quantdesk.meta ORDER BY key")]


def make_first_version(address: StoreAddress) -> None:
    """Make a store as the first version left it."""
    store = open_store(address)
    store.append_ticks(BTC, trades(50))
    store.close()
    sql(
        address,
        "ALTER TABLE instruments DROP COLUMN duplicates",
        "DROP TABLE alerts",
        "UPDATE meta SET value = '1' WHERE key = 'schema_version'",
    )


def test_there_is_a_step_to_every_version() -> None:
    assert len(schema.STEPS) == SCHEMA_VERSION - 1


def test_an_older_program_stays_out_of_a_newer_store_and_changes_nothing(form: StoreAddress) -> None:
    open_store(form).close()
    sql(form, "UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    before = everything(form)
    for attempt in (open_store, open_reader):
        with pytest.raises(StoreRefusedError, match=f"version 99, this program knows {SCHEMA_VERSION}: use a newer"):
            attempt(form)
    assert everything(form) == before


def test_a_migrated_store_equals_a_new_one_and_keeps_its_rows(form: StoreAddress, opened: Opened) -> None:
    open_store(form).close()
    new = everything(form)
    make_first_version(form)
    store = opened(form)
    assert store.find("BTCUSDT")[0].ticks == 50
    assert store.append_ticks(BTC, trades(60)) == 10
    store.add_duplicates(BTC, 50)
    assert store.duplicates(BTC) == 50
    assert_bars_are_exact(store, trades(60), BTC)
    assert everything(form) == new


def test_a_reader_does_not_touch_an_older_store(server_address: StoreAddress) -> None:
    make_first_version(server_address)
    before = everything(server_address)
    reader = open_reader(server_address)
    assert (reader.find("BTCUSDT")[0].ticks, reader.duplicates(BTC)) == (50, 0)
    assert_bars_are_exact(reader, trades(50), BTC)
    reader.close()
    assert everything(server_address) == before


def test_a_migration_that_fails_leaves_the_old_store(
    server_address: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_first_version(server_address)
    before = everything(server_address)

    def fail(connection: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, fail))
    with pytest.raises(RuntimeError):
        open_store(server_address)
    assert everything(server_address) == before
    monkeypatch.undo()
    open_store(server_address).close()
    assert everything(server_address) != before


def test_programs_that_make_the_schema_at_once_end_with_one(server_address: StoreAddress) -> None:
    def begin(number: int) -> int:
        store = open_store(server_address)
        try:
            return store.append_ticks(replace(own(), symbol=f"S{number}"), trades(20))
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(begin, range(4))) == [20] * 4
    assert sql(server_address, "SELECT count(*) FROM meta WHERE key = 'schema_version'") == [(1,)]
    assert sql(server_address, "SELECT count(DISTINCT id), sum(ticks) FROM instruments") == [(4, 80)]


FOREIGN = (
    ("CREATE TABLE quantdesk.ticks (mine text)",),
    ("CREATE TABLE quantdesk.meta (mine text)", "INSERT INTO quantdesk.meta VALUES ('x')"),
    ("CREATE TABLE quantdesk.meta (key text, value text)", "INSERT INTO quantdesk.meta VALUES ('version', '7')"),
    ("CREATE TABLE quantdesk.meta (key text, value text)", "INSERT INTO quantdesk.meta VALUES ('schema_version', 'b')"),
)


@pytest.mark.parametrize("made", FOREIGN)
def test_a_schema_of_our_name_that_is_anothers_is_left_alone(
    timescale_address: StoreAddress, made: tuple[str, ...]
) -> None:
    sql(timescale_address, "CREATE SCHEMA quantdesk", *made)
    before = sql(timescale_address, _CATALOG)
    for attempt in (open_store, open_reader):
        with pytest.raises(StoreRefusedError, match="is not a quantdesk store: name another database"):
            attempt(timescale_address)
    assert sql(timescale_address, _CATALOG) == before


def test_an_empty_schema_that_an_administrator_made_is_used(timescale_address: StoreAddress) -> None:
    sql(timescale_address, "CREATE SCHEMA quantdesk")
    open_store(timescale_address).close()
    assert ("ticks",) in sql(timescale_address, "SELECT DISTINCT relname::text FROM pg_class WHERE relname = 'ticks'")


def test_the_form_is_probed_at_every_reconnect(form: StoreAddress, opened: Opened) -> None:
    store, reader = opened(form), open_reader(form)
    ticks = trades(200)
    store.append_ticks(BTC, ticks[:100])
    sql(form, "UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    store.append_ticks(BTC, ticks[:120])  # the connection is the old one
    store._link.cut()
    with pytest.raises(Exception, match="cannot be reached: the connection broke"):
        store.append_ticks(BTC, ticks)
    with pytest.raises(StoreRefusedError, match="version 99"):
        store.append_ticks(BTC, ticks)
    reader._lines.close()  # as if its idle connections had been closed by the server
    with pytest.raises(StoreRefusedError, match="version 99"):
        reader.last_tick(BTC)
    sql(form, f"UPDATE meta SET value = '{SCHEMA_VERSION}' WHERE key = 'schema_version'")
    assert store.append_ticks(BTC, ticks) == 80
    assert_bars_are_exact(store, ticks, BTC)
    assert held_ids(reader, BTC) == [t.agg_id for t in ticks]
    reader.close()


def test_a_store_that_was_made_anew_behind_a_broken_line_is_learnt_anew(
    server_address: StoreAddress, opened: Opened
) -> None:
    store, ticks = opened(server_address), trades(100)
    store.append_ticks(own(), ticks)
    store.append_ticks(BTC, ticks)  # not the first one: its number will be another
    tables = [f"quantdesk.{name}" for name in ("ticks", "instruments", "leases")]
    sql(
        server_address,
        *(f"DELETE FROM {name}" for name in tables),
        "ALTER SEQUENCE quantdesk.instruments_id_seq RESTART 70",
    )
    store._link.drop()
    assert store.append_ticks(BTC, ticks) == 100
    assert store.find("BTCUSDT")[0].id == 70


def test_aggregates_that_became_tables_behind_a_broken_line_are_served_as_tables(
    aggregate_address: StoreAddress, opened: Opened
) -> None:
    store, ticks = opened(aggregate_address), trades(300)
    store.append_ticks(BTC, ticks)
    sql(aggregate_address, "DROP SCHEMA quantdesk CASCADE")

    def make(connection: Any) -> None:
        ability = replace(look(connection), license="", timescale="", offered="")
        schema._create(connection, ability)

    link = Link(aggregate_address, lambda _: None)
    with link.transaction() as connection:
        make(connection)
    link.close()
    store._link.drop()
    assert store.append_ticks(BTC, ticks) == 300
    assert store.bar_mode == "tables"
    assert (store.facts().trouble, store.facts().refresh_lag) == ("", None)  # nobody refreshes what is not there
    assert_bars_are_exact(store, ticks, BTC)


@pytest.mark.parametrize(
    ("edition", "version", "can"),
    [
        ("timescale", "2.23.0-dev", True),
        ("timescale", "2.13", True),
        ("timescale", "2.9.3", False),
        ("timescale", "10.1", True),
        ("timescale", "", False),
        ("apache", "2.23.0", False),
    ],
)
def test_aggregates_need_the_community_edition_of_a_version_that_has_them(
    edition: str, version: str, can: bool
) -> None:
    assert Ability("17.5", 170_005, version, edition, "", False).can_aggregate is can
