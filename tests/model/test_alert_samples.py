"""What rules judge is what the frame and its tests say, row by row, with what the gates ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Gates, Rule, z_rule
from quantdesk.analytics.pairs import PairSnapshot
from quantdesk.analytics.pairs import test as evidence_of
from quantdesk.analytics.spread import regression_z
from quantdesk.analytics.stationarity import combined_p
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.quality import BarQuality
from quantdesk.model.alert_samples import OF_TRADES, FrameSamples, Look, kinds_of, look_of, settings_words, view_of
from quantdesk.model.building import FrameOrder, LegCopy, build
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairFrame, PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.model.recent_trades import TradePrices
from quantdesk.model.tick_findings import evaluate
from quantdesk.model.tick_order import TickOrder, TickSettings
from quantdesk.types import Instrument, Origin, Tick
from tests.model.conftest import MINUTE, START, bars_of, spin, walk

ROWS = 300
NONE = np.empty(0, np.int64)
OTHER_Z = {
    Metric.REGRESSION_Z: ZKind.REGRESSION,
    Metric.ROLLING_Z: ZKind.ROLLING,
    Metric.EXPANDING_Z: ZKind.EXPANDING,
    Metric.EW_Z: ZKind.EWM,
}


@pytest.fixture(scope="module")
def frame() -> PairFrame:
    return framed()


def framed(rows: int = ROWS, other_kinds: tuple[ZKind, ...] = (), **changes: object) -> PairFrame:
    """Return a frame of so many bars whose line was fitted on the first 100 of them."""
    settings = replace(PairSettings("BTCUSDT", "ETHUSDT", formation_bars=100), **changes)
    lines = HedgeLines()
    for count in (100, rows):
        times = START + MINUTE * np.arange(count)
        closes = (close[:count] for close in walk(ROWS))
        copies = (LegCopy(bars_of(times, c), c, NONE, quality=np.zeros(count, np.int64)) for c in closes)
        built = build(FrameOrder(1, 1, Origin.LIVE, START, MINUTE, settings, *copies, lines, False, None, other_kinds))
        lines = built.lines
    return built.frame


def test_every_metric_that_is_offered_has_values_and_its_own_column(frame):
    offered = [metric for metric in Metric if metric not in OF_TRADES]
    legs = (frame.times, frame.y.close, frame.times, frame.x.close)
    samples = FrameSamples(frame, Look("a market", evidence_of(PairSnapshot(*legs))))
    for metric in offered:
        column = samples.column(metric)
        assert column is not None and len(column) == ROWS and np.isfinite(column).any(), metric
    snapshot = samples.snapshot(Metric.ROLLING_Z, ROWS - 1)
    assert set(snapshot.values) == set(offered)
    assert snapshot.value(Metric.PRICE_Y) == frame.y.close[-1]
    assert snapshot.value(Metric.BETA) == pytest.approx(2.0, abs=0.3)
    assert snapshot.p == snapshot.value(Metric.COINTEGRATION_P) < 0.05


def test_a_stated_delta_is_among_the_words_of_what_it_moves_and_of_nothing_else():
    plain = PairSettings("A", "B", hedge=HedgeMethod.KALMAN)
    stated = replace(plain, kalman_delta=1e-3)
    assert settings_words(stated, Metric.SPREAD) == settings_words(plain, Metric.SPREAD) + ", kalman delta 0.001"
    assert settings_words(stated, Metric.Z) == settings_words(plain, Metric.Z)


def test_rules_and_gates_judge_the_cointegration_p_of_both_directions(frame):
    found = evidence_of(PairSnapshot(frame.times, frame.y.close, frame.times, frame.x.close))
    parts = [replace(test, p_value=p) for test, p in ((found.engle_granger, 0.03), (found.engle_granger_reverse, 0.5))]
    found = replace(found, engle_granger=parts[0], engle_granger_reverse=parts[1], combined_p=combined_p(*parts))
    sample = FrameSamples(frame, Look("a market", found)).snapshot(Metric.COINTEGRATION_P, ROWS - 1)
    assert sample.p == sample.value(Metric.COINTEGRATION_P) == 0.06
    assert Gates(p_below=0.05).shut(sample) == "cointegration p 0.06 ≥ 0.05", (
        "that of y on x alone would let it through"
    )


def test_the_rolling_z_is_the_spread_about_its_own_window(frame):
    column = FrameSamples(frame).column(Metric.ROLLING_Z)
    window = frame.spread[-60:]
    assert column[-1] == pytest.approx((window[-1] - window.mean()) / window.std(ddof=1))


@pytest.mark.parametrize("method", [HedgeMethod.OLS, HedgeMethod.KALMAN])
@pytest.mark.parametrize(("metric", "kind"), OTHER_Z.items())
def test_a_rule_on_a_kind_of_z_judges_what_that_kind_would_show(metric, kind, method):
    refitted = {"refit_every": 50} if method is HedgeMethod.OLS else {}
    column = FrameSamples(framed(hedge=method, **refitted)).column(metric)
    shown = framed(z_kind=kind, hedge=method, **refitted)
    np.testing.assert_array_equal(column, shown.z)
    np.testing.assert_array_equal(FrameSamples(shown).column(metric), shown.z)
    assert np.isfinite(column[-1])


def test_a_frame_brings_the_kinds_that_rules_watch_and_no_others():
    rules = [z_rule(), Rule("e", "e", Metric.EW_Z, Comparison.BEYOND, 2.0, 1.5)]
    rules.append(Rule("off", "off", Metric.ROLLING_Z, Comparison.BEYOND, 2.0, 1.5, enabled=False))
    assert kinds_of(rules) == (ZKind.EWM,)
    frame = framed(other_kinds=kinds_of(rules))
    assert list(frame.other_z) == [ZKind.EWM]
    assert FrameSamples(frame).column(Metric.EW_Z) is frame.other_z[ZKind.EWM]
    np.testing.assert_array_equal(frame.other_z[ZKind.EWM], FrameSamples(framed()).column(Metric.EW_Z))


def test_a_file_is_judged_by_the_closes_that_its_statistics_use():
    times, (y, x) = START + MINUTE * np.arange(ROWS), walk(ROWS)
    adjusted = y * np.linspace(0.5, 1.0, ROWS)
    legs = LegCopy(bars_of(times, y), adjusted, NONE), LegCopy(bars_of(times, x), x, NONE)
    order = FrameOrder(1, 1, Origin.FILE, None, MINUTE, PairSettings("A", "B"), *legs, HedgeLines(), False, None)
    found = FrameSamples(build(order).frame).column(Metric.REGRESSION_Z)
    np.testing.assert_array_equal(found, regression_z(adjusted, x, 60).z)


@pytest.mark.parametrize("metric", [Metric.SPREAD, Metric.BETA, Metric.ROLLING_Z, Metric.EXPANDING_Z, Metric.EW_Z])
def test_no_rule_judges_a_bar_by_a_ratio_that_was_fitted_on_it_or_later(frame, metric):
    column = FrameSamples(frame).column(metric)
    assert np.isnan(column[:100]).all() and np.isfinite(column[100:]).all()
    again = FrameSamples(framed(200)).column(metric)
    np.testing.assert_array_equal(column[:200], again)
    assert FrameSamples(frame).snapshot(metric, 50).value(Metric.SPREAD) == frame.spread[50], "as it was shown"


def test_a_slow_test_is_a_value_of_the_bar_it_ends_with_and_of_no_other(frame):
    legs = (frame.times[:250], frame.y.close[:250], frame.times[:250], frame.x.close[:250])
    column = FrameSamples(frame, Look(evidence=evidence_of(PairSnapshot(*legs)))).column(Metric.COINTEGRATION_P)
    assert np.flatnonzero(np.isfinite(column)).tolist() == [249]
    assert FrameSamples(frame).column(Metric.HALF_LIFE) is None


def test_what_trades_say_is_a_value_of_the_bar_they_end_in(frame):
    rng = np.random.default_rng(3)
    times = np.arange(START, START + 200 * MINUTE, 250)
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, len(times))))
    y, x = (TradePrices(times + late, np.arange(len(times)), prices) for late in (0, 500))

    def told(end: int, name: str = "ETHUSDT") -> FrameSamples:
        order = TickOrder("BTCUSDT", name, TickSettings(5), y, x, end)
        return FrameSamples(frame, Look(ticks=evaluate(order)))

    samples = told(START + 100 * MINUTE + 30_000)
    for metric in OF_TRADES:
        assert np.flatnonzero(np.isfinite(samples.column(metric))).tolist() == [100], metric
    assert samples.column(Metric.LEAD_LAG)[100] == 500
    assert told(START + 100 * MINUTE, "SOLUSDT").column(Metric.HY_CORRELATION) is None
    short = FrameSamples(replace(frame, times=frame.times[:50], left_out=frame.left_out), samples.look)
    assert short.column(Metric.HY_CORRELATION) is None, "the frame is far behind the trades"


def test_a_bar_that_lacks_trades_of_either_leg_is_not_complete(frame):
    quality = frame.quality_x.copy()
    quality[5], quality[6], quality[7] = BarQuality.PARTIAL, BarQuality.MISSING, BarQuality.KLINES
    lacking = FrameSamples(replace(frame, quality_x=quality, left_out=frame.times[9:10]))
    assert np.flatnonzero(~lacking.complete).tolist() == [5, 6, 9]
    rule = Rule("p", "price", Metric.PRICE_Y, Comparison.AT_LEAST, 1.0, 0.5)
    assert not lacking.usable(rule)[[5, 6, 9]].any() and lacking.usable(rule)[7]
    assert lacking.usable(replace(rule, gates=Gates(complete=False))).all()


def test_a_spread_of_a_line_on_too_few_bars_has_no_full_window(frame):
    short = replace(frame, settings=replace(frame.settings, formation_bars=400))
    assert FrameSamples(frame).snapshot(Metric.SPREAD, ROWS - 1).window_full
    assert not FrameSamples(short).snapshot(Metric.SPREAD, ROWS - 1).window_full
    assert FrameSamples(short).snapshot(Metric.Z, ROWS - 1).window_full


def test_ages_and_tests_are_of_the_newest_bars_only(frame):
    samples = FrameSamples(frame, Look("", None, 1_500, 2_500))
    newest, older = samples.snapshot(Metric.Z, ROWS - 1), samples.snapshot(Metric.Z, ROWS - 10)
    assert (newest.age_y_ms, newest.age_x_ms) == (1_500, 2_500)
    assert (older.age_y_ms, older.age_x_ms) == (None, None)


def test_a_rule_begins_anew_only_for_settings_that_its_metric_depends_on(frame):
    other = replace(frame, settings=replace(frame.settings, correlation_window=90, refit_every=50))
    assert view_of(frame, Metric.Z) == view_of(other, Metric.Z)
    assert view_of(frame, Metric.CORRELATION) != view_of(other, Metric.CORRELATION)
    assert view_of(frame, Metric.SPREAD) != view_of(other, Metric.SPREAD)
    assert view_of(frame, Metric.PRICE_Y) == view_of(other, Metric.PRICE_Y)
    assert settings_words(frame.settings, Metric.Z) == "window 60, log no"


def test_the_age_of_a_price_is_that_of_the_legs_last_trade(jobs):
    market = MarketModel()
    pair = PairModel(jobs)
    pair.set_source(market, PairSettings("BTCUSDT", "ETHUSDT"))
    assert look_of(pair) == Look()
    market.on_instrument(Instrument("a market", "BTCUSDT"))
    market.on_tick(Tick("BTCUSDT", 1, 100.0, 1.0, START, False))
    market.on_time(START + 4_000)
    assert look_of(pair) == Look("a market", None, 4_000, None)
    spin()


def test_what_is_watched_by_default_is_the_walk_forward_z_whatever_is_shown(frame):
    shown = replace(frame, settings=replace(frame.settings, z_kind="rolling"), z=frame.z * 0, walk_z=frame.z)
    rule = z_rule()
    assert np.array_equal(FrameSamples(shown).column(rule.metric), frame.z, equal_nan=True)
