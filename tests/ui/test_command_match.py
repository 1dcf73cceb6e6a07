"""Typed words find commands by prefix, part, initials or scattered letters, in any order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ui.command_match import fold, match

_WORDS = st.lists(st.text("abcdefgß İé", min_size=1, max_size=7).filter(str.strip), min_size=1, max_size=4)


def score(typed: str, title: str, above: str = "", keys: str = "") -> float:
    found = match(typed, title, above, keys)
    return float("-inf") if found is None else found.score


@given(_WORDS, st.randoms())
def test_a_title_is_found_by_its_words_in_any_order(words: list[str], chance: random.Random) -> None:
    typed = [part for word in words for part in word.split()]
    chance.shuffle(typed)
    assert match(" ".join(typed).upper().lower(), " ".join(words).upper().lower()) is not None


@given(st.text("abcd", min_size=1, max_size=4), st.lists(st.text("abcd ", max_size=2), min_size=5, max_size=5))
def test_what_is_marked_are_the_typed_letters(typed: str, between: list[str]) -> None:
    title = "".join(gap + letter for gap, letter in zip(between, typed, strict=False)) + between[-1]
    found = match(typed, title)
    if found is None:
        return  # too far apart
    marked = "".join(fold(title)[place] for place in sorted(found.marks))
    assert marked == typed


def test_a_beginning_goes_before_a_word_a_part_initials_and_scattered_letters() -> None:
    order = ["export", "export all", "all export", "reexport"]
    scores = [score("export", one) for one in order] + [score("exp", "an ex-tra pair")]
    assert scores == sorted(scores, reverse=True) and scores[-1] > 0
    assert score("evr", "Export visible range") > score("evr", "seven rare")
    assert score("reset", "Reset view") > score("reset", "Reset the whole layout")


def test_the_menus_above_and_the_keys_count_less_than_the_title() -> None:
    assert score("view", "View") > score("view", "Latest bar", "View") > 0
    assert score("theme dark", "Dark", "View › Theme") > 0
    assert score("ctrl+o", "Open file", "File", "Ctrl+O") > 0
    assert score("f5", "Reconnect", "Market", "F5") > 0


@pytest.mark.parametrize("typed", ["q", "rf zz", "xyz", "tfr"])
def test_what_is_not_there_is_not_found(typed: str) -> None:
    assert match(typed, "Refit", "Pair", "Ctrl+R") is None


def test_letters_far_apart_are_chance() -> None:
    assert match("otf", "Open the folder with what was kept") is not None  # initials are no chance
    assert match("zx", "z-score and a long way to x") is None


def test_nothing_typed_matches_everything() -> None:
    assert match("  ", "Anything") is not None
