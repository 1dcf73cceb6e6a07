import numpy as np
import pytest

from quantdesk.analytics.utc_text import span_text, utc_text


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (0, "1970-01-01"),
        (1_721_300_160_000, "2024-07-18 10:56:00"),
        (-1_000, "1969-12-31 23:59:59"),
        (2**62, f"{2**62} ms"),
    ],
)
def test_moments_are_written_to_the_day_or_second(ms: int, shown: str) -> None:
    assert utc_text(ms) == shown


def test_a_span_names_both_ends() -> None:
    assert span_text(np.array([0, 86_400_000])) == "1970-01-01 to 1970-01-02"
    assert span_text(np.array([], np.int64)) == "(empty)"
