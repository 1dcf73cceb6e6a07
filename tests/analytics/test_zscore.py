import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.hedge import ols
from quantdesk.analytics.spread import regression_z, walk_forward_z
from quantdesk.analytics.zscore import ZKind, z_series
from quantdesk.commands.analyze import _Z_KINDS

BETA = 0.05
OWN_LINE = [kind for kind in ZKind if kind.fits_own_line]
OF_A_SPREAD = [kind for kind in ZKind if not kind.fits_own_line]
COLUMNS = ("z", "beta", "centre", "sigma")


def _options(kind: ZKind) -> dict[str, float]:
    return {} if kind.fits_own_line else {"beta": BETA}


@pytest.mark.parametrize("window", [20, 60, 500])
def test_each_kind_is_what_pandas_makes_of_the_spread(walk_pair, window: int) -> None:
    y, x = walk_pair
    spread = pd.Series(y - BETA * x)
    expected = {
        ZKind.ROLLING: (spread - spread.rolling(window).mean()) / spread.rolling(window).std(),
        ZKind.EXPANDING: (spread - spread.expanding(window).mean()) / spread.expanding(window).std(),
        ZKind.EWM: (spread - spread.ewm(halflife=window).mean()) / spread.ewm(halflife=window).std(),
        ZKind.FULL_SAMPLE: (spread - spread.mean()) / spread.std(),
    }
    expected[ZKind.EWM][:19] = np.nan
    for kind, series in expected.items():
        found = z_series(kind, y, x, window, beta=BETA)
        np.testing.assert_allclose(found.z, series.to_numpy(), rtol=1e-6, atol=1e-8, err_msg=kind)
        np.testing.assert_allclose(found.z * found.sigma + found.centre, np.where(np.isnan(series), np.nan, spread))
        assert found.look_ahead == (kind is ZKind.FULL_SAMPLE)
        assert ("LOOK-AHEAD" in found.label) == found.look_ahead


@pytest.mark.parametrize("window", [20, 60])
def test_the_regression_z_is_the_last_residual_of_its_own_window(walk_pair, window: int) -> None:
    y, x = walk_pair
    series = regression_z(y, x, window)
    assert np.isnan(series.z[: window - 1]).all() and np.isfinite(series.z[window - 1 :]).all()
    for row in (window - 1, 700, 2_999):
        part_y, part_x = y[row - window + 1 : row + 1], x[row - window + 1 : row + 1]
        fit = ols(part_y, part_x)
        residual = part_y - fit.alpha - fit.beta * part_x
        sigma = np.sqrt(residual @ residual / (window - 2))
        found = (series.z[row], series.beta[row], series.alpha[row], series.sigma[row])
        assert found == pytest.approx((residual[-1] / sigma, fit.beta, fit.alpha, sigma), rel=1e-6)
    assert np.abs(series.z[window - 1 :]).max() <= np.sqrt((window - 1) * (window - 2) / window) + 1e-9


def test_one_entry_gives_every_kind(walk_pair) -> None:
    y, x = walk_pair
    np.testing.assert_array_equal(z_series("walk-forward", y, x, 60).z, walk_forward_z(y, x, 60).z)
    np.testing.assert_array_equal(z_series(ZKind.REGRESSION, y, x, 60).z, regression_z(y, x, 60).z)
    assert [kind.value for kind in ZKind] == [
        "walk-forward",
        "regression",
        "rolling",
        "expanding",
        "ewm",
        "full-sample",
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([k for k in ZKind if not k.look_ahead]), st.booleans(), st.data())
def test_nothing_depends_on_the_future(seed: int, kind: ZKind, formed: bool, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.round(100 + rng.standard_normal((2, 400)).cumsum(axis=1), 2)
    y[rng.random(400) < 0.05] = np.nan
    options = {"formation": 50} if formed and not kind.fits_own_line else _options(kind)
    cut = data.draw(st.integers(60, 400))
    whole, part = z_series(kind, y, x, 20, **options), z_series(kind, y[:cut], x[:cut], 20, **options)
    y[cut:] = data.draw(st.sampled_from([np.nan, 0.0, 1e9, np.inf]))
    x[cut:] *= 3
    changed = z_series(kind, y, x, 20, **options)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(whole, name)[:cut], getattr(part, name))
        np.testing.assert_array_equal(getattr(changed, name)[:cut], getattr(part, name))


def test_the_full_sample_z_does_depend_on_it(walk_pair) -> None:
    y, x = walk_pair
    whole, part = (z_series("full-sample", y[:n], x[:n], 60) for n in (3_000, 2_000))
    assert (whole.z[:2_000] != part.z).all()
    assert whole.beta[0] == ols(y, x).beta


@pytest.mark.parametrize("kind", list(ZKind))
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_scaling_the_prices_leaves_z_unchanged(walk_pair, kind: ZKind, factor: float) -> None:
    y, x = walk_pair
    expected = z_series(kind, y, x, 60, **_options(kind)).z
    found = z_series(kind, factor * y, factor * x, 60, **_options(kind)).z
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", OF_A_SPREAD)
def test_a_spread_that_does_not_vary_has_no_z(walk_pair, kind: ZKind) -> None:
    x = walk_pair[1]
    # The last one is off the line by nothing but the rounding of its prices.
    for y in (BETA * x, BETA * x + 11.7, 3 * BETA * x / 3 + 11.7 * (x / x.mean()) - 11.7 * (x / x.mean())):
        assert np.isnan(z_series(kind, y, x, 20, beta=BETA).z).all()
    assert np.isnan(z_series(kind, np.full_like(x, 3.0), np.full_like(x, 7.0), 20, beta=BETA).z).all()


@pytest.mark.parametrize("kind", list(ZKind))
def test_a_missing_bar_is_in_no_window(walk_pair, kind: ZKind) -> None:
    y, x = (leg[:400].copy() for leg in walk_pair)
    holes = np.array([30, 200])
    kept = np.delete(np.arange(400), holes)
    dense = z_series(kind, y[kept], x[kept], 25, **_options(kind))
    y[30], x[200] = np.nan, np.inf
    holed = z_series(kind, y, x, 25, **_options(kind))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(holed, name)[kept], getattr(dense, name))
        assert np.isnan(getattr(holed, name)[holes]).all()
        assert not getattr(holed, name).flags.writeable


def test_a_bad_tick_leaves_no_trace_after_it_left_the_window(walk_pair) -> None:
    y, x = (leg[:600] for leg in walk_pair)
    hit = y.copy()
    hit[300] = 1e9
    for kind in (*OWN_LINE, ZKind.ROLLING):
        clean, dirty = (z_series(kind, leg, x, 60, **_options(kind)).z for leg in (y, hit))
        np.testing.assert_allclose(dirty[361:], clean[361:], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", OF_A_SPREAD)
def test_a_formation_freezes_the_ratio_and_hides_its_own_rows(walk_pair, kind: ZKind) -> None:
    y, x = walk_pair
    found = z_series(kind, y, x, 60, formation=200)
    assert np.isnan(found.z[:200]).all() and np.isfinite(found.z[200:]).all()
    assert set(found.beta) == {ols(y[:200], x[:200]).beta}
    given = z_series(kind, y, x, 60, beta=found.beta[0])
    np.testing.assert_array_equal(given.z[200:], found.z[200:])


def test_a_ratio_for_each_row_is_used_row_by_row(walk_pair) -> None:
    y, x = walk_pair
    path = np.linspace(0.04, 0.06, len(y))
    spread = pd.Series(y - path * x)
    expected = (spread - spread.rolling(60).mean()) / spread.rolling(60).std()
    np.testing.assert_allclose(z_series("rolling", y, x, 60, beta=path).z, expected, rtol=1e-6, atol=1e-8)
    path = path.copy()
    path[:500] = np.nan
    assert np.isnan(z_series("rolling", y, x, 60, beta=path).z[:559]).all()


def test_what_makes_no_z_is_refused_in_words(walk_pair) -> None:
    y, x = walk_pair
    for kind, options, words in (
        ("rolling", {"window": 19, "beta": 1.0}, "at least 20"),
        ("rolling", {"window": 60}, "needs a hedge ratio"),
        ("rolling", {"window": 60, "beta": 1.0, "formation": 60}, "one of them"),
        ("rolling", {"window": 60, "beta": np.zeros(3)}, "one a row"),
        ("ewm", {"window": 0, "beta": 1.0}, "window"),
        ("expanding", {"window": 60, "formation": 5}, "formation of at least"),
        ("regression", {"window": 60, "beta": 1.0}, "fits its own line"),
        ("other", {"window": 60}, "other"),
    ):
        with pytest.raises(ValueError, match=words):
            z_series(kind, y, x, **options)
    with pytest.raises(ValueError, match="one length"):
        z_series("walk-forward", y, x[1:], 60)


@pytest.mark.parametrize("kind", list(ZKind))
@pytest.mark.parametrize("rows", [0, 1, 19])
def test_short_data_have_no_value_and_no_error(walk_pair, kind: ZKind, rows: int) -> None:
    y, x = (leg[:rows] for leg in walk_pair)
    found = z_series(kind, y, x, 20, **_options(kind))
    assert len(found.z) == rows
    assert np.isnan(found.z).all()


def test_a_kind_fits_its_own_line_or_takes_a_ratio_or_looks_ahead():
    for kind in ZKind:
        assert (kind.fits_own_line, kind.takes_ratio, kind.look_ahead).count(True) == 1, kind


def test_the_command_line_offers_every_kind():
    assert tuple(ZKind) == _Z_KINDS
