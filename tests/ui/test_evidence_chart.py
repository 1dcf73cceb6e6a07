"""The small charts draw every stretch they hold, and read out the row under pointer or keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from quantdesk.analytics.evidence import gather
from quantdesk.ui import evidence_drawings as drawings
from quantdesk.ui.evidence_chart import EvidenceChart
from quantdesk.ui.evidence_shapes import runs_of, thinned
from quantdesk.ui.theme_tokens import DARK, LIGHT

from .test_evidence_rows import tied


@pytest.fixture(scope="module")
def evidence():
    return gather(*tied(3_000, jump=5.0))


@pytest.fixture
def chart(qtbot):
    widget = EvidenceChart("p", DARK)
    qtbot.addWidget(widget)
    widget.resize(360, 168)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def colours(chart: EvidenceChart) -> set[str]:
    picture = chart.grab().toImage()
    return {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}


def show(chart: EvidenceChart, drawing: object) -> None:
    chart.show_drawing(drawing, drawing.title)
    chart.set_axis_width(chart.axis_need())


@pytest.mark.parametrize("tokens", [DARK, LIGHT])
@pytest.mark.parametrize("name", ["p", "cusum", "beta"])
def test_each_drawing_paints_its_line_and_its_bounds(chart, evidence, name, tokens):
    made = {
        "p": drawings.p_drawing(evidence),
        "cusum": drawings.cusum_drawing(evidence),
        "beta": drawings.beta_drawing(evidence, 0.5),
    }[name]
    chart.set_tokens(tokens)
    show(chart, made)
    seen = colours(chart)
    assert QColor(getattr(tokens, made.guides[0].color)).name() in seen
    assert QColor(tokens.panel).name() in seen and len(seen) > 20
    full = chart.grab().toImage()
    blank = np.full(len(made.values), np.nan)
    lacking = [{"values": blank}, {"guides": ()}, {"strip": None}, {"lower": None}, {"mark": None}]
    for part in lacking:
        if getattr(made, next(iter(part))) is not None:
            show(chart, replace(made, **part))
            assert chart.grab().toImage() != full, f"{next(iter(part))} is not painted"


def test_the_break_is_marked_where_the_path_is_farthest(evidence):
    made = drawings.cusum_drawing(evidence)
    assert made.mark == (int(np.abs(evidence.cusum.path).argmax()), "break")
    assert {guide.value for guide in made.guides} == {1.358, -1.358}
    whole = drawings.cusum_drawing(gather(*tied()))
    assert whole.mark is None and "No break" in whole.summary


def test_the_ribbon_holds_each_p_to_the_next_window(evidence):
    made, path = drawings.p_drawing(evidence), evidence.p_over_time
    assert made.guides[0].value == 0.05 and made.log
    first = int(path.rows[0])
    assert np.isnan(made.values[:first]).all() and (made.strip[:first] == -1).all()
    for row, p in zip(path.rows.tolist(), path.p_value.tolist(), strict=True):
        assert made.strip[row] == int(np.searchsorted([0.01, 0.05, 0.1], p, "right"))
        assert made.read(row).startswith("p ")
    assert made.read(0) == "no window ends here yet"


def test_the_pointer_and_the_keys_read_a_row(chart, evidence, qtbot):
    show(chart, drawings.beta_drawing(evidence, 0.5))
    seen: list[int] = []
    chart.pointed.connect(seen.append)
    qtbot.mouseMove(chart, QPoint(150, 90))
    row = chart.cursor_row
    assert row == chart.row_at(150) and seen[-1] == row
    assert "± " in chart.reading() and "19 Jul" in chart.reading()
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert chart.cursor_row == 0 and "no window ends here yet" in chart.reading()
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.cursor_row == 1
    qtbot.keyClick(chart, Qt.Key.Key_End)
    assert chart.cursor_row == 2_999
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.cursor_row is None and seen[-1] == -1
    assert "β" in chart.accessibleName() and "standard errors" in chart.accessibleDescription()


def test_without_bars_enough_a_chart_says_how_many_are_missing(chart):
    few = gather(*tied(40))
    assert drawings.p_drawing(few) is None and drawings.beta_drawing(few, 0.5) is None
    words = drawings.empty_words("p", few)
    assert words == "Needs 61 more bars of both legs."
    chart.show_drawing(None, "p over time", words)
    assert chart.accessibleDescription() == words and chart.reading() == ""
    assert len(colours(chart)) > 5
    assert drawings.empty_words("beta", few) == "Needs more than 60 bars."


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1, max_size=400), st.integers(2, 60))
def test_thinning_keeps_the_extremes_and_the_order(values, pixels):
    data = np.array(values)
    rows, kept = thinned(data, pixels)
    assert len(rows) == len(kept) and (np.diff(rows) >= 0).all()
    assert rows.min() >= 0 and rows.max() <= len(data) - 1
    if np.isfinite(data).any():
        assert np.nanmin(kept) == np.nanmin(data) and np.nanmax(kept) == np.nanmax(data)
    assert all(np.isfinite(kept[start:stop]).all() for start, stop in runs_of(kept))
