"""A feed on a store that others write as well: it may not answer yet, be taken over, or be given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from quantdesk.config import Endpoints
from quantdesk.ingest.live import Ingest
from quantdesk.simulator.server import SimulatorServer
from quantdesk.store.base import Store, StoreError
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Gap, Instrument, Tick
from tests.ingest.conftest import QUICK, Heard, feeding, stored_ids, until

BTC = Instrument("simulator", "BTCUSDT")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.ingest.opening.BLIND_AFTER", 0.3)


@pytest.mark.parametrize("answer", ["an error", "nothing"])
async def test_a_store_that_does_not_answer_holds_no_trade_back(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    ask, deaf = writer.call, [True]

    def call(act: Callable[[Store], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        if not deaf[0]:
            return ask(act)
        if answer == "an error":
            future.set_exception(StoreError("the server is away"))
        return future

    monkeypatch.setattr(writer, "call", call)
    heard = Heard()
    async with feeding(endpoints, writer, heard, ["BTCUSDT"]) as ingest:
        await until(lambda: len(heard.ticks.get("BTCUSDT", ())) > 20)
        deaf[0] = False
        assert await ingest.finish(20) == []
    assert heard.is_whole("BTCUSDT")


async def test_what_the_screen_has_already_is_not_told_again_while_the_store_does_not_answer(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(_: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(StoreError("the server is away"))
        return future

    now = exchange.exchange.now_ms()
    past = exchange.exchange.generated("BTCUSDT")
    shown = past[past.event <= now - 5_000]
    last = int(shown.ids[-1]), int(shown.ts[-1])
    monkeypatch.setattr(writer, "call", call)
    heard = Heard()
    ingest = Ingest(endpoints, QUICK, writer, heard, ["BTCUSDT"], history=False, carry_on={"BTCUSDT": last})
    task = asyncio.create_task(ingest.run())
    try:
        await until(lambda: heard.is_whole("BTCUSDT") and len(heard.ticks["BTCUSDT"]) > 50)
        assert min(heard.ticks["BTCUSDT"]) == last[0] + 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_ledger_is_taken_over_once_the_symbol_is_open(writer: StoreWriter, endpoints: Endpoints) -> None:
    def tick(ident: int) -> Tick:
        return Tick("BTCUSDT", ident, 1.0, 1.0, 1_700_000_000_000 + ident, False)

    def keep(store: Store) -> None:
        store.append_ticks(BTC, [tick(i) for i in (1, 2, 6)])
        store.save_gaps(BTC, [Gap("BTCUSDT", 3, 4, 1_700_000_000_002, 1_700_000_000_006, 1_700_000_000_006)])

    writer.call(keep).result(10)
    heard = Heard()
    ingest = Ingest(endpoints, QUICK, writer, heard, ["BTCUSDT"], history=False)
    leg = ingest.legs["BTCUSDT"]
    adopting = asyncio.create_task(ingest.opening.adopt(leg))
    leg.on_tick(tick(6))
    await asyncio.sleep(0.2)
    assert not adopting.done(), "the first trade has come, but nothing is known of the symbol yet"
    leg.open(BTC, (5, 1_700_000_000_005), [], None)
    await asyncio.wait_for(adopting, 10)
    holes = [(gap.first_id, gap.last_id) for gap in leg.sequencer.gaps.active()]
    assert holes == [(3, 4), (5, 5)], "what the ledger says, and what it does not"
    await ingest.rest.close()


async def test_a_symbol_that_is_removed_is_given_up(
    endpoints: Endpoints, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Instrument] = []
    monkeypatch.setattr(writer, "release", given.append)
    heard = Heard()
    async with feeding(endpoints, writer, heard, ["BTCUSDT", "ETHUSDT"]) as ingest:
        await until(lambda: len(heard.ticks.get("BTCUSDT", ())) > 20)
        await ingest.remove_symbol("BTCUSDT")
        assert [instrument.symbol for instrument in given] == ["BTCUSDT"]
        await ingest.remove_symbol("BTCUSDT")
        assert len(given) == 1
    assert set(heard.ticks["BTCUSDT"]) == set(stored_ids(writer, given[0]))
