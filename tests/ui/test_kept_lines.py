"""Frozen hedge ratios go through a file, and a broken one costs a new fit, said in words."""

from __future__ import annotations

import copy
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import Refit
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.kept_lines import LineKey
from quantdesk.ui.kept_lines import accepted, plain_of

MINUTE = 60_000
KEY = LineKey("a market", "BTCUSDT", "ETHUSDT", "1m", formation_bars=60)
FIRST = Refit(100 * MINUTE, 1.5, 2.25, -3.0, 0.5, 40 * MINUTE, 99 * MINUTE, 60, 0.9, 0.01)
SECOND = Refit(200 * MINUTE, 1.0, 2.0, -1.0, 0.25, 140 * MINUTE, 199 * MINUTE, 60, 0.8, 0.02)
LINES = HedgeLines(FIRST, (SECOND,), 100 * MINUTE, settled=True)
SIZES = st.floats(-1e9, 1e9)


def through_text(kept: dict[LineKey, HedgeLines]) -> tuple[dict[LineKey, HedgeLines], str]:
    return accepted(json.loads(json.dumps(plain_of(kept), allow_nan=False)))


@given(
    st.lists(st.tuples(SIZES, SIZES, SIZES, st.floats(0, 1e9), st.integers(3, 60)), min_size=1, max_size=5),
    st.sampled_from([method for method in HedgeMethod if not method.moves]),
    st.booleans(),
    st.none() | st.integers(0, 10**12),
)
def test_lines_come_back_bit_for_bit(rows, hedge, log, anchor):
    fits = [
        Refit((place + 1) * 100 * MINUTE, alpha, beta, mean, sigma, place * 100 * MINUTE, place * 100 * MINUTE + 1, n)
        for place, (alpha, beta, mean, sigma, n) in enumerate(rows)
    ]
    key = LineKey("a market", "Y", "X", "15m", log, 60, 0, hedge, 0)
    kept, unread = through_text({key: HedgeLines(fits[0], tuple(fits[1:]), anchor, settled=True), KEY: LINES})
    assert unread == "" and list(kept) == [key, KEY] and kept[KEY] == LINES
    found = kept[key]
    assert found.settled and found.anchor == anchor
    assert [(f.time, f.alpha, f.beta, f.mean, f.sigma, f.n) for f in (found.first, *found.refits)] == [
        (f.time, f.alpha, f.beta, f.mean, f.sigma, f.n) for f in fits
    ]
    assert all(math.isnan(f.r_squared) and math.isnan(f.stderr_beta) for f in (found.first, *found.refits))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("venue",), ""),
        (("venue",), 5),
        (("y",), "ETHUSDT"),
        (("interval",), "1x"),
        (("log",), 1),
        (("formation_bars",), 30),
        (("formation_bars",), True),
        (("refit_every",), 3),
        (("hedge",), "kalman"),
        (("hedge",), ["ols"]),
        (("anchor",), -1),
        (("fits",), []),
        (("fits",), "none"),
        (("fits", 0), [1, 2]),
        (("fits", 0, 2), math.nan),
        (("fits", 0, 2), 10**400),
        (("fits", 0, 4), -1.0),
        (("fits", 0, 0), 99 * MINUTE),
        (("fits", 0, 6), 1.5),
        (("fits", 0, 7), 2),
        (("fits", 1, 0), 10**14),
        (("fits", 1), [100 * MINUTE, 1.0, 2.0, 0.0, 1.0, 1, 2, 3, None, None]),
    ],
)
def test_what_cannot_be_a_line_is_left_out_in_words_and_the_others_stay(place, value):
    other = LineKey("a market", "SOLUSDT", "ETHUSDT", "1m", formation_bars=60)
    plain = copy.deepcopy(plain_of({KEY: LINES, other: LINES}))
    held = plain["lines"][0]
    for step in place[:-1]:
        held = held[step]
    held[place[-1]] = value
    kept, unread = accepted(plain)
    assert list(kept) == [other]
    assert unread.startswith("1 of 2 frozen hedge ratios cannot be read (") and "fitted anew" in unread


@pytest.mark.parametrize("read", [{}, {"schema": 2, "lines": []}, {"schema": 1, "lines": {}}])
def test_a_file_of_another_kind_is_said(read):
    kept, unread = accepted(read)
    assert kept == {} and "cannot be read" in unread
