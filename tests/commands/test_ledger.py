"""``quantdesk ledger`` accounts for every id and says with its exit code whether holes remain."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.cli import main
from quantdesk.config import StoreLimits
from quantdesk.store.embedded import open_embedded
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Gap, GapState
from tests.store.samples import BTC, ETH, START, trades

OTHER = replace(BTC, venue="binance-coin")


def fill(data: Path, *, gap: GapState | None = None, venues: bool = False) -> None:
    store = open_embedded(data / "quantdesk.sqlite")
    btc = trades(100)
    store.append_ticks(BTC, [t for t in btc if gap is None or not 40 <= t.agg_id < 50])
    if gap is not None:
        store.save_gaps(BTC, [Gap("BTCUSDT", 40, 49, btc[38].ts, btc[49].ts, START, gap, 3)])
    store.append_ticks(ETH, trades(20, symbol="ETHUSDT", first_id=7))
    store.add_duplicates(BTC, 5)
    if venues:
        store.append_ticks(OTHER, trades(3))
    store.close()


def test_a_complete_store_is_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    assert main(["ledger", "--json", "--data-dir", str(tmp_path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"symbols", "complete"} and told["complete"] is True
    assert set(told["symbols"]) == {"BTCUSDT", "ETHUSDT"}
    btc = told["symbols"]["BTCUSDT"]
    wanted = {"first_id": 1, "last_id": 100, "stored": 100, "duplicates_dropped": 5, "ranges": []}
    assert {key: btc[key] for key in wanted} == wanted
    assert btc["gaps"] == {"open": 0, "filling": 0, "filled": 0, "expired": 0, "missing": 0, "dropped": 0}
    assert (btc["bars_checked"], btc["bars_matching"]) == (0, 0)
    assert main(["ledger", "--data-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "BTCUSDT: 100 stored, ids 1 to 100" in out and out.endswith("complete\n")


@pytest.mark.parametrize(
    ("state", "code"),
    [(GapState.OPEN, 3), (GapState.FILLING, 3), (GapState.EXPIRED, 3), (GapState.MISSING, 0), (GapState.FILLED, 3)],
)
def test_holes_are_code_3_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], state: GapState, code: int
) -> None:
    fill(tmp_path, gap=state)  # a row that says filled while the ids are absent is not believed
    assert main(["ledger", "--json", "--symbol", "btcusdt", "--data-dir", str(tmp_path)]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["complete"] is (code == 0) and set(told["symbols"]) == {"BTCUSDT"}
    (found,) = told["symbols"]["BTCUSDT"]["ranges"]
    shown = "open" if state is GapState.FILLED else state.value
    assert (found["first_id"], found["last_id"], found["state"]) == (40, 49, shown)
    assert set(found) == {"first_id", "last_id", "state", "start_ts", "end_ts", "calls"}
    assert main(["ledger", "--data-dir", str(tmp_path)]) == code
    assert f"  {shown}: ids 40 to 49 (10" in capsys.readouterr().out
    assert main(["ledger", "--symbol", "ETHUSDT", "--data-dir", str(tmp_path)]) == 0


def test_venues_are_chosen_as_in_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, venues=True)
    base = ["ledger", "--json", "--data-dir", str(tmp_path)]
    assert main([*base, "--venue", "binance-coin"]) == 0
    assert json.loads(capsys.readouterr().out)["symbols"]["BTCUSDT"]["stored"] == 3
    assert main(base) == 0  # the configured venue
    assert json.loads(capsys.readouterr().out)["symbols"]["BTCUSDT"]["stored"] == 100
    assert main([*base, "--venue", "moon"]) == 1
    assert "binance-coin, binance-um" in capsys.readouterr().err
    assert main([*base, "--symbol", "DOGE"]) == 1
    assert main([*base, "--symbol", " "]) == 2


def test_several_venues_of_others_must_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_embedded(tmp_path / "quantdesk.sqlite")
    for venue in ("a", "b"):
        store.append_ticks(replace(BTC, venue=venue), trades(3))
    store.close()
    assert main(["ledger", "--data-dir", str(tmp_path)]) == 1
    assert "name one with --venue: a, b" in capsys.readouterr().err
    assert main(["ledger", "--venue", "b", "--data-dir", str(tmp_path)]) == 0


def test_a_store_that_is_absent_is_said_and_an_empty_one_has_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", "--data-dir", str(tmp_path)]) == 1
    assert "there is no store" in capsys.readouterr().err
    open_embedded(tmp_path / "quantdesk.sqlite").close()
    assert main(["ledger", "--json", "--database", f"sqlite:///{tmp_path}/quantdesk.sqlite"]) == 0
    assert json.loads(capsys.readouterr().out) == {"symbols": {}, "complete": True}


def test_what_waits_in_the_spill_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.store.sqlite_file.BUSY_SECONDS", 0.02)
    fill(tmp_path)
    path = tmp_path / "quantdesk.sqlite"
    limits = StoreLimits(spill_after=0.0, first_retry=0.01)
    writer = StoreWriter(lambda: open_embedded(path), limits)
    writer.start()
    raw = sqlite3.connect(path, isolation_level=None)
    writer.call(lambda store: store.add_duplicates(BTC, 0)).result(20)
    raw.execute("BEGIN EXCLUSIVE")
    writer.put_ticks(BTC, trades(3, first_id=101))
    assert not writer.stop(0.1)
    raw.execute("ROLLBACK")
    raw.close()
    assert main(["ledger", "--data-dir", str(tmp_path)]) == 0
    assert "3 trades wait in the spill file" in capsys.readouterr().err
