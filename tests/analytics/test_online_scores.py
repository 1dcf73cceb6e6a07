from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.held_z import forming, held_z
from quantdesk.analytics.online_scores import OnlineScores
from quantdesk.analytics.spread import regression_z, walk_forward_z
from quantdesk.analytics.zscore import ZKind

KINDS = (ZKind.REGRESSION, ZKind.ROLLING, ZKind.EXPANDING, ZKind.EWM)
WINDOW = 20


def legs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = 1e5 + rng.standard_normal(count).cumsum()
    return 0.05 * x + rng.standard_normal(count), x, 0.05 + 0.001 * rng.standard_normal(count).cumsum()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 80), st.lists(st.integers(0, 7), max_size=12), st.booleans())
def test_every_kind_goes_on_as_the_batch_would_in_whatever_pieces(seed, first, pieces, flat):
    count = first + sum(pieces)
    y, x, beta = legs(count, seed)
    if flat:
        x[count // 2 : count // 2 + 30] = x[:1]
    judges = [forming(kind, y[:first], x[:first], beta[:first], WINDOW) for kind in KINDS]
    online = OnlineScores(WINDOW, y[:first], x[:first], judges)
    found = {kind: [np.empty(0)] for kind in (ZKind.WALK_FORWARD, *KINDS)}
    start = first
    for size in pieces:
        part = slice(start, start + size)
        for kind, z in online.append(y[part], x[part], beta[part]).items():
            found[kind].append(z)
        start += size
    wanted = {kind: held_z(kind, y, x, beta, WINDOW)[0] for kind in KINDS[1:]}
    walk = walk_forward_z(y, x, WINDOW)
    wanted |= {ZKind.WALK_FORWARD: walk.z, ZKind.REGRESSION: regression_z(y, x, WINDOW).z}
    # A slope is chosen at the first row; moments that begin before there is one differ in rounding only.
    for kind, z in wanted.items():
        np.testing.assert_allclose(np.concatenate(found[kind]), z[first:], rtol=1e-9, atol=1e-9, err_msg=kind)
    np.testing.assert_allclose(online.line.beta, walk.next_beta, rtol=1e-9)
    bar = 5_001.0, 1e5, 0.05
    for kind in KINDS:
        ahead = forming(kind, y, x, beta, WINDOW).z_of(*bar)
        np.testing.assert_allclose(online.judge(kind, y, x).z_of(*bar), ahead, rtol=1e-8, atol=1e-9, err_msg=kind)


def test_a_full_sample_cannot_be_carried_on():
    y, x, beta = legs(50, 1)
    with pytest.raises(ValueError, match="each bar changes all values"):
        OnlineScores(WINDOW, y, x, [forming(ZKind.FULL_SAMPLE, y, x, beta, WINDOW)])
