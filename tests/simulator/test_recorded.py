import csv
import io
import zipfile

import numpy as np
import pytest

from quantdesk.config import ConfigError
from quantdesk.simulator import market
from quantdesk.simulator.clock import VirtualClock
from quantdesk.simulator.exchange import Exchange
from quantdesk.simulator.market import MINUTE_MS, TradeColumns
from quantdesk.simulator.recorded import RecordedSource

START = 1_795_419_199_656
LAP = 9


@pytest.fixture(scope="module")
def source(shared_data):
    folder = shared_data / "usdm_20240718"
    return RecordedSource(next(folder.glob("frames_*.txt.gz")), START)


def rows_of(shared_data, symbol, kind):
    rows = []
    for path in sorted((shared_data / "usdm_20240718").glob(f"{symbol}-{kind}-*.zip")):
        with zipfile.ZipFile(path) as archive:
            rows += csv.DictReader(io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8"))
    return rows


def lap_of(source, symbol, lap=0):
    minute = START // MINUTE_MS + lap * LAP
    return TradeColumns.joined([source.trades(symbol, minute + i) for i in range(LAP)])


def test_every_frame_of_the_recording_is_used(source):
    assert source.frames == 123_944
    assert source.skipped_lines == 0
    books = sum(
        len(source.books(listing.symbol, START // MINUTE_MS + i)) for listing in source.listings for i in range(LAP)
    )
    assert books == 123_944 - 24_356


def test_ticks_and_steps_are_found_in_the_recording(source):
    assert [(listing.symbol, listing.tick, listing.step) for listing in source.listings] == [
        ("BTCUSDT", "0.10", "0.001"),
        ("ETHUSDT", "0.01", "0.001"),
    ]


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_a_lap_is_the_published_trades_row_by_row_shifted(source, shared_data, symbol):
    lap = lap_of(source, symbol)
    listing = next(listing for listing in source.listings if listing.symbol == symbol)
    rows = rows_of(shared_data, symbol, "aggTrades")
    ticks = lap.ticks(listing)
    assert len(ticks) == len(rows)
    assert source.shift_ms % MINUTE_MS == 0
    assert [t.price for t in ticks] == [float(r["price"]) for r in rows]
    assert [t.quantity for t in ticks] == [float(r["quantity"]) for r in rows]
    assert [t.ts - source.shift_ms for t in ticks] == [int(r["transact_time"]) for r in rows]
    assert [t.is_buyer_maker for t in ticks] == [r["is_buyer_maker"] == "true" for r in rows]
    assert (np.diff(lap.first - np.array([int(r["first_trade_id"]) for r in rows])) == 0).all()
    assert (lap.last - lap.first).tolist() == [int(r["last_trade_id"]) - int(r["first_trade_id"]) for r in rows]


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_minute_bars_are_the_published_ones(source, shared_data, symbol):
    clock = VirtualClock(START)
    exchange = Exchange(source, clock)
    clock.jump(20 * 60)
    listing = exchange.symbols[symbol]
    begin = START // MINUTE_MS * MINUTE_MS
    bars = exchange.bars(symbol, "1m", begin, begin + (LAP - 1) * MINUTE_MS)
    rows = rows_of(shared_data, symbol, "1m")
    traded = bars[bars[:, market.TRADES] > 0]
    assert (traded[:, market.OPEN_TIME] - source.shift_ms).tolist() == [int(r["open_time"]) for r in rows]
    for column, name in ((market.OPEN, "open"), (market.HIGH, "high"), (market.LOW, "low"), (market.CLOSE, "close")):
        assert [listing.price(v) for v in traded[:, column].tolist()] == [r[name] for r in rows]
    assert [listing.quantity(v) for v in traded[:, market.VOLUME].tolist()] == [r["volume"] for r in rows]
    assert [listing.quote_volume(v) for v in traded[:, market.QUOTE].tolist()] == [r["quote_volume"] for r in rows]
    assert traded[:, market.TRADES].tolist() == [int(r["count"]) for r in rows]
    old = source.old_minutes(symbol, START // MINUTE_MS - LAP, START // MINUTE_MS)
    np.testing.assert_array_equal(
        old[:, 1:10], exchange.source.old_minutes(symbol, START // MINUTE_MS, START // MINUTE_MS + LAP)[:, 1:10]
    )


def test_laps_go_on_in_ids_and_time_before_and_after_the_start(source):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        laps = [lap_of(source, symbol, lap) for lap in (-1, 0, 1)]
        ids = np.concatenate([lap.ids for lap in laps])
        assert (np.diff(ids) == 1).all()
        assert (np.diff(np.concatenate([lap.first for lap in laps])) > 0).all()
        assert laps[1].ts[0] - laps[0].ts[0] == LAP * MINUTE_MS
        assert source.first_id(symbol, START // MINUTE_MS + LAP) == laps[2].ids[0]
        assert laps[0].ids[0] > 0


def test_a_later_run_never_starts_below_the_ids_of_an_earlier_one(shared_data, source):
    path = next((shared_data / "usdm_20240718").glob("frames_*.txt.gz"))
    later = RecordedSource(path, START + 30 * MINUTE_MS)
    minute = START // MINUTE_MS + 30
    assert later.first_id("BTCUSDT", minute) >= source.first_id("BTCUSDT", minute)


def test_recorded_aggregates_are_taken_as_they_are(shared_data):
    source = RecordedSource(shared_data / "binance_2021" / "BINANCE_FUTURES.ws.1.0", START)
    assert "SUSHIUSDT" in {listing.symbol for listing in source.listings}
    trades = source.trades("SUSHIUSDT", START // MINUTE_MS)
    assert len(trades) > 10
    assert (np.diff(trades.ids) == 1).all()


def test_a_file_without_trades_is_refused_in_one_line(tmp_path):
    path = tmp_path / "frames.txt"
    path.write_text('1 {"e":"bookTicker"}\n2 not json\n')
    with pytest.raises(ConfigError, match="no trades"):
        RecordedSource(path, START)
