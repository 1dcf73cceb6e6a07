"""Numbers are the nearest doubles of their text, and texts that are none are told apart."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.store.files.numbers import Cells, parse_flags, parse_integers, parse_numbers, used_decimals


def column(texts: list[str]) -> Cells:
    raw = [text.encode() for text in texts]
    ends = np.cumsum([len(cell) + 1 for cell in raw]) - 1
    return Cells(
        np.frombuffer(b",".join(raw) + b",", np.uint8),
        ends - np.array([len(cell) for cell in raw]),
        ends.astype(np.int64),
    )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False).map(repr),
            st.decimals(allow_nan=False, allow_infinity=False, places=8).map(str),
            st.integers().map(str),
        ),
        min_size=1,
    )
)
def test_every_number_is_the_double_that_python_reads(texts: list[str]) -> None:
    values, _ = parse_numbers(column(texts))
    assert values.tolist() == [float(text) for text in texts]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="0123456789.-+eE_ naif", max_size=8), min_size=1))
def test_what_python_would_not_read_plainly_is_no_number(texts: list[str]) -> None:
    values, _ = parse_numbers(column(texts))
    for text, value in zip(texts, values.tolist(), strict=True):
        try:
            wanted = float(text)
        except ValueError:
            wanted = float("nan")
        plain = text == text.strip() and "_" not in text and "n" not in text
        assert value == wanted if plain and wanted == wanted else np.isnan(value)


def test_integers_fit_64_bits_or_are_refused() -> None:
    texts = ["0", "9223372036854775807", "9223372036854775808", "18446744073709551616", "-1", "1.5", "", "7"]
    values, good = parse_integers(column(texts))
    assert good.tolist() == [True, True, False, False, False, False, False, True]
    assert values[good].tolist() == [0, 9223372036854775807, 7]


def test_flags_are_true_or_false_in_any_case() -> None:
    values, good = parse_flags(column(["true", "False", "TRUE", "1", "0", "tale", "yes", "", "fals"]))
    assert values[:5].tolist() == [1, 0, 1, 1, 0]
    assert good.tolist() == [True] * 5 + [False] * 4


def test_padding_zeros_are_no_decimals() -> None:
    _, found = parse_numbers(column(["1.2300", "5", "0.1"]))
    assert used_decimals(found, 0) == 2
    assert used_decimals(found, 3) == 3
