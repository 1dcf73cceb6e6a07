"""The spill file gives back its longest valid prefix, whatever happened to its end."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.store.base import DiskLowError, StoreError
from quantdesk.store.spill import Spill, waiting_trades
from quantdesk.store.spill_records import Kept
from quantdesk.store.write_queue import Bars, Ledger, Ticks
from quantdesk.types import Gap, GapState
from tests.store.samples import BTC, ETH, START, source, trades

BOUND = 1_000_000
HOLE = Gap("BTCUSDT", 20, 29, START, START + 5, START, GapState.FILLING, 3)


def some(count: int) -> list[Kept]:
    """Return works of every kind, each one record."""
    made: list[Kept] = []
    for k in range(count):
        ticks = Ticks(
            BTC if k % 2 else ETH, trades(1 + k % 3, seed=k, first_id=100 * k, symbol="SÓL" if k == 4 else "BTCUSDT")
        )
        named = replace(ticks.instrument, symbol=ticks.ticks[0].symbol)
        kinds: list[Kept] = [Ticks(named, ticks.ticks), Ledger(BTC, {20: HOLE, 40: replace(HOLE, first_id=40)})]
        made.append([*kinds, Bars(ETH, "1m", source([0, 60_000]), "kline")][k % 3 if k % 4 == 3 else 0])
    return made


def plain(works: list[Kept]) -> list[object]:
    """Return works so that they compare."""
    bars = [
        (w.instrument, w.interval, w.origin, *(getattr(w.bars, n).tolist() for n in ("open_time", "close", "trades")))
        if isinstance(w, Bars)
        else w
        for w in works
    ]
    return list(bars)


def all_of(spill: Spill) -> list[Kept]:
    found: list[Kept] = []
    while not spill.is_replayed:
        found += spill.read(3)
        spill.advance()
    return found


def written(path: Path, works: list[Kept]) -> list[int]:
    """Write works as records; return where each of them ends."""
    spill = Spill(path, BOUND)
    ends = []
    for work in works:
        spill.append([work])
        ends.append(path.stat().st_size)
    spill.close()
    return ends


def reopened(path: Path) -> tuple[list[Kept], Spill]:
    spill = Spill(path, BOUND)
    spill.open()
    return all_of(spill), spill


def test_what_is_put_in_comes_out_in_order_and_the_file_goes(tmp_path: Path) -> None:
    path, works = tmp_path / "s.spill", some(12)
    spill = Spill(path, BOUND)
    spill.append(works[:7])
    assert plain(spill.read(1)) == plain(works[:1])
    spill.append(works[7:])
    assert plain(all_of(spill)) == plain(works)
    assert spill.waiting == 0 and spill.is_replayed and not spill.is_empty
    spill.clear()
    assert spill.is_empty and not path.exists()
    spill.append(works[:1])
    spill.close()
    found, spill = reopened(path)
    assert plain(found) == plain(works[:1])
    spill.close()


def test_only_what_was_cleared_is_gone_at_the_next_start(tmp_path: Path) -> None:
    path, works = tmp_path / "s.spill", some(6)
    written(path, works)
    assert waiting_trades(path) == sum(len(w.ticks) for w in works if isinstance(w, Ticks))
    for _ in range(2):
        found, spill = reopened(path)
        spill.close()
        assert plain(found) == plain(works)


def test_the_file_cut_at_every_byte_gives_the_longest_whole_prefix(tmp_path: Path) -> None:
    path, works = tmp_path / "s.spill", some(7)
    ends = written(path, works)
    whole = path.read_bytes()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        found, spill = reopened(path)
        kept = sum(end <= size for end in ends)
        assert plain(found) == plain(works[:kept]), size
        begins = ends[kept - 1] if kept else (20 if size >= 20 else 0)
        assert spill.damaged_bytes == size - begins
        if size > begins:
            assert spill.aside.read_bytes() == whole[begins:size]
        more = some(2)
        spill.append(more)
        spill.close()
        again, last = reopened(path)
        assert plain(again) == plain([*works[:kept], *more])
        last.close()
        path.unlink()


@given(st.data())
def test_one_flipped_bit_ends_the_file_there(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("flip") / "s.spill"
    works = some(data.draw(st.integers(1, 6)))
    ends = written(path, works)
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    found, spill = reopened(path)
    kept = 0 if bit // 8 < 20 else sum(end <= bit // 8 for end in ends)
    assert plain(found) == plain(works[:kept])
    assert spill.damaged_bytes == len(content) - (ends[kept - 1] if kept else (20 if bit // 8 >= 20 else 0))
    spill.close()


@given(st.binary(max_size=300))
def test_a_foreign_file_is_set_aside(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("foreign") / "s.spill"
    path.write_bytes(content)
    found, spill = reopened(path)
    assert found == [] and spill.damaged_bytes == len(content)
    assert not content or spill.aside.read_bytes() == content
    assert not path.exists()


def test_records_of_another_file_are_not_believed(tmp_path: Path) -> None:
    one, two, works = tmp_path / "1.spill", tmp_path / "2.spill", some(3)
    ends = written(one, works)
    written(two, works)
    two.write_bytes(two.read_bytes() + one.read_bytes()[ends[0] :])
    found, spill = reopened(two)
    assert plain(found) == plain(works)
    spill.close()


def test_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    import zlib

    path = tmp_path / "s.spill"
    header = b"qdspill\n" + (9).to_bytes(4, "little") + bytes(4)
    content = header + zlib.crc32(header).to_bytes(4, "little") + b"what nobody knows"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="newer"):
        Spill(path, BOUND).open()
    assert path.read_bytes() == content


def test_the_bound_takes_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.spill"
    spill = Spill(path, 3_000)
    taken = 0
    with pytest.raises(DiskLowError, match="bound"):
        while True:
            spill.append([Ticks(BTC, trades(5, first_id=10 * taken))])
            taken += 1
    assert taken > 2 and path.stat().st_size <= 3_000
    assert len(all_of(spill)) == taken
    spill.clear()
    spill.append([Ticks(BTC, trades(5))])
    spill.close()


def test_damage_while_it_is_read_keeps_what_came_before(tmp_path: Path) -> None:
    path, works = tmp_path / "s.spill", [Ticks(BTC, trades(4, first_id=10 * k)) for k in range(5)]
    spill = Spill(path, BOUND)
    ends = []
    for work in works:
        spill.append([work])
        ends.append(path.stat().st_size)
    with path.open("r+b") as file:
        file.seek(ends[2] + 30)
        file.write(b"\xff")
    assert plain(all_of(spill)) == plain(list(works[:3]))
    assert spill.damaged_bytes == ends[4] - ends[2] and spill.waiting == 0
    spill.clear()


def test_numbers_that_no_record_holds_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "s.spill", BOUND)
    with pytest.raises(OverflowError):
        spill.append([Ticks(BTC, [replace(trades(1)[0], agg_id=2**70)])])
    assert spill.is_empty and not spill.path.exists()


def test_odd_doubles_survive(tmp_path: Path) -> None:
    chance = random.Random(3)
    ticks = [replace(t, price=chance.uniform(0, 1e-9) or 1.0, event_ts=7) for t in trades(200)]
    path = tmp_path / "s.spill"
    written(path, [Ticks(BTC, ticks)])
    ((work,), spill) = reopened(path)
    assert isinstance(work, Ticks) and work.ticks == ticks
    assert all(type(t.is_buyer_maker) is bool and not isinstance(t.price, np.generic) for t in work.ticks)
    spill.close()
