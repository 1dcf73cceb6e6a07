"""The book of frozen hedge ratios keeps what was settled, is bounded, and tells what is new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantdesk.config import ConfigError
from quantdesk.model import kept_lines
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairSettings, Refit
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.kept_lines import LineBook, LineKey, key_of
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START, Source

SETTINGS = PairSettings("A", "B", formation_bars=40)
KEY = LineKey("test", "A", "B", "1m", formation_bars=40)
LINE = Refit(START + 40 * MINUTE, 1.0, 2.0, 0.0, 3.0, START, START + 39 * MINUTE, 40)


def test_what_moves_or_lacks_a_leg_has_no_key():
    source = Source(Origin.LIVE)
    assert key_of(source, SETTINGS) == KEY
    assert key_of(source, replace(SETTINGS, x="")) is None
    assert key_of(source, replace(SETTINGS, hedge=HedgeMethod.ROLLING)) is None
    for wrong in ({"venue": ""}, {"x": "A"}, {"interval": "1x"}, {"hedge": HedgeMethod.ROLLING}):
        with pytest.raises(ConfigError):
            replace(LineKey("test", "A", "B", "1m"), **wrong)


def test_the_book_is_bounded_and_forgets_what_was_not_shown_for_longest(monkeypatch):
    monkeypatch.setattr(kept_lines, "MOST_KEPT", 3)
    keys = [LineKey("test", "A", name, "1m") for name in ("B", "C", "D", "E")]
    book, told = LineBook(), []
    book.changed.connect(told.append)
    lines = HedgeLines(LINE, settled=True)
    for key in keys[:3]:
        book.keep(key, lines)
    book.keep(keys[1], lines)
    assert told == keys[:3], "the same line again is no news"
    assert book.get(keys[0]) == lines
    book.keep(keys[3], lines)
    assert list(book.everything()) == [keys[1], keys[0], keys[3]]
    monkeypatch.setattr(kept_lines, "MOST_REFITS_IN_ALL", 5)
    book.keep(keys[0], replace(lines, refits=(LINE,) * 6))
    assert list(book.everything()) == [keys[0]]


def test_the_book_refuses_what_would_be_another_fit():
    book, key = LineBook(), LineKey("test", "A", "B", "1m")
    for lines in (HedgeLines(), HedgeLines(LINE)):
        book.keep(key, lines)
    assert book.everything() == {} and book.get(key) is None
