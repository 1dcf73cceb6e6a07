"""What REST has no trades of any more shows the exchange's klines, fetched once, the newest first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from quantdesk.config import Endpoints
from quantdesk.feed.rest import RestClient
from quantdesk.ingest.leg import Leg
from quantdesk.ingest.listener import Guarded
from quantdesk.ingest.old_bars import MOST_SPANS, PAGE, OldBars
from quantdesk.simulator.faults import Faults
from quantdesk.simulator.server import SimulatorServer
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Gap, GapState, Instrument, Interval, Tick
from tests.ingest.conftest import QUICK, Heard, feeding, stored_ids, until

BTC = Instrument("simulator", "BTCUSDT")
MINUTE = 60_000
#: REST's reach in these tests.
REACH = 4 * MINUTE
KLINES = "/fapi/v1/klines"


def asked(server: SimulatorServer, path: str) -> int:
    assert server.rest is not None
    return server.rest.requests.get(path, 0)


def old_tick(server: SimulatorServer, minutes: int) -> Tick:
    """Return a real trade of the exchange from so many minutes ago."""
    made, before = server.exchange.generated("BTCUSDT"), server.exchange.now_ms() - minutes * MINUTE
    row = int((made.ts >= before).argmax())
    return Tick(
        "BTCUSDT", int(made.ids[row]), made.price[row] / 10, made.quantity[row] / 1_000, int(made.ts[row]), True
    )


async def test_an_absence_beyond_reach_is_filled_as_far_as_rest_goes_and_shows_klines_before(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    exchange.faults = Faults(reach_ms=REACH)
    limits, heard, begin = replace(QUICK, rest_reach_ms=REACH), Heard(), old_tick(exchange, 10)
    writer.put_ticks(BTC, [begin])
    async with feeding(endpoints, writer, heard, ["BTCUSDT"], limits=limits) as ingest:
        await until(lambda: ingest.legs["BTCUSDT"].sequencer.gaps.expired_ids > 0)
        await until(lambda: heard.is_whole("BTCUSDT") and not ingest.legs["BTCUSDT"].sequencer.gaps)
        await until(lambda: {("BTCUSDT", "1m"), ("BTCUSDT", "5m")} <= heard.bars.keys())
        assert await ingest.finish(20) == []
        assert any(gap.state is GapState.EXPIRED for gap in heard.gaps["BTCUSDT"])
    rows = writer.call(lambda store: store.load_gaps(BTC)).result(30)
    expired = [row for row in rows if row.state is GapState.EXPIRED]
    gone = {ident for row in expired for ident in range(row.first_id, row.last_id + 1)}
    ids = set(stored_ids(writer, BTC))
    assert not gone & ids
    assert gone | ids == set(range(begin.agg_id, max(ids) + 1))
    stored = writer.call(lambda store: store.load_bars(BTC, "1m")).result(30)
    origins = dict(zip(stored.bars.open_time.tolist(), stored.origin, strict=True))
    lost = range(expired[0].start_ts // MINUTE + 1, expired[-1].end_ts // MINUTE)
    assert [origins.get(minute * MINUTE) for minute in lost] == ["kline"] * len(lost)
    assert len(lost) >= 4

    requests = asked(exchange, KLINES)
    async with feeding(endpoints, writer, Heard(), ["BTCUSDT"], limits=limits) as ingest:
        await until(ingest.legs["BTCUSDT"].opened.is_set)
        await until(lambda: ingest.old_bars.waiting == 0 and not ingest.legs["BTCUSDT"].expired)
        assert ingest.old_bars.fetched == 0
        assert ingest.legs["BTCUSDT"].sequencer.gaps.expired_ids == 0
    assert asked(exchange, KLINES) == requests


async def bench(
    endpoints: Endpoints, writer: StoreWriter, clock: Callable[[], float], now: int
) -> tuple[OldBars, Heard, RestClient]:
    """Return a worker with legs of two symbols."""
    heard, rest = Heard(), RestClient(endpoints, QUICK, clock)
    guarded = Guarded(heard)
    legs = {
        s: Leg(Instrument("simulator", s), writer, guarded, clock, settle=0, seam_ms=0) for s in ("BTCUSDT", "ETHUSDT")
    }
    return OldBars(rest, writer, guarded, lambda: legs, lambda: now, clock), heard, rest


@pytest.mark.parametrize("preferred", ["BTCUSDT", "ETHUSDT"])
async def test_what_is_looked_at_comes_first_then_the_newest_page(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter, preferred: str
) -> None:
    now = exchange.exchange.now_ms()
    work, _, rest = await bench(endpoints, writer, asyncio.get_running_loop().time, now)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        for days in (1, 5):
            # In the middle of a page of either interval: pages lie on a fixed grid, whatever the time of day.
            start = now - days * 86_400_000
            start += 3_600_000 - start % (1_000 * 5 * MINUTE)
            work.add(Gap(symbol, 1, 2, start, start + 10 * MINUTE, now, GapState.EXPIRED))
    work.preferred = [preferred]
    assert work.waiting == 8
    fetched = []
    while await work.step():
        symbol = exchange.rest.seen[-1].symbol if exchange.rest else ""
        fetched.append(symbol)
    await rest.close()
    assert fetched[:4] == [preferred] * 4
    assert set(fetched[4:]) == {"BTCUSDT", "ETHUSDT"} - {preferred}
    assert work.waiting == 0


async def test_a_long_stretch_is_fetched_in_pages_within_the_weight_and_goes_on_where_it_was_stopped(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    now = exchange.exchange.now_ms()
    days = 3
    gap = Gap("BTCUSDT", 1, 2, now - (days + 1) * 86_400_000, now - 86_400_000, now, GapState.EXPIRED)
    work, heard, rest = await bench(endpoints, writer, asyncio.get_running_loop().time, now)
    work.add(gap)
    pages = work.waiting
    for _ in range(3):
        assert await work.step()
    newest = heard.bars["BTCUSDT", "1m"].open_time
    assert newest[0] < gap.end_ts - PAGE * MINUTE, "the third page lies below the newest ones"
    await rest.close()
    before = asked(exchange, KLINES)
    again, _, rest = await bench(endpoints, writer, asyncio.get_running_loop().time, now)
    again.add(gap)
    while await again.step():
        continue
    await rest.close()
    assert asked(exchange, KLINES) == before + pages - 3
    stored = writer.call(lambda store: store.load_bars(BTC, "1m")).result(30).bars
    assert len(stored) == days * 1_440 + 1
    assert (stored.open_time[1:] - stored.open_time[:-1] == MINUTE).all()
    fives = writer.call(lambda store: store.load_bars(BTC, "5m")).result(30).bars
    assert len(fives) == days * 288 + 1


async def test_a_ban_is_waited_out_and_nothing_is_lost(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    moment = 100.0
    now = exchange.exchange.now_ms()
    work, heard, rest = await bench(endpoints, writer, lambda: moment, now)
    work.add(Gap("BTCUSDT", 1, 2, now - 86_400_000, now - 86_000_000, now, GapState.EXPIRED))
    exchange.faults = Faults(rest_status=429, retry_after=30)
    assert await work.step()
    requests = rest.requests
    assert "too many requests" in work.trouble
    moment += 29.9
    assert not await work.step()
    assert rest.requests == requests
    exchange.faults = Faults()
    moment += 0.2
    while await work.step():
        continue
    await rest.close()
    assert work.trouble == ""
    assert heard.bars.keys() == {("BTCUSDT", "1m"), ("BTCUSDT", "5m")}


async def test_the_pages_that_wait_are_bounded_and_the_newest_kept(endpoints: Endpoints, writer: StoreWriter) -> None:
    now = 1_700_000_000_000
    work, _, _ = await bench(endpoints, writer, lambda: 0.0, now)
    for day in range(80):
        for hour in range(0, 24, 2):
            start = now - day * 86_400_000 - hour * 3_600_000
            work.add(Gap("BTCUSDT", 1, 2, start, start + MINUTE, now, GapState.EXPIRED))
    assert work.waiting == MOST_SPANS
    assert max(page.end for page in work._pages) >= now
    assert Interval.M1 in {page.interval for page in work._pages}


async def test_an_interval_shown_for_the_first_time_gets_the_exchanges_own_bars_as_far_as_it_has_any(
    exchange: SimulatorServer, endpoints: Endpoints, writer: StoreWriter
) -> None:
    now = exchange.exchange.now_ms()
    work, heard, rest = await bench(endpoints, writer, asyncio.get_running_loop().time, now)
    for interval in ("5s", "5m", "1d", "1d", "1h"):
        work.show(["BTCUSDT", "LATER"], interval)
    while await work.step():
        continue
    for name, ms in (("1d", 86_400_000), ("1h", 3_600_000)):
        stored = writer.call(lambda store, name=name: store.load_bars(BTC, name)).result(30)
        times = stored.bars.open_time[np.array(stored.origin) == "kline"]
        assert times[0] == exchange.exchange.listed_ms
        assert (times[1:] - times[:-1] == ms).all()
        assert times[-1] == now - now % ms - ms
    assert {interval for _, interval in heard.bars} <= {"1d", "1h", "5m"}
    fives = writer.call(lambda store: store.load_bars(BTC, "5m", now - now % 86_400_000)).result(30).bars.open_time
    assert fives.tolist() == list(range(now - now % 86_400_000, now - now % 300_000, 300_000)), "today as far as it is"
    before = asked(exchange, KLINES)
    work.show(["BTCUSDT"], "1d")
    assert not await work.step()
    assert asked(exchange, KLINES) == before
    await rest.close()
