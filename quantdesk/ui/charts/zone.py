"""Turn UTC into the wall clock of the zone in which the window writes times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QByteArray, QDateTime, QTimeZone

IntArray = npt.NDArray[np.int64]

_UTC = QTimeZone(QTimeZone.Initialization.UTC)
#: Between these moments (ms) changes of the clock are known: 1970 to 2100.
_FIRST, _LAST = 0, 4_102_444_800_000
_DAY = 86_400_000
#: A longer name is no abbreviation.
_LONGEST_NAME = 5


@dataclass(frozen=True, slots=True)
class Zone:
    """Name a zone by its id in the tz database; "" is UTC."""

    id: str = ""

    @classmethod
    def local(cls) -> Zone:
        """Return the computer's zone."""
        return cls(bytes(QTimeZone.systemTimeZone().id().data()).decode("ascii", "replace"))

    @property
    def title(self) -> str:
        """Return the zone's name in full."""
        return self.id or "UTC"

    def of_bars(self, step_ms: int) -> Zone:
        """Return the zone in which bars of so many ms are dated: one of a day or more is of UTC days."""
        return UTC_ZONE if step_ms >= _DAY else self

    def shifted(self, times: npt.ArrayLike) -> IntArray:
        """Return what the zone's clock shows at times (ms, any shape), as if it were UTC."""
        at = np.asarray(times, np.int64)
        if not self.id:
            return at
        changes, offsets = _offsets(self.id)
        return at + offsets[np.searchsorted(changes, at, side="right")]

    def shift(self, ms: int) -> int:
        """Return what the zone's clock shows at a moment, as if it were UTC."""
        return int(self.shifted(ms))

    def name(self, ms: int) -> str:
        """Return the short name that holds at a moment: UTC, CEST, else the distance, UTC+5:30."""
        if not self.id:
            return "UTC"
        name = _zone(self.id).abbreviation(QDateTime.fromMSecsSinceEpoch(ms, _UTC))
        if name.isalpha() and name.isascii() and len(name) <= _LONGEST_NAME:
            return name
        minutes = (self.shift(ms) - ms) // 60_000
        if not minutes:
            return "UTC"
        sign, (hours, rest) = "\N{MINUS SIGN}" if minutes < 0 else "+", divmod(abs(minutes), 60)
        return f"UTC{sign}{hours}:{rest:02}" if rest else f"UTC{sign}{hours}"


UTC_ZONE = Zone()


def _zone(name: str) -> QTimeZone:
    found = QTimeZone(QByteArray(name.encode()))
    return found if found.isValid() else _UTC


@lru_cache(maxsize=8)
def _offsets(name: str) -> tuple[IntArray, IntArray]:
    """Return the moments (n,) at which a zone's clock changes, and its distance from UTC (n + 1,), in ms."""
    zone = _zone(name)
    first, last = (QDateTime.fromMSecsSinceEpoch(ms, _UTC) for ms in (_FIRST, _LAST))
    changes = zone.transitions(first, last) if zone.hasTransitions() else []
    moments = np.array([change.atUtc.toMSecsSinceEpoch() for change in changes], np.int64)
    seconds = [zone.offsetFromUtc(first), *(change.offsetFromUtc for change in changes)]
    return moments, np.array(seconds, np.int64) * 1_000
