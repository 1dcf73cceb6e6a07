"""A command reaches the exchange that the environment names, else the one chosen in the desk of its data folder."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.commands import exchange
from quantdesk.commands.exchange import reached
from quantdesk.commands.shared import add_data_dir
from quantdesk.config import ConfigError, Endpoints
from quantdesk.feed.proxy import proxy_for

WS, REST, ARCHIVE = "wss://stream.other.test", "https://rest.other.test:444", "https://files.other.test"


@pytest.fixture(autouse=True)
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the environment say nothing, and take back what a command puts there."""
    before = dict(os.environ)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("WS", "REST", "ARCHIVE"):
        monkeypatch.delenv(f"QUANTDESK_{name}_URL", raising=False)
    yield
    os.environ.clear()
    os.environ.update(before)


def args(folder: Path, **chosen: object) -> argparse.Namespace:
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "settings.json").write_text(json.dumps(chosen), "utf-8")
    parser = argparse.ArgumentParser()
    add_data_dir(parser)
    return parser.parse_args(["--data-dir", str(folder)])


def test_without_a_choice_it_is_the_exchanges_own(tmp_path: Path) -> None:
    found = reached(args(tmp_path))
    own = Endpoints()
    assert (found.endpoints, found.words) == (own, f"exchange: {own.rest_url}, {own.ws_url}")


def test_what_was_chosen_in_the_desk_is_reached_and_kept_apart(tmp_path: Path) -> None:
    found = reached(args(tmp_path, ws_url=WS, rest_url=REST, archive_url=ARCHIVE))
    assert found.endpoints == Endpoints.of(WS, REST, ARCHIVE) and found.endpoints.venue == "rest.other.test:444"
    assert found.words == f"exchange: {REST}, {WS} (chosen in the desk)"
    mirror = reached(args(tmp_path, archive_url=ARCHIVE))
    assert mirror.endpoints == Endpoints.of(archive_url=ARCHIVE), "a mirror of the archive is no other exchange"


def test_the_environment_goes_before_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTDESK_REST_URL", "http://127.0.0.1:9")
    found = reached(args(tmp_path, ws_url=WS, rest_url=REST))
    assert found.endpoints.rest_url == "http://127.0.0.1:9" and found.endpoints.ws_url == Endpoints().ws_url
    assert found.words.endswith("(environment)")
    monkeypatch.setenv("QUANTDESK_REST_URL", "nonsense")
    with pytest.raises(ConfigError, match="QUANTDESK_REST_URL"):
        reached(args(tmp_path, rest_url=REST))


def test_a_choice_that_makes_no_sense_is_left_out_and_said(tmp_path: Path, capsys) -> None:
    found = reached(args(tmp_path, ws_url="http://no.stream", rest_url=7, proxy="socks5://a:1"))
    assert found.endpoints == Endpoints()
    said = capsys.readouterr().err
    assert "the address chosen in the desk is left out, ws_url must start with ws://" in said
    assert "the proxy chosen in the desk is left out" in said


def test_a_chosen_proxy_is_taken_with_its_password_and_shown_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(
        exchange, "find_secret", lambda name: "s3cret" if name == "http://joe@proxy.test:8080" else None
    )
    found = reached(args(tmp_path, proxy="http://joe@proxy.test:8080"))
    assert found.words.endswith(", through the proxy proxy.test:8080")
    assert proxy_for("https://fapi.binance.com/x") == "http://joe:s3cret@proxy.test:8080"
    assert proxy_for("http://127.0.0.1:9/x") is None
    monkeypatch.setattr(exchange, "find_secret", lambda name: None)
    for name in ("http_proxy", "https_proxy"):
        os.environ.pop(name)
        os.environ.pop(name.upper())
    reached(args(tmp_path, proxy="http://joe@proxy.test:8080"))
    assert "the keyring gives no password" in capsys.readouterr().err


def test_a_proxy_of_the_environment_goes_before_the_chosen_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://named.test:1")
    assert "proxy" not in reached(args(tmp_path, proxy="http://proxy.test:8080")).words
    assert proxy_for("https://fapi.binance.com/x") == "http://named.test:1"


def test_no_proxy_can_be_chosen(tmp_path: Path) -> None:
    assert reached(args(tmp_path, proxy="none")).words.endswith(", through no proxy")
    assert os.environ["no_proxy"] == "*"
    assert "proxy" not in reached(args(tmp_path, proxy="system")).words
