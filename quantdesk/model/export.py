"""Turn what is on screen into the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from quantdesk.analytics.indicators import Indicator, IndicatorBars, IndicatorKind, indicator_lines
from quantdesk.analytics.spread_bars import SpreadBars
from quantdesk.bars.arrays import FloatArray
from quantdesk.model.frame import LegColumns, PairFrame
from quantdesk.model.spread_candles import SpreadCandles, formula_of
from quantdesk.store.csv_out import Cell, Column

Values = Sequence[Any] | np.ndarray[Any, Any]

_BETA_DECIMALS, _Z_DECIMALS = 8, 6
#: Marks on every row a z that knows later bars.
LOOK_AHEAD = "LOOK-AHEAD"


def on_screen_table(
    frame: PairFrame,
    start_ms: int | None = None,
    end_ms: int | None = None,
    indicators: Sequence[Indicator] = (),
    candles: SpreadCandles | None = None,
) -> tuple[tuple[Column, ...], list[Values]]:
    """Return (header, columns) of the closed bars with start <= open time <= end; None = all.

    ``write_table(path, header, [columns])`` writes them: prices at the tick, volumes at the step, an
    empty cell where there is no value. ``candles`` are those of the spread: ``spread`` is the close, and open, high
    and low stand where the trades of both legs tell them. ``origin`` marks what is not the market on every row,
    ``z_kind`` a z that looks ahead. Indicators over the candles follow, of each leg, under names such as ``y_sma_20``.
    """
    low = 0 if start_ms is None else int(np.searchsorted(frame.times, start_ms))
    high = len(frame.times) if end_ms is None else int(np.searchsorted(frame.times, end_ms, "right"))
    rows = slice(low, max(low, high))
    times = frame.times[rows].tolist()
    text, whole = Cell.TEXT, Cell.INTEGER
    table: list[tuple[Column, Values]] = [
        (Column("open_time_ms", whole), times),
        (Column("open_time_utc", text), [_iso(t) for t in times]),
        (Column("interval", text), [frame.settings.interval] * len(times)),
        (Column("origin", text), [frame.origin.value] * len(times)),
    ]
    legs = (
        ("y", frame.settings.y, frame.y, frame.price_decimals_y, frame.quantity_decimals_y),
        ("x", frame.settings.x, frame.x, frame.price_decimals_x, frame.quantity_decimals_x),
    )
    for leg, name, columns, price_decimals, quantity_decimals in legs:
        table.append((Column(f"{leg}_symbol", text), [name] * len(times)))
        table.extend(_leg(leg, columns, rows, price_decimals, quantity_decimals))
    digits = frame.spread_decimals + 2
    for label, values, decimals in (
        ("beta", frame.beta_column(), _BETA_DECIMALS),
        *_extremes(frame, candles, digits),
        ("spread", frame.spread, digits),
        ("spread_lower", frame.spread_lower, digits),
        ("spread_upper", frame.spread_upper, digits),
        *_parts(frame, digits),
        ("z", frame.z, _Z_DECIMALS),
    ):
        table.append((Column(label, decimals=decimals), values[rows]))
    kind = frame.settings.z_kind
    table.append((Column("z_kind", text), [f"{kind} {LOOK_AHEAD}" if kind.look_ahead else kind.value] * len(times)))
    table.append((Column("correlation", decimals=_Z_DECIMALS), frame.correlation[rows]))
    for leg, name, columns, price_decimals, _ in legs:
        if name:
            table.extend(_indicators(leg, frame, columns, rows, price_decimals + 2, indicators))
    return tuple(column for column, _ in table), [values for _, values in table]


def _extremes(frame: PairFrame, candles: SpreadCandles | None, digits: int) -> list[tuple[str, FloatArray, int]]:
    """Return open, high and low of the spread, NaN where only its close is known or another formula was drawn."""
    fits = candles is not None and candles.formula is formula_of(frame, ratio=False)
    bars = candles.placed(frame.times) if fits and candles is not None else SpreadBars.empty(len(frame))
    return [(f"spread_{name}", getattr(bars, name), digits) for name in ("open", "high", "low")]


def _parts(frame: PairFrame, digits: int) -> list[tuple[str, FloatArray, int]]:
    """Return by how much each leg and the hedge ratio moved the spread since the bar before."""
    parts, none = frame.attribution, np.full(len(frame), np.nan)
    names = ("from_y", "from_x", "from_beta")
    return [(f"spread_{name}", none if parts is None else getattr(parts, name), digits) for name in names]


def _leg(
    leg: str, columns: LegColumns, rows: slice, price_decimals: int, quantity_decimals: int
) -> list[tuple[Column, Values]]:
    decimals = {"volume": quantity_decimals, "trades": 0}
    return [
        (
            Column(f"{leg}_{field.name}", decimals=decimals.get(field.name, price_decimals)),
            getattr(columns, field.name)[rows],
        )
        for field in fields(LegColumns)
    ]


def _indicators(
    leg: str, frame: PairFrame, columns: LegColumns, rows: slice, decimals: int, indicators: Sequence[Indicator]
) -> list[tuple[Column, Values]]:
    """Return each line of each indicator over all loaded bars of a leg, cut to the rows."""
    bars = IndicatorBars(frame.times, columns.high, columns.low, columns.close, columns.volume)
    found: list[tuple[Column, Values]] = []
    for one in indicators:
        name = f"{leg}_{one.kind.value}" + (f"_{one.bars}" if one.kind.counts_bars else "")
        if one.kind is IndicatorKind.BOLLINGER:
            name += f"_{one.deviations:g}"
        for line, values in zip(one.names, indicator_lines(one, bars), strict=True):
            column = name if line == "value" else f"{name}_{line}"
            found.append((Column(column, decimals=decimals), values[rows]))
    return found


def _iso(ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds" if ms % 1_000 else "seconds").replace("+00:00", "Z")
