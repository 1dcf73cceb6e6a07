"""Hold the hedge lines of one pair view, and take from a book what was frozen before."""

from __future__ import annotations

from quantdesk.model.building import Built
from quantdesk.model.formation import HedgeLines
from quantdesk.model.frame import PairFrame, PairSettings
from quantdesk.model.kept_lines import LineBook, LineKey, key_of
from quantdesk.model.source import SeriesSource
from quantdesk.types import Origin


class HeldLines:
    """Hold ``now``, the lines that the next frame is drawn with.

    Settled ones go into ``kept`` and come back from it, if they are of the live market; what a replay, the
    simulator or a file brings is kept only until their source is set anew, and sees nothing of the market's.
    """

    def __init__(self, kept: LineBook) -> None:
        self.kept = kept
        self.now = HedgeLines()
        self._shelf = kept  # where the lines of what is shown are kept
        self._key: LineKey | None = None  # what they are kept as; None until the venue is known
        self._sent: tuple[LineBook, LineKey | None, HedgeLines] = (kept, None, self.now)

    def set_source(self, source: SeriesSource | None) -> None:
        """Forget all but what is kept of the live market."""
        self._shelf = self.kept if source is not None and source.origin is Origin.LIVE else LineBook()
        self.begin()

    def begin(self) -> None:
        """Begin another pair, interval or unit."""
        self.now, self._key = HedgeLines(), None

    def change(self, old: PairSettings, new: PairSettings, frame: PairFrame | None) -> None:
        """Follow a change of settings; ``frame`` says which bars are on hand."""
        if (fitted_by(new), new.refit_every) != (fitted_by(old), old.refit_every):
            self._key = None
        if new.formation_bars != old.formation_bars:
            self.now = HedgeLines()
        elif fitted_by(new) != fitted_by(old):
            # The window stays where it was, if it is still there: another estimator, the same bars.
            self.now = HedgeLines(anchor=self.now.anchor if self._has_window(frame) else None)

    def recall(self, source: SeriesSource, settings: PairSettings) -> bool:
        """Go on with what is kept, once both legs are known: before that there can be no line. True: it was another."""
        if self._key is not None:
            return False
        self._key = key_of(source, settings)
        kept = self._shelf.get(self._key) if self._key is not None else None
        if self._key is not None and kept is None:
            self._shelf.keep(self._key, self.now)  # only when to refit has changed: the line goes on
        if kept is None or kept == self.now:
            return False
        self.now = kept
        return True

    def send(self) -> None:
        """Remember which lines go into the frame that is being built."""
        self._sent = (self._shelf, self._key, self.now)

    def take(self, built: Built, *, shown: bool) -> None:
        """Keep what came back, whatever is on screen meanwhile; go on with it where it is ``shown``.

        Lines that come back as they were sent change nothing: others may have taken their place here.
        """
        shelf, key, sent = self._sent
        if built.lines == sent:
            return
        if shown and self._key in (None, key):
            self.now = built.lines
        if key is not None:
            shelf.keep(key, built.lines)

    def follow(self, key: LineKey) -> bool:
        """Go on with what another window that shows the same has fitted. True: it was another line."""
        lines = self.kept.get(key) if key == self._key and self._shelf is self.kept else None
        if lines is None or lines == self.now:
            return False
        self.now = lines
        return True

    def _has_window(self, frame: PairFrame | None) -> bool:
        """Return whether the bars that the first line was fitted on are on hand."""
        first = self.now.first
        return first is None or (frame is not None and len(frame) > 0 and int(frame.times[0]) <= first.start_ms)


def fitted_by(settings: PairSettings) -> tuple[object, ...]:
    """Return what the hedge lines depend on, beyond the legs."""
    return settings.formation_bars, settings.hedge, settings.formation_end, settings.stated_delta
