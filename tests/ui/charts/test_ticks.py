from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ui.charts.ticks import (
    DAY,
    amount,
    decimals_of_scale,
    nice_step,
    number,
    span_text,
    stamp_text,
    time_ticks,
    value_ticks,
)
from quantdesk.ui.charts.timeline import TimeLine

JULY_18 = 1_721_260_800_000  # 2024-07-18 00:00 UTC


@given(st.floats(-1e7, 1e7), st.floats(1e-6, 1e6), st.floats(30, 2_000))
def test_value_labels_are_round_inside_and_far_enough_apart(low, span, pixels):
    high = low + span
    if not low < high:
        return
    ticks = value_ticks(low, high, pixels, 40)
    slack = ticks.step * 1e-6
    assert all(low - slack <= v <= high + slack for v in ticks.values)
    assert ticks.step / span * pixels >= 40 * (1 - 1e-6)
    mantissa = ticks.step / 10 ** math.floor(math.log10(ticks.step) + 1e-9)
    assert round(mantissa, 6) in (1, 2, 5)


def test_nothing_is_labelled_where_there_is_no_scale():
    assert len(value_ticks(1, 1, 100).values) == 0
    assert len(value_ticks(float("nan"), 1, 100).values) == 0


@pytest.mark.parametrize(("least", "step"), [(0.9, 1), (1.1, 2), (3, 5), (7, 10), (0.03, 0.05)])
def test_steps_are_one_two_or_five(least, step):
    assert nice_step(least) == pytest.approx(step)


def test_numbers_have_separators_and_a_true_minus_and_no_negative_zero():
    assert number(64_123.456, 1) == "64,123.5"
    assert number(-0.004, 2) == "0.00"
    assert number(-1.5, 1) == "−1.5"
    assert number(2.0, 1, sign=True) == "+2.0"
    assert number(float("nan"), 2) == "—"


def test_volumes_are_short():
    assert [amount(v) for v in (0.5, 12.3456, 1_234, 5.6e6, 7e9)] == ["0.500", "12.346", "1.23K", "5.60M", "7.00B"]
    assert amount(12.0, 0) == "12"
    assert decimals_of_scale(0.0123) == 4
    assert decimals_of_scale(12_345) == 0


def test_minutes_are_labelled_at_round_times_and_midnight_by_its_day():
    line = TimeLine(JULY_18 - 60 * 60_000 + np.arange(240, dtype=np.int64) * 60_000)
    ticks = time_ticks(line, 0, 239, 1_200)
    labels = [t.label for t in ticks]
    assert {"23:30", "18 Jul", "00:30", "01:00"} <= set(labels)
    assert [t.label for t in ticks if t.major] == ["18 Jul"]
    assert int(line.at(round(next(t.x for t in ticks if t.major)))) == JULY_18


@pytest.mark.parametrize(("step", "rows"), [(60_000, 40_000), (1_000, 100_000), (60_000, 1_000_000), (1_000, 30_000)])
def test_a_mark_between_the_rows_looked_at_is_labelled_by_its_own_time(step, rows):
    line = TimeLine(JULY_18 + 7 * 60_000 + np.arange(rows, dtype=np.int64) * step)
    ticks = time_ticks(line, 0, rows - 1, 1_200)
    assert len(ticks) >= 3
    assert all(":" not in tick.label or tick.label[-2:] in ("00", "30") for tick in ticks)
    if step * rows > 20 * DAY:
        assert not any(":" in tick.label for tick in ticks)


def test_seconds_days_and_months_have_their_own_words():
    seconds = time_ticks(TimeLine(JULY_18 + 5_000 + np.arange(60, dtype=np.int64) * 1_000), 0, 59, 1_200)
    assert any(t.label == "00:00:30" for t in seconds)
    days = time_ticks(TimeLine(JULY_18 + np.arange(60, dtype=np.int64) * DAY), 0, 59, 1_200)
    assert "Aug" in [t.label for t in days if t.major]
    years = time_ticks(TimeLine(JULY_18 + np.arange(2_000, dtype=np.int64) * DAY), 0, 1_999, 1_200)
    assert {"2025", "2026"} <= {t.label for t in years}


@given(st.integers(2, 5_000), st.sampled_from([1_000, 60_000, 300_000, 3_600_000, DAY]), st.floats(0.01, 1))
def test_time_labels_never_crowd(rows, step, share):
    line = TimeLine(JULY_18 + np.arange(rows, dtype=np.int64) * step)
    span = max(5.0, rows * share)
    ticks = time_ticks(line, rows - span, float(rows), 1_000)
    xs = [t.x for t in ticks]
    assert xs == sorted(xs)
    assert all((b - a) / span * 1_000 >= 60 for a, b in pairwise(xs))
    assert len(ticks) <= 16


def test_nights_without_bars_do_not_pile_labels_up():
    days = [JULY_18 + d * DAY + np.arange(390, dtype=np.int64) * 60_000 for d in range(4)]
    ticks = time_ticks(TimeLine(np.concatenate(days)), 0, 1_559, 1_200)
    assert [t.label for t in ticks if t.major] == ["18 Jul", "19 Jul", "20 Jul", "21 Jul"]


def test_a_stamp_says_day_and_zone():
    assert stamp_text(JULY_18 + 3_600_000, 60_000) == "Thu 18 Jul 2024  01:00 UTC"
    assert stamp_text(JULY_18 + 1_000, 1_000) == "Thu 18 Jul 2024  00:00:01 UTC"
    assert stamp_text(JULY_18, DAY) == "Thu 18 Jul 2024"


def test_a_window_is_named_by_its_first_and_last_bar():
    at = int(datetime(2024, 7, 18, 23, 10, tzinfo=UTC).timestamp() * 1_000)
    assert span_text(at, at + 30 * 60_000) == "18 Jul 23:10 – 23:40 UTC"
    assert span_text(at, at + 60 * 60_000) == "18 Jul 23:10 – 19 Jul 00:10 UTC"
    assert span_text(at, at + 61_000) == "18 Jul 23:10:00 – 23:11:01 UTC"
    day = at - at % 86_400_000
    assert span_text(day, day + 5 * 86_400_000) == "18 Jul 2024 – 23 Jul 2024"
