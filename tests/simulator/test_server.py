import asyncio
import functools
import json

import pytest
from websockets.asyncio.client import connect as connect_bounded

from quantdesk.config import ConfigError
from quantdesk.simulator.clock import VirtualClock
from quantdesk.simulator.exchange import Exchange
from quantdesk.simulator.server import SimulatorServer, make_exchange
from quantdesk.simulator.synthetic import SyntheticSource

START = 1_795_392_450_000
#: These tests read after a burst; a bounded queue would hold back the pongs behind it.
connect = functools.partial(connect_bounded, max_queue=None)


def logged(path, symbol):
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [row for row in rows if row["symbol"] == symbol]


async def test_every_generated_id_is_logged_once_whether_sent_or_not(exchange, clock, tmp_path):
    path = tmp_path / "generated.ndjson"
    server = SimulatorServer(exchange, log=path)
    await server.start()
    await clock.advance(90, step=0.5)
    await server.stop()
    for symbol, listing in exchange.symbols.items():
        ticks = exchange.generated(symbol).ticks(listing)
        rows = sorted(logged(path, symbol), key=lambda row: row["agg_id"])
        assert [row["agg_id"] for row in rows] == [t.agg_id for t in ticks]
        assert [float(row["price"]) for row in rows] == [t.price for t in ticks]
        assert [(row["trade_time_ms"], row["trades"]) for row in rows] == [(t.ts, t.trades) for t in ticks]


async def run_once(seed):
    clock = VirtualClock(START)
    server = SimulatorServer(Exchange(SyntheticSource(seed), clock, history_minutes=5))
    await server.start()
    streams = "btcusdt@aggTrade/btcusdt@kline_1m/btcusdt@markPrice@1s"
    async with connect(server.ws_url + f"/market/stream?streams={streams}") as socket:
        await clock.advance(40)
        await (await socket.ping())
        frames = []
        try:
            while True:
                frames.append(await asyncio.wait_for(socket.recv(), 0.05))
        except TimeoutError:
            await server.stop()
            return frames


async def test_the_same_seed_and_time_send_the_same_bytes():
    first, second, other = await run_once(3), await run_once(3), await run_once(4)
    assert len(first) > 800
    assert first == second
    assert first != other


@pytest.mark.parametrize("which", ["port", "rest_port"])
async def test_a_port_in_use_is_said_in_one_line_and_nothing_stays_open(server, clock, which):
    taken = int((server.ws_url if which == "port" else server.rest_url).rpartition(":")[2])
    other = SimulatorServer(Exchange(SyntheticSource(1), clock), **{which: taken})
    with pytest.raises(ConfigError, match=f"port {taken} is in use"):
        await other.start()


async def test_a_server_tells_why_its_tape_ended(exchange, clock):
    server = SimulatorServer(exchange)
    await server.start()
    exchange.source._symbols.clear()
    clock.jump(60)
    with pytest.raises(KeyError):
        await server.wait()
    with pytest.raises(KeyError):
        await server.stop()


async def test_a_log_that_cannot_be_written_is_said_in_one_line(exchange, tmp_path):
    with pytest.raises(ConfigError, match="cannot write the log"):
        await SimulatorServer(exchange, log=tmp_path / "none" / "log").start()


def test_a_high_rate_keeps_a_shorter_history_but_enough_for_a_first_start(clock):
    assert make_exchange(rate=20, clock=clock).first_minute == START // 60_000 - 60
    assert make_exchange(rate=5_000, clock=clock).first_minute == START // 60_000 - 11
