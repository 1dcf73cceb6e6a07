"""Many rows are upserted through a staging table exactly as a few are by one statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store
from quantdesk.types import Gap, GapState
from tests.store.kinds import sql
from tests.store.samples import BTC, START, rows, source

Opened = Callable[..., Store]


@pytest.mark.parametrize("count", [49, 1_000])
def test_values_of_every_kind_come_back_as_they_were(server_address: StoreAddress, opened: Opened, count: int) -> None:
    store = opened(server_address)
    odd = [0.1 + 0.2, 1e-300, 1.5e300, -0.0, 123_456_789.987_654_3]
    made = [(60_000 * k, *(odd[(k + i) % 5] for i in range(4)), float("nan"), 1.0 * k, 2**40 + k) for k in range(count)]
    bars = BarArrays.from_rows(made)
    origin = "file:tab\t back\\slash \\N new\nline 'quote' \r ü.csv"
    assert store.append_source_bars(BTC, "1m", bars, origin) == count
    loaded = store.load_bars(BTC, "1m")
    assert set(loaded.origin) == {origin}
    assert [row[:5] + row[6:] for row in rows(loaded.bars)] == [row[:5] + row[6:] for row in made]
    assert all(row[5] != row[5] for row in rows(loaded.bars))
    assert store.append_source_bars(BTC, "1m", bars, origin) == 0
    assert sql(server_address, "SELECT count(*) FROM source_bars WHERE volume IS NULL") == [(count,)]


@pytest.mark.parametrize("count", [2, 200])
def test_keys_that_come_twice_are_taken_in_their_order(
    server_address: StoreAddress, opened: Opened, count: int
) -> None:
    store = opened(server_address)
    times = [60_000 * k for k in range(count)]
    both = [*rows(source(times, 1.5)), *rows(source(times[::2], 2.5)), *rows(source(times[:1], 3.5))]
    changed = store.append_source_bars(BTC, "1m", BarArrays.from_rows(both), "kline")
    assert changed == len(both)
    want = [3.5, *(1.5 if k % 2 else 2.5 for k in range(1, count))]
    assert store.load_bars(BTC, "1m").bars.open.tolist() == want


@pytest.mark.parametrize("count", [2, 200])
def test_a_row_that_no_column_holds_refuses_all_of_them(
    server_address: StoreAddress, opened: Opened, count: int
) -> None:
    store = opened(server_address)
    many = [Gap("BTCUSDT", i, i + 1, START, START + 1, START, GapState.OPEN, 1) for i in range(1, count)]
    for wrong in (replace(many[0], first_id=9_999, start_ts=10**18), replace(many[0], first_id=9_999, calls=2**40)):
        with pytest.raises(ValueError, match="cannot hold a value"):
            store.save_gaps(BTC, [*many, wrong])
        assert store.load_gaps(BTC) == []
    store.save_gaps(BTC, many)
    assert store.load_gaps(BTC) == many
