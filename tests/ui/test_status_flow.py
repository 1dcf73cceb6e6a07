"""The banner speaks in sentences."""

from __future__ import annotations

import pytest

from quantdesk.ui.status_flow import sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "no connection to the exchange: name not found, retrying in 4 s",
            "No connection to the exchange: name not found. Retrying in 4 s.",
        ),
        ("no connection to the exchange: refused, retrying", "No connection to the exchange: refused. Retrying."),
        ("Disk is low.", "Disk is low."),
        ("connecting…", "Connecting…"),
        ("", ""),
    ],
)
def test_a_state_becomes_a_sentence_that_ends_with_what_comes_next(text: str, words: str) -> None:
    assert sentence(text) == words
