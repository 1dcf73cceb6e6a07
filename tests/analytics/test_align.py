import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.align import inner_join

times = st.lists(st.integers(0, 60), unique=True).map(lambda v: np.array(sorted(v), np.int64))


@given(times, times)
def test_the_join_holds_exactly_the_common_times(a: np.ndarray, b: np.ndarray) -> None:
    rows_a, rows_b = inner_join(a, b)
    assert a[rows_a].tolist() == b[rows_b].tolist() == sorted(set(a.tolist()) & set(b.tolist()))


def test_equal_times_join_row_by_row() -> None:
    t = np.arange(5, dtype=np.int64) * 60_000
    rows_y, rows_x = inner_join(t, t.copy())
    assert rows_y.tolist() == rows_x.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("bad", [[2, 1], [1, 1]])
def test_times_that_do_not_ascend_are_refused(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        inner_join(np.array([1, 2, 3]), np.array(bad))
