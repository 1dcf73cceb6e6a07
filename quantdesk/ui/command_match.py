"""Judge how well typed words name a command: prefixes, starts of words, parts, initials, scattered letters."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What a word earns by where it is found: the title counts more than the menus above it.
_WHOLE, _START, _WORD, _PART, _INITIALS, _ABOVE, _ABOVE_PART, _SCATTERED = 120, 100, 80, 50, 45, 40, 25, 20
#: What several words earn where they stand side by side, or in the order they were typed in.
_PHRASE, _ORDER = 30, 5
#: Letters further apart than this many times the word's length are chance.
_WIDEST = 3


@dataclass(frozen=True, slots=True)
class Match:
    """Hold a match: a higher ``score`` is better; ``marks`` are the places of matched letters in the title."""

    score: float
    marks: frozenset[int]


def match(typed: str, title: str, above: str = "", keys: str = "") -> Match | None:
    """Match every typed word, in any order, against a title, the menus above it and its keys; None if one fails."""
    name, place, pressed = fold(title), fold(above), fold(keys)
    words = fold(typed).split()
    score, marks, order = 0.0, set[int](), list[int]()
    for word in words:
        found = _in_title(word, name) or _elsewhere(word, place, pressed)
        if found is None:
            return None
        score += found.score
        marks |= found.marks
        order += [min(found.marks)] if found.marks else []
    if len(words) > 1:
        score += _PHRASE * (" ".join(words) in name) + _ORDER * (order == sorted(order))
    # Of two that match alike the shorter title is the one that was meant.
    return Match(score - len(name) / 100, frozenset(marks))


def fold(text: str) -> str:
    """Return text without case, letter by letter, so that places stay what they were."""
    return "".join(low if len(low := letter.casefold()) == 1 else letter for letter in text)


def _in_title(word: str, name: str) -> Match | None:
    if word == name:
        return Match(_WHOLE, frozenset(range(len(name))))
    starts = [found.start() for found in re.finditer(r"\w+", name)]
    at = next((start for start in starts if name.startswith(word, start)), name.find(word))
    if at >= 0:
        worth = _START if at == 0 else _WORD if at in starts else _PART
        return Match(worth, frozenset(range(at, at + len(word))))
    if len(word) > 1 and "".join(name[start] for start in starts).startswith(word):
        return Match(_INITIALS, frozenset(starts[: len(word)]))
    return _scattered(word, name)


def _scattered(word: str, name: str) -> Match | None:
    """Find the letters in order, as close together as they come."""
    if len(word) < 2:
        return None
    best: list[int] = []
    for first in (place for place, letter in enumerate(name) if letter == word[0]):
        places = [first]
        for letter in word[1:]:
            places.append(name.find(letter, places[-1] + 1))
            if places[-1] < 0:
                break
        else:
            if not best or places[-1] - places[0] < best[-1] - best[0]:
                best = places
    if not best:
        return None
    span = best[-1] - best[0] + 1
    return Match(_SCATTERED * len(word) / span, frozenset(best)) if span <= _WIDEST * len(word) else None


def _elsewhere(word: str, place: str, pressed: str) -> Match | None:
    if pressed and (word == pressed or ("+" in word and word in pressed)):
        return Match(_WORD, frozenset())
    if re.search(rf"(?<!\w){re.escape(word)}", place):
        return Match(_ABOVE, frozenset())
    return Match(_ABOVE_PART, frozenset()) if word in place else None
