"""Give the store's tests a store of every kind in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store
from quantdesk.store.opening import open_store
from quantdesk.types import Instrument
from tests.store.kinds import ALL_KINDS, empty_store, own


@pytest.fixture(scope="module", params=ALL_KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Open a store of each kind for all tests of a file; each test keeps to instruments of its ``own``."""
    with empty_store(request, request.param, tmp_path_factory.mktemp("stores")) as address:
        opened = open_store(address)
        yield opened
        opened.close()


@pytest.fixture
def btc() -> Instrument:
    """Return an instrument that no other test uses."""
    return own()


@pytest.fixture(params=ALL_KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreAddress]:
    """Name an empty store of each kind in turn."""
    with empty_store(request, request.param, tmp_path) as address:
        yield address


@pytest.fixture
def opened() -> Iterator[Callable[..., Store]]:
    """Return what opens a store, with limits where they are given; closes all at the end."""
    stores: list[Store] = []

    def make(address: StoreAddress, limits: StoreLimits | None = None) -> Store:
        stores.append(open_store(address, limits))
        return stores[-1]

    yield make
    for store in reversed(stores):
        store.close()
