"""Read the pair's spread as a symbol: its name, its candles where trades tell them, its closes everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.spread_bars import Formula, SpreadBars
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.model.frame import LegColumns
from quantdesk.model.spread_candles import closes_of, formula_of, tail_closes_of
from quantdesk.ui.charts.pyramid import Pyramid, at, newest
from quantdesk.ui.charts.state import SPREAD, ChartState, Span
from quantdesk.ui.charts.ticks import decimals_of_scale

if TYPE_CHECKING:
    from quantdesk.model.spread_bars import SpreadBarsModel

#: Narrower bars (pixels) are drawn as a line: of a candle nothing but its wick could be seen.
LEAST_PIXELS = 3.0
#: What a click on the spread's formula asks for.
FORMULA_LINK = "spread-formula"
_WATCHER = "charts"
Columns = Mapping[str, FloatArray]


def _tr(text: str) -> str:
    return QCoreApplication.translate("synthetic", text)


def formula_text(formula: Formula, y: str, x: str) -> str:
    """Write a formula with the legs' names."""
    if formula is Formula.RATIO:
        return f"{y} / {x}"
    return f"ln {y} − β ln {x}" if formula is Formula.LOG else f"{y} − β {x}"


class SpreadIntake:
    """Bring the spread's candles into the chart state; the only reader of their model."""

    def __init__(self, model: SpreadBarsModel, state: ChartState) -> None:
        self._model, self._state = model, state
        self._seen: object = None
        self._tail: IntArray = np.empty(0, np.int64)

    def pull(self, *, panel_shown: bool) -> bool:
        """Take what is new and ask for what is in sight and lacking; tell whether other candles are to be drawn."""
        state, model = self._state, self._model
        wanted = state.leg == SPREAD or (panel_shown and state.spread_candles)
        model.watch(_WATCHER, wanted)
        state.ratio = model.is_ratio
        state.candles = model.latest if wanted else None
        tail = state.tail if wanted else None
        if tail is not None and len(self._tail) and not np.array_equal(tail.times[:1], self._tail[:1]):
            # A bar has just closed: until its trades are folded once more it stands as it formed.
            state.formed = None if state.forming is None else (self._tail, state.forming)
        self._tail = np.empty(0, np.int64) if tail is None else tail.times
        state.forming = None if tail is None else model.forming(tail)
        if state.candles is not None and (span := state.visible_times()) is not None:
            model.look_at(*span)
        seen = (state.ratio, None if state.candles is None else state.candles.version, wanted)
        changed, self._seen = seen != self._seen, seen
        return changed


def closes(state: ChartState) -> FloatArray:
    """Return the formula's value at each closed row (n)."""
    if state.frame is None:
        return np.empty(0)
    return closes_of(state.frame, formula_of(state.frame, ratio=state.ratio))


def tail_closes(state: ChartState) -> FloatArray:
    """Return the formula's value of each forming row (m): where one leg has not traded yet, by its price before."""
    if state.frame is None or state.tail is None:
        return np.empty(0)
    found, forming = tail_closes_of(state.tail, formula_of(state.frame, ratio=state.ratio)), state.forming
    if forming is None or len(forming) != len(found):
        return found
    return np.where(np.isfinite(found), found, forming.close)


def candle_columns(state: ChartState) -> Columns:
    """Return the candles of the closed rows (n), NaN where only the close is known."""
    if state.frame is None:
        return _columns(SpreadBars.empty())
    held, times = state.candles, state.frame.times
    if held is None:
        return _columns(SpreadBars.empty(len(times)))
    columns = _columns(held.placed(times))
    if state.formed is not None and len(held.times):
        formed_times, formed = state.formed
        rows = np.searchsorted(times, formed_times)
        new = (rows < len(times)) & (formed_times > held.times[-1])
        new[new] = times[rows[new]] == formed_times[new]
        for name in ("open", "high", "low", "close") if new.any() else ():
            columns[name] = np.array(columns[name])
            columns[name][rows[new]] = getattr(formed, name)[new]
    return columns


def forming_columns(state: ChartState) -> Columns:
    """Return the candles of the forming rows (m), NaN where only the close is known."""
    count = 0 if state.tail is None else len(state.tail)
    forming = state.forming
    return _columns(forming if forming is not None and len(forming) == count else SpreadBars.empty(count))


def rest(values: FloatArray, candles: Columns) -> Columns:
    """Return the closes of the rows that have no candle, joined to the candles beside them, to be drawn as a line."""
    bare = ~np.isfinite(candles["close"])
    beside = bare.copy()
    beside[:-1] |= bare[1:]
    beside[1:] |= bare[:-1]
    return {"value": np.where(beside, values, np.nan)}


def breaks(state: ChartState) -> list[int]:
    """Return the rows at which another hedge ratio makes another spread: no line leads from one to the next."""
    if state.frame is None or state.ratio:
        return []
    return np.searchsorted(state.frame.times, [refit.time for refit in state.frame.refits]).tolist()


def is_close_only(candles: Pyramid, closes: FloatArray, row: int) -> bool:
    """Tell whether of a bar nothing is known but its close."""
    return math.isfinite(at(closes, row)) and not math.isfinite(at(candles.column("open"), row))


def _columns(bars: SpreadBars) -> dict[str, FloatArray]:
    none = np.full(len(bars), np.nan)
    return {"open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close, "volume": none}


def moves_at(state: ChartState, row: int) -> float:
    """Return how often the spread moved in a bar, NaN where nobody knows: there is no candle."""
    line = state.line.times
    if row >= len(line):
        forming, place = state.forming, row - len(line)
        known = forming is not None and place < len(forming) and math.isfinite(forming.close[place])
        return float(forming.moves[place]) if known and forming is not None else math.nan
    held = state.candles
    if held is None or row < 0:
        return math.nan
    place = int(np.searchsorted(held.times, line[row]))
    there = place < len(held.times) and held.times[place] == line[row] and math.isfinite(held.bars.close[place])
    return at(held.bars.moves, place) if there else math.nan


def decimals(state: ChartState) -> int:
    """Return the decimals of the spread's values."""
    if state.frame is None:
        return 2
    if not state.ratio:
        return state.frame.spread_decimals
    return decimals_of_scale(abs(newest(closes(state))), 6)


def name(state: ChartState) -> str:
    """Return the spread's formula as the name of a symbol, "" without two legs."""
    y, x = state.symbol("y"), state.symbol("x")
    if state.frame is None or not (y and x):
        return ""
    return formula_text(formula_of(state.frame, ratio=state.ratio), y, x)


def shown_columns(state: ChartState) -> LegColumns | None:
    """Return the closed bars of what the price chart shows (n); of the spread its closes, which every bar has."""
    return _closes_alone(closes(state)) if state.leg == SPREAD else state.columns(state.leg)


def shown_tail(state: ChartState) -> LegColumns:
    """Return the forming bars of what the price chart shows (m)."""
    if state.tail is None or state.leg == SPREAD:
        return _closes_alone(tail_closes(state))
    return state.tail.y if state.leg == "y" else state.tail.x


def _closes_alone(values: FloatArray) -> LegColumns:
    close, none = values.copy(), np.full(len(values), np.nan)
    return LegColumns(close, close, close, close, none, none)


def close_only_span(state: ChartState) -> Span:
    """Say that of a bar nothing is known but its close."""
    return Span(_tr("close only: its trades are not at hand"), state.tokens.warn, gap=8)
