"""Name what reading a file yields: its legs, an exact report, and errors in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quantdesk.bars.arrays import BarArrays, FloatArray
from quantdesk.store.base import TickArrays

#: How many rejected rows a report names; all are counted.
NAMED_ROWS = 100

_UNITS = ((604_800_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))
_DAY = 86_400_000


def _one_line(words: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in words)


class FileError(Exception):
    """Say in one line which file cannot be read, where, why, and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(_one_line(words))


class Cancelled(Exception):  # noqa: N818  (an outcome that was asked for, not an error)
    """Tell that reading stopped because the caller asked for it."""


def interval_name(ms: int) -> str:
    """Return the exchange's name of an interval: 60000 -> 1m, 86400000 -> 1d, 28 to 31 days -> 1M."""
    if ms % _DAY == 0 and 28 <= ms // _DAY <= 31:
        return "1M"
    for unit, letter in _UNITS:
        if ms % unit == 0 and (letter != "w" or ms == unit):
            return f"{ms // unit}{letter}"
    return f"{ms}ms"


@dataclass(frozen=True, slots=True)
class LoadedLeg:
    """Hold one instrument of a file: n bars ascending in time, and what statistics use as closes.

    ``statistic_closes`` (n) is ``Adj Close`` where the file has it, else the close. ``ticks`` are the
    trades of a trades or aggTrades file, else None.
    """

    name: str
    bars: BarArrays
    interval_ms: int
    price_decimals: int
    quantity_decimals: int
    statistic_closes: FloatArray
    kind: str
    ticks: TickArrays | None = None

    def __post_init__(self) -> None:
        self.statistic_closes.setflags(write=False)

    @property
    def interval(self) -> str:
        """Return the interval's name."""
        return interval_name(self.interval_ms)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Count what was found in a file.

    ``rows`` are the data rows kept, duplicates removed; ``bad_rows`` names the first 100 rejected
    (line, reason) and ``rejected`` counts all. ``duplicates`` are rows dropped because a later row
    has the same time (or trade id), ``out_of_order`` rows whose time (id) is below the one before,
    ``gaps`` the intervals (trade ids) missing between the first and the last row.
    """

    path: Path
    kind: str
    rows: int
    bad_rows: tuple[tuple[int, str], ...] = ()
    rejected: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    gaps: int = 0
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return one line for people."""
        parts = [
            f"{self.path.name}: {self.rows:,} {self.kind} rows",
            f"{self.duplicates:,} duplicates",
            f"{self.gaps:,} gaps",
            f"{self.out_of_order:,} out of order",
            f"{self.rejected:,} rejected",
        ]
        text = ", ".join(parts)
        if self.bad_rows:
            line, reason = self.bad_rows[0]
            text += f" (first: line {line}: {reason})"
        return _one_line("; ".join([text, *self.notes]))


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """Hold what a file gave: one leg, or two that share their times."""

    legs: tuple[LoadedLeg, ...]
    report: LoadReport
