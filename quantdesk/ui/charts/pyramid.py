"""Hold columns with a ×4 pyramid above them, so that any zoom draws a few thousand values at most.

A change of row r touches r and its log4(n) parents; a million rows are never scanned to paint.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import reduce

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Four children make a parent: few levels, and at most four times the values of one pixel to reduce.
FAN = 4


class Rule(Enum):
    """Say how a parent is made of its children; NaN children are passed over."""

    FIRST = "first"
    LAST = "last"
    MAX = "max"
    MIN = "min"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Column:
    """Name the base column a pyramid column reduces, and how."""

    source: str
    rule: Rule


OHLCV = {
    "open": Column("open", Rule.FIRST),
    "high": Column("high", Rule.MAX),
    "low": Column("low", Rule.MIN),
    "close": Column("close", Rule.LAST),
    "volume": Column("volume", Rule.MAX),
}
LINE = {
    "high": Column("value", Rule.MAX),
    "low": Column("value", Rule.MIN),
    "last": Column("value", Rule.LAST),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """Hold what is visible: groups of ``group`` rows each, the first starting at row ``start``."""

    start: int
    group: int
    columns: Mapping[str, FloatArray]

    @property
    def size(self) -> int:
        """Return the number of groups."""
        return len(next(iter(self.columns.values())))

    def part(self, first: int, stop: int) -> Cut:
        """Return groups first..stop-1."""
        columns = {name: column[first:stop] for name, column in self.columns.items()}
        return Cut(self.start + first * self.group, self.group, columns)

    def centres(self) -> FloatArray:
        """Return the x ordinal of each group's middle."""
        return self.start + np.arange(self.size, dtype=np.float64) * self.group + (self.group - 1) / 2


def _reduced(children: FloatArray, rule: Rule) -> FloatArray:
    """Reduce an (m, k) array along its second axis, passing over NaN."""
    picks = [children[:, i] for i in range(children.shape[1])]
    if rule is Rule.LAST:
        picks.reverse()
    out: FloatArray = np.array(picks[0], np.float64)
    for pick in picks[1:]:
        if rule is Rule.MAX:
            np.fmax(out, pick, out=out)
        elif rule is Rule.MIN:
            np.fmin(out, pick, out=out)
        elif rule is Rule.SUM:
            total = np.where(np.isnan(out), 0.0, out) + np.where(np.isnan(pick), 0.0, pick)
            np.copyto(out, total, where=~(np.isnan(out) & np.isnan(pick)))
        else:
            np.copyto(out, pick, where=np.isnan(out))
    return out


def _parent(children: list[float], rule: Rule) -> float:
    """Reduce a few values as ``_reduced`` does: for one parent a tenth of its cost."""
    there = [value for value in children if not math.isnan(value)]
    if not there:
        return math.nan
    if rule is Rule.MAX:
        return max(there)
    if rule is Rule.MIN:
        return min(there)
    if rule is Rule.SUM:
        return reduce(operator.add, there)
    return there[0] if rule is Rule.FIRST else there[-1]


class Pyramid:
    """Hold n rows of float columns and their coarser levels."""

    def __init__(self, columns: Mapping[str, Column] = OHLCV) -> None:
        self._columns = dict(columns)
        self._sources = tuple(dict.fromkeys(c.source for c in columns.values()))
        self._base: dict[str, FloatArray] = {name: np.empty(0) for name in self._sources}
        self._levels: list[dict[str, FloatArray]] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def column(self, source: str) -> FloatArray:
        """Return a base column (n,), a view that must not be written to."""
        return self._base[source][: self._size]

    def sync(self, columns: Mapping[str, FloatArray]) -> int:
        """Take columns as the whole content; rewrite from the first row that differs and return that row."""
        size = len(next(iter(columns.values())))
        first = min(size, self._size)
        for name in self._sources:
            new = np.ascontiguousarray(columns[name], np.float64)[:first].view(np.int64)
            differs = new != self._base[name][:first].view(np.int64)
            if differs.any():
                first = int(differs.argmax())
        if first < size or size != self._size:
            self.write(first, {name: columns[name][first:] for name in self._sources})
        return first

    def write(self, row: int, columns: Mapping[str, FloatArray]) -> None:
        """Put columns (k,) at rows row..row+k-1 and end there; only their parents are made anew."""
        if not 0 <= row <= self._size:
            raise IndexError(f"row {row} of {self._size}")
        size = row + len(next(iter(columns.values())))
        deeper = self._reserve(size)
        for name in self._sources:
            base = self._base[name]
            base[row:size] = columns[name]
            base[size : self._size] = np.nan
        old, self._size = self._size, size
        self._rebuild(0 if deeper else row, old, deeper)

    def cut(self, first: int, last: int, rows_per_group: float) -> Cut:
        """Return rows first..last (inclusive, clipped), grouped by at least ``rows_per_group`` rows."""
        level, fold = 0, 1
        if rows_per_group > 1:
            level = min(int(np.log(rows_per_group) / np.log(FAN) + 1e-9), len(self._levels))
            fold = max(1, int(np.ceil(rows_per_group / FAN**level - 1e-9)))
        span = FAN**level
        group = span * fold
        first, last = max(0, first), min(self._size - 1, last)
        if last < first:
            return Cut(0, group, {name: np.empty(0) for name in self._columns})
        begin = first // group * fold
        end = (last // group + 1) * fold
        return Cut(begin * span, group, {name: self._part(level, name, begin, end, fold) for name in self._columns})

    def _part(self, level: int, name: str, begin: int, end: int, fold: int) -> FloatArray:
        rule = self._columns[name]
        values = self._base[rule.source] if level == 0 else self._levels[level - 1][name]
        limit = -(-self._size // FAN**level)
        part = values[begin : min(end, limit)]
        if fold == 1:
            return part
        if len(part) % fold:
            part = np.concatenate([part, np.full(fold - len(part) % fold, np.nan)])
        return _reduced(part.reshape(-1, fold), rule.rule)

    def _reserve(self, size: int) -> bool:
        """Make room; tell whether levels were added, which hold nothing yet."""
        capacity, depth = len(self._base[self._sources[0]]), len(self._levels)
        if size <= capacity:
            return False
        # A multiple of FAN with NaN beyond the end: parents never meet a ragged block.
        capacity = -(-max(256, size + size // 4) // FAN) * FAN
        self._base = {name: _grown(column, capacity) for name, column in self._base.items()}
        level = 0
        while capacity > FAN:
            capacity = -(-(capacity // FAN) // FAN) * FAN
            if level == len(self._levels):
                self._levels.append({name: np.empty(0) for name in self._columns})
            self._levels[level] = {name: _grown(c, capacity) for name, c in self._levels[level].items()}
            level += 1
        return len(self._levels) > depth

    def _rebuild(self, row: int, old: int, deeper: bool) -> None:
        for name, column in self._columns.items():
            first, end, below = row, max(self._size, old), self._base[column.source]
            for level in self._levels:
                first, end, above = first // FAN, -(-end // FAN), level[name]
                if end - first == 1:
                    before, value = float(above[first]), _parent(below[first * FAN : end * FAN].tolist(), column.rule)
                    if not deeper and (value == before or (math.isnan(value) and math.isnan(before))):
                        break  # what stands above has not changed either
                    above[first] = value
                elif first < end:
                    children = below[first * FAN : end * FAN]
                    above[first:end] = _reduced(children.reshape(-1, FAN), column.rule)
                below = above


def _grown(column: FloatArray, capacity: int) -> FloatArray:
    grown = np.full(capacity, np.nan)
    grown[: len(column)] = column
    return grown


def at(column: FloatArray, row: int) -> float:
    """Return a column's value, NaN outside it."""
    return float(column[row]) if 0 <= row < len(column) else math.nan


def newest(column: FloatArray) -> float:
    """Return the newest value there is, NaN if none."""
    for value in reversed(column[-4:].tolist()):  # asked at every paint, and seldom further back
        if math.isfinite(value):
            return float(value)
    for start in range(len(column), 0, -256):
        block = column[max(0, start - 256) : start]
        there = np.flatnonzero(np.isfinite(block))
        if len(there):
            return float(block[there[-1]])
    return math.nan
