"""Evaluate a pair: a snapshot of two legs in, every series that panels draw and every test out."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from quantdesk.analytics.align import inner_join
from quantdesk.analytics.correlation import logs_of, rolling_correlation
from quantdesk.analytics.evidence import PairEvidence, gather
from quantdesk.analytics.spread import ZSeries, walk_forward_z
from quantdesk.analytics.stationarity import Autolag
from quantdesk.bars.arrays import FloatArray, IntArray

__all__ = ["PairEvidence", "PairSeries", "PairSnapshot", "evaluate", "joined", "test"]

#: With fewer observations a z-score is bounded so tightly that a level of 2 means little.
SIGNAL_WINDOW = 20
#: The tests look at no more of the newest bars than this, so that they end within seconds.
TEST_BARS = 5_000


@dataclass(frozen=True, slots=True)
class PairSnapshot:
    """Hold what one evaluation needs: CLOSED bars of both legs, times (ms) strictly ascending.

    Arrays that the caller could still write to are copied.
    """

    times_y: IntArray
    closes_y: FloatArray
    times_x: IntArray
    closes_x: FloatArray
    window: int = 60
    correlation_window: int = 60
    log: bool = False

    def __post_init__(self) -> None:
        for field in fields(self)[:4]:
            array = np.asarray(getattr(self, field.name), np.int64 if "times" in field.name else np.float64)
            if array.flags.writeable:
                array = array.copy()
                array.setflags(write=False)
            object.__setattr__(self, field.name, array)
        if len(self.times_y) != len(self.closes_y) or len(self.times_x) != len(self.closes_x):
            raise ValueError("each leg needs one close for each time")
        if self.window < SIGNAL_WINDOW:
            raise ValueError(f"the z-score needs a window of at least {SIGNAL_WINDOW} bars, not {self.window}")


@dataclass(frozen=True, slots=True)
class PairSeries:
    """Hold the series of a pair over its n joined bars; read-only columns, NaN = no value.

    ``y`` and ``x`` are the closes, or their logs with ``log``; the z is in their unit. No value
    depends on a later bar. The spread is drawn with a frozen beta, which is the caller's to choose.
    """

    times: IntArray
    y: FloatArray
    x: FloatArray
    correlation: FloatArray
    walk: ZSeries

    def __len__(self) -> int:
        return len(self.times)

    @property
    def z(self) -> FloatArray:
        """Return the walk-forward regression z, the signal."""
        return self.walk.z


def evaluate(snapshot: PairSnapshot) -> PairSeries:
    """Return every series of the pair. Vectorised: 100,000 joined bars take a fraction of 0.1 s."""
    rows_y, rows_x, y, x = joined(snapshot)
    times, closes_y, closes_x = snapshot.times_y[rows_y], snapshot.closes_y[rows_y], snapshot.closes_x[rows_x]
    for column in (times, y, x):
        column.setflags(write=False)
    correlation = rolling_correlation(closes_y, closes_x, snapshot.correlation_window)
    return PairSeries(times, y, x, correlation, walk_forward_z(y, x, snapshot.window))


def test(
    snapshot: PairSnapshot,
    *,
    bars: int = TEST_BARS,
    lag: int | None = None,
    autolag: Autolag | None = "BIC",
    beta: float | None = None,
) -> PairEvidence:
    """Return the evidence of the newest ``bars`` joined bars (see ``gather``). Slow: run it in the pool."""
    rows_y, _, y, x = joined(snapshot)
    times, y, x = snapshot.times_y[rows_y][-bars:], y[-bars:], x[-bars:]
    return gather(times, y, x, lag=lag, autolag=autolag, beta=beta, window=snapshot.window)


test.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it wherever it is imported


def joined(snapshot: PairSnapshot) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return (rows_y, rows_x, y, x) of the bars that both legs have with a finite (log) close."""
    rows_y, rows_x = inner_join(snapshot.times_y, snapshot.times_x)
    y, x = snapshot.closes_y[rows_y], snapshot.closes_x[rows_x]
    if snapshot.log:
        y, x = logs_of(y), logs_of(x)
    good = np.isfinite(y) & np.isfinite(x)
    return (rows_y, rows_x, y, x) if bool(good.all()) else (rows_y[good], rows_x[good], y[good], x[good])
