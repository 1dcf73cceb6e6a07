"""Fault matrix, rows 12 to 14: what REST cannot supply, will not supply, or supplies damaged."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from quantdesk.simulator.faults import Faults, RestFault
from quantdesk.simulator.lacking import Lack, LackingSource
from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.types import Gap, GapState
from tests.faults.harness import PAIR, QUICK, Market, check, held, market, session, until

#: REST reaches back this far (ms) here, instead of 48 h.
REACH = 3_000
SHORT = replace(QUICK, rest_reach_ms=REACH)


def ids_of(gaps: list[Gap], state: GapState) -> set[int]:
    """Return the ids that a ledger has given up as ``state``."""
    return {i for gap in gaps if gap.state is state for i in range(gap.first_id, gap.last_id + 1)}


def asked_from(at: Market, symbol: str, after: float) -> list[int]:
    """Return from which ids a symbol was asked for since a time."""
    assert at.server.rest is not None
    return [int(r.from_id) for r in at.server.rest.seen if r.symbol == symbol and r.from_id and r.at > after]


async def test_row_12_a_hole_beyond_the_reach_expires_and_is_not_asked_for_again(tmp_path: Path) -> None:
    async with market(60.0, proxied=True, faults=Faults(reach_ms=REACH)) as at:
        async with session(at.endpoints, tmp_path, limits=SHORT) as run:
            await run.flowing(20)
            at.ws.refuse()
            at.rest.refuse()
            await asyncio.sleep(5)
            await at.ws.start()
            await at.rest.start()
            back = at.now_ms()
            await run.flowing(20)
            await run.healed()
            healed = time.monotonic()
            await run.flowing(60)
            await run.end()
        found = {s: held(tmp_path, s) for s in PAIR}
        lost = {s: ids_of(found[s].gaps, GapState.EXPIRED) for s in PAIR}
        for symbol in PAIR:
            assert lost[symbol]
            assert not ids_of(found[symbol].gaps, GapState.OPEN) | ids_of(found[symbol].gaps, GapState.FILLING)
            made = at.generated(symbol)
            stamps = dict(zip(made.ids.tolist(), made.ts.tolist(), strict=True))
            assert max(stamps[i] for i in lost[symbol]) < back, "only what was too old has been given up"
        async with session(at.endpoints, tmp_path, limits=SHORT) as again:
            await again.flowing(20)
            await check(at, again, tmp_path, without=lost)
        for symbol in PAIR:
            assert not set(asked_from(at, symbol, healed)) & lost[symbol]


async def test_row_12_a_session_after_the_reach_says_what_is_lost(tmp_path: Path) -> None:
    async with market(60.0, faults=Faults(reach_ms=REACH)) as at:
        async with session(at.endpoints, tmp_path, limits=SHORT) as run:
            await run.flowing(20)
            await check(at, run, tmp_path)
        await asyncio.sleep(REACH / 1_000 + 1)
        async with session(at.endpoints, tmp_path, limits=SHORT) as run:
            await run.flowing(20)
            await run.healed()
            await run.end()
        lost = {s: ids_of(held(tmp_path, s).gaps, GapState.EXPIRED) for s in PAIR}
        assert all(lost.values())
        async with session(at.endpoints, tmp_path, limits=SHORT) as run:
            await run.flowing(20)
            await check(at, run, tmp_path, without=lost)


async def test_row_12_ids_missing_at_the_exchange_are_told_and_never_asked_for_again(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    lacks = [Lack(symbol, now + 2_500, now + 2_800) for symbol in PAIR]
    async with market(source=LackingSource(SyntheticSource(7, 60.0), lacks)) as at:
        async with session(at.endpoints, tmp_path) as run:
            await run.flowing()
            await until(lambda: all(leg.sequencer.gaps.missing_ids for leg in run.ingest.legs.values()))
            await run.healed()
            known = time.monotonic()
            found = await check(at, run, tmp_path)
        missing = {s: ids_of(found[s].gaps, GapState.MISSING) for s in PAIR}
        assert all(missing.values())
        for symbol in PAIR:
            assert sum(gap.calls for gap in found[symbol].gaps) <= 4
        async with session(at.endpoints, tmp_path) as run:
            await run.flowing(60)
            await check(at, run, tmp_path)
        for symbol in PAIR:
            assert not set(asked_from(at, symbol, known)) & missing[symbol]
            assert ids_of(held(tmp_path, symbol).gaps, GapState.MISSING) == missing[symbol]


async def test_row_13_a_ban_is_obeyed_to_the_second_and_the_stream_goes_on(tmp_path: Path) -> None:
    waits = {429: 2, 418: 3}
    async with market(60.0) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        await until(run.is_live)
        assert at.server.rest is not None
        seen = at.server.rest.seen
        at.faults = Faults(drop=0.3, rest_status=429, retry_after=waits[429], seed=1)
        await until(lambda: seen[-1].status == 429)
        at.faults = Faults(drop=0.3, rest_status=418, retry_after=waits[418], seed=1)
        count = run.ingest.tally.messages
        await until(lambda: seen[-1].status == 418)
        assert run.ingest.tally.messages > count + 50, "the stream goes on"
        await until(lambda: run.ingest.rest.banned_for > 0)
        at.faults = Faults()
        await run.healed()
        for earlier, later in zip(seen, list(seen)[1:], strict=False):
            assert later.at - earlier.at >= waits.get(earlier.status, 0), "a request inside the wait"
        assert run.heard.said("too many requests (429)")
        assert run.heard.said("banned this address for a while (418)")
        assert run.ingest.status.reconnects == 0
        await check(at, run, tmp_path)


#: What goes wrong, and what the user is told.
BROKEN = {
    "500": (Faults(rest_status=500), "the exchange has a fault (500)"),
    "503": (Faults(rest_status=503), "the exchange has a fault (503)"),
    "HTML 403": (Faults(rest_status=403), "refused by a firewall"),
    "time-out": (Faults(rest_fault=RestFault.TIMEOUT), "no answer"),
    "half a body": (Faults(rest_fault=RestFault.HALF), "history is not reachable"),
    "wrong JSON": (Faults(rest_fault=RestFault.WRONG), "the answer is not what was asked for"),
    "impossible numbers": (Faults(rest_fault=RestFault.NONSENSE), "a trade of the answer is damaged"),
}


async def _broken_rest(path: Path, faults: Faults, words: str) -> None:
    path.mkdir()  # noqa: ASYNC240  # a test may wait for the disk
    async with market(30.0) as at, session(at.endpoints, path) as run:
        await run.flowing()
        await until(run.is_live)
        asked = at.asked()
        begun = time.monotonic()
        at.faults = replace(faults, drop=0.3, seed=6)
        await until(lambda: at.asked() > asked + 1 and run.heard.said(words))
        assert at.asked() - asked <= 4 + 2 * (time.monotonic() - begun), "retried without a pause"
        at.faults = Faults()
        await run.healed()
        assert run.ingest.status.reconnects == 0
        await check(at, run, path)


async def test_row_14_broken_answers_are_retried_and_nothing_of_them_is_stored(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for name, (faults, words) in BROKEN.items():
            group.create_task(_broken_rest(tmp_path / name, faults, words), name=name)
