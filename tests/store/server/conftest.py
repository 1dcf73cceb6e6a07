"""Give the server store's tests an empty database of each form in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.store.address import StoreAddress
from tests.store.kinds import ALL_KINDS, empty_store


@pytest.fixture(params=[kind for kind in ALL_KINDS if kind != "sqlite"])
def form(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Name an empty store in each form that a server keeps one in."""
    with empty_store(request, request.param, tmp_path) as address:
        yield address


@pytest.fixture
def plain_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Name an empty store on PostgreSQL without TimescaleDB."""
    with empty_store(request, "plain", tmp_path) as address:
        yield address
