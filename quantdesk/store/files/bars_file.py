"""Make legs of the columns of a bar table: OHLCV, closes only, or a pair of closes."""

from __future__ import annotations

import numpy as np

from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray, fold
from quantdesk.store.files.columns import Columns
from quantdesk.store.files.layout import Layout
from quantdesk.store.files.names import interval_in_name
from quantdesk.store.files.order import in_order, missing_intervals, usual_interval
from quantdesk.store.files.report import LoadedFile, LoadedLeg, LoadReport, interval_name

_DAY = 86_400_000


def build_bars(report: LoadReport, name: str, layout: Layout, columns: Columns) -> LoadedFile:
    """Return the legs (one, or two for a pair) and the report completed with what the order shows."""
    times = columns.ints("time")
    assert times is not None
    values = {role: found for role in layout.columns if role != "time" and (found := columns.floats(role)) is not None}
    order = in_order(times, list(values.values()))
    times = times[order.keep]
    values = {role: column[order.keep] for role, column in values.items()}
    step = np.diff(times)
    interval = usual_interval(times) or interval_in_name(report.path.name) or (60_000 if times[0] % _DAY else _DAY)
    notes = list(report.notes)
    gaps, weekdays = missing_intervals(times, interval)
    if order.differing:
        notes.append(f"{order.differing:,} duplicates differed: the last row of a time counts")
    if weekdays:
        notes.append("weekdays only: weekends and holidays of up to two days are no gaps")
    if columns.blanks:
        notes.append(f"{columns.blanks:,} empty volumes read as zero")
    notes += _odd_bars(values)
    legs = _legs(name, layout, columns, times, values, interval)
    if len(step) and int(np.median(step)) < 1_000:
        notes.append("rows come faster than one a second: folded into 1s bars")
        legs = tuple(_to_seconds(leg) for leg in legs)
        gaps, _ = missing_intervals(legs[0].bars.open_time, 1_000)
    notes.insert(0, f"interval {interval_name(interval)}")
    done = LoadReport(
        report.path, layout.kind, len(times), report.bad_rows, report.rejected,
        order.duplicates, order.out_of_order, gaps, tuple(notes),
    )  # fmt: skip
    return LoadedFile(legs, done)


def _odd_bars(values: dict[str, FloatArray]) -> list[str]:
    """Report open or close outside low..high: rounding in adjusted data does that, so it is no error."""
    if not {"open", "high", "low", "close"} <= values.keys():
        return []
    high, low = values["high"], values["low"]
    odd = np.zeros(len(high), np.bool_)
    for role in ("open", "close"):
        odd |= (values[role] > high) | (values[role] < low)
    count = int(odd.sum())
    return [f"{count:,} rows have open or close outside low to high"] if count else []


def _legs(
    name: str, layout: Layout, columns: Columns, times: IntArray, values: dict[str, FloatArray], interval: int
) -> tuple[LoadedLeg, ...]:
    if layout.kind == "pair":
        return tuple(
            _leg(title, layout.kind, times, {"close": values[role]}, interval, columns.price_decimals(role), 0)
            for title, role in zip(layout.names, ("first", "second"), strict=True)
        )
    title = layout.names[0] if layout.names else layout.symbol or name
    roles = ("open", "high", "low", "close") if "open" in values and "high" in values else ("close",)
    decimals = columns.price_decimals(*roles)
    return (_leg(title, layout.kind, times, values, interval, decimals, columns.amount_decimals("volume")),)


def _leg(
    name: str,
    kind: str,
    times: IntArray,
    values: dict[str, FloatArray],
    interval: int,
    price_decimals: int,
    quantity_decimals: int,
) -> LoadedLeg:
    close, zeros = values["close"], np.zeros(len(times))
    counts = values.get("trades", zeros)
    bars = BarArrays(
        times.copy(),
        values.get("open", close).copy(),
        values.get("high", close).copy(),
        values.get("low", close).copy(),
        close.copy(),
        values.get("volume", zeros).copy(),
        values.get("quote_volume", zeros).copy(),
        np.rint(counts).astype(np.int64),
    )
    adjusted = values.get("adj_close", close).copy()
    return LoadedLeg(name, bars, interval, price_decimals, quantity_decimals, adjusted, kind)


def _to_seconds(leg: LoadedLeg) -> LoadedLeg:
    bars = fold(leg.bars, 1_000, leg.price_decimals, leg.quantity_decimals)
    bucket = leg.bars.open_time // 1_000
    last = np.flatnonzero(np.r_[bucket[1:] != bucket[:-1], True])
    return LoadedLeg(
        leg.name, bars, 1_000, leg.price_decimals, leg.quantity_decimals, leg.statistic_closes[last], leg.kind
    )
