"""A recording plays through the same listener and store; counts are golden."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from quantdesk.config import ConfigError
from quantdesk.feed.gaps import Gaps
from quantdesk.ingest.merged_tape import MergedTape
from quantdesk.ingest.replay import Replay, ReplaySummary
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Instrument, Tick
from tests.ingest.conftest import Heard, stored_ids

T = 1_700_000_000_000


async def played(path: Path, heard: Heard, writer: StoreWriter | None = None, speed: float = 0.0) -> ReplaySummary:
    return await Replay(path, writer, heard, speed=speed).run()


async def test_the_recorded_frames_have_golden_counts_and_twice_adds_nothing(
    shared_data: Path, writer: StoreWriter
) -> None:
    (path,) = (shared_data / "usdm_20240718").glob("frames_*.txt.gz")
    heard = Heard()
    summary = await played(path, heard, writer)
    assert (summary.records, summary.ticks, summary.quotes, summary.bad, summary.duplicates) == (
        123_944, 8_862, 99_588, 0, 0,
    )  # fmt: skip
    assert summary.symbols == {"BTCUSDT": 4_393, "ETHUSDT": 4_469}
    assert heard.instruments["BTCUSDT"].tick_size == Decimal("0.1")
    assert heard.is_whole("BTCUSDT")
    assert heard.times == sorted(heard.times)
    await played(path, Heard(), writer)
    assert len(stored_ids(writer, Instrument("replay", "ETHUSDT"))) == 4_469


async def test_the_frames_of_2021_replay_with_golden_counts(shared_data: Path) -> None:
    heard = Heard()
    summary = await played(shared_data / "binance_2021" / "BINANCE_FUTURES.ws.1.0", heard)
    assert (summary.records, summary.ticks, summary.quotes, summary.bad) == (1_535, 91, 613, 1)
    assert summary.symbols == {"AKROUSDT": 8, "CTKUSDT": 38, "KEEPUSDT": 5, "SUSHIUSDT": 40}
    assert len(heard.klines) == 67


async def test_json_lines_replay_and_bad_lines_are_counted(tmp_path: Path, writer: StoreWriter) -> None:
    rows = [
        {"symbol": "A", "ts": T, "price": 1.25, "size": 3},
        {"symbol": "A", "ts": (T + 1_000) / 1_000, "price": "1.5", "size": 1},
        {"symbol": "A", "ts": "2023-11-14T22:13:22Z", "price": 1, "size": 1},
        {"symbol": "A", "ts": T, "price": 0, "size": 1},
        {"symbol": "A", "ts": True, "price": 1, "size": 1},
        {"price": 1},
    ]
    path = tmp_path / "ticks.ndjson"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n{broken\n\n")
    heard = Heard()
    summary = await played(path, heard, writer)
    assert (summary.ticks, summary.bad) == (3, 4)
    assert (summary.first_ts, summary.last_ts) == (T, T + 2_000)
    assert heard.ticks["A"] == [1, 2, 3]
    assert stored_ids(writer, Instrument("replay", "A")) == [1, 2, 3]


@pytest.mark.parametrize("zipped", [False, True])
async def test_a_ticks_export_replays(tmp_path: Path, zipped: bool) -> None:
    text = (
        "symbol,agg_id,price,quantity,trade_time_ms,is_buyer_maker,trades\n"
        f"X,7,1.5,2,{T},true,3\nX,8,1.5,2,{T + 1},false,1\nX,8,1.5,2,{T + 1},false,1\nX,nine,1,1,1,1,1\n"
    )
    path = tmp_path / "ticks.csv"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    heard = Heard()
    summary = await played(path, heard)
    assert (summary.ticks, summary.duplicates, summary.bad) == (2, 1, 1)
    assert heard.ticks["X"] == [7, 8]


async def test_a_finer_price_later_on_refines_the_precision(tmp_path: Path) -> None:
    rows = [{"symbol": "A", "ts": T + i, "price": 1.5, "size": 1} for i in range(20_001)]
    rows.append({"symbol": "A", "ts": T + 30_000, "price": 1.125, "size": 0.25})
    path = tmp_path / "ticks.ndjson"
    path.write_text("\n".join(map(json.dumps, rows)))
    heard = Heard()
    await played(path, heard)
    assert heard.instruments["A"].tick_size == Decimal("0.001")
    assert heard.instruments["A"].step_size == Decimal("0.01")


@pytest.mark.parametrize("content", [b"", b"hello\nworld\n", b"\x1f\x8bnot gzip", b"a,b\n1,2\n"])
async def test_a_file_that_is_no_recording_is_said_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        await played(path, Heard())
    assert "\n" not in str(caught.value)


async def test_the_recorded_pace_is_kept(tmp_path: Path) -> None:
    rows = [{"symbol": "A", "ts": T + i * 200, "price": 1, "size": 1} for i in range(11)]
    path = tmp_path / "ticks.ndjson"
    path.write_text("\n".join(map(json.dumps, rows)))
    import time

    begun = time.monotonic()
    await played(path, Heard(), speed=4.0)
    assert time.monotonic() - begun >= 0.45


async def test_no_trade_is_refused_for_the_many_holes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.feed.sequencer.Gaps", partial(Gaps, limit=10))
    ticks = [Tick("A", 3 * number, 1.0, 1.0, T + number, False) for number in range(200)]
    ticks.insert(105, Tick("A", 3 * 104 - 1, 1.0, 1.0, T + 104, False))  # late: it closes one of the newest holes
    tape = MergedTape({}, None, lambda: [((tick.ts / 1_000, tick) for tick in ticks)])
    heard = Heard()
    summary = await Replay(tape, None, heard, speed=0).run()
    assert (summary.ticks, summary.duplicates) == (201, 0)
    assert heard.ticks["A"] == [tick.agg_id for tick in ticks]
