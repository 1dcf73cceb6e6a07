import argparse
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from quantdesk.commands import simulate
from quantdesk.config import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def parsed(*words):
    parser = argparse.ArgumentParser()
    simulate.add_parser(parser.add_subparsers())
    return parser.parse_args(["simulate", *words])


def started(*words):
    program = (
        "import argparse, sys; from quantdesk.commands import simulate;"
        "p = argparse.ArgumentParser(); simulate.add_parser(p.add_subparsers());"
        "a = p.parse_args(['simulate', *sys.argv[1:]]); sys.exit(simulate.run(a))"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_serves_and_ends_well_on_a_signal(tmp_path, number):
    log = tmp_path / "generated.ndjson"
    process = started("--seed", "5", "--log", str(log))
    line = json.loads(process.stdout.readline())
    with urllib.request.urlopen(line["rest_url"] + "/fapi/v1/time") as reply:
        assert json.load(reply)["serverTime"] >= line["started_ms"]
    process.send_signal(number)
    rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert line["symbols"][:2] == ["BTCUSDT", "ETHUSDT"]
    assert (line["seed"], line["truth"]["beta"]) == (5, 15.0)
    assert line["ws_url"].startswith("ws://127.0.0.1:")
    assert json.loads(log.read_text("utf-8").splitlines()[-1])["agg_id"] > 0


def test_a_port_in_use_or_a_missing_file_is_the_users_mistake(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(ConfigError, match="in use"):
            simulate.run(parsed("--port", port))
    with pytest.raises(ConfigError, match="no such file"):
        simulate.run(parsed("--source", str(tmp_path / "none.txt")))


@pytest.mark.parametrize(
    "words", [["--port", "70000"], ["--seed", "-1"], ["--speed", "0"], ["--rate", "nan"], ["--rate", "1e9"]]
)
def test_wrong_use_is_refused_by_the_parser(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        parsed(*words)
    assert stopped.value.code == 2
    assert words[0] in capsys.readouterr().err
