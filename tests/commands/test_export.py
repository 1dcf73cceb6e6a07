"""``quantdesk export`` writes what is stored, in [from, to), or says in one line why not."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from quantdesk.commands import export
from quantdesk.commands.shared import UsageError
from quantdesk.config import ConfigError
from quantdesk.store.embedded import open_embedded
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Instrument, Interval, Tick
from tests.store.samples import BTC, ETH, START, reference, rows, source, trades

Export = Callable[..., str]


def run(folder: Path, *arguments: str, output: str = "out.csv") -> int:
    parser = argparse.ArgumentParser()
    export.add_parser(parser.add_subparsers(dest="command"))
    target = output if output == "-" else str(folder / output)
    options = ["--data-dir", str(folder), "--output", target]
    return export.run(parser.parse_args(["export", *arguments, *options]))


@pytest.fixture
def exported(tmp_path: Path) -> Export:
    def act(*arguments: str) -> str:
        assert run(tmp_path, *arguments) == 0
        return (tmp_path / "out.csv").read_text()

    return act


def fill(folder: Path, *contents: tuple[Instrument, list[Tick]]) -> None:
    store = open_embedded(folder / "quantdesk.sqlite")
    for instrument, ticks in contents:
        store.append_ticks(instrument, ticks)
    store.close()


def test_ticks_are_exported_as_the_exchange_wrote_them(tmp_path: Path, exported: Export) -> None:
    fill(
        tmp_path, (BTC, [Tick("BTCUSDT", 5, 60_000.0, 0.5, START, True, 3), Tick("BTCUSDT", 6, 1.1, 2.0, START, False)])
    )
    assert exported("ticks", "--symbol", "btcusdt") == (
        "symbol,agg_id,price,quantity,trade_time_ms,is_buyer_maker,trades\n"
        f"BTCUSDT,5,60000.0,0.500,{START},true,3\n"
        f"BTCUSDT,6,1.1,2.000,{START},false,1\n"
    )


def test_the_message_names_the_venue_the_rows_are_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, (Instrument("simulator", "BTCUSDT"), [Tick("BTCUSDT", 5, 60_000.0, 0.5, START, True)]))
    assert run(tmp_path, "ticks", "--symbol", "BTCUSDT") == 0
    assert "1 ticks of BTCUSDT (simulator) written to" in capsys.readouterr().err


def test_an_unknown_precision_writes_the_shortest_fixed_point(tmp_path: Path, exported: Export) -> None:
    fill(tmp_path, (Instrument("replay", "PEPE"), [Tick("PEPE", 1, 1e-7, 2.0, START, True)]))
    assert exported("ticks", "--symbol", "PEPE").splitlines()[1] == f"PEPE,1,0.0000001,2,{START},true,1"
    assert exported("bars", "--symbol", "PEPE").splitlines()[1] == (
        f"PEPE,1m,{START},0.0000001,0.0000001,0.0000001,0.0000001,2,0.0000002,1"
    )


@pytest.mark.parametrize("interval", list(Interval))
def test_bars_are_exported_exactly(tmp_path: Path, exported: Export, interval: Interval) -> None:
    ticks = trades(800)
    fill(tmp_path, (BTC, ticks))
    header, *lines = exported("bars", "--symbol", "BTCUSDT", "--interval", interval.value).splitlines()
    assert header == "symbol,interval,open_time_ms,open,high,low,close,volume,quote_volume,trades"
    want = [
        f"BTCUSDT,{interval.value},{t},{o:.1f},{h:.1f},{low:.1f},{c:.1f},{v:.3f},{q:.4f},{n}"
        for t, o, h, low, c, v, q, n in rows(reference(ticks, interval))
    ]
    assert lines == want


def test_from_is_in_and_to_is_out(tmp_path: Path, exported: Export) -> None:
    ticks = trades(200)
    fill(tmp_path, (BTC, ticks))
    start, end = ticks[50].ts, ticks[150].ts
    lines = exported("ticks", "--symbol", "BTCUSDT", "--from", str(start), "--to", str(end)).splitlines()[1:]
    assert [int(line.split(",")[1]) for line in lines] == [t.agg_id for t in ticks if start <= t.ts < end]
    moment = "2024-07-18T10:56"  # naive is UTC
    lines = exported("bars", "--symbol", "BTCUSDT", "--from", moment, "--to", "2024-07-18T12:57+02:00").splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == ["1721300160000"]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        (None, None),
        ("1721300160000", 1_721_300_160_000),
        ("2024-07-18T10:56:00Z", 1_721_300_160_000),
        ("2024-07-18 12:56:00.007+02:00", 1_721_300_160_007),
        ("1969-12-31T23:59:59.999", -1),
        ("2024-07-18", 1_721_260_800_000),
    ],
)
def test_times_are_iso_or_milliseconds(text: str | None, ms: int | None) -> None:
    assert export.parse_time(text, "--from") == ms


@pytest.mark.parametrize("text", ["yesterday", "", "2024-13-01", "9" * 30, "1e9", "²"])
def test_what_is_no_time_is_wrong_use(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        export.parse_time(text, "--from")


def test_a_span_the_wrong_way_round_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="later"):
        run(tmp_path, "ticks", "--symbol", "BTCUSDT", "--from", "2", "--to", "1")


def test_what_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no store"):
        run(tmp_path, "ticks", "--symbol", "BTCUSDT")
    fill(tmp_path, (BTC, trades(3)), (ETH, trades(3, symbol="ETHUSDT")))
    with pytest.raises(ConfigError, match="nothing of XRP: there is: BTCUSDT, ETHUSDT"):
        run(tmp_path, "ticks", "--symbol", "XRP")
    with pytest.raises(ConfigError, match="no 2h bars: there is: 1s, 1m, 5m"):
        run(tmp_path, "bars", "--symbol", "BTCUSDT", "--interval", "2h")
    with pytest.raises(ConfigError, match="venue elsewhere has nothing of BTCUSDT: these have: binance-um"):
        run(tmp_path, "bars", "--symbol", "BTCUSDT", "--venue", "elsewhere")
    assert not (tmp_path / "out.csv").exists()


def test_source_bars_of_any_interval_are_exported(tmp_path: Path, exported: Export) -> None:
    store = open_embedded(tmp_path / "quantdesk.sqlite")
    store.append_source_bars(Instrument("file", "EWA", Decimal("0.01")), "1d", source([0]), "file:ewa.csv")
    store.close()
    text = exported("bars", "--symbol", "ewa", "--interval", "1d")
    assert text.splitlines()[1] == "EWA,1d,0,1.50,1.50,1.50,1.50,2,3,4"


def test_the_configured_venue_is_preferred_and_others_are_named(
    tmp_path: Path, exported: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = replace(BTC, venue="127.0.0.1:9001")
    replayed = replace(BTC, venue="replay")
    fill(tmp_path, (BTC, trades(3)), (simulated, trades(4)), (replayed, trades(5)))

    def count(*more: str) -> int:
        return len(exported("ticks", "--symbol", "BTCUSDT", *more).splitlines()) - 1

    assert count() == 3
    assert count("--venue", "replay") == 5
    monkeypatch.setenv("QUANTDESK_REST_URL", "http://127.0.0.1:9001")
    assert count() == 4
    monkeypatch.setenv("QUANTDESK_REST_URL", "http://127.0.0.1:9002")
    with pytest.raises(ConfigError, match=r"--venue: 127\.0\.0\.1:9001, binance-um, replay"):
        count()


def test_an_export_runs_beside_the_writer_and_to_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    writer = StoreWriter(lambda: open_embedded(tmp_path / "quantdesk.sqlite"))
    writer.start()
    try:
        writer.put_ticks(BTC, trades(10))
        assert writer.flush(20)
        assert run(tmp_path, "ticks", "--symbol", "BTCUSDT", output="-") == 0
    finally:
        writer.stop()
    captured = capfdbinary.readouterr()
    assert len(captured.out.splitlines()) == 11 and captured.err == b""


def test_bars_that_are_folded_at_read_are_exported(tmp_path: Path) -> None:
    ticks = trades(40)
    fill(tmp_path, (BTC, ticks))
    run(tmp_path, "bars", "--symbol", "BTCUSDT", "--interval", "15s")
    lines = (tmp_path / "out.csv").read_text().splitlines()[1:]
    starts = sorted({t.ts - t.ts % 15_000 for t in ticks})
    assert [line.split(",")[1:3] for line in lines] == [["15s", str(time)] for time in starts]
