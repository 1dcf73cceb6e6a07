"""The oracle itself: it must see what is wrong, or the matrix proves nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Gap, GapState, Instrument, Tick
from tests.faults.harness import VENUE, Heard, assert_heard, assert_whole
from tests.faults.reference import folded, made, reference

MINUTE = 29_900_000
SOURCE = SyntheticSource(3, 10.0)
LISTING = SOURCE.listings[0]
BLOCK = SOURCE.trades(LISTING.symbol, MINUTE)
TICKS = BLOCK.ticks(LISTING)
MADE = made(LISTING, BLOCK)
THROUGH = MADE[-1].event
INSTRUMENT = Instrument(VENUE, LISTING.symbol)


def keep(path: Path, ticks: list[Tick]) -> None:
    store = open_embedded(path / "store.sqlite")
    store.append_ticks(INSTRUMENT, ticks)
    store.close()


def test_what_is_whole_passes(tmp_path: Path) -> None:
    keep(tmp_path, TICKS)
    assert_whole(tmp_path, MADE, LISTING.symbol, through=THROUGH)


def test_one_trade_lost_is_seen(tmp_path: Path) -> None:
    keep(tmp_path, TICKS[:50] + TICKS[51:])
    with pytest.raises(AssertionError, match="1 lost"):
        assert_whole(tmp_path, MADE, LISTING.symbol, through=THROUGH)
    lost = {TICKS[50].agg_id}
    assert_whole(tmp_path, MADE, LISTING.symbol, through=THROUGH, without=lost)


def test_an_end_that_comes_early_is_seen(tmp_path: Path) -> None:
    keep(tmp_path, TICKS[:-1])
    with pytest.raises(AssertionError, match="the store ends at"):
        assert_whole(tmp_path, MADE, LISTING.symbol, through=THROUGH)


def test_one_wrong_digit_and_an_invented_trade_are_seen(tmp_path: Path) -> None:
    wrong = replace(TICKS[7], quantity=round(TICKS[7].quantity + 0.001, 3))
    keep(tmp_path, [*TICKS[:7], wrong, *TICKS[8:]])
    with pytest.raises(AssertionError, match="1s bars differ"):
        assert_whole(tmp_path, MADE, LISTING.symbol, through=THROUGH)
    with pytest.raises(AssertionError, match="1 that never were"):
        assert_whole(tmp_path, MADE[:9] + MADE[10:], LISTING.symbol, through=THROUGH)


def test_a_whole_bar_marked_partial_is_seen(tmp_path: Path) -> None:
    keep(tmp_path, TICKS)
    store = open_embedded(tmp_path / "store.sqlite")
    start = TICKS[300].ts
    store.save_gaps(INSTRUMENT, [Gap(LISTING.symbol, 1, 2, start, start, start, GapState.OPEN)])
    store.close()
    with pytest.raises(AssertionError, match="whole bars are marked partial"):
        assert_whole(tmp_path, MADE, LISTING.symbol, through=THROUGH)


def test_a_trade_shown_twice_is_seen() -> None:
    heard = Heard()
    heard.on_instrument(INSTRUMENT)
    for tick in [*TICKS, TICKS[4]]:
        heard.on_tick(tick)
    with pytest.raises(AssertionError, match="shown twice"):
        assert_heard(heard, MADE, LISTING.symbol, {t.id for t in MADE})


def test_folded_references_agree() -> None:
    assert folded(reference(MADE, "1s"), "1m") == reference(MADE, "1m")
    assert folded(reference(MADE, "1m"), "5m") == reference(MADE, "5m")
