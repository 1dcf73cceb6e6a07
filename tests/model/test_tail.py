from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.zscore import ZKind
from quantdesk.model.building import build
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.tail import tail_of
from tests.model.conftest import bars_of
from tests.model.test_building import SETTINGS, TIMES, X, Y, order


def pair_of(count: int, more: int, **changes: object):
    """Return a frame of so many bars, the tail of the next ones, and the frame that holds them all."""
    chosen = replace(SETTINGS, **changes)
    settled = build(order(100, settings=chosen)).lines
    frame = build(order(count, settled, settings=chosen)).frame
    rows = slice(count, count + more)
    tail = tail_of(frame, bars_of(TIMES[rows], Y[rows]), bars_of(TIMES[rows], X[rows]))
    return frame, tail, build(order(count + more, settled, settings=chosen)).frame


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in ZKind if not kind.look_ahead])
def test_the_forming_bar_has_the_z_it_will_have_if_it_closes_so(kind, log):
    _, tail, later = pair_of(200, 1, z_kind=kind, log=log)
    assert tail.z[0] == pytest.approx(later.z[-1], rel=1e-6)


def test_a_full_sample_says_nothing_of_a_bar_that_is_not_over():
    _, tail, later = pair_of(200, 1, z_kind=ZKind.FULL_SAMPLE)
    assert np.isnan(tail.z).all() and np.isfinite(later.z[-1])


@pytest.mark.parametrize("method", [HedgeMethod.OLS, HedgeMethod.KALMAN])
def test_the_forming_bars_are_attributed_from_the_newest_joined_bar_on(method):
    frame, tail, later = pair_of(200, 3, hedge=method)
    parts = tail.attribution
    assert parts.from_y.tolist() == np.diff(Y[199:203]).tolist()
    assert parts.change[0] == pytest.approx(tail.spread[0] - frame.spread[-1], abs=1e-9)
    assert parts.change[0] == pytest.approx(later.attribution.change[200], abs=1e-9)
    assert (parts.from_beta[0] != 0) == method.moves


def test_a_leg_without_a_bar_has_no_part_and_no_z():
    frame, _, _ = pair_of(200, 1, z_kind=ZKind.ROLLING)
    tail = tail_of(frame, bars_of(TIMES[200:201], Y[200:201]), bars_of(TIMES[:0], X[:0]))
    assert np.isnan(tail.z).all() and np.isnan(tail.attribution.change).all()
