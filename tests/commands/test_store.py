"""``quantdesk store`` copies, tells and keeps passwords, and says with its exit code how it went."""

from __future__ import annotations

import getpass
import io
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quantdesk.cli import main
from quantdesk.commands import showing
from quantdesk.commands import store as command
from quantdesk.config import ConfigError, StoreLimits
from quantdesk.store import opening, passwords
from quantdesk.store.base import Retention, StoreFacts
from quantdesk.store.embedded import open_embedded
from quantdesk.store.writer import StoreWriter
from tests.store.copied import contents, hole
from tests.store.samples import BTC, ETH, START, source, trades

ROOT = Path(__file__).resolve().parents[2]
SERVER = "postgresql://desk@db.example:5433/market"


def fill(path: Path, count: int = 300) -> Path:
    store = open_embedded(path)
    ticks = trades(count, every=600_000)
    store.append_ticks(BTC, [t for t in ticks if not 50 <= t.agg_id < 60])
    store.save_gaps(BTC, [hole(ticks, 50, 59)])
    store.append_ticks(ETH, trades(20, symbol="ETHUSDT", first_id=7))
    store.append_source_bars(BTC, "1m", source([START - 60_000]), "kline")
    store.close()
    return path


def held(path: Path) -> list[dict[str, Any]]:
    reader = open_embedded(path, read_only=True)
    try:
        return [contents(reader, instrument) for instrument in (BTC, ETH)]
    finally:
        reader.close()


def program(*words: str | Path) -> Sequence[str]:
    return [sys.executable, "-m", "quantdesk", *map(str, words)]


def test_the_program_copies_a_store_whose_name_has_a_blank(tmp_path: Path) -> None:
    origin, target = fill(tmp_path / "my store.sqlite"), tmp_path / "new folder" / "the copy.sqlite"
    command_line = program("store", "copy", origin, f"sqlite:///{target}", "--data-dir", tmp_path)
    for new in ("290 ticks (290 new)", "290 ticks (0 new)"):
        done = subprocess.run(command_line, capture_output=True, text=True, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stderr
        assert new in done.stdout and done.stdout.count(": verified\n") == 2
        assert done.stderr.splitlines()[0].startswith("  0%  BTCUSDT: ")
    assert held(target) == held(origin)
    told = subprocess.run(
        program("store", "info", target, "--json"), capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert json.loads(told.stdout)["rows"]["ticks"] == 310


@pytest.mark.skipif(sys.platform == "win32", reason="no console event is sent to one process on Windows")
def test_ctrl_c_stops_between_two_blocks_and_the_same_command_goes_on(tmp_path: Path) -> None:
    origin, target = tmp_path / "from.sqlite", tmp_path / "to.sqlite"
    store = open_embedded(origin)
    for k in range(10):
        ticks = trades(20_000, first_id=1 + 20_000 * k, seed=k, every=1)
        store.append_ticks(BTC, [replace(t, ts=t.ts + 60_000 * k) for t in ticks])
    store.close()
    with subprocess.Popen(
        program("store", "copy", origin, target), stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as copy:
        assert copy.stderr is not None
        assert "BTCUSDT" in copy.stderr.readline()
        copy.send_signal(signal.SIGINT)
        said = copy.stderr.read()
        assert copy.wait(60) == 130
    assert "run the same again" in said and "Traceback" not in said
    assert main(["store", "copy", str(origin), str(target)]) == 0
    assert held(target)[0] == held(origin)[0]


def test_a_copy_that_differs_is_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    origin, target = fill(tmp_path / "a.sqlite"), fill(tmp_path / "b.sqlite")
    with sqlite3.connect(target) as raw:
        raw.execute("UPDATE ticks SET price = 1.0 WHERE agg_id = 100")
    raw.close()
    assert main(["store", "copy", str(origin), str(target)]) == 1
    out, err = capsys.readouterr()
    assert "1 trades were there with other content and stayed, the first is 100" in out
    assert "not all of it is the same in both" in err


def test_a_terminal_shows_one_line_that_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert main(["store", "copy", str(fill(tmp_path / "a.sqlite")), str(tmp_path / "b.sqlite")]) == 0
    shown = terminal.getvalue()
    assert "\n" not in shown and shown.startswith("\r  0%  BTCUSDT") and shown.endswith("\r\x1b[K")


def test_what_cannot_be_copied_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    origin = fill(tmp_path / "a.sqlite")
    assert main(["store", "copy", str(tmp_path / "none.sqlite"), str(tmp_path / "b.sqlite")]) == 1
    assert "there is no store at" in capsys.readouterr().err
    assert not (tmp_path / "b.sqlite").exists()
    assert main(["store", "copy", str(origin), f"sqlite:///{origin}"]) == 2
    assert "name the same store" in capsys.readouterr().err
    assert main(["store", "copy", str(origin), "mysql://x/y"]) == 2
    assert "a database is sqlite:///FILE or postgresql://" in capsys.readouterr().err
    assert main(["store", "copy", str(origin), " "]) == 2
    writer = open_embedded(tmp_path / "busy.sqlite")
    assert main(["store", "copy", str(origin), str(tmp_path / "busy.sqlite")]) == 1
    assert "another quantdesk" in capsys.readouterr().err
    writer.close()
    assert main(["store", "copy", str(tmp_path / "busy.sqlite"), str(tmp_path / "b.sqlite")]) == 0
    assert "holds nothing to copy" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["copy", "postgresql://desk:s3cret@db/market", "b.sqlite"],
        ["copy", "a.sqlite", f"{SERVER}?sslpassword=s3cret"],
        ["info", "postgresql://desk:s3cret@db/market"],
        ["info", "--database", "postgresql://desk:s3cret@db/market"],
        ["password", "postgresql://desk:s3cret@db/market"],
    ],
)
def test_a_password_on_the_command_line_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", *words]) == 2
    err = capsys.readouterr().err
    assert "s3cret" not in err
    for way in ("quantdesk store password", "~/.pgpass", "QUANTDESK_DATABASE_URL"):
        assert way in err


def test_trades_that_wait_in_a_spill_file_are_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.store.sqlite_file.BUSY_SECONDS", 0.02)
    path = fill(tmp_path / "quantdesk.sqlite")
    writer = StoreWriter(lambda: open_embedded(path), StoreLimits(spill_after=0.0, first_retry=0.01))
    writer.start()
    writer.call(lambda store: store.add_duplicates(BTC, 0)).result(20)
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("BEGIN EXCLUSIVE")
    writer.put_ticks(BTC, trades(3, first_id=901))
    assert not writer.stop(0.1)
    raw.execute("ROLLBACK")
    raw.close()
    assert main(["store", "copy", str(path), str(tmp_path / "b.sqlite")]) == 0
    err = capsys.readouterr().err
    assert "3 trades wait in" in err and "start the desk on this store once" in err


def test_info_tells_of_a_store_and_by_default_of_the_desks_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "quantdesk.sqlite")
    assert main(["store", "info", "--data-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"{tmp_path / 'quantdesk.sqlite'}: SQLite {sqlite3.sqlite_version}, bars in tables" in out
    assert "  ticks: 310 rows" in out and "\nsize: " in out
    assert main(["store", "info", "--database", f"sqlite:///{tmp_path}/quantdesk.sqlite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bar_mode"] == "tables"
    assert main(["store", "info", "a.sqlite", "--database", "sqlite:///b.sqlite"]) == 2
    assert main(["store", "info", str(tmp_path / "none.sqlite")]) == 1


def test_info_tells_all_that_a_server_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    facts = StoreFacts(
        "TimescaleDB 2.23.0 on PostgreSQL 17.5", "continuous aggregates", "desk@db.example:5433/market",
        {"ticks": 1_234_567}, {"ticks": 52_000_000, "bars": 900}, 61_000_000, 400_000_000, 33_000_000, 1.25,
        "bars are late", ("the compression job fails",), ("2.28 would be faster",), (("BTCUSDT", "attic"),),
        Retention(30, 5_000_000_000, 7),
    )  # fmt: skip
    monkeypatch.setattr(opening, "try_address", lambda address: facts)
    assert main(["store", "info", SERVER]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "desk@db.example:5433/market: TimescaleDB 2.23.0 on PostgreSQL 17.5, bars in continuous aggregates",
        "  ticks: 1,234,567 rows, 52.0 MB",
        "  bars: 900 bytes",
        "size: 61.0 MB",
        "compressed: 33.0 MB instead of 400.0 MB",
        "trades are kept: 30 days, at most 5.0 GB",
        "bars wait for a refresh: 1.2 s",
        "BTCUSDT is written by attic",
        "bars are late",
        "the compression job fails",
        "2.28 would be faster",
    ]


def test_a_password_goes_from_standard_input_or_the_keyboard_into_the_keyring(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, str] = {}
    monkeypatch.setattr(passwords, "keep_password", lambda address, password: kept.update({address.words: password}))
    monkeypatch.setattr(passwords, "forget_password", lambda address: kept.pop(address.words))
    monkeypatch.setattr(sys, "stdin", io.StringIO("pass word \r\nmore\n"))
    assert main(["store", "password", SERVER]) == 0
    assert kept == {"desk@db.example:5433/market": "pass word "}
    assert "pass word" not in capsys.readouterr().out
    assert main(["store", "password", SERVER, "--forget"]) == 0 and kept == {}

    class Keyboard(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "typed" if "desk@db.example" in prompt else "")
    assert main(["store", "password", SERVER]) == 0 and set(kept.values()) == {"typed"}
    monkeypatch.setattr(command, "_asked", lambda address: "")
    assert main(["store", "password", SERVER]) == 2
    assert main(["store", "password", "a.sqlite"]) == 2
    assert "a file has no password" in capsys.readouterr().err


def test_a_keyring_that_refuses_is_code_1(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ConfigError("this system has no keyring: put the password into ~/.pgpass")

    monkeypatch.setattr(passwords, "keep_password", refuse)
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret\n"))
    assert main(["store", "password", SERVER]) == 1
    assert "this system has no keyring" in capsys.readouterr().err


def test_the_signal_handlers_are_put_back_and_a_second_ctrl_c_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), showing.stoppable() as stopped:
        signal.raise_signal(signal.SIGINT)
        assert stopped.is_set()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
