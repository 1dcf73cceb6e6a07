"""Draw series over bars as a small inline SVG: no script, no font, no screen; colours by class name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

from quantdesk.analytics.utc_text import utc_text
from quantdesk.bars.arrays import FloatArray, IntArray

WIDTH = 1_000
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 10, 24
#: A column of the picture shows the least and the largest value of its bars: no spike is lost.
_COLUMNS = 900
_MOST_TICKS = 7
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Line:
    """Draw one series (n values, NaN = a hole) in the colour of a CSS class."""

    values: FloatArray
    css: str


@dataclass(frozen=True, slots=True)
class Band:
    """Fill between two series (n values each, NaN = a hole)."""

    lower: FloatArray
    upper: FloatArray
    css: str


@dataclass(frozen=True, slots=True)
class Level:
    """Draw one value across the whole picture, with its label at the right end."""

    value: float
    css: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold what a chart shows over n bars at ``times`` (ms); ``limits`` cut the vertical axis."""

    name: str
    times: IntArray
    lines: tuple[Line, ...]
    bands: tuple[Band, ...] = ()
    levels: tuple[Level, ...] = ()
    limits: tuple[float, float] | None = None
    height: int = 230


@dataclass(frozen=True, slots=True)
class _Frame:
    """Map rows and values to the picture."""

    rows: int
    low: float
    high: float
    height: int

    def x(self, row: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (row / max(1, self.rows - 1))

    def y(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        return self.height - _BOTTOM - (self.height - _TOP - _BOTTOM) * ((value - self.low) / (self.high - self.low))


def draw(picture: Picture) -> str:
    """Return the picture as an <svg> element; "" where there is no finite value to draw."""
    span = picture.limits or _limits(picture)
    if span is None or len(picture.times) < 2:
        return ""
    frame = _Frame(len(picture.times), *span, picture.height)
    name = escape(picture.name, quote=True)
    parts = [f'<svg viewBox="0 0 {WIDTH} {picture.height}" role="img" aria-label="{name}">']
    parts += _value_axis(frame)
    parts += _time_axis(frame, picture.times)
    parts += [_area(frame, band) for band in picture.bands]
    parts += [_level(frame, level) for level in picture.levels if frame.low <= level.value <= frame.high]
    parts += [f'<path class="{line.css}" d="{_path(frame, line.values)}"/>' for line in picture.lines]
    parts.append("</svg>")
    return "".join(parts)


def ribbon(
    name: str, times: IntArray, values: FloatArray, classes: Sequence[tuple[float, str]], height: int = 62
) -> str:
    """Return a strip of n cells, each in the class of the first bound its value lies below; NaN stays empty.

    ``classes`` ascend in their bounds. "" where there is nothing to draw.
    """
    if len(times) < 2 or not bool(np.isfinite(values).any()):
        return ""
    frame = _Frame(len(times), 0.0, 1.0, height)
    bounds = np.array([bound for bound, _ in classes])
    kind = np.where(np.isfinite(values), np.searchsorted(bounds, values, "right"), -1)
    kind = np.minimum(kind, len(classes) - 1)
    edges = np.flatnonzero(np.r_[True, kind[1:] != kind[:-1]])
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name, quote=True)}">']
    parts.append(
        f'<rect class="empty" x="{_LEFT}" y="{_TOP}" width="{WIDTH - _LEFT - _RIGHT}" height="{height - 34}"/>'
    )
    for start, stop in zip(edges.tolist(), [*edges[1:].tolist(), len(kind)], strict=True):
        if kind[start] >= 0:
            left, right = frame.x(max(0, start - 0.5)), frame.x(min(len(kind) - 1, stop - 0.5))
            parts.append(
                f'<rect class="{classes[kind[start]][1]}" x="{left:.1f}" y="{_TOP}" '
                f'width="{max(right - left, 0.6):.1f}" height="{height - 34}"/>'
            )
    parts += _time_axis(frame, times, lines=False)
    parts.append("</svg>")
    return "".join(parts)


def _limits(picture: Picture) -> tuple[float, float] | None:
    """Return the span of everything that is drawn, with a margin; None without a finite value."""
    values = [line.values for line in picture.lines]
    values += [side for band in picture.bands for side in (band.lower, band.upper)]
    shown = np.concatenate([*values, [level.value for level in picture.levels]]) if values else np.empty(0)
    shown = shown[np.isfinite(shown)]
    if len(shown) == 0:
        return None
    low, high = float(shown.min()), float(shown.max())
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    if not math.isfinite(high - low):
        return None
    return low - margin, high + margin


def _value_axis(frame: _Frame) -> list[str]:
    step, decimals = _step(frame.high - frame.low)
    first = math.ceil(frame.low / step)
    parts = []
    for count in range(first, first + 2 * _MOST_TICKS):
        value = count * step
        if value > frame.high:
            break
        y = frame.y(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        label = tick_text(value, decimals)
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    return parts


def _time_axis(frame: _Frame, times: IntArray, *, lines: bool = True) -> list[str]:
    rows = np.unique(np.linspace(0, len(times) - 1, 7).round().astype(int)).tolist()
    long = int(times[-1]) - int(times[0]) > 3 * _DAY_MS
    parts = []
    for place, row in enumerate(rows):
        x = frame.x(row)
        if lines and 0 < place < len(rows) - 1:
            parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{frame.height - _BOTTOM}"/>')
        text = utc_text(int(times[row]))
        text = text[:10] if long else text[5:16]
        anchor = "start" if place == 0 else "end" if place == len(rows) - 1 else "middle"
        parts.append(f'<text class="tick" x="{x:.1f}" y="{frame.height - 6}" text-anchor="{anchor}">{text}</text>')
    return parts


def _step(span: float) -> tuple[float, int]:
    """Return a round distance between ticks and the decimals that it needs."""
    rough = span / _MOST_TICKS
    power = math.floor(math.log10(rough))
    unit = 10.0**power
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
    return step, max(0, -math.floor(math.log10(step) + 1e-9))


def tick_text(value: float, decimals: int) -> str:
    """Return the label of a tick, with a true minus; very large and very small ones in powers of ten."""
    if abs(value) >= 1e7 or decimals > 7:
        text = f"{value:.3g}"
    else:
        text = f"{value:,.{decimals}f}"
        text = text.removeprefix("-") if not any(digit in "123456789" for digit in text) else text
    return text.replace("-", "−")


def _area(frame: _Frame, band: Band) -> str:
    pieces = []
    for rows in _picked(np.where(np.isfinite(band.lower), band.upper, np.nan)):
        forth = "L".join(f"{frame.x(row):.1f} {frame.y(float(band.upper[row])):.1f}" for row in rows)
        back = "L".join(f"{frame.x(row):.1f} {frame.y(float(band.lower[row])):.1f}" for row in reversed(rows))
        pieces.append(f"M{forth}L{back}Z")
    return f'<path class="{band.css}" d="{"".join(pieces)}"/>'


def _level(frame: _Frame, level: Level) -> str:
    y = frame.y(level.value)
    out = f'<path class="{level.css}" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>'
    if level.label:
        label = escape(level.label, quote=True)
        out += f'<text class="mark" x="{WIDTH - _RIGHT - 4}" y="{y - 5:.1f}" text-anchor="end">{label}</text>'
    return out


def _path(frame: _Frame, values: FloatArray) -> str:
    pieces = []
    for rows in _picked(values):
        points = "L".join(f"{frame.x(row):.1f} {frame.y(float(values[row])):.1f}" for row in rows)
        pieces.append(f"M{points}" if len(rows) > 1 else f"M{points}h0.1")
    return "".join(pieces)


def _picked(values: FloatArray) -> list[list[int]]:
    """Return runs of the rows that a picture needs: all, or the extremes of each column; holes part runs."""
    good = np.isfinite(values)
    if len(values) <= 2 * _COLUMNS:
        edges = np.flatnonzero(np.diff(np.r_[False, good, False].astype(np.int8)))
        return [list(range(start, stop)) for start, stop in edges.reshape(-1, 2).tolist()]
    runs: list[list[int]] = [[]]
    columns = np.linspace(0, len(values), _COLUMNS + 1).round().astype(int).tolist()
    for left, right in pairwise(columns):
        rows = left + np.flatnonzero(good[left:right])
        if len(rows) == 0:
            runs.append([])
            continue
        part = values[rows]
        runs[-1] += sorted({int(rows[k]) for k in (0, int(part.argmin()), int(part.argmax()), -1)})
    return [run for run in runs if run]
