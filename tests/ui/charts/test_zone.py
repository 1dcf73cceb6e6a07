from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QDateTime, QTimeZone

from quantdesk.ui.charts.ticks import span_text, stamp_text, time_ticks
from quantdesk.ui.charts.timeline import TimeLine
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from tests.ui.charts.acts import move, settle, view

HOUR, DAY, MINUTE = 3_600_000, 86_400_000, 60_000
JULY_18 = 1_721_260_800_000  # midnight in UTC
BERLIN, KOLKATA, NEW_YORK = Zone("Europe/Berlin"), Zone("Asia/Kolkata"), Zone("America/New_York")
#: The clock goes forward in Berlin at this moment.
SPRING = 1_711_846_800_000


@given(st.lists(st.integers(0, 2_100_000_000_000), min_size=1, max_size=20))
@pytest.mark.parametrize("zone", [BERLIN, KOLKATA, NEW_YORK], ids=lambda zone: zone.id)
def test_a_zone_shows_what_its_clock_shows(zone, times):
    known, utc = QTimeZone(QByteArray(zone.id.encode())), QTimeZone(QTimeZone.Initialization.UTC)
    offsets = [known.offsetFromUtc(QDateTime.fromMSecsSinceEpoch(ms, utc)) * 1_000 for ms in times]
    np.testing.assert_array_equal(zone.shifted(times), np.array(times) + offsets)


def test_utc_shifts_nothing_and_an_unknown_zone_is_utc():
    assert UTC_ZONE.shift(SPRING) == SPRING == Zone("Nowhere/At_All").shift(SPRING)
    assert Zone("Nowhere/At_All").name(SPRING) == "UTC"


def test_a_zone_has_a_short_name_in_summer_and_winter():
    assert (BERLIN.name(SPRING - 1), BERLIN.name(SPRING)) == ("CET", "CEST")
    assert Zone("America/Sao_Paulo").name(JULY_18) == "UTC−3"
    assert Zone("Asia/Kathmandu").name(JULY_18) == "UTC+5:45"


def test_the_clock_changes_at_the_moment_of_the_change():
    assert [BERLIN.shift(ms) - ms for ms in (SPRING - 1, SPRING)] == [HOUR, 2 * HOUR]


def test_days_begin_at_the_zones_midnight():
    line = TimeLine(JULY_18 + np.arange(48, dtype=np.int64) * HOUR)
    for zone, row in ((UTC_ZONE, 24), (BERLIN, 22), (NEW_YORK, 28)):
        days = [tick for tick in time_ticks(line, 0, 47, 1_200, zone=zone) if tick.major]
        assert row in [tick.x for tick in days], zone
    labels = {tick.x: tick.label for tick in time_ticks(line, 0, 47, 1_200, zone=BERLIN)}
    assert labels[22] == "19 Jul"


@pytest.mark.parametrize("change", [SPRING, 1_729_990_800_000], ids=["spring", "autumn"])
def test_the_day_on_which_the_clock_changes_is_labelled_in_order(change):
    line = TimeLine(change - 12 * HOUR + np.arange(24 * 60, dtype=np.int64) * MINUTE)
    ticks = time_ticks(line, 0, 24 * 60 - 1, 1_200, zone=BERLIN)
    assert len(ticks) > 5 and [tick.x for tick in ticks] == sorted(tick.x for tick in ticks)
    for tick in ticks:
        shown = BERLIN.shift(int(line.at(int(tick.x))))
        assert tick.label == ("31 Mar" if change == SPRING else "27 Oct") or tick.label == (
            f"{shown // HOUR % 24:02}:{shown // MINUTE % 60:02}"
        )


def test_stamps_and_spans_say_their_zone():
    assert stamp_text(JULY_18 - HOUR, MINUTE, BERLIN) == "Thu 18 Jul 2024  01:00 CEST"
    assert span_text(JULY_18, JULY_18 + HOUR, NEW_YORK) == "17 Jul 20:00 – 21:00 EDT"


def test_axis_tag_separators_and_legend_follow_the_zone(full):
    state, axis, panel = full.stack._state, full.stack._axis, full.stack.panel("price")
    view(full).show(500, 999)
    settle(full)
    before = [tick.x for tick in state.ticks if tick.major]
    full.stack.set_zone(KOLKATA)
    move(panel.viewport(), panel.x_of(700), 80)
    settle(full)
    assert "IST" in axis._tag_text()
    assert [tick.x for tick in state.ticks if tick.major] != before
    assert "IST" in " ".join(span.text for span in full.stack.panel("spread").legend(990))
    assert axis.accessibleName() == "Time axis (Asia/Kolkata)"


def test_bars_of_a_day_keep_their_utc_day(desk, make):
    desk.stack.set_zone(NEW_YORK)
    desk.pair.show(make(400, step=DAY))
    settle(desk)
    assert desk.stack._state.zone == UTC_ZONE
