"""Keep the frozen hedge lines of what was looked at: a spread that comes back means what it meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from quantdesk.config import ConfigError
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.source import SeriesSource

#: Of more pairs, or of more refits in all, those that were not shown for longest are fitted anew when they come back.
MOST_KEPT = 500
MOST_REFITS_IN_ALL = 3_000


@dataclass(frozen=True, slots=True)
class LineKey:
    """Say what a frozen line belongs to: a venue, two legs and all that it is fitted by. Raises ConfigError."""

    venue: str
    y: str
    x: str
    interval: str
    log: bool = False
    formation_bars: int = 240
    refit_every: int = 0
    hedge: HedgeMethod = HedgeMethod.OLS
    formation_end: int = 0

    def __post_init__(self) -> None:
        if not (self.venue and self.y and self.x):
            raise ConfigError("a hedge line belongs to two legs of a venue")
        if self.settings().hedge.moves:
            raise ConfigError(f"a hedge ratio by {self.hedge} is never frozen")

    def settings(self) -> PairSettings:
        """Return the settings that it is fitted by; the others do not matter to it."""
        return PairSettings(
            y=self.y,
            x=self.x,
            interval=self.interval,
            log=self.log,
            formation_bars=self.formation_bars,
            refit_every=self.refit_every,
            hedge=self.hedge,
            formation_end=self.formation_end,
        )


def key_of(source: SeriesSource, settings: PairSettings) -> LineKey | None:
    """Return what a frozen line of these settings belongs to; None where there is none, or the venue is not known."""
    s = settings
    if s.hedge.moves or not (s.y and s.x):
        return None
    instruments = [source.instrument(symbol) for symbol in (s.y, s.x)]
    venues = {instrument.venue for instrument in instruments if instrument is not None and instrument.venue}
    if len(venues) != 1 or None in instruments:
        return None
    return LineKey(venues.pop(), s.y, s.x, s.interval, s.log, s.formation_bars, s.refit_every, s.hedge, s.formation_end)


class LineBook(QObject):
    """Hold settled lines by what they belong to; ``changed(LineKey)`` tells of those that are new or refitted."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held: dict[LineKey, HedgeLines] = {}  # those shown last at the end

    def get(self, key: LineKey) -> HedgeLines | None:
        """Return what is kept of a key, or None."""
        lines = self._held.pop(key, None)
        if lines is not None:
            self._held[key] = lines
        return lines

    def keep(self, key: LineKey, lines: HedgeLines) -> None:
        """Keep settled lines that do not move; any others would be another fit when they come back."""
        if lines.first is None or not lines.settled or lines.path is not None:
            return
        before = self._held.pop(key, None)
        self._held[key] = lines
        if lines != before:
            self._bound()
            self.changed.emit(key)

    def load(self, kept: Mapping[LineKey, HedgeLines]) -> None:
        """Take what an earlier session kept, as older than all there is."""
        self._held = {**kept, **self._held}
        self._bound()

    def everything(self) -> dict[LineKey, HedgeLines]:
        """Return all that is kept, what was shown last at the end."""
        return dict(self._held)

    def _bound(self) -> None:
        refits = sum(len(lines.refits) for lines in self._held.values())
        while len(self._held) > 1 and (len(self._held) > MOST_KEPT or refits > MOST_REFITS_IN_ALL):
            oldest = next(iter(self._held))
            refits -= len(self._held.pop(oldest).refits)
