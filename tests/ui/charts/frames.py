"""Make frames of a synthetic pair, and a stand-in for the model that holds one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from quantdesk.analytics.attribution import Attribution, attribute
from quantdesk.model.frame import LegColumns, PairFrame, PairSettings, PairTail, Refit
from quantdesk.model.jobs import JobRunner
from quantdesk.types import Origin

START = 1_720_000_800_000 - 1_720_000_800_000 % 3_600_000


class Pair(QObject):
    """Stand where PairModel stands, with a frame that the test sets."""

    changed = Signal()
    settings_changed = Signal()
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.frame: PairFrame | None = None
        self.source = None
        self.evidence = None
        self.jobs = JobRunner(parent=self)
        self._tail = PairTail.empty()

    @property
    def settings(self) -> PairSettings:
        return self.frame.settings if self.frame else PairSettings("BTCUSDT", "ETHUSDT")

    def tail(self) -> PairTail:
        return self._tail

    def show(self, frame: PairFrame | None, tail: PairTail | None = None) -> None:
        self.frame, self._tail = frame, tail or PairTail.empty()
        self.changed.emit()


def leg(rng: np.random.Generator, close: np.ndarray, noise: float) -> LegColumns:
    n = len(close)
    opened = np.r_[close[:1], close[:-1]]
    high = np.maximum(opened, close) + np.abs(rng.normal(0, noise, n))
    low = np.minimum(opened, close) - np.abs(rng.normal(0, noise, n))
    volume = np.round(rng.gamma(2.0, 12.0, n) * (1 + 4 * np.abs(close - opened) / (noise + 1e-9) / 6), 3)
    return LegColumns(opened, high, low, close, volume, np.full(n, 10.0))


def _rolled(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    n = len(values)
    mean, sigma = np.full(n, np.nan), np.full(n, np.nan)
    if n > window:
        c, q = np.cumsum(np.r_[0, values]), np.cumsum(np.r_[0, values**2])
        m = (c[window:-1] - c[: -window - 1]) / window
        mean[window:] = m
        sigma[window:] = np.sqrt(np.maximum((q[window:-1] - q[: -window - 1]) / window - m**2, 1e-12))
    return mean, sigma


def _correlated(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    returns_y, returns_x = np.diff(np.log(y), prepend=np.nan), np.diff(np.log(x), prepend=np.nan)
    correlation = np.full(len(y), np.nan)
    if len(y) > 61:
        product, _ = _rolled(np.nan_to_num(returns_y * returns_x), 60)
        my, sy = _rolled(np.nan_to_num(returns_y), 60)
        mx, sx = _rolled(np.nan_to_num(returns_x), 60)
        correlation = np.clip((product - my * mx) / (sy * sx + 1e-18), -1, 1)
    return correlation


def build(n: int, *, seed: int = 3, step: int = 60_000, start: int = START, two: bool = True) -> PairFrame:
    """Make a frame of n bars: a random walk and a leg tied to it by a mean-reverting spread."""
    rng = np.random.default_rng(seed)
    x = np.round(3_400 + np.cumsum(rng.normal(0, 1.4, n)), 2)
    shocks = rng.normal(0, 12.0, n)
    ou = np.empty(n)
    level = 0.0
    for i in range(n):
        level = 0.95 * level + shocks[i]
        ou[i] = level
    y = np.round(18.5 * x + 1_200 + ou, 1)
    spread = np.round(y - 18.5 * x, 2)
    mean, sigma = _rolled(spread, 60)
    correlation = _correlated(y, x)
    times = start + np.arange(n, dtype=np.int64) * step
    none = np.full(n, np.nan)
    shown = n > 60 and two
    upper, lower = none.copy(), none.copy()
    refits: tuple[Refit, ...] = ()
    fit, formation = None, None
    if shown:
        cut = n * 3 // 4
        first = min(n // 2, 240)
        upper[:], lower[:] = (
            spread[:first].mean() + 2 * spread[:first].std(),
            spread[:first].mean() - 2 * spread[:first].std(),
        )
        upper[cut:], lower[cut:] = upper[cut:] + 12, lower[cut:] + 4
        formation = (int(times[0]), int(times[first - 1]))
        fit = Refit(int(times[cut]), 1_200.0, 18.5, float(spread.mean()), float(spread.std()), *formation, first)
        refits = (fit,)
    return PairFrame(
        version=1,
        epoch=1,
        origin=Origin.LIVE,
        live_since=None,
        interval_ms=step,
        settings=PairSettings("BTCUSDT", "ETHUSDT" if two else ""),
        times=times,
        y=leg(rng, y, 18.0) if n else LegColumns.empty(),
        x=leg(rng, x, 1.0) if two and n else LegColumns.empty(n),
        spread=spread if shown else none,
        spread_upper=upper,
        spread_lower=lower,
        z=(spread - mean) / sigma if shown else none,
        correlation=correlation if shown else none,
        alpha=1_200.0,
        beta=18.5 if shown else float("nan"),
        formation=formation,
        formation_settled=True,
        fit=fit,
        refits=refits,
        observations=n,
        price_decimals_y=1,
        price_decimals_x=2,
        attribution=attribute(y, x, 18.5) if shown else None,
    )


def part(frame: PairFrame, rows: slice) -> PairFrame:
    """Return some rows of a frame."""

    def legs(columns: LegColumns) -> LegColumns:
        return LegColumns(*(getattr(columns, f)[rows].copy() for f in LegColumns.__dataclass_fields__))

    parts = frame.attribution
    if parts is not None:
        parts = Attribution(*(getattr(parts, f)[rows].copy() for f in Attribution.__dataclass_fields__))
    names = ("times", "spread", "spread_upper", "spread_lower", "z", "correlation")
    changes = {name: getattr(frame, name)[rows].copy() for name in names}
    return replace(frame, version=frame.version + 1, y=legs(frame.y), x=legs(frame.x), attribution=parts, **changes)


def tail_of(frame: PairFrame, rows: slice) -> PairTail:
    """Return some rows of a frame as a tail."""
    piece = part(frame, rows)
    return PairTail(piece.times, piece.y, piece.x, piece.spread, piece.z, piece.attribution)
