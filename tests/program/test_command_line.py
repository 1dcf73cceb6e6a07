"""The command line as scripts and people use it: exit codes, one clear line, no traceback."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from quantdesk import __version__
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument, Tick
from quantdesk.ui.theme_tokens import DARK, LIGHT, Tokens
from tests.program.desks import command, dead_port, environment, pixels_of, quantdesk, running, until, write_pair

COMMANDS = ("record", "simulate", "analyze", "export", "import")
BTC = Instrument("binance-um", "BTCUSDT", Decimal("0.10"), Decimal("0.001"))
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}


def fails(env: dict[str, str], code: int, *words: str | Path) -> str:
    """Run to a failure; return its one line on stderr."""
    done = quantdesk(env, *words)
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("quantdesk: ")
    return done.stderr


def candles(path: Path, tokens: Tokens) -> int:
    return pixels_of(path, tokens.up, tokens.down)


def store_with_a_trade(path: Path) -> Path:
    """Make a store that holds the market's own rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store = open_embedded(path)
    ticks = [Tick(BTC.symbol, 100 + i, 64_000.0 + i, 0.5, 1_700_000_000_000 + i, False, 1) for i in range(50)]
    store.append_ticks(BTC, ticks)
    store.close()
    return path


def rows_in(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
        names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: sorted(base.execute(f'SELECT * FROM "{name}"'), key=repr) for name in names}
    base.close()
    return found


def test_help_and_version_are_printed_and_end_well(env) -> None:
    done = quantdesk(env, "--version", options=("-X", "dev"))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"quantdesk {__version__}\n", "")
    done = quantdesk(env, "--help", options=("-X", "dev"))
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in COMMANDS)
    assert "exit codes" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_sub_command_explains_itself(env, name: str) -> None:
    done = quantdesk(env, name, "--help", options=("-X", "dev"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: quantdesk {name}")


@pytest.mark.parametrize(
    "words",
    [
        ("--nonsense",),
        ("--theme", "pink"),
        ("--speed", "0"),
        ("--speed", "nan"),
        ("--after", "3"),
        ("--simulate", "--replay", "x"),
        ("--screenshot", "picture.gif"),
        ("--database", "postgresql://host/base"),
        ("record", "--seconds", "-1"),
        ("record", "--symbols", ","),
        ("simulate", "--port", "70000"),
        ("simulate", "--speed", "inf"),
        ("analyze",),
        ("export", "candles"),
        ("export", "bars", "--symbol", "S", "--from", "yesterday", "--output", "x"),
        ("import",),
    ],
    ids=" ".join,
)
def test_wrong_use_is_two(env, words: tuple[str, ...]) -> None:
    assert fails(env, 2, *words)


def test_a_file_that_is_not_there_is_named(env, folder) -> None:
    missing = folder / "no such file.csv"
    assert "no such file.csv" in fails(env, 1, "--screenshot", folder / "a.png", missing)
    assert "no such file.csv" in fails(env, 1, "--replay", missing)
    assert "no such file.csv" in fails(env, 1, "analyze", missing)
    assert "no such file.csv" in fails(env, 1, "import", missing)
    assert "no such file.csv" in fails(env, 1, "simulate", "--source", missing)
    assert not (folder / "a.png").exists()


def test_a_replay_of_something_else_says_so(env, folder) -> None:
    other = folder / "poem.txt"
    other.write_text("no frames\nin here\n", "utf-8")
    assert "poem.txt" in fails(env, 1, "--replay", other, "--screenshot", folder / "a.png")


def test_a_store_or_a_symbol_that_is_not_there_is_named(env, folder) -> None:
    output = folder / "out.csv"
    words = ("export", "bars", "--symbol", "NOSUCH", "--output", output, "--data-dir", folder / "data")
    assert str(folder / "data") in fails(env, 1, *words)
    store_with_a_trade(folder / "data" / "quantdesk.sqlite")
    assert "NOSUCH" in fails(env, 1, *words)
    assert not output.exists()


def test_a_bad_address_in_the_environment_is_named(env, folder) -> None:
    wrong = [
        ("QUANTDESK_WS_URL", "http://x"),
        ("QUANTDESK_REST_URL", "not a url"),
        ("QUANTDESK_REST_URL", "http://h:99999"),
    ]
    for name, value in wrong:
        assert name in fails({**env, name: value}, 1, "--screenshot", folder / "a.png")
        assert name in fails({**env, name: value}, 1, "record", "--seconds", "1")


def test_a_data_folder_that_cannot_be_written_is_named(env, folder) -> None:
    blocked = folder / "a file"
    blocked.write_text("in the way", "utf-8")
    assert "a file" in fails(env, 1, "record", "--seconds", "1", "--data-dir", blocked)
    leg, _ = write_pair(folder)
    assert "a file" in fails(env, 1, "import", leg, "--data-dir", blocked)


def test_a_picture_that_cannot_be_written_is_named(env, folder) -> None:
    leg, _ = write_pair(folder)
    assert "nowhere" in fails(env, 1, leg, "--screenshot", folder / "nowhere" / "a.png")


def test_without_a_screen_the_desk_says_what_to_do(env) -> None:
    assert "--screenshot" in fails(env, 1)
    assert "':987'" in fails({**env, "DISPLAY": ":987"}, 1)


def test_a_recording_without_an_exchange_fails_in_one_line(env) -> None:
    with dead_port() as port:
        dead = {**env, "QUANTDESK_WS_URL": f"ws://127.0.0.1:{port}", "QUANTDESK_REST_URL": f"http://127.0.0.1:{port}"}
        assert "no trade came" in fails(dead, 1, "record", "--seconds", "1.5")


def test_a_reader_that_leaves_early_is_no_failure(env, folder) -> None:
    first, second = write_pair(folder)
    closed_read, write = os.pipe()
    os.close(closed_read)
    try:
        for words in (("--help",), ("analyze", first, second, "--json")):
            done = subprocess.run(
                command(*words), env=env, cwd=Path(__file__).parents[2], stdout=write, stderr=subprocess.PIPE,
                text=True, timeout=60, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, "")
    finally:
        os.close(write)


def test_names_with_blanks_and_letters_of_other_languages_work_everywhere(env, folder) -> None:
    first, second = write_pair(folder)
    data = folder / "Daten ordner ü"
    done = quantdesk(env, "analyze", first, second, "--json", options=("-X", "dev"))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["observations"] == 300
    done = quantdesk(env, "import", second, "--data-dir", data, "--symbol", "币安人生USDT", options=("-X", "dev"))
    assert done.returncode == 0, done.stderr
    output = folder / "aus gabe ü.csv"
    done = quantdesk(
        env, "export", "bars", "--symbol", "币安人生USDT", "--interval", "1d", "--output", output, "--data-dir", data
    )
    assert done.returncode == 0, done.stderr
    lines = output.read_text("utf-8").splitlines()
    assert lines[0] == "symbol,interval,open_time_ms,open,high,low,close,volume,quote_volume,trades"
    assert len(lines) == 301
    assert lines[1].startswith("币安人生USDT,1d,1599955200000,")


@pytest.mark.parametrize(("theme", "tokens"), [("dark", DARK), ("light", LIGHT)])
def test_a_picture_of_files_shows_candles_and_lines(env, folder, theme: str, tokens: Tokens) -> None:
    first, second = write_pair(folder)
    picture = folder / "bild ü.png"
    done = quantdesk(env, first, second, "--theme", theme, "--screenshot", picture, options=("-X", "dev"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert candles(picture, tokens) > 2_000
    for colour in (tokens.spread, tokens.z, tokens.correlation):
        assert pixels_of(picture, colour) > 150
    other = LIGHT if tokens is DARK else DARK
    assert pixels_of(picture, tokens.panel) > 100_000
    assert pixels_of(picture, other.panel) < 20_000


def test_a_picture_of_the_simulated_market_touches_neither_store_nor_temporary_folder(env, folder) -> None:
    kept = store_with_a_trade(Path(env["XDG_DATA_HOME"], "quantdesk", "quantdesk.sqlite"))
    before, rows = kept.read_bytes(), rows_in(kept)
    beside = sorted(kept.parent.iterdir())
    picture = folder / "simulated.png"
    done = quantdesk(env, "--simulate", "--screenshot", picture, options=("-X", "dev"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert candles(picture, DARK) > 2_000
    assert pixels_of(picture, DARK.z) > 150
    assert (kept.read_bytes(), rows_in(kept)) == (before, rows)
    assert sorted(kept.parent.iterdir()) == beside
    assert list(Path(env["TMPDIR"]).iterdir()) == []


def test_the_simulated_market_leaves_other_rows_of_a_named_store_alone(env, folder) -> None:
    kept = store_with_a_trade(folder / "data" / "quantdesk.sqlite")
    rows = rows_in(kept)
    done = quantdesk(env, "--simulate", "--data-dir", folder / "data", "--screenshot", folder / "a.png")
    assert (done.returncode, done.stderr) == (0, "")
    reader = open_embedded(kept, read_only=True)
    venues = {held.instrument.venue for held in reader.find("BTCUSDT")}
    reader.close()
    assert venues == {"binance-um", "simulator"}
    after = rows_in(kept)
    for name in ("instruments", "ticks", "bars"):
        assert set(rows[name]) <= set(after[name])


def test_a_simulated_desk_that_is_told_to_stop_deletes_its_store(env) -> None:
    with running({**env, **OFFSCREEN}, "--simulate", options=("-X", "dev")) as desk:
        place = Path(env["TMPDIR"])
        until(lambda: list(place.glob("quantdesk-*/quantdesk.sqlite")), "the temporary store")
        desk.process.send_signal(signal.SIGTERM)
        assert desk.ended() == (0, "")
    assert list(place.iterdir()) == []


def test_the_recorded_market_is_replayed_as_candles(env, folder, shared_data) -> None:
    frames = next((shared_data / "usdm_20240718").glob("frames_*.txt.gz"))
    picture = folder / "replay.png"
    done = quantdesk(env, "--replay", frames, "--speed", "1000", "--screenshot", picture, "--after", "6")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert candles(picture, DARK) > 500
    assert list(Path(env["TMPDIR"]).iterdir()) == []


def test_a_recording_of_the_simulated_exchange_is_exported_whole(env, folder) -> None:
    data, log = folder / "data dir", folder / "log.ndjson"
    with running(env, "simulate", "--seed", "3", "--log", log) as exchange:
        until(lambda: exchange.out.read_text("utf-8").endswith("\n"), "the exchange")
        told = json.loads(exchange.out.read_text("utf-8"))
        there = {**env, "QUANTDESK_WS_URL": told["ws_url"], "QUANTDESK_REST_URL": told["rest_url"]}
        done = quantdesk(there, "record", "--seconds", "4", "--data-dir", data)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        exchange.process.send_signal(signal.SIGTERM)
        assert exchange.ended() == (0, "")
    output = folder / "ticks.csv"
    done = quantdesk(env, "export", "ticks", "--symbol", "btcusdt", "--output", output, "--data-dir", data)
    assert done.returncode == 0, done.stderr
    lines = output.read_text("utf-8").splitlines()
    assert lines[0] == "symbol,agg_id,price,quantity,trade_time_ms,is_buyer_maker,trades"
    ids = [int(line.split(",")[1]) for line in lines[1:]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_environment_of_a_test_is_its_own(folder) -> None:
    assert all(str(folder) in value for name, value in environment(folder).items() if name.startswith("XDG_"))
