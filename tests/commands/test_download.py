"""``quantdesk download``: whole days from a simulated archive, exit codes and words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quantdesk import cli
from tests.program.desks import environment, running, until

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture
def exchange(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Serve a market in a process of its own and name it in the environment."""
    words = ("simulate", "--seed", "5", "--rate", "0.05")
    with running(environment(tmp_path_factory.mktemp("exchange")), *words) as program:
        until(lambda: program.out.read_text("utf-8").endswith("\n"), "the exchange")
        told = json.loads(program.out.read_text("utf-8"))
        for name, key in (("WS", "ws_url"), ("REST", "rest_url"), ("ARCHIVE", "archive_url")):
            monkeypatch.setenv(f"QUANTDESK_{name}_URL", told[key])
        yield told


def test_a_day_of_trades_and_bars_by_both_ways(exchange, tmp_path: Path, capsys) -> None:
    def run(*words: str) -> int:
        return cli.main(["download", *words, "--data-dir", str(tmp_path)])

    day = ("--from", str(YESTERDAY), "--to", str(YESTERDAY))
    assert run("--symbols", "btcusdt", "--interval", "aggtrades", *day) == 0
    said = capsys.readouterr()
    assert said.out.startswith("1 days brought ")
    assert f"quantdesk: exchange: {exchange['rest_url']}, {exchange['ws_url']} (environment)\n" in said.err
    assert run("--symbols", "BTCUSDT", "--interval", "aggtrades", *day) == 0
    assert "1 days were held already" in capsys.readouterr().out
    assert run("--symbols", "BTCUSDT,ETHUSDT", "--interval", "1h", "--source", "rest", *day) == 0
    assert "2 days brought 48 rows" in capsys.readouterr().out
    assert run("--symbols", "NONESUCH", "--interval", "1h", *day) == 3
    assert f"NONESUCH {YESTERDAY}" in capsys.readouterr().out
    assert cli.main(["ledger", "--data-dir", str(tmp_path)]) == 0
    assert "complete" in capsys.readouterr().out
    assert cli.main(["store", "info", "--data-dir", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "7 kinds of data" in table and "source bars 1h" in table and "100%" in table
    assert cli.main(["store", "info", "--json", "--data-dir", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)["holdings"]
    assert (rows[0]["symbol"], rows[0]["what"]) == ("BTCUSDT", "trades")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--interval", "7m", "--from", "2026-01-01"), "invalid choice"),
        (("--interval", "1m", "--from", "yesterday"), "is no day"),
        (("--interval", "aggtrades", "--source", "rest", "--from", "2026-01-01"), "48 hours only"),
        (("--interval", "1m", "--from", "2026-02-01", "--to", "2026-01-01"), "later than the last one"),
        (("--interval", "1m", "--from", "2026-01-01", "--to", "2999-01-01"), "at most"),
    ],
)
def test_wrong_use_is_said(tmp_path: Path, capsys, words: tuple[str, ...], said: str) -> None:
    assert cli.main(["download", "--symbols", "BTCUSDT", *words, "--data-dir", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_an_exchange_without_an_archive_says_so(monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setenv("QUANTDESK_REST_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("QUANTDESK_ARCHIVE_URL", raising=False)
    words = ["--symbols", "BTCUSDT", "--interval", "1m", "--from", str(YESTERDAY)]
    assert cli.main(["download", *words, "--data-dir", str(tmp_path)]) == 1
    assert "QUANTDESK_ARCHIVE_URL" in capsys.readouterr().err
