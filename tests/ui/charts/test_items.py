from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from quantdesk.ui.charts.items import LineItem


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3_000), st.floats(0, 0.9), st.integers(0, 2**32 - 1), st.data())
def test_extremes_between_any_rows_are_those_of_the_values(qapp: QApplication, rows, gaps, seed, data):
    random = np.random.default_rng(seed)
    column = np.cumsum(random.normal(0, 1, rows))
    column[random.random(rows) < gaps] = np.nan
    line = LineItem()
    line.pyramid.sync({"value": column})
    first = data.draw(st.integers(0, rows - 1))
    stop = data.draw(st.integers(first, rows))
    there = column[first:stop][np.isfinite(column[first:stop])]
    assert line.between(first, stop) == ((there.min(), there.max()) if len(there) else None)
