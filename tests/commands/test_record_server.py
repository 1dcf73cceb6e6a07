"""``quantdesk record`` as a real program on a database server: alone, standing by, taking over, locked out."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import programs
from tests.faults.databases import Database, database, lay_out
from tests.faults.harness import PAIR, market
from tests.servers import DatabaseServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the server for tests runs on Linux")


@pytest.fixture
def base(timescale: DatabaseServer, tmp_path: Path) -> Iterator[Database]:
    with database(timescale, tmp_path) as made:
        yield made


async def _ledger(base: Database, venue: str) -> dict[str, object]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "quantdesk", "ledger", "--json", "--venue", venue),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "QUANTDESK_DATABASE_URL": programs.secret_url(base.address)},
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out
    found: dict[str, object] = json.loads(out)
    return found


async def test_of_two_recorders_one_stands_by_and_takes_over_from_the_killed_one(
    base: Database, tmp_path: Path
) -> None:
    async with market(20.0) as at:
        began = at.now_ms()
        first = await programs.start(at.endpoints, tmp_path, database=base.address)
        await programs.live(first)
        await asyncio.sleep(1)
        # Both in one folder, as two programs of one person are: neither may spoil the other's spill.
        idle = await programs.start(at.endpoints, tmp_path, database=base.address)
        second = await programs.start(at.endpoints, tmp_path, database=base.address)
        named = rf"BTCUSDT, ETHUSDT recorded by .* \(process {first.pid}\)"
        for each in (idle, second):
            lines = await programs.said(each, "standing by")
            assert re.search(named + ": standing by$", lines[-1].strip())
        await asyncio.sleep(1)
        idle.send_signal(signal.SIGTERM)
        code, out, err = await programs.ended(idle)
        assert (code, err) == (0, "")
        assert "standing by" not in out
        for symbol in PAIR:
            assert re.search(rf"^{symbol}: 0 new ticks, \d+ stored, .* 0 ids in 0 holes remain$", out, re.M), out
            assert re.search(rf"^{symbol}: recorded by .*process {first.pid}\), this program stood by$", out, re.M)
        first.kill()
        killed = time.monotonic()
        lines = await programs.said(second, "taken over")
        seconds = time.monotonic() - killed
        print(f"taken over after {seconds:.1f} s")
        assert seconds < 15
        assert re.search(named.replace("recorded by", "taken over from") + ": recording$", lines[-1].strip())
        await first.communicate()
        await asyncio.sleep(1)
        through = at.now_ms()
        second.send_signal(signal.SIGTERM)
        code, out, err = await programs.ended(second)
        assert (code, err) == (0, ""), out
        assert "standing by" not in out
        for symbol in PAIR:
            new = re.search(rf"^{symbol}: (\d+) new ticks, (\d+) stored", out, re.M)
            assert new is not None
            assert 0 < int(new[1]) < int(new[2])
        await asyncio.to_thread(programs.assert_recorded, at, base.address, through, since=began + 10_000)
        ledger = await _ledger(base, programs.venue(at.endpoints))
        assert ledger["complete"] is True


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("password", r"does not take the password: give it in Data > Storage"),
        ("version", r"is of version 99, this program knows \d+: use a newer quantdesk; nothing was changed"),
        ("database", r"has no such database: create it there, or name another"),
    ],
)
async def test_a_server_that_will_not_have_us_is_one_line_and_code_1(
    base: Database, tmp_path: Path, fault: str, words: str
) -> None:
    address = base.address
    if fault == "password":
        address = address.with_password("quite-wrong")
    elif fault == "database":
        address = replace(address, database="nowhere")
    else:
        await asyncio.to_thread(lay_out, address)
        await base.sql("UPDATE quantdesk.meta SET value = '99' WHERE key = 'schema_version'")
    async with market(20.0) as at:
        process = await programs.start(at.endpoints, tmp_path, "--seconds", "20", database=address)
        code, out, err = await programs.ended(process)
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"quantdesk: .*{words}.*\n", err), err
    assert "quite-wrong" not in err


async def test_a_recorder_tells_when_its_server_goes_and_summarises_what_came_after(
    base: Database, tmp_path: Path
) -> None:
    async with market(20.0) as at, base.behind() as (between, address):
        began = at.now_ms()
        between.refuse()
        process = await programs.start(at.endpoints, tmp_path, database=address)
        lines = await programs.said(process, "store: the database server")
        assert "cannot be reached: nothing listens there" in lines[-1]
        await programs.live(process)
        await asyncio.sleep(1)
        await between.start()
        await asyncio.sleep(1)
        through = at.now_ms()
        process.send_signal(signal.SIGTERM)
        code, out, err = await programs.ended(process)
        assert code == 0, (out, err)
        assert all(line.startswith("cannot write: the database server") for line in err.splitlines()), err
        for symbol in PAIR:
            assert re.search(rf"^{symbol}: (\d+) new ticks, \1 stored, .* 0 ids in 0 holes remain$", out, re.M), out
        await asyncio.to_thread(programs.assert_recorded, at, base.address, through, since=began + 10_000)
