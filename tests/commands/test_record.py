"""``quantdesk record`` as a real program against the simulated exchange."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from quantdesk.store.base import StoreError
from quantdesk.store.embedded import open_embedded
from quantdesk.types import GapState, Instrument

PAIR = ("BTCUSDT", "ETHUSDT")


@pytest.fixture
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run the simulated exchange as its own process; yield its URLs and its log.

    Each test has its own: the request weight of one would slow the next down.
    """
    log = tmp_path_factory.mktemp("exchange") / "truth.jsonl"
    command = [sys.executable, "-m", "quantdesk", "simulate", "--seed", "5", "--rate", "5", "--log", str(log)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    yield {"QUANTDESK_WS_URL": said["ws_url"], "QUANTDESK_REST_URL": said["rest_url"], "log": str(log)}
    process.terminate()
    process.wait(10)
    process.stdout.close()


def start(exchange: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    environ = {**os.environ, **{k: v for k, v in exchange.items() if k.startswith("QUANTDESK_")}}
    return subprocess.Popen(
        [sys.executable, "-m", "quantdesk", "record", *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def record(exchange: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    process = start(exchange, *arguments)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def held(data: Path) -> dict[str, list[int]]:
    store = open_embedded(data / "quantdesk.sqlite", read_only=True)
    try:
        found = {}
        for row in store.instruments():
            blocks = list(store.load_ticks(row.instrument))
            found[row.instrument.symbol] = [int(i) for block in blocks for i in block.agg_id]
        return found
    finally:
        store.close()


def assert_whole(data: Path) -> None:
    ids = held(data)
    assert set(ids) == set(PAIR)
    for symbol, stored in ids.items():
        assert len(stored) == len(set(stored)) == max(stored) - min(stored) + 1, f"{symbol} has a hole or a double"


def test_a_first_recording_has_no_hole_and_ends_on_time(exchange: dict[str, str], tmp_path: Path) -> None:
    begun = time.monotonic()
    code, out, err = record(exchange, "--symbols", "BTCUSDT,ethusdt", "--seconds", "3", "--data-dir", str(tmp_path))
    assert (code, err) == (0, "")
    assert time.monotonic() - begun >= 3
    for symbol in PAIR:
        assert re.search(
            rf"^{symbol}: (\d+) new ticks, \1 stored, ids \d+ to \d+, .* 0 ids in 0 holes remain$", out, re.M
        )
    assert_whole(tmp_path)


def test_it_records_from_the_exchange_that_was_chosen_in_the_desk(exchange: dict[str, str], tmp_path: Path) -> None:
    chosen = {"ws_url": exchange["QUANTDESK_WS_URL"], "rest_url": exchange["QUANTDESK_REST_URL"]}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text(json.dumps(chosen), "utf-8")
    code, out, err = record({}, "--symbols", "BTCUSDT", "--seconds", "3", "--data-dir", str(tmp_path))
    assert (code, err) == (0, "")
    assert f"exchange: {chosen['rest_url']}, {chosen['ws_url']} (chosen in the desk)\n" in out
    assert held(tmp_path)["BTCUSDT"]


def test_kill_9_at_any_moment_forgets_no_hole(exchange: dict[str, str], tmp_path: Path) -> None:
    chance = random.Random(11)
    for _ in range(4):
        process = start(exchange, "--data-dir", str(tmp_path))
        time.sleep(0.7 + chance.random() * 1.2)
        process.kill()
        process.communicate()
    code, out, err = record(exchange, "--seconds", "3", "--data-dir", str(tmp_path))
    assert (code, err) == (0, ""), out
    assert_whole(tmp_path)


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_like_the_time_does(exchange: dict[str, str], tmp_path: Path, name: signal.Signals) -> None:
    process = start(exchange, "--data-dir", str(tmp_path))
    assert process.stdout is not None
    while "live" not in process.stdout.readline():
        pass
    while not _has_trades(tmp_path):
        time.sleep(0.1)
    process.send_signal(name)
    out, err = process.communicate(timeout=100)
    assert (process.returncode, err) == (0, "")
    assert "BTCUSDT: " in out
    assert_whole(tmp_path)


def test_an_unknown_symbol_fails_with_one_line(exchange: dict[str, str], tmp_path: Path) -> None:
    code, _, err = record(exchange, "--symbols", "NOSUCHUSDT", "--seconds", "20", "--data-dir", str(tmp_path))
    assert code == 1
    assert err == "quantdesk: NOSUCHUSDT is not a symbol of the exchange\n"


def test_a_recording_that_ends_before_anything_answered_does_not_say_live(tmp_path: Path) -> None:
    nowhere = {"QUANTDESK_WS_URL": "ws://127.0.0.1:9", "QUANTDESK_REST_URL": "http://127.0.0.1:9"}
    code, _, err = record(nowhere, "--seconds", "0.001", "--data-dir", str(tmp_path))
    assert code == 1 and "no trade came: the time ended before anything had answered" in err


def test_no_exchange_fails_with_one_line(tmp_path: Path) -> None:
    nowhere = {"QUANTDESK_WS_URL": "ws://127.0.0.1:9", "QUANTDESK_REST_URL": "http://127.0.0.1:9"}
    code, out, err = record(nowhere, "--seconds", "6", "--data-dir", str(tmp_path))
    assert code == 1
    assert err.startswith("quantdesk: no trade came: no connection to the exchange: connection refused")
    assert err.count("\n") == 1
    assert "no connection to the exchange" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seconds", "0"),
        ("--seconds", "soon"),
        ("--symbols", ","),
        ("--symbols", "BTC/USDT"),
        ("--database", "postgresql://x"),
    ],
)
def test_wrong_use_is_code_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code, _, err = record({}, *arguments, "--data-dir", str(tmp_path))
    assert code == 2
    assert "Traceback" not in err


async def _serve_503(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline() not in (b"\r\n", b""):
        pass
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


def _has_trades(data: Path) -> bool:
    try:
        return all(held(data).get(symbol) for symbol in PAIR)
    except StoreError:  # not there yet
        return False


@pytest.fixture
async def broken_rest() -> AsyncIterator[str]:
    server = await asyncio.start_server(_serve_503, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_holes_that_remain_are_code_3_and_stay_in_the_ledger(
    exchange: dict[str, str], broken_rest: str, tmp_path: Path
) -> None:
    urls = {**exchange, "QUANTDESK_REST_URL": broken_rest}
    process = await asyncio.to_thread(start, urls, "--data-dir", str(tmp_path))
    assert process.stdout is not None
    while not await asyncio.to_thread(_has_trades, tmp_path):  # noqa: ASYNC110  # another program's store has no event
        await asyncio.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    while "stopped" not in await asyncio.to_thread(process.stdout.readline):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)  # a second signal does not wait for REST
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert (process.returncode, err) == (3, "")
    assert "in 1 holes remain" in out
    store = open_embedded(tmp_path / "quantdesk.sqlite", read_only=True)
    try:
        (row,) = store.find("BTCUSDT")
        instrument: Instrument = row.instrument
        assert {gap.state for gap in store.load_gaps(instrument)} <= {GapState.OPEN, GapState.FILLING}
    finally:
        store.close()
