from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.spread import regression_z, walk_forward_z
from quantdesk.analytics.zscore import ZKind, z_series
from quantdesk.config import ConfigError
from quantdesk.model.alerts import AlertModel
from quantdesk.model.building import build
from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from tests.model.test_building import SETTINGS, X, Y, order

OWN_SPREAD = (ZKind.ROLLING, ZKind.EXPANDING, ZKind.EWM)


def framed(kind: ZKind, count: int = 300, **changes: object):
    chosen = replace(SETTINGS, z_kind=kind, **changes)
    return build(order(count, build(order(100, settings=chosen)).lines, settings=chosen)).frame


def wanted(kind: ZKind, frame, count: int = 300) -> np.ndarray:
    y, x = Y[:count], X[:count]
    if kind is ZKind.WALK_FORWARD:
        return walk_forward_z(y, x, 20).z
    if kind is ZKind.REGRESSION:
        return regression_z(y, x, 20).z
    if kind is ZKind.FULL_SAMPLE:
        return z_series(kind, y, x, 20).z
    z = z_series(kind, y, x, 20, beta=frame.beta).z.copy()
    z[frame.times <= frame.formation[1]] = np.nan
    return z


@pytest.mark.parametrize("kind", ZKind)
def test_each_kind_is_the_one_of_the_analytics(kind):
    frame = framed(kind)
    np.testing.assert_allclose(frame.z, wanted(kind, frame), rtol=1e-8, atol=1e-9)
    assert frame.last.z == frame.z[-1] and np.isfinite(frame.z[-1])
    assert not frame.z.flags.writeable and not frame.signal_z.flags.writeable


@pytest.mark.parametrize("kind", ZKind)
def test_whatever_is_shown_alerts_judge_the_walk_forward_z(kind):
    np.testing.assert_array_equal(framed(kind).signal_z, walk_forward_z(Y[:300], X[:300], 20).z)
    told = []
    for shown in (kind, ZKind.WALK_FORWARD):
        model = AlertModel()
        settled = build(order(100)).lines
        events = []
        for count in range(150, 300):
            events += model.judge(build(order(count, settled, settings=replace(SETTINGS, z_kind=shown))).frame)
        told.append([(event.time_ms, event.kind) for event in events])
    assert told[0] == told[1] != []


def test_a_frame_that_looks_ahead_cannot_be_made_without_the_signal():
    frame = framed(ZKind.FULL_SAMPLE)
    with pytest.raises(ValueError, match="needs the walk-forward z"):
        replace(frame, walk_z=None)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([kind for kind in ZKind if not kind.look_ahead]),
    st.integers(101, 300),
    st.integers(1, 100),
    st.sampled_from([0, 15, 40]),
)
def test_no_kind_but_the_full_sample_depends_on_a_later_bar(kind, count, more, every):
    chosen = replace(SETTINGS, refit_every=every, z_kind=kind)
    settled = build(order(100, settings=chosen)).lines
    short = build(order(count, settled, settings=chosen)).frame
    whole = build(order(count + more, settled, settings=chosen)).frame
    np.testing.assert_allclose(short.z, whole.z[:count], rtol=1e-9)


def test_the_full_sample_does():
    short, whole = framed(ZKind.FULL_SAMPLE, 200), framed(ZKind.FULL_SAMPLE, 300)
    assert np.abs(short.z - whole.z[:200]).max() > 1e-3


@pytest.mark.parametrize("kind", OWN_SPREAD)
def test_bars_that_helped_to_choose_the_hedge_ratio_have_no_z_of_its_spread(kind):
    frame = framed(kind)
    seen = frame.times <= frame.formation[1]
    assert np.isnan(frame.z[seen]).all() and np.isfinite(frame.z[~seen]).all()


@pytest.mark.parametrize("kind", OWN_SPREAD)
@pytest.mark.parametrize("method", [HedgeMethod.ROLLING, HedgeMethod.KALMAN])
def test_a_ratio_that_moves_is_known_before_each_bar_and_judges_from_the_first(kind, method):
    frame = framed(kind, hedge=method)
    known = np.isfinite(frame.beta_column())
    known[:20] = False
    assert np.isfinite(frame.z[known]).all() and known.sum() > 150


@pytest.mark.parametrize(
    ("method", "every"),
    [(HedgeMethod.OLS, 0), (HedgeMethod.OLS, 40), (HedgeMethod.ROLLING, 0), (HedgeMethod.KALMAN, 0)],
)
@pytest.mark.parametrize("log", [False, True])
def test_the_parts_of_a_change_are_the_change_of_the_spread(every, method, log):
    frame = framed(ZKind.WALK_FORWARD, hedge=method, log=log, refit_every=every)
    parts, y, x = frame.attribution, frame.y.close, frame.x.close
    if log:
        y, x = np.log(y), np.log(x)
    drawn = np.r_[np.nan, np.diff(frame.spread)]
    scale = float(np.nanmax(np.abs(frame.spread)))
    np.testing.assert_allclose(parts.change, drawn, atol=1e-12 * scale)
    beta = frame.beta_column()
    np.testing.assert_allclose(parts.from_y[1:], np.where(np.isfinite(drawn[1:]), np.diff(y), np.nan))
    np.testing.assert_allclose(parts.from_x[1:], -beta[:-1] * np.diff(x), atol=1e-12 * scale)
    moved = np.nan_to_num(parts.from_beta)
    assert (np.count_nonzero(moved) > 0) == (method.moves or every > 0)
    assert all(not getattr(parts, name).flags.writeable for name in ("from_y", "from_x", "from_beta", "change"))


def test_a_kind_that_does_not_exist_is_refused_in_words():
    with pytest.raises(ConfigError, match="guess is no kind of z: walk-forward, "):
        PairSettings("A", "B", z_kind="guess")
    assert PairSettings("A", "B", z_kind="ewm").z_kind is ZKind.EWM
