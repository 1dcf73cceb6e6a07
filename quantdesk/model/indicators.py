"""Keep the lines of the chosen indicators over one symbol's bars: whole in the pool, then bar by bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from quantdesk.analytics.indicators import Indicator, IndicatorBars, indicator_lines
from quantdesk.analytics.running_indicator import RunningIndicator, previews, resumed, rows_of
from quantdesk.bars.arrays import FloatArray
from quantdesk.model.jobs import Jobs

MOST_INDICATORS = 12
#: Bars times indicators that are computed at once; more than these would hold up the screen by over 5 ms.
MOST_AT_ONCE = 50_000
JOB = "indicators"


class _Line:
    """Hold the values of one indicator in room to grow, and what carries it on."""

    def __init__(self, indicator: Indicator, bars: IndicatorBars) -> None:
        lines = indicator_lines(indicator, bars)
        self.size, self.version = len(bars), 0
        self.values = np.full((len(lines), self.size + self.size // 8 + 64), np.nan)
        self.values[:, : self.size] = lines
        self.carries_on: RunningIndicator = resumed(indicator, bars, lines)
        self.prepared: tuple[Any, ...] = ()

    def append(self, values: tuple[float, ...]) -> None:
        if self.size == self.values.shape[1]:
            room = np.full((len(values), self.size // 8 + 64), np.nan)
            self.values = np.concatenate([self.values, room], axis=1)
        self.values[:, self.size] = values
        self.size += 1


class IndicatorModel(QObject):
    """Follow the closed bars of what is shown. ``changed`` = lines came out of the pool.

    ``prepare`` makes of a line (n) what the screen draws it from, in the pool, too.
    """

    changed = Signal()

    def __init__(
        self, jobs: Jobs, parent: QObject | None = None, prepare: Callable[[FloatArray], Any] | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs, self._prepare = jobs, prepare
        self._chosen: tuple[Indicator, ...] = ()
        self._bars: IndicatorBars | None = None
        self._lines: dict[Indicator, _Line] = {}
        self._flying: tuple[IndicatorBars, tuple[Indicator, ...]] | None = None
        self._version = 0

    def choose(self, chosen: Sequence[Indicator]) -> None:
        """Keep the lines of these indicators and of no other."""
        self._chosen = tuple(dict.fromkeys(chosen))[:MOST_INDICATORS]
        self._lines = {one: line for one, line in self._lines.items() if one in self._chosen}
        self._compute()

    def follow(self, bars: IndicatorBars | None) -> None:
        """Take the closed bars: new ones at the end are appended, anything else is computed anew."""
        held, self._bars = self._bars, bars
        if held is not None and bars is not None and (bars is held or _extends(held, bars)):
            for line in self._lines.values():
                _carry_on(line, bars, len(held))
        else:
            self._lines, self._flying = {}, None
        self._compute()

    def lines(self, indicator: Indicator) -> tuple[FloatArray, ...] | None:
        """Return the values (n each) at the closed bars, read-only; None while they are being computed."""
        line = self._lines.get(indicator)
        if line is None:
            return None
        views = tuple(row[: line.size] for row in line.values)
        for view in views:
            view.setflags(write=False)
        return views

    def version(self, indicator: Indicator) -> int:
        """Return a number that rises when values change other than by new ones at the end."""
        line = self._lines.get(indicator)
        return -1 if line is None else line.version

    def take_prepared(self, indicator: Indicator) -> tuple[Any, ...]:
        """Return once what was made of an indicator's lines in the pool; () for nothing. Later bars are not in it."""
        line = self._lines.get(indicator)
        if line is None:
            return ()
        prepared, line.prepared = line.prepared, ()
        return prepared

    def ahead(self, indicator: Indicator, bars: IndicatorBars) -> FloatArray:
        """Return the values (lines, m) at bars that come after the closed ones and do not count yet."""
        line = self._lines.get(indicator)
        if line is None or not len(bars):
            return np.full((len(indicator.names), len(bars)), np.nan)
        return np.array(previews(line.carries_on, rows_of(bars)), np.float64).T

    def _compute(self) -> None:
        bars = self._bars
        wanted = tuple(one for one in self._chosen if one not in self._lines)
        if bars is None or not wanted or (self._flying is not None and set(wanted) <= set(self._flying[1])):
            return
        if len(bars) * len(wanted) <= MOST_AT_ONCE:
            self._flying = None
            for one in wanted:
                self._adopt(one, bars, _Line(one, bars))
            return
        order, prepare = (bars, wanted), self._prepare
        self._flying = order

        def compute() -> list[_Line]:
            made = [_Line(one, bars) for one in wanted]
            for line in made:
                if prepare is not None:
                    line.prepared = tuple(prepare(row[: line.size]) for row in line.values)
            return made

        self._jobs.submit(JOB, compute, lambda found: self._on_computed(order, found))

    def _on_computed(self, order: tuple[IndicatorBars, tuple[Indicator, ...]], found: list[_Line]) -> None:
        if self._flying is not order:
            return  # other bars are shown by now
        self._flying = None
        bars, wanted = order
        for one, line in zip(wanted, found, strict=True):
            if one in self._chosen:
                self._adopt(one, bars, line)
        self._compute()
        self.changed.emit()

    def _adopt(self, indicator: Indicator, bars: IndicatorBars, line: _Line) -> None:
        """Hold lines of bars from which those of now go on."""
        assert self._bars is not None
        self._version += 1
        line.version, self._lines[indicator] = self._version, line
        _carry_on(line, self._bars, len(bars))


def _carry_on(line: _Line, bars: IndicatorBars, first: int) -> None:
    for row in rows_of(bars[first:]):
        line.append(line.carries_on.append(row))


def _extends(held: IndicatorBars, bars: IndicatorBars) -> bool:
    """Return whether bars begin with all that are held, to the last bit."""
    n = len(held)
    if len(bars) < n or not n:
        return False
    columns = ((getattr(held, f.name), getattr(bars, f.name)[:n]) for f in fields(IndicatorBars))
    return all(np.array_equal(a.view(np.int64), b.view(np.int64)) for a, b in columns)
