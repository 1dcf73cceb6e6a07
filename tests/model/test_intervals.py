"""What somebody types names an interval, or none."""

from __future__ import annotations

import pytest

from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.model.intervals import interval_ms_of, named_interval


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("15m", "15m"),
        ("4h", "4h"),
        ("4 H", "4h"),
        ("1d", "1d"),
        ("24h", "1d"),
        ("60", "1h"),
        ("5", "5m"),
        ("15S", "15s"),
        ("60s", "1m"),
        ("1 min", "1m"),
        ("", None),
        ("m", None),
        ("7m", None),
        ("1w", None),
        ("15 m5", None),
        ("-5m", None),
        ("٥m", None),
        ("0", None),
    ],
)
def test_it_is_read_as_it_is_meant(typed: str, name: str | None) -> None:
    assert named_interval(typed, TIMEFRAMES) == name


def test_only_what_is_offered_is_found() -> None:
    assert named_interval("1w", ("1d", "1w")) == "1w"
    assert named_interval("1s", ("1d", "1w")) is None


def test_the_intervals_stand_in_order_of_length() -> None:
    assert TIMEFRAMES == ("1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d")
    assert sorted(TIMEFRAMES, key=interval_ms_of) == list(TIMEFRAMES)
