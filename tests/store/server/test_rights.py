"""A role with the least rights is enough, and one with fewer is told so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention, Store, StoreRefusedError
from quantdesk.store.opening import open_reader, open_store, try_address
from quantdesk.store.server import link
from tests.store.kinds import all_bars, assert_bars_are_exact, gap, sql, told_by
from tests.store.samples import BTC, trades

Opened = Callable[[StoreAddress], Store]
DAY = 86_400_000
#: What the README tells an administrator to say; {0} is the database.
WRITER = (
    "CREATE EXTENSION IF NOT EXISTS timescaledb",
    "CREATE ROLE {1} LOGIN PASSWORD 'writes'",
    "CREATE SCHEMA quantdesk AUTHORIZATION {1}",
    "GRANT CONNECT, TEMPORARY ON DATABASE {0} TO {1}",
)
READER = (
    "CREATE ROLE {2} LOGIN PASSWORD 'reads'",
    "GRANT CONNECT ON DATABASE {0} TO {2}",
    "GRANT USAGE ON SCHEMA quantdesk TO {2}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {1} IN SCHEMA quantdesk GRANT SELECT ON TABLES TO {2}",
)
SECOND_WRITER = (
    "CREATE ROLE {3} LOGIN PASSWORD 'writes too' IN ROLE {1}",
    "ALTER ROLE {3} IN DATABASE {0} SET role = '{1}'",
)


class Roles:
    """Hold the roles of one database; nobody else may do anything there."""

    def __init__(self, admin: StoreAddress) -> None:
        self.admin = admin
        tail = admin.database[-12:]
        self.names = (admin.database, f"writer_{tail}", f"reader_{tail}", f"second_{tail}")
        self.writer, self.reader, self.second = (
            replace(admin, user=name, password=word)
            for name, word in zip(self.names[1:], ("writes", "reads", "writes too"), strict=True)
        )
        sql(admin, f"REVOKE ALL ON DATABASE {admin.database} FROM PUBLIC", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    def say(self, *statements: str) -> None:
        sql(self.admin, *(statement.format(*self.names) for statement in statements))


@pytest.fixture
def roles(timescale_address: StoreAddress) -> Iterator[Roles]:
    made = Roles(timescale_address)
    yield made
    for name in made.names[1:]:
        if sql(made.admin, f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            sql(made.admin, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


def test_the_rights_that_the_readme_names_are_enough(roles: Roles, opened: Opened) -> None:
    roles.say(*WRITER, *READER)
    store, ticks = opened(roles.writer), trades(600)
    old = [replace(t, agg_id=t.agg_id + 10_000, ts=t.ts - 9 * DAY) for t in trades(50)]
    store.append_ticks(BTC, ticks)
    store.append_ticks(BTC, old)
    store.save_gaps(BTC, [gap(ticks, 20, 22)])
    store.add_duplicates(BTC, 2)
    store.set_retention(Retention(keep_days=3))
    before = all_bars(store, BTC)
    assert store.enforce_limits() == 50
    assert store.facts().kind.startswith("TimescaleDB") and store.facts().sizes["ticks"] > 0
    reader = open_reader(roles.reader)
    assert all_bars(reader, BTC) == before
    assert reader.duplicates(BTC) == 2 and len(reader.load_gaps(BTC)) == 1
    assert try_address(roles.reader).rows == store.facts().rows
    reader.close()


def test_a_second_writer_acts_as_the_first(roles: Roles, opened: Opened) -> None:
    roles.say(*WRITER, *READER, *SECOND_WRITER)
    second, ticks = opened(roles.second), trades(100)  # even where it comes first
    second.append_ticks(BTC, ticks[:50])
    second.release(BTC)
    first = opened(roles.writer)
    first.append_ticks(BTC, ticks)
    assert_bars_are_exact(first, ticks, BTC)
    reader = open_reader(roles.reader)
    assert all_bars(reader, BTC) == told_by(ticks)
    reader.close()


def test_who_may_only_read_is_told_so_and_can_read(roles: Roles) -> None:
    roles.say(*WRITER, *READER)
    store = open_store(roles.writer)
    store.append_ticks(BTC, trades(50))
    store.close()
    with pytest.raises(StoreRefusedError, match=r"may only read the store .*: it is shown, nothing is kept"):
        open_store(roles.reader)
    reader = open_reader(roles.reader)
    assert_bars_are_exact(reader, trades(50), BTC)
    with (
        pytest.raises(StoreRefusedError, match="does not grant this user what is needed: see the README"),
        reader._reading() as connection,
    ):
        connection.execute(sa.text("DELETE FROM ticks"))
    assert reader.last_tick(BTC) is not None
    reader.close()


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("REVOKE TEMPORARY ON DATABASE {0} FROM {1}", "does not grant this user"),
        ("ALTER SCHEMA quantdesk OWNER TO CURRENT_USER", "does not grant this user"),
        ("DROP SCHEMA quantdesk", "does not grant this user"),
        ("REVOKE CONNECT ON DATABASE {0} FROM {1}", "does not grant this user"),
    ],
)
def test_each_right_of_the_writer_is_needed(roles: Roles, lacking: str, words: str) -> None:
    roles.say(*WRITER, lacking)
    with pytest.raises(StoreRefusedError, match=words) as refused:
        open_store(roles.writer)
    assert "'writes'" not in str(refused.value)


@pytest.mark.parametrize(
    "lacking", ["REVOKE USAGE ON SCHEMA quantdesk FROM {2}", "REVOKE SELECT ON quantdesk.ticks FROM {2}"]
)
def test_each_right_of_the_reader_is_needed(roles: Roles, lacking: str) -> None:
    roles.say(*WRITER, *READER)
    store = open_store(roles.writer)
    store.append_ticks(BTC, trades(5))
    store.close()
    roles.say(lacking)
    with pytest.raises(StoreRefusedError, match="does not grant this user what is needed"):
        list(open_reader(roles.reader).load_ticks(BTC))


def test_aggregates_are_made_and_refreshed_by_a_role_that_owns_the_schema_alone(
    aggregate_address: StoreAddress, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This server asks nobody for a name: the role is chosen as ALTER ROLE … SET role does it."""
    admin, writer = aggregate_address, "desk_writer"
    sql(admin, "CREATE EXTENSION IF NOT EXISTS timescaledb")
    if not sql(admin, f"SELECT 1 FROM pg_roles WHERE rolname = '{writer}'"):
        sql(admin, f"CREATE ROLE {writer}", "CREATE ROLE desk_reader")
    sql(admin, f"ALTER ROLE {writer} NOLOGIN")
    sql(admin, f"CREATE SCHEMA quantdesk AUTHORIZATION {writer}", "GRANT USAGE ON SCHEMA quantdesk TO desk_reader")
    sql(
        admin,
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {writer} IN SCHEMA quantdesk GRANT SELECT ON TABLES TO desk_reader",
    )
    with monkeypatch.context() as acting:
        acting.setitem(link._SESSION, "role", writer)
        with pytest.raises(StoreRefusedError, match="does not grant this user what is needed"):
            open_store(aggregate_address)  # the policies' jobs log in
    sql(admin, f"ALTER ROLE {writer} LOGIN")
    monkeypatch.setitem(link._SESSION, "role", writer)
    store, ticks = opened(aggregate_address), trades(300)
    store.append_ticks(BTC, [t for t in ticks if t.agg_id % 50])
    store.append_ticks(BTC, [t for t in ticks if not t.agg_id % 50])
    assert_bars_are_exact(store, ticks, BTC)
    assert (store.bar_mode, store.facts().trouble) == ("continuous aggregates", "")
    monkeypatch.setitem(link._SESSION, "role", "desk_reader")
    reader = open_reader(aggregate_address)
    assert_bars_are_exact(reader, ticks, BTC)
    assert reader.facts().sizes["bars"] > 0
    reader.close()
    with pytest.raises(StoreRefusedError, match="may only read"):
        open_store(aggregate_address)
    monkeypatch.undo()
    sql(admin, "ALTER SCHEMA quantdesk OWNER TO postgres")
