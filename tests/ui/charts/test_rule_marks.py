"""Entries, exits and stops are told apart by shape, side and words."""

from __future__ import annotations

import numpy as np
import pytest

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.ui.charts.rule_marks import MarkKind, RuleMark, mark_spans
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import count, picture, settle, view

COLOURS = {MarkKind.ENTRY: DARK.level, MarkKind.AT_START: DARK.level, MarkKind.EXIT: DARK.ok, MarkKind.STOP: DARK.error}


def mark(frame, row: int, kind=MarkKind.ENTRY, metric=Metric.Z, side: int = 1) -> RuleMark:
    return RuleMark(int(frame.times[row]), kind, metric, side, f"rule: {kind.name}")


@pytest.mark.parametrize("kind", MarkKind)
@pytest.mark.parametrize("name", ["z", "spread", "price"])
def test_each_mark_is_drawn_beside_its_bar_on_price_spread_and_z(full, kind, name):
    full.stack.set_price_leg("y")
    view(full).show(900, 1_000)
    before = count(picture(full, name), COLOURS[kind])
    full.stack.set_marks([mark(full.pair.frame, 950, kind)])
    assert count(picture(full, name), COLOURS[kind]) > before + 8
    assert full.stack.panel(name).marks._rows.tolist() == [950]


def test_marks_of_another_metric_stay_on_the_price(full):
    full.stack.set_marks([mark(full.pair.frame, 950, metric=Metric.CORRELATION)])
    settle(full)
    assert len(full.stack.panel("price").marks._rows) == 1
    assert not len(full.stack.panel("z").marks._rows) and not len(full.stack.panel("spread").marks._rows)


def test_a_mark_of_a_bar_that_is_not_loaded_is_not_put_to_another(full):
    frame = full.pair.frame
    early = RuleMark(int(frame.times[0]) - 60_000, MarkKind.ENTRY, Metric.Z, 1, "")
    between = RuleMark(int(frame.times[5]) + 1, MarkKind.ENTRY, Metric.Z, 1, "")
    full.stack.set_marks([early, between])
    settle(full)
    assert full.stack.panel("z").marks._rows.tolist() == [-1, -1]


def test_triangles_point_with_the_side_and_the_legend_says_what_happened(full):
    frame = full.pair.frame
    below = mark(frame, 950, side=-1)
    assert (mark(frame, 950).sign, below.sign) == ("▼", "▲")
    full.stack.set_marks([below, mark(frame, 950, MarkKind.STOP)])
    state = full.stack._state
    settle(full)
    assert not mark_spans(state, 950, "z"), "only under the cursor"
    state.cursor_row = 950
    assert [span.text for span in mark_spans(state, 950, "z")] == ["▲ rule: ENTRY", "■ rule: STOP"]
    assert not mark_spans(state, 951, "z") and not mark_spans(state, 950, "correlation")


def test_marks_stand_away_from_the_data_they_mark(full):
    frame = full.pair.frame
    view(full).show(940, 960)
    full.stack.set_marks([mark(frame, 950), mark(frame, 951, side=-1)])
    settle(full)
    panel = full.stack.panel("price")
    found = panel._edge("high", np.array([950])), panel._edge("low", np.array([951]))
    assert (found[0][0], found[1][0]) == (frame.y.high[950], frame.y.low[951])
