"""The live feed against the simulated exchange: nothing lost, nothing doubled, always in words."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from quantdesk.config import Endpoints
from quantdesk.feed.binance import Route
from quantdesk.simulator.faults import Faults
from quantdesk.simulator.server import SimulatorServer
from quantdesk.store.writer import StoreWriter
from quantdesk.types import GapState, Instrument, Light, Tick
from tests.ingest.conftest import QUICK, SEAM, Heard, assert_equals_oracle, feeding, stored_ids, until

PAIR = ("BTCUSDT", "ETHUSDT")


async def test_the_seam_between_history_and_live_has_no_hole(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: all(len(heard.ticks.get(s, ())) > SEAM and heard.is_whole(s) for s in PAIR))
        assert await ingest.finish(20) == []
    for symbol in PAIR:
        assert_equals_oracle(exchange, writer, heard, symbol)


async def test_a_busy_market_gets_a_short_seam_and_its_first_bars_are_known_to_be_partial(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard, limits = Heard(), dataclasses.replace(QUICK, seam_trades=100)
    async with feeding(endpoints, writer, heard, PAIR, limits=limits) as ingest:
        await until(lambda: all(len(heard.ticks.get(s, ())) > 100 and heard.is_whole(s) for s in PAIR))
        assert await ingest.finish(20) == []
    for symbol in PAIR:
        assert_equals_oracle(exchange, writer, heard, symbol)
        instrument = Instrument("simulator", symbol)
        ids = stored_ids(writer, instrument)
        assert len(ids) < SEAM
        begin = next(gap for gap in heard.gaps[symbol] if gap.state is GapState.EXPIRED)
        assert (begin.size, begin.first_id) == (0, min(ids) - 1)
        for interval in ("1m", "5m"):
            stored = writer.call(lambda store, i=interval, k=instrument: store.load_bars(k, i)).result(30)
            assert stored.origin[0] == "partial"


async def test_the_desk_gets_quotes_marks_klines_time_precision_and_history(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    async with feeding(endpoints, writer, heard, PAIR, history=True) as ingest:
        await until(lambda: all(heard.quotes[s] and heard.marks[s] for s in PAIR) and heard.times and heard.klines)
        await until(lambda: {(s, i) for s in PAIR for i in ("1m", "5m")} <= heard.bars.keys())
        await until(lambda: ingest.status.light is Light.GREEN)
        assert str(heard.instruments["BTCUSDT"].tick_size) == "0.10"
        assert {info.symbol for info in await ingest.symbols_info()} >= set(PAIR)
        assert ingest.status.lag_ms is not None
    bars = heard.bars["BTCUSDT", "1m"]
    assert len(bars) >= 60
    assert (bars.open_time[-1] + 60_000) * 1e-3 <= exchange.exchange.clock.now_ms() * 1e-3 + 1


async def test_a_cut_connection_comes_back_and_what_was_missed_is_filled(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: all(heard.is_whole(s) for s in PAIR))
        market = ingest.clients[Route.MARKET]
        for code in (1000, 1001, 1006, 1008, 1011, 1012):
            before = market.reconnects
            exchange.faults = Faults(close_every=0.2, close_code=code)
            await until(lambda before=before: market.reconnects > before)
        exchange.faults = Faults()
        await until(lambda: ingest.status.light is Light.GREEN)
        assert await ingest.finish(20) == []
        assert "the exchange closed the connection (1008" in " ".join(market.reasons)
    for symbol in PAIR:
        assert_equals_oracle(exchange, writer, heard, symbol)


async def test_dropped_and_doubled_frames_are_healed_and_counted(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    exchange.faults = Faults(drop=0.1, duplicate=0.1, seed=3)
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: all(len(heard.ticks.get(s, ())) > SEAM + 30 for s in PAIR))
        await until(lambda: ingest.status.duplicates > 5)
        exchange.faults = Faults()
        assert await ingest.finish(20) == []
    for symbol in PAIR:
        assert_equals_oracle(exchange, writer, heard, symbol)


async def test_a_black_hole_is_noticed_and_left(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: all(heard.is_whole(s) for s in PAIR))
        exchange.faults = Faults(hang=True)
        await until(lambda: ingest.status.light is Light.RED)
        exchange.faults = Faults()
        await until(lambda: ingest.status.light is Light.GREEN)
        assert await ingest.finish(20) == []
    for symbol in PAIR:
        assert_equals_oracle(exchange, writer, heard, symbol)


async def test_a_stream_that_stays_silent_is_said_and_its_siblings_live_on(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    exchange.faults = Faults(silent=frozenset({"ethusdt@aggTrade"}))
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: "ethusdt@aggTrade" in ingest.status.text)
        assert "subscribed, no data" in ingest.status.text
        assert ingest.clients[Route.MARKET].reconnects == 0
        exchange.faults = Faults()
        await until(lambda: heard.is_whole("ETHUSDT"))
        assert ingest.clients[Route.MARKET].reconnects == 0


async def test_no_acknowledgement_and_no_data_are_said_in_words(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    exchange.faults = Faults(
        silent=frozenset(
            f"{s.lower()}@{k}" for s in PAIR for k in ("aggTrade", "bookTicker", "kline_1m", "markPrice@1s")
        )
    )
    async with feeding(endpoints, writer, heard, PAIR):
        await until(lambda: any("subscribed, no data" in s.text for s in heard.statuses))


async def test_a_lost_acknowledgement_does_no_harm(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    exchange.faults = Faults(no_ack=True)
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: all(heard.is_whole(s) and len(heard.ticks[s]) > SEAM + 30 for s in PAIR))
        assert ingest.clients[Route.MARKET].reconnects == 0


async def test_rest_failing_at_start_leaves_an_open_gap_that_is_filled_later(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    exchange.faults = Faults(rest_status=503)
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: all(len(heard.ticks.get(s, ())) > 10 for s in PAIR))
        await until(lambda: all(len(heard.gaps.get(s, ())) == 1 for s in PAIR))
        await until(lambda: "history is not reachable" in ingest.status.text)
        exchange.faults = Faults()
        await until(lambda: all(len(heard.ticks[s]) > SEAM and heard.is_whole(s) for s in PAIR))
        assert await ingest.finish(20) == []
    for symbol in PAIR:
        assert_equals_oracle(exchange, writer, heard, symbol)


async def test_a_ban_is_waited_out_without_a_request_and_the_stream_goes_on(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    exchange.faults = Faults(rest_status=429, retry_after=2)
    async with feeding(endpoints, writer, heard, PAIR) as ingest:
        await until(lambda: ingest.rest.banned_for > 0)
        asked = ingest.rest.requests
        exchange.faults = Faults()
        while ingest.rest.banned_for > 0:
            assert ingest.rest.requests == asked
            await asyncio.sleep(0.01)
        await until(lambda: all(heard.is_whole(s) and len(heard.ticks[s]) > SEAM for s in PAIR))


async def test_a_second_session_heals_from_the_last_stored_id(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    first, second = Heard(), Heard()
    async with feeding(endpoints, writer, first, PAIR) as ingest:
        await until(lambda: all(first.is_whole(s) and len(first.ticks[s]) > SEAM for s in PAIR))
    before = {s: set(stored_ids(writer, Instrument("simulator", s))) for s in PAIR}
    await asyncio.sleep(0.5)
    async with feeding(endpoints, writer, second, PAIR) as ingest:
        await until(lambda: all(second.ticks.get(s) for s in PAIR))
        assert await ingest.finish(20) == []
    for symbol in PAIR:
        assert not before[symbol] & set(second.ticks[symbol]), "what is stored is not shown again"
        first.ticks[symbol] += second.ticks[symbol]
        assert_equals_oracle(exchange, writer, first, symbol)


async def test_symbols_come_and_go_while_running(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    async with feeding(endpoints, writer, heard, ["BTCUSDT"]) as ingest:
        await until(lambda: heard.is_whole("BTCUSDT"))
        await ingest.add_symbol("SOLUSDT")
        await until(lambda: heard.is_whole("SOLUSDT") and heard.quotes["SOLUSDT"])
        await ingest.remove_symbol("BTCUSDT")
        await until(lambda: ingest.status.symbols == ("SOLUSDT",))
        await asyncio.sleep(0.6)
        count = len(heard.ticks["BTCUSDT"])
        await asyncio.sleep(0.5)
        assert len(heard.ticks["BTCUSDT"]) == count
        assert ingest.clients[Route.MARKET].reconnects == 0
        assert ingest.status.quarantined == 0


async def test_an_unknown_symbol_is_said_and_the_others_go_on(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    heard = Heard()
    async with feeding(endpoints, writer, heard, ["BTCUSDT", "NOSUCHUSDT"]) as ingest:
        await until(lambda: "NOSUCHUSDT is not a symbol of the exchange" in ingest.status.text)
        await until(lambda: heard.is_whole("BTCUSDT"))
        await ingest.add_symbol("NEITHERUSDT")
        await until(lambda: "NEITHERUSDT" in ingest.rejected)


async def test_no_exchange_at_all_is_said_in_plain_words_and_retried(writer: StoreWriter) -> None:
    heard = Heard()
    nowhere = Endpoints("ws://127.0.0.1:9", "http://127.0.0.1:9", "nowhere")
    async with feeding(nowhere, writer, heard, PAIR) as ingest:
        await until(lambda: ingest.status.light is Light.RED)
        assert "no connection to the exchange: connection refused, retrying" in ingest.status.text
        assert await ingest.finish(0.2) == []


async def test_what_the_store_refuses_is_booked_and_fetched_again_but_not_shown_again(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    refusing, take = True, writer.put_ticks

    def put_ticks(instrument: Instrument, ticks: list[Tick]) -> bool:
        return not refusing and take(instrument, ticks)

    monkeypatch.setattr("quantdesk.ingest.leg.FIRST_BLOCK", 0.3)
    async with feeding(endpoints, writer, heard, ["BTCUSDT"]) as ingest:
        await until(lambda: heard.is_whole("BTCUSDT") and len(heard.ticks["BTCUSDT"]) > SEAM)
        writer.put_ticks = put_ticks  # type: ignore[method-assign]  # a full queue, on demand
        await until(lambda: ingest.legs["BTCUSDT"].refused > 5)
        await until(lambda: heard.gaps.get("BTCUSDT"))
        refusing = False
        assert await ingest.finish(20) == []
    assert_equals_oracle(exchange, writer, heard, "BTCUSDT")
    rows = writer.call(lambda store: store.load_gaps(Instrument("simulator", "BTCUSDT"))).result(30)
    assert {row.state for row in rows} == {GapState.FILLED}


async def test_a_fault_of_the_listener_costs_no_trade(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    class Broken(Heard):
        def on_tick(self, tick: Tick) -> None:
            super().on_tick(tick)
            raise RuntimeError("a fault on the screen")

    heard = Broken()
    async with feeding(endpoints, writer, heard, ["BTCUSDT"]) as ingest:
        await until(lambda: heard.is_whole("BTCUSDT") and len(heard.ticks["BTCUSDT"]) > SEAM)
        assert await ingest.finish(20) == []
    assert_equals_oracle(exchange, writer, heard, "BTCUSDT")


async def test_the_daily_cut_is_handed_over_without_a_gap_and_without_rest(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    # A loaded machine must not look like a silent line: only the lifetime is short here.
    limits = dataclasses.replace(QUICK, lifetime=1.0, market_silence=20.0, public_silence=20.0, first_frame_timeout=20)
    heard = Heard()
    async with feeding(endpoints, writer, heard, PAIR, limits=limits) as ingest:
        await until(lambda: all(heard.is_whole(s) and len(heard.ticks[s]) > SEAM for s in PAIR))
        assert exchange.rest is not None
        asked = exchange.rest.requests["/fapi/v1/aggTrades"]
        await until(lambda: all(c.generations >= 3 for c in ingest.clients.values()))
        assert exchange.rest.requests["/fapi/v1/aggTrades"] == asked
        assert ingest.status.reconnects == 0
        assert [gap for s in PAIR for gap in ingest.legs[s].sequencer.gaps.active(ingest._clock())] == []
        assert await ingest.finish(20) == []
    for symbol in PAIR:
        assert_equals_oracle(exchange, writer, heard, symbol)
