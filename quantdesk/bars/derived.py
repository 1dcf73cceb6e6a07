"""Name the intervals that are folded from stored levels, and fold bars with what is known of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import BarArrays, fold
from quantdesk.types import Interval

BoolArray = npt.NDArray[np.bool_]


class Derived(StrEnum):
    """Name the intervals that no store keeps: each is folded from ``base``. Days are those of UTC."""

    S5 = "5s"
    S15 = "15s"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def ms(self) -> int:
        """Return the length in milliseconds."""
        return _MS[self.value]

    @property
    def base(self) -> Interval:
        """Return the longest stored level that divides it."""
        return Interval.S1 if self.ms < Interval.M1.ms else Interval.M5

    @property
    def ratio(self) -> int:
        """Return how many bars of the base it has."""
        return self.ms // self.base.ms

    @property
    def has_klines(self) -> bool:
        """Tell whether the exchange has bars of its own of it: there are none below a minute."""
        return self.ms >= Interval.M1.ms


_MS = {"5s": 5_000, "15s": 15_000, "15m": 900_000, "1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000}
#: The derived intervals by name.
DERIVED = {derived.value: derived for derived in Derived}
#: Every interval that can be shown of a market, shortest first.
TIMEFRAMES = tuple(i.value for i in sorted((*Interval, *Derived), key=lambda i: i.ms))


def derived_of(base: str) -> tuple[str, ...]:
    """Return the names of the intervals that are folded from a stored level; none of another interval."""
    return tuple(derived.value for derived in Derived if derived.base.value == base)


@dataclass(frozen=True, slots=True)
class Folded:
    """Hold n folded bars; the flags have length n.

    ``partial``: trades of it are missing, or nobody knows. ``traded``: partial, or of bars from trades alone;
    what is left is of klines, at least in part, and whole.
    """

    bars: BarArrays
    traded: BoolArray
    partial: BoolArray


def fold_bars(
    bars: BarArrays,
    derived: Derived,
    *,
    traded: BoolArray,
    partial: BoolArray,
    begins: bool,
    decimals: tuple[int, int],
) -> Folded:
    """Fold m bars of the base, with their flags (m), into bars of the derived interval.

    A folded bar is partial when a bar of the base is, when klines stand in it and the base bars have a hole,
    and when it began before the first bar given and that is the first one known at all (``begins``); where
    trades are missing, the bars at both ends of the hole are partial or klines. ``decimals``: of price and
    quantity.
    """
    ms, step = derived.ms, derived.base.ms
    folded = fold(bars, ms, *decimals)
    if len(folded) == 0:
        return Folded(folded, np.zeros(0, bool), np.zeros(0, bool))
    bucket = bars.open_time - bars.open_time % ms
    starts = np.searchsorted(bucket, folded.open_time)
    counts = np.diff(np.r_[starts, len(bucket)])
    whole = np.logical_and.reduceat(traded, starts)
    lacking = np.logical_or.reduceat(partial, starts)
    # Klines have no hole of their own: where one is, theirs are yet to come. All but the newest bar have ended.
    ends = np.r_[folded.open_time[:-1] + ms, bars.open_time[-1] + step]
    lacking |= ~whole & (counts * step < ends - folded.open_time)
    if begins:
        lacking[0] |= bool(bars.open_time[0] != folded.open_time[0])
    return Folded(folded, np.asarray(whole | lacking, np.bool_), np.asarray(lacking, np.bool_))
