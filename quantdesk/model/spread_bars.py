"""Follow the spread of the pair on screen as if it were a symbol: candles of the trades that are at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from quantdesk.analytics.spread_bars import LARGEST_AGE_MS, Formula, SpreadBars
from quantdesk.bars.arrays import IntArray
from quantdesk.model.frame import PairFrame, PairTail
from quantdesk.model.pair import PairModel
from quantdesk.model.recent_trades import KEPT_MS, TradePrices
from quantdesk.model.spread_candles import (
    MEMORY,
    NOBODY,
    STORE,
    CandleOrder,
    FormingCandles,
    SpreadCandles,
    fold_candles,
    formula_of,
    kept_rows,
    made_of,
)
from quantdesk.types import Origin

CANDLES = "spread candles"
#: A store is asked once the view has rested for so long: not while it is moved, nor before the first paint.
PAUSE_MS = 500
#: Frames alone are folded at most this often, as a quick replay paints: its bars come faster.
REST_MS = 100
#: The store is asked for so many trades of both legs at once; of a longer stretch the newest rows come first.
MOST_STORED = 400_000
#: So many of the newest rows are compared with every frame: half an hour of seconds, and some.
_NEAR_ROWS = 2_048


@dataclass(frozen=True, slots=True)
class TradesWanted:
    """Ask for the stored trades of two symbols with start <= time < end (ms); ``rows_from`` is the first row's time."""

    y: str
    x: str
    start: int
    end: int
    rows_from: int


class SpreadBarsModel(QObject):
    """Keep candles of the pair's spread, or of the ratio of its prices; ``changed`` = there are other ones.

    It rests until ``watch`` tells that somebody looks. ``trades_wanted(TradesWanted)`` asks for what only a store
    holds; ``take_stored`` is the answer, empty where there is none.
    """

    changed = Signal()
    trades_wanted = Signal(object)

    def __init__(self, pair: PairModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pair = pair
        self._ratio = False
        self._watchers: set[str] = set()
        self._latest: SpreadCandles | None = None
        self._frame: PairFrame | None = None  # the newest one that was folded
        self._forming = FormingCandles()
        self._asked: TradesWanted | None = None
        self._waiting: tuple[TradesWanted, TradePrices, TradePrices] | None = None
        self._looked: tuple[object, ...] = ()
        self._sight = (0, -1)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._on_pause)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._on_frame)
        pair.changed.connect(self._on_frame)
        pair.settings_changed.connect(self._forget)

    @property
    def is_ratio(self) -> bool:
        """Return whether the prices' ratio is meant instead of the hedged spread."""
        return self._ratio

    @property
    def formula(self) -> Formula | None:
        """Return what is drawn of the frame on screen; None without one."""
        frame = self._pair.frame
        return None if frame is None else formula_of(frame, ratio=self._ratio)

    @property
    def latest(self) -> SpreadCandles | None:
        """Return the candles of the pair on screen, None until there are some."""
        held, frame = self._latest, self._pair.frame
        fits = held is not None and frame is not None and held.formula is self.formula
        return held if fits and held is not None and self._is_of(frame) else None

    def watch(self, who: str, on: bool) -> None:
        """Work while anybody looks; ``who`` is told apart by name."""
        if on == (who in self._watchers):
            return  # asked at every paint
        self._watchers.add(who) if on else self._watchers.discard(who)
        self._on_frame()

    def set_ratio(self, ratio: bool) -> None:
        """Make candles of the ratio of the prices, or of the hedged spread."""
        if ratio != self._ratio:
            self._ratio = ratio
            self._asked = None
            self.changed.emit()
            self._on_frame()

    def forming(self, tail: PairTail) -> SpreadBars:
        """Return the bars newer than the frame (m) as their trades leave them now; cheap enough for every paint."""
        source, frame, formula = self._pair.source, self._pair.frame, self.formula
        if source is None or frame is None or formula is None or not len(tail) or not self._watchers:
            return SpreadBars.empty(len(tail))
        since = self._forming.since(frame, formula, tail)
        y, x = source.trades(frame.settings.y, since), source.trades(frame.settings.x, since)
        if y is None or x is None:
            return SpreadBars.empty(len(tail))
        return self._forming.take(frame, formula, tail, y, x)

    def look_at(self, start_ms: int, end_ms: int) -> None:
        """Say which rows (open times, ms, both inclusive) are in sight: what memory lacks of them is asked for."""
        held, frame = self.latest, self._pair.frame
        look = (start_ms, end_ms, None if held is None else held.version)
        if look == self._looked or held is None or frame is None or not self._watchers:
            return
        if frame.origin is Origin.FILE:
            return  # all that a file holds is in memory
        self._looked, self._sight = look, (start_ms, end_ms)
        self._pause.start()

    @Slot()
    def _on_pause(self) -> None:
        held, frame, (start_ms, end_ms) = self.latest, self._pair.frame, self._sight
        if held is None or frame is None or not self._watchers:
            return
        if self._asked is not None and self._asked.end > start_ms and self._asked.rows_from <= end_ms:
            return  # its answer is on the way
        wanted = _lacking(held, frame, start_ms, end_ms)
        if wanted is not None:
            self._asked = wanted
            self.trades_wanted.emit(wanted)

    def take_stored(self, wanted: TradesWanted, y: TradePrices, x: TradePrices) -> None:
        """Fold stored trades that were asked for."""
        if wanted != self._asked:
            return
        frame = self._pair.frame
        if frame is None or (wanted.y, wanted.x) != (frame.settings.y, frame.settings.x):
            self._asked = None
            return
        if self._pair.jobs.busy(CANDLES):
            self._waiting = wanted, y, x
        else:
            self._fold(frame, y, x, (wanted.rows_from, wanted.end), STORE)

    def _is_of(self, frame: PairFrame | None) -> bool:
        """Tell whether what is held belongs to the pair, source and interval of a frame."""
        held = self._frame
        if held is None or frame is None:
            return False
        return held.epoch == frame.epoch and held.interval_ms == frame.interval_ms

    @Slot()
    def _forget(self) -> None:
        """Wait for no answer about what was shown before."""
        self._asked, self._looked = None, ()

    @Slot()
    def _on_frame(self) -> None:
        frame, source = self._pair.frame, self._pair.source
        if not self._watchers or frame is None or source is None or not (frame.settings.y and frame.settings.x):
            return
        if not len(frame) or self._pair.jobs.busy(CANDLES):
            return  # the job's end looks again
        if frame is self._frame and self._latest is not None and self._latest.formula is self.formula:
            return
        held = self.latest
        if held is not None and self._rest.isActive():
            return  # its end looks again
        self._rest.start()
        start = None if held is None else _first_open(held, frame, self._frame)
        since = None if start is None else start - LARGEST_AGE_MS
        y, x = source.trades(frame.settings.y, since), source.trades(frame.settings.x, since)
        if y is None or x is None:
            y = x = TradePrices.empty()
        self._fold(frame, y, x, (start or 0, None), MEMORY)

    def _fold(
        self, frame: PairFrame, y: TradePrices, x: TradePrices, span: tuple[int, int | None], source: int
    ) -> None:
        formula = formula_of(frame, ratio=self._ratio)
        order = CandleOrder(frame, formula, y, x, self.latest, *span, source)
        self._pair.jobs.submit(
            CANDLES,
            lambda: fold_candles(order),
            lambda found: self._on_folded(order, found),
            lambda _: self._on_failed(order),
        )

    def _on_failed(self, order: CandleOrder) -> None:
        """Leave the rows as closes; the runner has told of the error."""
        if order.source == STORE:
            self._asked = None

    def _on_folded(self, order: CandleOrder, found: SpreadCandles) -> None:
        if order.source == STORE:
            self._asked = None
        frame = self._pair.frame
        if frame is not None and order.frame.epoch == frame.epoch and order.formula is self.formula:
            self._latest, self._frame = found, order.frame
            self._looked = ()
            self.changed.emit()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.take_stored(*waiting)
        else:
            self._on_frame()


def _first_open(held: SpreadCandles, frame: PairFrame, before: PairFrame | None) -> int:
    """Return the open time (ms) of the first row that is new or made of something else; the newest where none is.

    While the hedge lines are the same only the newest rows are compared: memory knows no others.
    """
    same = before is not None and (before.first_fit, before.refits) == (frame.first_fit, frame.refits)
    first = max(0, len(frame) - _NEAR_ROWS) if same else 0
    times = frame.times[first:]
    changed = np.ones(len(times), np.bool_)
    changed[kept_rows(held, times, made_of(frame, held.formula, first))[0]] = False
    rows = np.flatnonzero(changed)
    return int(times[rows[0]]) if len(rows) else int(times[-1])


def _lacking(held: SpreadCandles, frame: PairFrame, start_ms: int, end_ms: int) -> TradesWanted | None:
    """Return what to ask a store for: the visible rows that have a close and were looked for in memory alone."""
    low, high = int(np.searchsorted(held.times, start_ms)), int(np.searchsorted(held.times, end_ms, "right"))
    visible = np.arange(low, high)
    # What was revised after memory had let go of it nobody has asked for yet.
    asked, old = held.asked[low:high], held.times[low:high] < held.times[-1] - KEPT_MS
    lacks = visible[((asked == MEMORY) | ((asked == NOBODY) & old)) & np.isfinite(held.made_of[0, low:high])]
    lacks = lacks[~held.known[lacks]]
    if not len(lacks):
        return None
    first = _within(lacks, np.nan_to_num(held.made_of[4] + held.made_of[5]))
    end = int(held.times[lacks[-1]]) + held.interval_ms
    rows_from = int(held.times[first])
    return TradesWanted(frame.settings.y, frame.settings.x, rows_from - LARGEST_AGE_MS, end, rows_from)


def _within(lacks: IntArray, trades: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    """Return the first row from which on the trades up to the last lacking one are few enough to read."""
    last = int(lacks[-1])
    behind = np.cumsum(trades[: last + 1][::-1])
    rows = int(np.searchsorted(behind, MOST_STORED, "right"))
    return max(int(lacks[0]), last + 1 - max(1, rows))
