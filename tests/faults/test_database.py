"""Fault matrix, row 18, on a real server: absent, killed, stopped, cut off, slow, full, locked out, too new."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.store.base import StoreRefusedError
from quantdesk.types import Light
from tests.faults.databases import SOON, Database, database, lay_out, recovered, spilling, told, whole
from tests.faults.harness import PAIR, Session, check, market, session, until, writing
from tests.faults.proxy import Toxics
from tests.servers import DatabaseServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the server for tests runs on Linux")

#: A row of the staging table inside a COPY: the line is cut amid the second one.
A_ROW = rb"\d{13}\t\d+\t[^\n]*\n\d{13}\t\d+\t"


@pytest.fixture
def base(own_server: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr("quantdesk.ingest.opening.BLIND_AFTER", 0.5)
    monkeypatch.setattr("quantdesk.store.writer._SLOW_AFTER", 1.0)
    with database(own_server, tmp_path) as made:
        yield made


async def _catch_up(run: Session) -> float:
    begun = time.monotonic()
    await recovered(run)
    return time.monotonic() - begun


@pytest.mark.parametrize("known", [False, True], ids=["a new store", "a store with trades"])
async def test_a_server_absent_at_the_start_is_told_and_used_once_it_is_there(base: Database, known: bool) -> None:
    async with market(60.0) as at:
        if known:
            async with session(at.endpoints, base.address, store=SOON) as before:
                await before.flowing(30)
                await before.end()
        await base.kill()
        async with session(at.endpoints, base.address, store=SOON) as run:
            await told(run, "cannot be reached: nothing listens there")
            await run.flowing(30)  # what is on screen waits for no store
            await spilling(run)
            await base.restart()
            await recovered(run)
            await run.flowing()
            await whole(at, run, base.address)


async def test_a_server_killed_in_mid_write_loses_nothing(base: Database) -> None:
    async with market(120.0) as at, session(at.endpoints, base.address, store=SOON) as run:
        for _ in range(2):
            await run.flowing(50)
            await base.kill()
            await told(run, "cannot be reached")
            await spilling(run)
            assert run.writer.status.queued <= SOON.queue_rows
            await base.restart()
        seconds = await _catch_up(run)
        print(f"caught up {seconds:.1f} s after the last restart")
        assert seconds < 30
        await whole(at, run, base.address)


async def test_a_stopped_server_is_told_and_spilled_for(base: Database) -> None:
    address = replace(base.address, options=(("connect_timeout", "2"),))
    limits = replace(SOON, answer_seconds=1.2)
    async with market(60.0) as at, session(at.endpoints, address, store=limits) as run:
        await run.flowing(30)
        base.pause()
        await told(run, "the store is slow", Light.AMBER)
        await told(run, "does not answer")
        await spilling(run)
        base.resume()
        await recovered(run)
        await whole(at, run, base.address)


async def test_a_read_only_server_is_told_and_used_once_it_may_be_written(base: Database) -> None:
    async with market(60.0) as at, session(at.endpoints, base.address, store=SOON) as run:
        await run.flowing(20)
        name = base.address.database
        await base.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await base.cut()
        await told(run, "is read-only now")
        await spilling(run)
        await base.sql("SET default_transaction_read_only = off", f"ALTER DATABASE {name} RESET ALL")
        await recovered(run)
        await whole(at, run, base.address)


async def test_a_line_cut_inside_copy_leaves_no_half_batch(base: Database) -> None:
    async with (
        market(150.0) as at,
        base.behind() as (between, address),
        session(at.endpoints, address, store=SOON) as run,
    ):
        await run.flowing(20)
        for cut in range(1, 4):
            between.trap(A_ROW)
            await until(lambda cut=cut: not between.is_set and between.resets >= cut)
            await recovered(run)
            await run.flowing(20)
        await whole(at, run, base.address)


async def test_a_line_that_lets_nothing_through_is_given_up_and_made_anew(base: Database) -> None:
    limits = replace(SOON, answer_seconds=1.0)
    async with (
        market(60.0) as at,
        base.behind(connect_timeout="2") as (between, address),
        session(at.endpoints, address, store=limits) as run,
    ):
        await run.flowing(20)
        between.toxics = Toxics(black_hole=True)
        await told(run, "cannot be reached")
        await spilling(run)
        between.toxics = Toxics()
        await recovered(run)
        await whole(at, run, base.address)


async def test_a_slow_line_is_told_and_caught_up_with(base: Database) -> None:
    async with (
        market(60.0) as at,
        base.behind() as (between, address),
        session(at.endpoints, address, store=SOON) as run,
    ):
        await run.flowing(20)
        between.toxics = Toxics(latency=0.8)
        await told(run, "the store is slow", Light.AMBER)
        assert run.writer.status.queued <= SOON.queue_rows
        between.toxics = Toxics()
        await recovered(run)
        await whole(at, run, base.address)


async def test_a_password_changed_meanwhile_is_told_and_taken_once_it_is_right_again(base: Database) -> None:
    lay_out(base.address)
    role = f"r_{base.address.database}"
    rights = (
        f"CREATE ROLE {role} LOGIN PASSWORD 'one'",
        f"GRANT USAGE ON SCHEMA quantdesk TO {role}",
        f"GRANT TEMPORARY ON DATABASE {base.address.database} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA quantdesk TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA quantdesk TO {role}",
    )
    await base.sql(*rights)
    address = replace(base.address, user=role, password="one")
    try:
        async with market(60.0) as at, session(at.endpoints, address, store=SOON) as run:
            await run.flowing(20)
            await base.sql(f"ALTER ROLE {role} PASSWORD 'two'")
            await base.cut()
            await told(run, "does not take the password")
            assert "one" not in run.writer.status.text.replace("connection", "")
            await spilling(run)
            await base.sql(f"ALTER ROLE {role} PASSWORD 'one'")
            await recovered(run)
            await whole(at, run, base.address)
    finally:
        await base.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


async def test_a_full_disk_of_the_server_is_told_and_waited_for(base: Database) -> None:
    lay_out(base.address)
    full = (
        "CREATE FUNCTION quantdesk.full() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON quantdesk.ticks FOR EACH ROW EXECUTE FUNCTION quantdesk.full()",
    )
    async with market(60.0) as at, session(at.endpoints, base.address, store=SOON) as run:
        await run.flowing(20)
        await base.sql(*full)
        await told(run, "has no disk space left: make room there")
        await spilling(run)
        await base.sql("DROP TRIGGER full_disk ON quantdesk.ticks")
        await recovered(run)
        await whole(at, run, base.address)


async def test_a_newer_schema_is_told_and_left_alone(base: Database) -> None:
    lay_out(base.address)
    newer = "UPDATE quantdesk.meta SET value = '{}' WHERE key = 'schema_version'"
    (version,) = base.ask("SELECT value FROM quantdesk.meta WHERE key = 'schema_version'")[0]
    async with market(60.0) as at, session(at.endpoints, base.address, store=SOON) as run:
        await run.flowing(20)
        await base.sql(newer.format(99))
        await base.cut()
        await told(run, "is of version 99, this program knows")
        await spilling(run)
        held = base.ask("SELECT count(*), max(agg_id) FROM quantdesk.ticks")
        with pytest.raises(StoreRefusedError, match="use a newer quantdesk; nothing was changed"):
            writing(base.address, SOON).__enter__()
        await run.flowing(20)
        assert base.ask("SELECT count(*), max(agg_id) FROM quantdesk.ticks") == held
        await base.sql(newer.format(version))
        await recovered(run)
        await whole(at, run, base.address)


async def test_a_session_that_ends_without_its_server_leaves_all_to_the_next(base: Database) -> None:
    async with market(60.0) as at:
        async with session(at.endpoints, base.address, store=replace(SOON, first_retry=0.2)) as run:
            await run.flowing(20)
            await base.kill()
            await spilling(run)
            await run.flowing(20)
            assert await run.ingest.finish(5) == []
            assert not await asyncio.to_thread(run.writer.stop, 1.0)
            assert "trades wait in the spill file" in run.writer.status.text
            last = {symbol: max(run.heard.ids[symbol]) for symbol in PAIR}
        async with session(at.endpoints, base.address, store=SOON) as run:
            await run.flowing(5)  # though all answers wait behind what the first session has left
            await base.restart()
            await recovered(run)
            await run.flowing()
            await run.healed()
            found = await check(at, run, base.address)
            assert all(set(run.heard.ids[symbol]) <= set(found[symbol].ids) for symbol in PAIR)
            assert all(last[symbol] in found[symbol].ids for symbol in PAIR)
