"""Give the whole desk a market of its own and a place for temporary stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.config import Endpoints
from tests.program.desks import dead_port, environment, running, until


@pytest.fixture
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Serve a market in a process of its own, slow enough that a start costs little of its request weight."""
    words = ("simulate", "--seed", "5", "--rate", "5")
    with running(environment(tmp_path_factory.mktemp("exchange")), *words) as program:
        until(lambda: program.out.read_text("utf-8").endswith("\n"), "the exchange")
        told = json.loads(program.out.read_text("utf-8"))
        yield Endpoints(told["ws_url"], told["rest_url"], "a market")


@pytest.fixture
def nowhere() -> Iterator[Endpoints]:
    """Name a market that does not answer."""
    with dead_port() as port:
        yield Endpoints(f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}", "a market")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep temporary stores where they can be counted."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return tmp_path
