"""Put the bars of a spread beside a frame's rows: one pure function for the pool, and what follows the forming bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quantdesk.analytics.rolling import BoolArray
from quantdesk.analytics.spread_bars import (
    LARGEST_AGE_MS,
    BarGrid,
    Carry,
    Formula,
    LegTrades,
    SpreadBars,
    covered,
    fold_spread,
)
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.model.frame import LegColumns, PairFrame, PairTail
from quantdesk.model.recent_trades import TradePrices

#: What has been asked for the trades of a row.
NOBODY, MEMORY, STORE = 0, 1, 2
#: The forming bar's trades older than this (ms) are counted for good; a later one waits until the bar has closed.
_SETTLES_MS = 2_000
#: So much (ms) is counted for good at a time: what is not is folded at every paint.
_STEP_MS = 500
_EXACT = 1e-9
NAMES = ("open", "high", "low", "close", "moves")


def formula_of(frame: PairFrame, *, ratio: bool) -> Formula:
    """Return what is drawn of a frame: the spread as its hedge ratio was fitted, or the ratio of the prices."""
    if ratio:
        return Formula.RATIO
    return Formula.LOG if frame.settings.log else Formula.DIFFERENCE


def closes_of(frame: PairFrame, formula: Formula) -> FloatArray:
    """Return the formula's value at the close of each row (n), NaN where a leg lacks the bar."""
    if formula is not Formula.RATIO:
        return frame.spread
    return _ratio(frame.y, frame.x)


def tail_closes_of(tail: PairTail, formula: Formula) -> FloatArray:
    """Return the formula's value of each bar newer than the frame (m), as it stands now."""
    return tail.spread if formula is not Formula.RATIO else _ratio(tail.y, tail.x)


def _ratio(y: LegColumns, x: LegColumns) -> FloatArray:
    return Formula.RATIO.of(y.close, x.close, np.ones(len(y)))


@dataclass(frozen=True, slots=True, eq=False)
class SpreadCandles:
    """Hold the bars of one formula at the n rows of a frame; NaN at rows whose trades nobody has looked at or has.

    ``made_of`` (6, n) tells a row that has changed from the one that was folded (see ``made_of``); ``asked`` (n) says
    where its trades were looked for. ``version`` rises with every result.
    """

    formula: Formula
    times: IntArray
    interval_ms: int
    bars: SpreadBars
    made_of: FloatArray
    asked: IntArray
    version: int = 0

    @property
    def known(self) -> BoolArray:
        """Return at which rows there is a candle (n)."""
        return np.isfinite(self.bars.close)

    def placed(self, times: IntArray) -> SpreadBars:
        """Return the bars at other open times (ms), none where there is none of that time."""
        rows = np.searchsorted(self.times, times)
        there = rows < len(self.times)
        there[there] = self.times[rows[there]] == times[there]
        out = SpreadBars.empty(len(times))
        columns = []
        for name in NAMES:
            column = np.array(getattr(out, name))
            column[there] = getattr(self.bars, name)[rows[there]]
            columns.append(column)
        return SpreadBars(*columns)


@dataclass(frozen=True, slots=True, eq=False)
class CandleOrder:
    """Hold what one job folds: a frame, the trades of both legs and the rows (open times, ms) they may speak of."""

    frame: PairFrame
    formula: Formula
    y: TradePrices
    x: TradePrices
    before: SpreadCandles | None = None
    start: int = 0
    end: int | None = None  # exclusive
    source: int = MEMORY


def fold_candles(order: CandleOrder) -> SpreadCandles:
    """Return the candles of an order's frame: those known before, and those its trades are whole for.

    A row is known if the trades of both legs reach back to its beginning, reach the highs, lows and closes of the
    legs' own bars, and end where the row's spread closed; every other row has its close alone.
    """
    frame, formula, before = order.frame, order.formula, order.before
    closes, made = closes_of(frame, formula), made_of(frame, formula)
    ratio = made[1]
    columns = np.full((5, len(frame)), np.nan)
    asked = np.zeros(len(frame), np.int64)
    if before is not None and before.formula is formula and before.interval_ms == frame.interval_ms:
        _keep(before, frame.times, made, columns, asked)
    low = int(np.searchsorted(frame.times, order.start))
    high = len(frame) if order.end is None else int(np.searchsorted(frame.times, order.end))
    rows = slice(low, max(low, high))
    found = _known(order, rows, closes[rows], ratio[rows])
    new = ~np.isfinite(columns[3, rows])
    for column, name in zip(columns, NAMES, strict=True):
        column[rows] = np.where(new, getattr(found, name), column[rows])
    asked[rows] = np.maximum(asked[rows], order.source)
    for array in (made, asked):
        array.setflags(write=False)
    version = 1 if before is None else before.version + 1
    return SpreadCandles(formula, frame.times, frame.interval_ms, SpreadBars(*columns), made, asked, version)


def made_of(frame: PairFrame, formula: Formula, first: int = 0) -> FloatArray:
    """Return what each row from the first one on is made of (6, n).

    1 or NaN for its close, the ratio in force, closes and numbers of trades of both legs.
    """
    ratio = np.ones(len(frame)) if formula is Formula.RATIO else frame.beta_column()
    there = np.where(np.isfinite(closes_of(frame, formula)[first:]), 1.0, np.nan)
    legs = (frame.y.close, frame.x.close, frame.y.trades, frame.x.trades)
    return np.array([there, ratio[first:], *(column[first:] for column in legs)])


def kept_rows(held: SpreadCandles, times: IntArray, made: FloatArray) -> tuple[IntArray, IntArray]:
    """Return (rows, rows held): those of ``times`` that are made of the same as what is held."""
    rows = np.searchsorted(held.times, times)
    there = rows < len(held.times)
    there[there] = held.times[rows[there]] == times[there]
    mine = np.flatnonzero(there)
    theirs = rows[mine]
    one, other = held.made_of[:, theirs], made[:, mine]
    with np.errstate(invalid="ignore"):
        # A rolling ratio is summed anew now and then and differs by less than anybody can see.
        near = np.abs(one - other) <= _EXACT * np.abs(other)
    same = (near | (np.isnan(one) & np.isnan(other))).all(axis=0)
    return mine[same], theirs[same]


def _keep(before: SpreadCandles, times: IntArray, made: FloatArray, columns: FloatArray, asked: IntArray) -> None:
    """Carry on the rows that are made of the same as before."""
    mine, theirs = kept_rows(before, times, made)
    for column, name in zip(columns, NAMES, strict=True):
        column[mine] = getattr(before.bars, name)[theirs]
    asked[mine] = before.asked[theirs]


def _known(order: CandleOrder, rows: slice, closes: FloatArray, ratio: FloatArray) -> SpreadBars:
    """Fold the rows and take out those that the trades are not whole for."""
    frame, times = order.frame, order.frame.times[rows]
    y, x = (LegTrades(trades.times, trades.ids, trades.prices) for trades in (order.y, order.x))
    if not len(y) or not len(x) or not len(times):
        return SpreadBars.empty(len(times))
    grid = BarGrid(times, frame.interval_ms, ratio)
    bars, _ = fold_spread(Carry(), y, x, grid, order.formula)
    whole = np.isfinite(closes) & (times >= max(int(y.times[0]), int(x.times[0])))
    for leg, own in ((y, frame.y), (x, frame.x)):
        whole &= covered(times, frame.interval_ms, leg, own.high[rows], own.low[rows], own.close[rows])
    with np.errstate(invalid="ignore"):
        scale = np.fmax(np.abs(frame.y.close[rows]), np.abs(closes)) if order.formula is not Formula.RATIO else closes
        whole &= np.abs(bars.close - closes) <= _EXACT * np.fmax(scale, 1e-3)
    return SpreadBars(*(np.where(whole, getattr(bars, n), np.nan) for n in NAMES))


class FormingCandles:
    """Follow the bars newer than a frame, trade by trade; what has settled is not folded again."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] = ()
        self._settled = SpreadBars.empty()
        self._carry = Carry()
        self._upto = 0
        self._whole = True

    def since(self, frame: PairFrame, formula: Formula, tail: PairTail) -> int:
        """Return from when on (ms) the trades are wanted for these bars."""
        first = int(tail.times[0])
        of = (formula, first, frame.beta, frame.interval_ms, frame.epoch)
        if of != self._of or len(tail) < len(self._settled):
            self._of, self._carry, self._whole = of, Carry(), True
            self._settled = SpreadBars.empty(len(tail))
            self._upto = first - LARGEST_AGE_MS
        return self._upto

    def take(self, frame: PairFrame, formula: Formula, tail: PairTail, y: TradePrices, x: TradePrices) -> SpreadBars:
        """Return the bars as these trades leave them; they begin where ``since`` said."""
        first = int(tail.times[0])
        if self._upto == first - LARGEST_AGE_MS:  # of the first ones it must be known what each leg cost before
            self._whole = all(len(trades) and int(trades.times[0]) <= first for trades in (y, x))
        if not self._whole:
            return SpreadBars.empty(len(tail))
        more = len(tail) - len(self._settled)
        if more > 0:
            self._settled = _longer(self._settled, more)
        beta = 1.0 if formula is Formula.RATIO else frame.beta
        grid = BarGrid(tail.times, frame.interval_ms, np.full(len(tail), beta))
        newest = max((int(trades.times[-1]) for trades in (y, x) if len(trades)), default=0)
        cut = newest - _SETTLES_MS
        if cut - self._upto > _STEP_MS:
            early_y, early_x = (_between(trades, self._upto, cut) for trades in (y, x))
            found, self._carry = fold_spread(self._carry, early_y, early_x, grid, formula)
            self._settled, self._upto = self._settled.then(found), cut
        late_y, late_x = (_between(trades, self._upto, None) for trades in (y, x))
        found, _ = fold_spread(self._carry, late_y, late_x, grid, formula)
        return self._settled.then(found)


def _longer(bars: SpreadBars, more: int) -> SpreadBars:
    none = SpreadBars.empty(more)
    return SpreadBars(*(np.r_[getattr(bars, n), getattr(none, n)] for n in NAMES))


def _between(trades: TradePrices, start: int, stop: int | None) -> LegTrades:
    """Return the trades with start <= time < stop (ms)."""
    low = int(np.searchsorted(trades.times, start))
    high = len(trades) if stop is None else max(low, int(np.searchsorted(trades.times, stop)))
    rows = slice(low, high)
    return LegTrades(trades.times[rows], trades.ids[rows], trades.prices[rows])
