from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QObject, Signal
from PySide6.QtWidgets import QApplication

from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray
from quantdesk.bars.series import BarSeries
from quantdesk.model.jobs import JobRunner
from quantdesk.model.recent_trades import TradePrices
from quantdesk.types import Instrument, Origin

START = 1_720_000_800_000 - 1_720_000_800_000 % 3_600_000
MINUTE = 60_000


@pytest.fixture
def jobs(qapp: QApplication) -> Iterator[JobRunner]:
    runner = JobRunner()
    yield runner
    assert runner.close(20)


def spin() -> None:
    """Let the loop deliver what is due."""
    for _ in range(3):
        QCoreApplication.processEvents()


def bars_of(times: IntArray, close: FloatArray) -> BarArrays:
    n = len(times)
    return BarArrays(
        np.array(times, np.int64),
        close.copy(),
        close + 1,
        close - 1,
        close.copy(),
        np.full(n, 2.0),
        2 * close,
        np.full(n, 5, np.int64),
    )


def walk(n: int, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Return closes (y, x) of a tied pair."""
    rng = np.random.default_rng(seed)
    x = np.round(3_000 + np.cumsum(rng.normal(0, 2, n)), 2)
    y = np.round(2 * x + 100 + rng.normal(0, 3, n), 2)
    return y, x


class Source(QObject):
    """Offer series that a test fills: a real SeriesSource without a feed."""

    bar_closed = Signal(str, str, object)
    series_changed = Signal(str, str)

    def __init__(self, origin: Origin = Origin.LIVE, live_since: int | None = None) -> None:
        super().__init__()
        self.origin = origin
        self.live_since = live_since
        self.held: dict[str, BarSeries] = {}
        self.closes: dict[str, FloatArray] = {}
        self.partial: dict[str, list[int]] = {}

    def put(self, symbol: str, times: IntArray, close: FloatArray, *, quiet: bool = False, closed: bool = True) -> None:
        self.held.setdefault(symbol, BarSeries()).merge(bars_of(times, close), from_trades=True, closed=closed)
        if not quiet:
            self.series_changed.emit(symbol, "1m")

    def symbols(self) -> tuple[str, ...]:
        return tuple(self.held)

    def trades(self, symbol: str, since: int | None = None) -> TradePrices | None:
        return None

    def intervals(self, symbol: str) -> tuple[str, ...]:
        return ("1m",)

    def series(self, symbol: str, interval: str) -> BarSeries | None:
        return self.held.get(symbol) if interval == "1m" else None

    def instrument(self, symbol: str) -> Instrument | None:
        return Instrument("test", symbol, Decimal("0.01"), Decimal("0.001"))

    def statistic_closes(self, symbol: str, interval: str) -> FloatArray | None:
        return self.closes.get(symbol)

    def partial_times(self, symbol: str, interval: str) -> IntArray:
        return np.array(self.partial.get(symbol, []), np.int64)

    def qualities(self, symbol: str, interval: str, last: int | None = None) -> IntArray | None:
        times = self.held[symbol].times(last)
        return np.where(np.isin(times, self.partial.get(symbol, [])), 3, 0)

    def missing_times(self, symbol: str, interval: str) -> IntArray:
        return np.empty(0, np.int64)


@pytest.fixture
def until(qtbot: object) -> Callable[[Callable[[], bool]], None]:
    """Return a function that runs the loop until a condition holds."""
    return lambda condition: qtbot.waitUntil(lambda: bool(condition()), timeout=20_000)  # type: ignore[attr-defined]
