"""A stored span plays from every kind of store: trades where they are held, bars where only bars are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest

from quantdesk.bars.arrays import BarArrays
from quantdesk.ingest import merged_tape
from quantdesk.ingest.merged_tape import Span, held_spans, span_tape
from quantdesk.ingest.replay import Replay
from quantdesk.ingest.tape import PlayedBar
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.market import MarketModel
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Reader
from quantdesk.store.opening import open_reader, open_store
from quantdesk.types import Instrument, Origin, Tick

MINUTE = 60_000
START = 28_333_335 * MINUTE  # a whole five minutes
A, B = (Instrument("a venue", symbol, Decimal("0.1"), Decimal("0.001")) for symbol in "AB")


def trades(symbol: str, minutes: int, start: int = START) -> list[Tick]:
    return [
        Tick(symbol, i + 1, 100.0 + i % 9, 0.5, start + 700 * i, bool(i & 1)) for i in range(minutes * MINUTE // 700)
    ]


def klines(minutes: int, start: int) -> BarArrays:
    times, ones = start + MINUTE * np.arange(minutes, dtype=np.int64), np.ones(minutes)
    return BarArrays(times, 100 * ones, 109 * ones, 99 * ones, 101 * ones, ones, ones, np.ones(minutes, np.int64))


@pytest.fixture
def reader(store_address: StoreAddress) -> Iterator[Reader]:
    store = open_store(store_address)
    for leg in (A, B):
        store.ensure_instrument(leg)
        store.append_ticks(leg, trades(leg.symbol, 6))
    store.append_source_bars(B, "1m", klines(15, START - 15 * MINUTE), "kline")
    held = open_reader(store_address)
    try:
        yield held
    finally:
        held.close()
        store.close()


def test_trades_of_both_legs_come_by_time_in_small_blocks(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged_tape, "BLOCK_ROWS", 50)
    tape = span_tape(reader, Span((A, B), START, START + 2 * MINUTE), interval_ms_of)
    played = [record for _, record in tape if isinstance(record, Tick)]
    assert [tick.ts for tick in played] == sorted(tick.ts for tick in played)
    wanted = [tick for leg in (A, B) for tick in trades(leg.symbol, 6) if tick.ts < START + 2 * MINUTE]
    assert sorted(played, key=lambda t: (t.symbol, t.agg_id)) == wanted
    assert tape.extent() == (START, START + 2 * MINUTE)


def test_bars_stand_in_before_the_first_trade_and_never_after_it(reader: Reader) -> None:
    tape = span_tape(reader, Span((B,), START - 10 * MINUTE, START + MINUTE), interval_ms_of)
    records = [record for _, record in tape]
    bars = [record for record in records if isinstance(record, PlayedBar)]
    assert [bar.closes for bar in bars] == [START + MINUTE * n for n in range(-9, 1)]
    assert sum(isinstance(record, Tick) for record in records) == -(-MINUTE // 700)


def test_the_played_market_has_the_bars_that_the_store_has(qapp, reader: Reader) -> None:
    tape = span_tape(reader, Span((A, B), START - 10 * MINUTE, START + 6 * MINUTE), interval_ms_of)
    market = MarketModel(Origin.REPLAY)
    market.tell_when_asked()
    asyncio.run(Replay(tape, None, market, speed=0.0).run())
    for leg in (A, B):
        for interval in ("1s", "1m", "5m"):
            series, stored = market.series(leg.symbol, interval), reader.load_bars(leg, interval, START - 10 * MINUTE)
            assert series is not None
            closed = series.closed()
            shown = series.arrays()[closed]
            assert len(shown) > 0
            rows = np.searchsorted(stored.bars.open_time, shown.open_time)
            for name in ("open_time", "open", "high", "low", "close", "volume", "trades"):
                assert np.array_equal(getattr(stored.bars, name)[rows], getattr(shown, name)), (leg.symbol, interval)


def test_what_is_held_names_trades_and_the_span_of_both(reader: Reader) -> None:
    held = {one.instrument.symbol: one for one in held_spans(reader, interval_ms_of)}
    assert held["A"].ticks == len(trades("A", 6))
    assert (held["A"].start, held["B"].start) == (START, START - 15 * MINUTE)
    assert held["B"].end >= START + 6 * MINUTE - 700
    assert held["B"].traded == (START, trades("B", 6)[-1].ts), "of the trades alone"
