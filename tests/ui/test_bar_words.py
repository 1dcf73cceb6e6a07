"""A bar says in words why it is not complete."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantdesk.bars.quality import BarQuality
from quantdesk.types import Gap, GapState
from quantdesk.ui.bar_words import gap_text, why_text

NOON = 1_720_008_000_000 - 1_720_008_000_000 % 86_400_000 + 12 * 3_600_000
GAP = Gap("BTCUSDT", 1_000, 2_203, NOON + 181_000, NOON + 189_000, 0, GapState.FILLING, 3)


def test_a_gap_that_is_being_filled_tells_size_time_and_requests() -> None:
    assert gap_text(GAP) == "1,204 trades between 12:03:01 and 12:03:09 are missing; being fetched (3 requests)"


@pytest.mark.parametrize(
    ("state", "calls", "end"),
    [
        (GapState.OPEN, 0, "about to be fetched"),
        (GapState.OPEN, 1, "to be fetched (1 request so far)"),
        (GapState.EXPIRED, 2, "the exchange no longer has them"),
    ],
)
def test_each_state_says_what_becomes_of_it(state: GapState, calls: int, end: str) -> None:
    one = replace(GAP, last_id=1_000, end_ts=GAP.start_ts, state=state, calls=calls)
    assert gap_text(one) == f"1 trade at 12:03:01 is missing; {end}"


def test_a_partial_bar_names_its_gaps_and_that_it_is_left_out() -> None:
    words = why_text(BarQuality.PARTIAL, [GAP] * 5 + [replace(GAP, state=GapState.FILLED)])
    assert words.count("1,204 trades") == 3 and "And 2 more gaps." in words
    assert words.endswith("Statistics and alerts leave this bar out.")
    assert "before the record began" in why_text(BarQuality.PARTIAL, [])
    assert why_text(BarQuality.KLINES, [GAP]).startswith("This is the exchange's own bar")
    begin = replace(GAP, first_id=5, last_id=4, state=GapState.EXPIRED)
    assert "the record begins at 12:03:09" in gap_text(begin)
