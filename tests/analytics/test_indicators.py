"""Indicators say what pandas says, look at no later bar, and live agrees with batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.indicators import (
    DAY_MS,
    LONGEST,
    Indicator,
    IndicatorBars,
    IndicatorKind,
    indicator_lines,
)
from quantdesk.analytics.running_indicator import previews, resumed, rows_of, running
from quantdesk.config import ConfigError

KINDS = list(IndicatorKind)
START = 1_720_000_000_000 // DAY_MS * DAY_MS + 20 * 3_600_000


def bars_of(n: int, *, seed: int = 1, level: float = 65_000.0, holes: float = 0.0, step: int = 60_000) -> IndicatorBars:
    rng = np.random.default_rng(seed)
    close = level + np.cumsum(rng.normal(0, level * 1e-4, n))
    spread = np.abs(rng.normal(0, level * 1e-4, (2, n)))
    columns = [close + spread[0], close - spread[1], close, np.round(rng.gamma(0.7, 3.0, n), 3)]
    gone = rng.random(n) < holes
    for column in columns:
        column[gone] = np.nan
    return IndicatorBars(START + step * np.arange(n, dtype=np.int64), *columns)


def close_to(found: np.ndarray, wanted: np.ndarray, level: float = 65_000.0) -> None:
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9 * level)


def by_pandas(indicator: Indicator, bars: IndicatorBars) -> list[np.ndarray]:
    table = pd.DataFrame({"h": bars.high, "l": bars.low, "c": bars.close, "v": bars.volume, "t": bars.times}).dropna()
    price, volume = (table.h + table.l + table.c) / 3, table.v
    window = table.c.rolling(indicator.bars)
    if indicator.kind is IndicatorKind.SMA:
        found = [window.mean()]
    elif indicator.kind is IndicatorKind.BOLLINGER:
        off = indicator.deviations * window.std(ddof=0)
        found = [window.mean(), window.mean() + off, window.mean() - off]
    elif indicator.kind is IndicatorKind.EMA:
        n = indicator.bars
        seeded = pd.concat([table.c[:n].expanding().mean().iloc[n - 1 :], table.c[n:]])
        found = [seeded.ewm(span=n, adjust=False).mean() if len(table) >= n else table.c[:0]]
    elif indicator.kind is IndicatorKind.VWAP:
        found = [(price * volume).rolling(indicator.bars).sum() / volume.rolling(indicator.bars).sum()]
    else:
        day = table.t // DAY_MS
        found = [(price * volume).groupby(day).cumsum() / volume.groupby(day).cumsum()]
    return [line.reindex(range(len(bars))).to_numpy(np.float64) for line in found]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [2, 20, 700])
@pytest.mark.parametrize("holes", [0.0, 0.2])
def test_the_lines_are_those_of_pandas(kind: IndicatorKind, window: int, holes: float) -> None:
    indicator, bars = Indicator(kind, window, 2.5), bars_of(3_000, holes=holes)
    lines = indicator_lines(indicator, bars)
    assert len(lines) == len(indicator.names)
    for found, wanted in zip(lines, by_pandas(indicator, bars), strict=True):
        close_to(found, wanted)
        assert not found.flags.writeable


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_a_bar_has_no_value_and_makes_no_window_shorter(kind: IndicatorKind) -> None:
    bars = bars_of(300, holes=0.3)
    gone = np.isnan(bars.close)
    kept = np.flatnonzero(~gone)
    whole = IndicatorBars(*(getattr(bars, name)[kept] for name in IndicatorBars.__dataclass_fields__))
    for found, dense in zip(
        indicator_lines(Indicator(kind), bars), indicator_lines(Indicator(kind), whole), strict=True
    ):
        assert np.isnan(found[gone]).all()
        np.testing.assert_array_equal(found[kept], dense)


@pytest.mark.parametrize("kind", KINDS)
@given(n=st.integers(0, 400), more=st.integers(1, 300), window=st.integers(2, 60), seed=st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_bars_to_come_change_nothing_before(kind: IndicatorKind, n: int, more: int, window: int, seed: int) -> None:
    bars, indicator = bars_of(n + more, seed=seed, holes=0.1), Indicator(kind, window)
    for short, long in zip(indicator_lines(indicator, bars[:n]), indicator_lines(indicator, bars), strict=True):
        np.testing.assert_array_equal(short, long[:n])


@pytest.mark.parametrize("kind", KINDS)
@given(
    n=st.integers(1, 500),
    window=st.integers(2, 60),
    seed=st.integers(0, 99),
    holes=st.sampled_from([0.0, 0.2]),
    level=st.sampled_from([1e-3, 65_000.0, 1e7]),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_live_agrees_with_batch_from_the_start_and_resumed_anywhere(
    kind: IndicatorKind, n: int, window: int, seed: int, holes: float, level: float, data: st.DataObject
) -> None:
    bars, indicator = bars_of(n, seed=seed, holes=holes, level=level), Indicator(kind, window)
    lines = indicator_lines(indicator, bars)
    begun = data.draw(st.integers(0, n))
    fresh, later = running(indicator), resumed(indicator, bars[:begun], [line[:begun] for line in lines])
    live = [fresh.append(row) for row in rows_of(bars)]
    late = [later.append(row) for row in rows_of(bars[begun:])]
    for place, line in enumerate(lines):
        close_to(np.array([values[place] for values in live]), line, level)
        close_to(np.array([values[place] for values in late]), line[begun:], level)


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_says_what_the_closed_bar_will_say_and_changes_nothing(kind: IndicatorKind) -> None:
    bars, indicator = bars_of(400, holes=0.1), Indicator(kind, 10)
    held, rows = running(indicator), rows_of(bars)
    for place, row in enumerate(rows):
        seen = [held.preview(row), held.preview((row[0], row[1] * 2, row[2], row[3] * 2, 1.0)), held.preview(row)]
        ahead = previews(held, rows[place : place + 3])
        found = held.append(row)
        for values in (seen[0], seen[2], ahead[0]):
            np.testing.assert_allclose(values, found, rtol=1e-11, equal_nan=True)
        if len(ahead) == 3:
            later = running(indicator)
            for other in rows[: place + 3]:
                last = later.append(other)
            np.testing.assert_allclose(ahead[2], last, rtol=1e-9, equal_nan=True)


def test_the_vwap_of_the_day_begins_anew_at_midnight_utc() -> None:
    bars = bars_of(2_000)
    (line,) = indicator_lines(Indicator(IndicatorKind.VWAP_DAY), bars)
    first = int(np.flatnonzero(bars.times % DAY_MS == 0)[0])
    assert line[first] == pytest.approx((bars.high[first] + bars.low[first] + bars.close[first]) / 3)
    after = bars[first:]
    np.testing.assert_array_equal(indicator_lines(Indicator(IndicatorKind.VWAP_DAY), after)[0], line[first:])


def test_bands_close_up_where_the_price_stands_still() -> None:
    bars = bars_of(50)
    bars.close[:] = 7.25
    middle, upper, lower = indicator_lines(Indicator(IndicatorKind.BOLLINGER, 10), bars)
    assert (middle[9:] == 7.25).all() and (upper[9:] == 7.25).all() and (lower[9:] == 7.25).all()
    assert running(Indicator(IndicatorKind.BOLLINGER, 2)).append(rows_of(bars)[0])[0] != 7.25


@pytest.mark.parametrize("kind", [IndicatorKind.VWAP, IndicatorKind.VWAP_DAY])
def test_without_volume_there_is_no_vwap(kind: IndicatorKind) -> None:
    bars = bars_of(50)
    bars.volume[:] = 0.0
    assert np.isnan(indicator_lines(Indicator(kind), bars)[0]).all()
    bars.volume[:] = np.nan
    assert np.isnan(indicator_lines(Indicator(kind), bars)[0]).all()
    assert np.isfinite(indicator_lines(Indicator(IndicatorKind.SMA), bars)[0][19:]).all()


def test_an_average_leaves_a_bad_tick_behind_without_a_trace() -> None:
    bars = bars_of(200)
    bars.close[50] = 1e12
    for line in indicator_lines(Indicator(IndicatorKind.BOLLINGER, 20), bars):
        assert np.abs(line[70:] - bars.close[70:]).max() < 2_000
    clean = bars_of(200)
    close_to(*(indicator_lines(Indicator(IndicatorKind.SMA), b)[0][70:] for b in (bars, clean)))


@pytest.mark.parametrize(("bars", "deviations"), [(1, 2.0), (LONGEST + 1, 2.0), (20, 0.0), (20, float("nan"))])
def test_settings_that_make_no_sense_are_refused(bars: int, deviations: float) -> None:
    with pytest.raises(ConfigError):
        Indicator(IndicatorKind.BOLLINGER, bars, deviations)


def test_no_bars_have_no_lines() -> None:
    for kind in KINDS:
        assert all(len(line) == 0 for line in indicator_lines(Indicator(kind), bars_of(0)))
