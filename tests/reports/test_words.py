import pytest

from quantdesk.reports.words import figure, probability, text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "none"),
        (float("nan"), "none"),
        (float("inf"), "none"),
        (0.0, "0"),
        (-1234.5678, "−1,234.57"),
        (0.000123456789, "0.000123457"),
        (1e-9, "1.00000e−09"),
        (12, "12"),
        (1e12, "1,000,000,000,000"),
    ],
)
def test_numbers_have_six_digits_and_a_true_minus(value: float | None, shown: str) -> None:
    assert figure(value) == shown


def test_small_probabilities_are_bounds() -> None:
    assert [probability(p) for p in (0.0004, 0.0499, 1.0, None)] == ["<0.001", "0.050", "1.000", "none"]


def test_text_is_safe_in_elements_and_attributes() -> None:
    assert text('<a b="c">\'&') == "&lt;a b=&quot;c&quot;&gt;&#x27;&amp;"
