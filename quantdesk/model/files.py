"""Hold opened files as bar series: one file fills a leg, two files make a pair."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from quantdesk.bars.arrays import BarArrays, FloatArray, IntArray, fold
from quantdesk.bars.derived import TIMEFRAMES
from quantdesk.bars.series import BarSeries
from quantdesk.model.frame import PairSettings
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.recent_trades import TradePrices
from quantdesk.types import Instrument, Origin

if TYPE_CHECKING:
    from quantdesk.store.files import LoadedFile, LoadedLeg

VENUE = "file"
#: Longer intervals that a file's bars can be folded to.
_FOLDS = TIMEFRAMES[1:]
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class _Shown:
    series: BarSeries
    closes: FloatArray


class _FileLeg:
    """Hold one leg and its folds, made when first asked for."""

    def __init__(self, name: str, leg: LoadedLeg) -> None:
        self.leg = leg
        steps = {"tick_size": leg.price_decimals, "step_size": leg.quantity_decimals}
        self.instrument = Instrument(VENUE, name, **{k: Decimal(1).scaleb(-d) for k, d in steps.items()})
        self._offsets: dict[str, int] = {}
        self._shown: dict[str, _Shown] = {}

    @property
    def regular(self) -> bool:
        """Return whether bars have one length (months have not)."""
        return self.leg.interval != "1M"

    def intervals(self) -> tuple[str, ...]:
        """Return its own interval and those it can be folded to, shortest first."""
        names = {self.leg.interval, *self._offsets}
        if self.regular:
            names |= {n for n in _FOLDS if self.can_fold_to(interval_ms_of(n))}
        return tuple(sorted(names, key=interval_ms_of))

    def can_fold_to(self, interval_ms: int) -> bool:
        """Return whether whole bars fit into the longer interval."""
        return self.regular and interval_ms > self.leg.interval_ms and interval_ms % self.leg.interval_ms == 0

    def offer(self, interval: str, offset: int) -> None:
        """Offer a fold whose bars open ``offset`` ms after a multiple of the interval."""
        self._offsets[interval] = offset
        self._shown.pop(interval, None)

    def show(self, interval: str) -> _Shown | None:
        """Return the bars at an interval, or None where they cannot be had."""
        if interval not in self._shown:
            if interval not in self.intervals():
                return None
            self._shown[interval] = self._made(interval)
        return self._shown[interval]

    def _made(self, interval: str) -> _Shown:
        bars, closes = self.leg.bars, self.leg.statistic_closes
        if interval != self.leg.interval:
            bars, closes = self._folded(interval_ms_of(interval), self._offsets.get(interval, 0))
        series = BarSeries(max(1, len(bars)))
        series.merge(bars, from_trades=False)
        return _Shown(series, closes)

    def _folded(self, interval_ms: int, offset: int) -> tuple[BarArrays, FloatArray]:
        own, leg = self.leg.bars, self.leg
        moved = replace(own, open_time=own.open_time - offset)
        bars = fold(moved, interval_ms, leg.price_decimals, leg.quantity_decimals)
        last = np.searchsorted(moved.open_time, bars.open_time + interval_ms) - 1
        closes = leg.statistic_closes[last]
        closes.setflags(write=False)
        return replace(bars, open_time=bars.open_time + offset), closes


class FilesModel(QObject):
    """Offer the bars of opened files (SeriesSource). ``changed`` = legs came or went."""

    bar_closed = Signal(str, str, object)
    series_changed = Signal(str, str)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._legs: dict[str, _FileLeg] = {}
        self._interval = "1m"

    @property
    def origin(self) -> Origin:
        """Return that these are files."""
        return Origin.FILE

    @property
    def live_since(self) -> int | None:
        """Return None: a file is never live."""
        return None

    @property
    def legs(self) -> tuple[str, ...]:
        """Return the leg names, y first."""
        return tuple(self._legs)

    @property
    def interval(self) -> str:
        """Return the interval both legs are shown at."""
        return self._interval

    def settings(self, base: PairSettings) -> PairSettings:
        """Return the settings that show the opened legs, windows as in ``base``; a date belongs to other bars."""
        names = [*self._legs, "", ""]
        end = base.formation_end if (base.y, base.x) == (names[0], names[1]) else 0
        return replace(base, y=names[0], x=names[1], interval=self._interval, formation_end=end)

    def add(self, loaded: LoadedFile) -> tuple[str, ...]:
        """Take a file: two legs make the pair, one fills the empty leg or starts anew.

        Return what the user should be told about it.
        """
        if len(loaded.legs) > 1 or len(self._legs) != 1:
            self._legs.clear()
        for leg in loaded.legs[:2]:
            name = self._unique(leg.name or loaded.report.path.stem)
            self._legs[name] = _FileLeg(name, leg)
        notes = self._agree()
        for name in self._legs:
            self.series_changed.emit(name, self._interval)
        self.changed.emit()
        return notes

    def clear(self) -> None:
        """Forget every file."""
        self._legs.clear()
        self.changed.emit()

    def symbols(self) -> tuple[str, ...]:
        """Return the leg names, y first."""
        return tuple(self._legs)

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the file's interval and those it can be folded to, shortest first."""
        leg = self._legs.get(symbol)
        return leg.intervals() if leg else ()

    def series(self, symbol: str, interval: str) -> BarSeries | None:
        """Return the bars, or None where the file has none of this interval."""
        shown = self._shown(symbol, interval)
        return shown.series if shown else None

    def instrument(self, symbol: str) -> Instrument | None:
        """Return the leg's name and the decimals found in the file."""
        leg = self._legs.get(symbol)
        return leg.instrument if leg else None

    def statistic_closes(self, symbol: str, interval: str) -> FloatArray | None:
        """Return Adj Close where the file has it, one a bar of the series."""
        shown = self._shown(symbol, interval)
        return shown.closes if shown else None

    def qualities(self, symbol: str, interval: str, last: int | None = None) -> IntArray | None:
        """Return None: a file does not tell what it lacks."""
        return None

    def missing_times(self, symbol: str, interval: str) -> IntArray:
        """Return no times."""
        return np.empty(0, np.int64)

    def partial_times(self, symbol: str, interval: str) -> IntArray:
        """Return none: a file's bars are what they are."""
        return np.empty(0, np.int64)

    def trades(self, symbol: str, since: int | None = None) -> TradePrices | None:
        """Return the trades of a trades file, all of them (or ``since``, ms); None for a file of bars."""
        leg = self._legs.get(symbol)
        ticks = leg.leg.ticks if leg else None
        if ticks is None:
            return None
        held = TradePrices(ticks.ts.view(), ticks.agg_id.view(), ticks.price.view())
        return held if since is None else held[int(np.searchsorted(held.times, since)) :]

    def _shown(self, symbol: str, interval: str) -> _Shown | None:
        leg = self._legs.get(symbol)
        return leg.show(interval) if leg else None

    def _unique(self, name: str) -> str:
        number, found = 1, name
        while found in self._legs:
            number += 1
            found = f"{name} ({number})"
        return found

    def _agree(self) -> tuple[str, ...]:
        """Choose the interval that both legs are shown at; return the note about it."""
        pair = sorted(self._legs.items(), key=lambda item: item[1].leg.interval_ms)
        (fine_name, fine), (coarse_name, coarse) = pair[0], pair[-1]
        own, wanted = fine.leg.interval, coarse.leg.interval
        self._interval = wanted
        if own == wanted:
            return ()
        offsets = np.unique(coarse.leg.bars.open_time % coarse.leg.interval_ms)
        if coarse.regular and len(offsets) == 1 and fine.can_fold_to(coarse.leg.interval_ms):
            fine.offer(wanted, int(offsets[0]))
            return (
                self.tr("{name} was folded from {own} to {wanted} bars, the interval of {other}").format(
                    name=fine_name, own=own, wanted=wanted, other=coarse_name
                ),
            )
        self._interval = next(iter(self._legs.values())).leg.interval
        return (
            self.tr(
                "{name} ({own}) and {other} ({wanted}) cannot be compared: {own} bars do not fit into {wanted} bars; "
                "open a file of the same interval"
            ).format(name=fine_name, own=own, wanted=wanted, other=coarse_name),
        )
