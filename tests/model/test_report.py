"""What is on screen is analysed as the desk's settings have it, and its notes leave nothing out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from quantdesk.analytics.zscore import ZKind
from quantdesk.model.building import FrameOrder, LegCopy, build
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.report import origin_word, pair_analysis, report_notes
from quantdesk.reports.page import report_page
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START, bars_of, walk

Y, X = walk(300)
TIMES = START + MINUTE * np.arange(300)
SETTINGS = PairSettings("A", "B", window=30, formation_bars=60)


def order(origin: Origin = Origin.SIMULATED, **changes: object) -> FrameOrder:
    y, x = bars_of(TIMES, Y), bars_of(TIMES, X)
    none = np.empty(0, np.int64)
    base = FrameOrder(
        1, 1, origin, None, MINUTE, SETTINGS, LegCopy(y, Y, none), LegCopy(x, X, none), HedgeLines(), False, 20_000
    )
    return replace(base, **changes)


def test_the_analysis_is_of_the_pair_and_windows_on_screen():
    found = pair_analysis(order(settings=replace(SETTINGS, log=True)))
    assert (found.pair.name_y, found.pair.name_x, found.pair.interval) == ("A", "B", "1m")
    assert found.options.log and found.options.window == 30 and len(found.times) == 300
    np.testing.assert_allclose(found.y, np.log(Y))


@pytest.mark.parametrize("kind", list(ZKind))
def test_the_kind_of_z_that_is_shown_is_the_reports(kind):
    found = pair_analysis(order(settings=replace(SETTINGS, z_kind=kind)))
    assert found.options.z_kind is kind
    assert found.looks_ahead == (kind is ZKind.FULL_SAMPLE)


@pytest.mark.parametrize(
    ("origin", "word"),
    [
        (Origin.LIVE, "LIVE"),
        (Origin.HISTORY, "LIVE"),
        (Origin.SIMULATED, "SIMULATED"),
        (Origin.REPLAY, "REPLAY"),
        (Origin.FILE, "FILE"),
    ],
)
def test_the_first_note_says_where_the_data_come_from(origin, word):
    assert origin_word(origin) == word
    assert report_notes(order(origin))[0].startswith(f"{word}: ")


def test_partial_bars_and_bars_without_a_partner_are_counted():
    partial = LegCopy(bars_of(TIMES, Y), Y, TIMES[[5, 9]])
    short = LegCopy(bars_of(TIMES[:280], X[:280]), X[:280], TIMES[[9, 20]])
    found = order(y=partial, x=short)
    notes = report_notes(found)
    assert any(note.startswith("3 partial bars") for note in notes)
    assert "20 of 300 bars of A have no partner" in notes
    assert len(pair_analysis(found).times) == 277
    assert set(notes) <= set(pair_analysis(found).notes)


def test_nothing_left_out_and_a_cut_sample_are_said():
    assert "no partial bar had to be left out" in report_notes(order())
    assert "only the newest 300 bars are analysed" in report_notes(order(most_rows=300))
    assert not any("only the newest" in note for note in report_notes(order(most_rows=None)))


@pytest.mark.parametrize("kind", [ZKind.ROLLING, ZKind.EXPANDING, ZKind.EWM])
@pytest.mark.parametrize("method", [HedgeMethod.TLS, HedgeMethod.KALMAN])
def test_the_z_and_the_hedge_ratio_are_those_on_screen(kind, method):
    shown = order(settings=replace(SETTINGS, z_kind=kind, hedge=method))
    found, frame = pair_analysis(shown), build(shown).frame
    np.testing.assert_array_equal(found.z, frame.z)
    np.testing.assert_array_equal(found.scores.beta, frame.joined.beta)
    desk = found.hedges["desk"]
    assert desk.beta == frame.beta and desk.label.startswith(method.bench_name)
    assert desk.label in found.z_label and any(desk.label in note for note in found.notes)
    page = report_page(found, datetime(2026, 1, 1, tzinfo=UTC))
    assert "on the desk" in page and "whole sample&#x27;s own OLS line" in page


def test_a_desk_without_a_ratio_says_so_in_the_report():
    flat = np.full(300, 5.0)
    found = pair_analysis(order(x=LegCopy(bars_of(TIMES, flat), flat, np.empty(0, np.int64))))
    assert found.hedges["desk"].beta is None
    assert any("leg does not vary" in note for note in found.notes)


def test_a_stated_delta_is_said_in_the_report_and_used_in_it():
    chosen = {"hedge": HedgeMethod.KALMAN, "kalman_delta": 2e-4}
    found = pair_analysis(order(settings=replace(SETTINGS, **chosen)))
    assert found.hedges["desk"].label.startswith("Kalman with δ = 0.0002 as stated, moving")
    assert found.hedges["kalman"].details["delta"] == pytest.approx(2e-4)
    assert "δ = 0.0002 as given" in found.hedges["kalman"].label
