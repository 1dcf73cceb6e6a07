"""What no store took waits in a file: whole or not at all, checked line by line, and never lost in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quantdesk.store.base import StoreError
from quantdesk.store.embedded import open_embedded
from quantdesk.store.left_alerts import LeftAlert, LeftOutcome, keep, left_of
from quantdesk.types import AlertRow, Origin

ROW = AlertRow(
    "key", "z", "a market", "Å/B", "B", "1m", Origin.LIVE, "window 60", 60_000, 61_000, "{}", '{"a": "b\\nc"}'
)
LEFT = [LeftAlert("the store", ROW), LeftAlert("the store", LeftOutcome("key", '{"bars": 3}', 90_000))]


def test_what_is_kept_is_read_back_as_it_was_and_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "data" / "alerts.left"
    assert left_of(path) == []
    keep(path, LEFT)
    assert left_of(path) == LEFT
    keep(path, LEFT[:1])
    assert left_of(path) == LEFT[:1] and len(list(path.parent.iterdir())) == 1
    keep(path, [])
    assert not path.exists()
    keep(path, [])


def test_it_is_written_into_a_store_once_however_often_it_is_put(tmp_path: Path) -> None:
    store = open_embedded(tmp_path / "market.sqlite")
    for _ in range(2):
        for one in LEFT:
            one.put(store)
    (row,) = store.firings()
    assert (row.id, row.snapshot, row.outcome, row.outcome_at) == ("key", ROW.snapshot, '{"bars": 3}', 90_000)
    store.close()


@pytest.mark.parametrize("harm", ["flip", "cut", "other", "empty"])
def test_a_damaged_line_is_set_aside_and_the_others_count(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "alerts.left"
    keep(path, LEFT)
    raw = bytearray(path.read_bytes())
    if harm == "flip":
        raw[raw.index(b"window 60")] ^= 1
    elif harm == "cut":
        del raw[-20:]
    path.write_bytes({"other": b"something else\n" + raw, "empty": b""}.get(harm, bytes(raw)))
    wanted = {"flip": LEFT[1:], "cut": LEFT[:1]}.get(harm, [])
    assert left_of(path) == wanted
    aside = tmp_path / "alerts.left.damaged"
    assert aside.read_bytes() == path.read_bytes()


def test_a_folder_that_takes_nothing_is_said_in_words_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alerts.left"
    keep(path, LEFT)
    (tmp_path / f"alerts.left.{os.getpid()}.part").mkdir()
    with pytest.raises(StoreError, match=r"alerts\.left cannot be written: "):
        keep(path, LEFT[:1])
    assert left_of(path) == LEFT
    with pytest.raises(StoreError, match="cannot be read: "):
        left_of(tmp_path / f"alerts.left.{os.getpid()}.part")
