"""Describe what a small chart of the evidence draws, and thin it out to the pixels there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from quantdesk.bars.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Guide:
    """Hold a value drawn across the chart, with its label on the axis; ``color`` names a token."""

    value: float
    label: str
    color: str


@dataclass(frozen=True, slots=True)
class PClass:
    """Hold a class of the strip: its words, the token that colours it and how opaque it is."""

    words: str
    color: str
    alpha: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold what a chart shows over n bars: ``values`` (n, NaN = a hole) in the colour of a token.

    ``limits`` cut the axis, which is of log10 with ``log``. ``strip`` (n) counts into ``classes``, -1 = none.
    ``read`` words a row for the crosshair; without one the last row is read.
    """

    title: str
    times: IntArray
    values: FloatArray
    color: str
    limits: tuple[float, float]
    read: Callable[[int], str]
    summary: str
    lower: FloatArray | None = None
    upper: FloatArray | None = None
    guides: tuple[Guide, ...] = ()
    mark: tuple[int, str] | None = None
    log: bool = False
    strip: IntArray | None = None
    classes: Sequence[PClass] = ()


def thinned(values: FloatArray, pixels: int, which: str = "both") -> tuple[FloatArray, FloatArray]:
    """Return (rows, values) to draw: all of them, or the extremes of each pixel's rows; NaN stays a hole.

    ``which`` "low" or "high" keeps one value a pixel, "both" two.
    """
    count = len(values)
    if count <= 2 * pixels or pixels < 2:
        return np.arange(count, dtype=np.float64), values
    group = -(-count // pixels)
    starts = np.arange(0, count, group)
    rows = np.minimum(starts + (group - 1) / 2, count - 1)
    low, high = np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)
    if which != "both":
        return rows, low if which == "low" else high
    return np.repeat(rows, 2), np.column_stack((low, high)).ravel()


def runs_of(values: FloatArray) -> list[tuple[int, int]]:
    """Return (start, stop) of each stretch of finite values."""
    finite = np.isfinite(values)
    edges = np.flatnonzero(np.diff(np.r_[False, finite, False].astype(np.int8))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))
