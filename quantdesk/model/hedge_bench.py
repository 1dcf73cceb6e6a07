"""Compare the hedge estimators on the bars of the pair on screen, while somebody wants to see it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from quantdesk.analytics.hedge_bench import FEWEST_AFTER, BenchRow, hedge_bench
from quantdesk.analytics.kalman import FEWEST_FORMATION
from quantdesk.analytics.pairs import evaluate
from quantdesk.bars.arrays import IntArray
from quantdesk.model.building import FrameOrder
from quantdesk.model.frame import PairFrame, PairSettings
from quantdesk.model.jobs import Jobs
from quantdesk.model.pair import PairModel

BENCH = "hedge bench"
#: New bars alone make a new comparison at most this often.
PAUSE_MS = 5_000
#: More joined bars than these are not compared at once: the newest are.
MOST_ROWS = 100_000
#: The pair's own window is judged by once this share of its rows has followed it.
_FOLLOWING_SHARE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """Hold one comparison: ``rows`` over n joined bars opened at ``times`` (ms), none where ``reason`` says why.

    The first ``formation`` bars were fitted on, those after judge. ``own_window`` says that they are the
    formation window of the pair; it is not as long as too few bars have followed that one. ``log`` is
    the unit compared, ``settings`` the pair's at that moment.
    """

    settings: PairSettings
    log: bool
    times: IntArray
    formation: int
    own_window: bool
    rows: tuple[BenchRow, ...]
    reason: str = ""

    @property
    def best(self) -> float | None:
        """Return the least variance of changes that a row leaves, None where none is known."""
        return min((r.change_variance for r in self.rows if r.change_variance is not None), default=None)


def bench_window(times: IntArray, own: tuple[int, int] | None, bars: int) -> tuple[int, int, bool]:
    """Return (first row, rows fitted on, whether these are the pair's own window) of joined bars at ``times``.

    ``own`` = (first, last open time) of the pair's formation window; it is taken where a third of its
    length has followed. Else the earliest ``bars``, but no more than half of those held.
    """
    size = len(times)
    if own is not None and size:
        start, stop = int(np.searchsorted(times, own[0])), int(np.searchsorted(times, own[1], "right"))
        rows, whole = stop - start, start < size and int(times[start]) == own[0]
        enough = size - stop >= max(FEWEST_AFTER, -(-rows // _FOLLOWING_SHARE))
        if whole and enough and rows >= FEWEST_FORMATION and size - start <= MOST_ROWS:
            return start, rows, True
    held = min(size, MOST_ROWS)
    return size - held, max(FEWEST_FORMATION, min(bars, held // 2)), False


def compare(order: FrameOrder, own: tuple[int, int] | None, *, log: bool) -> Bench:
    """Return the comparison of an order's legs, in prices or logs. Slow: run it in the pool."""
    settings = order.settings
    series = evaluate(replace(order.snapshot(), log=log))
    start, formation, is_own = bench_window(series.times, own, settings.formation_bars)
    times = series.times[start:]
    if len(times) < formation + FEWEST_AFTER:
        fewest = FEWEST_FORMATION + FEWEST_AFTER
        reason = f"{len(series)} bars of both legs are too few to compare by: {fewest} are needed"
        return Bench(settings, log, times, formation, is_own, (), reason)
    rows = hedge_bench(series.y[start:], series.x[start:], formation, log=log, delta=settings.kalman_delta or None)
    return Bench(settings, log, times, formation, is_own, rows)


class HedgeBenchModel(QObject):
    """Hold the newest comparison of the pair; it is made anew only while wanted.

    ``changed`` = another comparison, or none any more.
    """

    changed = Signal()

    def __init__(self, pair: PairModel, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pair, self._jobs = pair, jobs
        self._wanted = False
        self._log: bool | None = None
        self._bench: Bench | None = None
        self._asked: tuple[Hashable, Hashable] | None = None
        self._since = QElapsedTimer()
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._compare)
        pair.changed.connect(self._look)
        pair.settings_changed.connect(self._look)

    @property
    def bench(self) -> Bench | None:
        """Return the newest comparison of this pair and unit, None until there is one."""
        return self._bench

    @property
    def log(self) -> bool:
        """Return whether logs are compared: as chosen, else as the pair shows."""
        return self._pair.settings.log if self._log is None else self._log

    def set_log(self, log: bool | None) -> None:
        """Compare in logs or prices; None = in what the pair shows."""
        self._log = log
        self._look()

    def set_wanted(self, wanted: bool) -> None:
        """Compare while somebody looks, rest else."""
        self._wanted = wanted
        if wanted:
            self._look()
        else:
            self._turn.stop()

    @Slot()
    def _look(self) -> None:
        """Order a comparison: at once where something else is compared, after a pause where bars were added."""
        frame = self._pair.frame
        if frame is None:
            self._show(None)
            self._asked = None
            return
        what, state = self._what(frame), _state(frame)
        if self._asked is not None and self._asked[0] != what and self._bench is not None:
            self._show(None)
        if not self._wanted or self._asked == (what, state):
            return
        fresh = self._asked is None or self._asked[0] != what
        wait = 0 if fresh or not self._since.isValid() else max(0, PAUSE_MS - int(self._since.elapsed()))
        if not self._turn.isActive() or fresh:
            self._turn.start(wait)

    def _what(self, frame: PairFrame) -> Hashable:
        settings = frame.settings
        return frame.epoch, settings.formation_bars, settings.formation_end, settings.kalman_delta, self.log

    @Slot()
    def _compare(self) -> None:
        frame, order = self._pair.frame, self._pair.order()
        if frame is None or order is None:
            return
        what = self._what(frame)
        self._asked = (what, _state(frame))
        self._since.start()
        own, log = frame.formation, self.log
        self._jobs.submit(
            BENCH,
            lambda: compare(order, own, log=log),
            lambda bench: self._on_compared(what, bench),
            lambda error: self._on_failed(what, order.settings, error),
        )

    def _on_compared(self, what: Hashable, bench: Bench) -> None:
        if self._asked is not None and self._asked[0] == what:
            self._show(bench)
            self._look()

    def _on_failed(self, what: Hashable, settings: PairSettings, error: Exception) -> None:
        none = np.empty(0, np.int64)
        self._on_compared(what, Bench(settings, self.log, none, 0, False, (), f"nothing can be compared: {error}"))

    def _show(self, bench: Bench | None) -> None:
        if bench is not self._bench:
            self._bench = bench
            self.changed.emit()


def _state(frame: PairFrame) -> Hashable:
    return frame.last.time, frame.observations, frame.formation
