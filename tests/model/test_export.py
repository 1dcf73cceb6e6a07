from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from quantdesk.analytics.indicators import Indicator, IndicatorBars, IndicatorKind, indicator_lines
from quantdesk.analytics.spread_bars import Formula, SpreadBars
from quantdesk.analytics.zscore import ZKind
from quantdesk.model.building import build
from quantdesk.model.export import on_screen_table
from quantdesk.model.spread_candles import SpreadCandles, made_of
from quantdesk.store.csv_out import write_table
from tests.model.test_building import TIMES, X, Y, order


def rows_of(path, frame, *span):
    header, columns = on_screen_table(frame, *span)
    write_table(path, header, [columns])
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_is_what_is_on_screen(tmp_path):
    frame = build(order(200)).frame
    rows = rows_of(tmp_path / "all.csv", frame)
    assert len(rows) == 200
    assert [int(r["open_time_ms"]) for r in rows] == frame.times.tolist()
    assert rows[0]["y_close"] == f"{Y[0]:.2f}" and rows[0]["x_volume"] == "2.000" and rows[0]["y_trades"] == "5"
    assert rows[0]["z"] == "" and float(rows[-1]["z"]) == round(float(frame.z[-1]), 6)
    assert float(rows[-1]["beta"]) == round(frame.beta, 8)
    np.testing.assert_allclose([float(r["spread"]) for r in rows], frame.spread, atol=1e-4)
    assert rows[0]["open_time_utc"] == "2024-07-03T10:00:00Z" and rows[0]["origin"] == "live"
    assert (rows[0]["y_symbol"], rows[0]["x_symbol"]) == ("A", "B")


def test_open_high_and_low_of_the_spread_stand_where_trades_tell_them(tmp_path):
    frame = build(order(60)).frame
    names = [f"spread_{name}" for name in ("open", "high", "low")]
    assert all(row[name] == "" for row in rows_of(tmp_path / "none.csv", frame) for name in names)
    columns = [np.full(60, np.nan) for _ in range(5)]
    for column, value in zip(columns, (1.0, 3.5, -2.0, 0.5, 9.0), strict=True):
        column[58] = value
    made = made_of(frame, Formula.DIFFERENCE)
    bars = SpreadBars(*columns)
    known = SpreadCandles(Formula.DIFFERENCE, frame.times, frame.interval_ms, bars, made, np.ones(60, np.int64))
    rows = rows_of(tmp_path / "some.csv", frame, None, None, (), known)
    assert [float(rows[58][name]) for name in names] == [1.0, 3.5, -2.0]
    assert all(rows[59][name] == "" for name in names) and rows[59]["spread"] != ""
    other = replace(known, formula=Formula.RATIO)
    assert all(row["spread_open"] == "" for row in rows_of(tmp_path / "ratio.csv", frame, None, None, (), other))


def test_a_range_is_both_ends_included(tmp_path):
    rows = rows_of(tmp_path / "part.csv", build(order(200)).frame, int(TIMES[10]), int(TIMES[19]))
    assert [int(r["open_time_ms"]) for r in rows] == TIMES[10:20].tolist()
    assert rows_of(tmp_path / "none.csv", build(order(200)).frame, int(TIMES[-1]), int(TIMES[0])) == []


def test_a_leg_named_like_a_formula_is_quoted(tmp_path):
    first = order(100)
    settings = type(first.settings)("=cmd()", "B", formation_bars=40)
    rows = rows_of(tmp_path / "quoted.csv", build(order(100, settings=settings)).frame)
    assert rows[0]["y_symbol"] == "'=cmd()"
    assert float(rows[0]["x_close"]) == X[0]


def test_each_bar_carries_the_hedge_ratio_it_was_drawn_with(tmp_path):
    lines = build(order(100)).lines
    refitted = build(order(150, lines, refit_now=True)).lines
    frame = build(order(200, refitted)).frame
    rows = rows_of(tmp_path / "beta.csv", frame)
    betas = [float(r["beta"]) for r in rows]
    assert betas[149] == round(lines.first.beta, 8) != betas[150]
    assert betas[150] == round(refitted.refits[0].beta, 8)


@pytest.mark.parametrize("kind", ZKind)
def test_every_row_names_its_kind_of_z_and_marks_one_that_looks_ahead(tmp_path, kind):
    frame = build(order(200, settings=replace(order(1).settings, z_kind=kind))).frame
    rows = rows_of(tmp_path / "kind.csv", frame)
    assert {row["z_kind"] for row in rows} == {"full-sample LOOK-AHEAD" if kind is ZKind.FULL_SAMPLE else kind.value}
    newest = frame.z[-1]
    assert rows[-1]["z"] == ("" if np.isnan(newest) else f"{newest:.6f}")


def test_the_parts_of_the_change_add_up_in_the_table(tmp_path):
    rows = rows_of(tmp_path / "parts.csv", build(order(200)).frame)
    names = [f"spread_from_{part}" for part in ("y", "x", "beta")]
    assert [rows[0][name] for name in names] == ["", "", ""]
    spread = [float(row["spread"]) for row in rows]
    for before, row, after in zip(spread, rows[1:], spread[1:], strict=False):
        assert sum(float(row[name]) for name in names) == pytest.approx(after - before, abs=5e-4)


def test_indicators_over_the_candles_are_columns_of_each_leg_only_when_there_are_some(tmp_path):
    frame = build(order(200)).frame
    chosen = [Indicator(IndicatorKind.SMA, 30), Indicator(IndicatorKind.VWAP_DAY), Indicator(IndicatorKind.BOLLINGER)]
    plain = rows_of(tmp_path / "plain.csv", frame)
    rows = rows_of(tmp_path / "with.csv", frame, int(TIMES[100]), int(TIMES[120]), chosen)
    added = [name for name in rows[0] if name not in plain[0]]
    ends = ["sma_30", "vwap_day", "bollinger_20_2_middle", "bollinger_20_2_upper", "bollinger_20_2_lower"]
    assert added == [f"{leg}_{end}" for leg in ("y", "x") for end in ends]
    bars = IndicatorBars(frame.times, frame.x.high, frame.x.low, frame.x.close, frame.x.volume)
    (wanted,) = indicator_lines(chosen[0], bars)
    np.testing.assert_allclose([float(r["x_sma_30"]) for r in rows], wanted[100:121], atol=1e-4)
    assert {k: v for k, v in rows[0].items() if k not in added} == plain[100]
