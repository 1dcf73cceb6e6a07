"""A store moves to a server and back, whole, whatever form the server keeps its bars in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store
from quantdesk.store.embedded import open_embedded
from quantdesk.store.files import Cancelled
from quantdesk.store.moving import copy_store
from quantdesk.store.opening import open_store
from quantdesk.store.retention import TICK_BYTES
from quantdesk.types import Interval
from tests.store.copied import contents, hole, small_blocks, stop_after
from tests.store.samples import BTC, ETH, reference, rows, trades
from tests.store.test_moving import fill


@pytest.fixture
def server(server_address: StoreAddress) -> Iterator[Store]:
    opened = open_store(server_address)
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Store]:
    opened = open_embedded(tmp_path / "a file.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def other_file(tmp_path: Path) -> Iterator[Store]:
    opened = open_embedded(tmp_path / "another.sqlite")
    yield opened
    opened.close()


def test_a_store_moves_to_a_server_and_back_with_all_that_it_holds(
    file: Store, server: Store, other_file: Store
) -> None:
    fill(file)
    file.append_ticks(ETH, trades(30, symbol="ETHUSDT", first_id=7))
    assert copy_store(file, server).verified
    for instrument in (BTC, ETH):
        assert contents(server, instrument) == contents(file, instrument)
    again = copy_store(file, server)
    assert again.verified and "(0 new)" in again.lines[0]
    assert copy_store(server, other_file).verified
    for instrument in (BTC, ETH):
        assert contents(other_file, instrument) == contents(file, instrument)


def test_a_copy_to_a_server_that_is_stopped_goes_on_where_it_was(
    file: Store, server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(file)
    small_blocks(monkeypatch, 60, 60)
    refuse: Callable[[], bool]
    for refuse in (stop_after(2), stop_after(5)):
        with pytest.raises(Cancelled, match="run the same again"):
            copy_store(file, server, cancelled=refuse)
    assert copy_store(file, server).verified
    assert contents(server) == contents(file)


def test_bars_whose_trades_are_gone_move_as_well(tmp_path: Path, server: Store, other_file: Store) -> None:
    limits = StoreLimits(max_tick_bytes=100 * TICK_BYTES, delete_slice=50)
    old = open_embedded(tmp_path / "old.sqlite", limits)
    try:
        ticks = trades(600, every=600_000)
        old.append_ticks(BTC, ticks)
        old.save_gaps(BTC, [hole(ticks, 30, 40)])
        old.enforce_limits()
        assert copy_store(old, server).verified
        assert contents(server) == contents(old)
        assert rows(server.load_bars(BTC, "1m").bars) == rows(reference(ticks, Interval.M1))
        assert copy_store(server, other_file).verified
        assert contents(other_file) == contents(old)
    finally:
        old.close()
