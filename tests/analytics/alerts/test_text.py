from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.text import check_text, fill
from quantdesk.config import ConfigError


def test_names_are_filled_in_and_what_has_no_value_is_a_dash():
    text = "{pair} {metric} {value:+.2f} at {level:.1f}, β {beta}, {{kept}}"
    check_text(text)
    assert fill(text, {"pair": "A / B", "metric": "z"}, {"value": 2.123, "level": 2, "beta": float("nan")}) == (
        "A / B z +2.12 at 2.0, β –, {kept}"
    )


def test_what_is_filled_in_is_not_read_again():
    assert fill("{pair}", {"pair": "{value:.3f}"}, {"value": 1.0}) == "{value:.3f}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{value.__class__}", "which is none of"),
        ("{pair[0]}", "which is none of"),
        ("{0}", "which is none of"),
        ("{}", "which is none of"),
        ("{secret}", "which is none of"),
        ("{value!r}", "no conversion"),
        ("{value:>1000000000}", "is not allowed"),
        ("{value:{level}}", "is not allowed"),
        ("{value:.999f}", "is not allowed"),
        ("{pair:.2f}", "is not allowed"),
        ("{value", "do not match"),
        ("}", "do not match"),
        ("  ", "1 to 300"),
        ("x" * 301, "1 to 300"),
        ("a\nb", "one line"),
    ],
)
def test_a_text_that_could_do_more_is_refused_in_words(text, words):
    with pytest.raises(ConfigError, match=words):
        check_text(text)


@given(st.text(st.sampled_from("{}:!.valuepair+,2f%[]_ "), max_size=30))
def test_what_is_accepted_can_be_filled(text):
    try:
        check_text(text)
    except ConfigError:
        return
    assert isinstance(fill(text, {"pair": "A"}, {"value": 1e300, "p": -0.0}), str)
