from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.model.growing import Growing


@given(st.integers(0, 300), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40)), max_size=40))
def test_what_was_handed_out_never_changes_and_the_newest_holds_all(start, steps):
    whole = np.arange(float(start))
    column, handed = Growing(whole), []
    for number, (back, count) in enumerate(steps):
        handed.append((column.view, column.view.copy()))
        row = max(0, len(column) - back)
        new = np.full(count, 1_000.0 + number)
        whole = np.r_[whole[:row], new]
        assert column.write(row, new) is column.view
        np.testing.assert_array_equal(column.view, whole)
        assert len(column) == len(whole) and not column.view.flags.writeable
    for view, copied in handed:
        np.testing.assert_array_equal(view, copied)


def test_rows_at_the_end_are_added_without_a_copy():
    column = Growing(np.arange(1_000, dtype=np.int64))
    before = column.view
    after = column.write(1_000, np.array([7]))
    assert np.shares_memory(before, after) and after.dtype == np.int64
    assert not np.shares_memory(after, column.write(1_000, np.array([8])))
