"""Freeze hedge lines on stated formation windows, so that no spread depends on what came later."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantdesk.analytics.hedge import ols
from quantdesk.analytics.spread import spread_of
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.model.frame import SHORTEST_WINDOW, PairSettings, Refit
from quantdesk.types import Origin

LEAST_FILE_ROWS = 3
MOST_REFITS = 5_000


@dataclass(frozen=True, slots=True)
class HedgeLines:
    """Hold the first fit and the refits after it, oldest first, of one pair view.

    ``anchor`` (ms) is the end of the last joined bar when the view went live. Until ``settled`` the
    first window is made anew as history fills in behind; afterwards it never changes.
    """

    first: Refit | None = None
    refits: tuple[Refit, ...] = ()
    anchor: int | None = None
    settled: bool = False

    @property
    def newest(self) -> Refit | None:
        """Return the line in force at the newest bar."""
        return self.refits[-1] if self.refits else self.first

    def columns(self, times: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return (beta, mean, sigma) in force at each time; NaN without a line."""
        if self.first is None:
            nothing = np.full(len(times), np.nan)
            return nothing, nothing, nothing
        lines = (self.first, *self.refits)
        row = np.searchsorted(np.array([r.time for r in self.refits], np.int64), times, "right")
        beta, mean, sigma = (np.array([getattr(line, n) for line in lines])[row] for n in ("beta", "mean", "sigma"))
        return beta, mean, sigma


@dataclass(frozen=True, slots=True)
class JoinedBars:
    """Hold the n joined closed bars that lines are fitted on (logs if the settings say so)."""

    times: IntArray
    y: FloatArray
    x: FloatArray
    interval_ms: int

    def __len__(self) -> int:
        return len(self.times)

    def fit(self, start: int, stop: int) -> Refit | None:
        """Fit rows [start, stop); None where there is no line. It applies from the next bar on."""
        fit = ols(self.y[start:stop], self.x[start:stop])
        if fit.n < LEAST_FILE_ROWS or not np.isfinite(fit.beta):
            return None
        spread = spread_of(self.y[start:stop], self.x[start:stop], fit.beta)
        first, last = int(self.times[start]), int(self.times[stop - 1])
        mean, sigma = float(spread.mean()), float(spread.std(ddof=1))
        time = last + self.interval_ms
        return Refit(time, fit.alpha, fit.beta, mean, sigma, first, last, fit.n, fit.r_squared, fit.stderr_beta)


def advance(
    lines: HedgeLines,
    joined: JoinedBars,
    settings: PairSettings,
    origin: Origin,
    live_since: int | None,
    *,
    refit_now: bool = False,
) -> HedgeLines:
    """Return the lines as the joined bars now allow: first window, scheduled refits, an asked-for one."""
    if len(joined) == 0:
        return lines
    if not lines.settled:
        lines = _first(lines, joined, settings, origin, live_since)
    if lines.first is None:
        return lines
    if refit_now:
        lines = _with_refit(
            replace(lines, settled=True), joined.fit(max(0, len(joined) - _bars(settings)), len(joined))
        )
    if lines.settled and settings.refit_every:
        lines = _scheduled(lines, joined, settings)
    return _pruned(lines, int(joined.times[0]))


def _bars(settings: PairSettings) -> int:
    return settings.formation_bars


def _first(
    lines: HedgeLines, joined: JoinedBars, settings: PairSettings, origin: Origin, live_since: int | None
) -> HedgeLines:
    size, bars = len(joined), settings.formation_bars
    if origin is Origin.FILE:
        rows = min(size, max(SHORTEST_WINDOW, -(-size // 3)))
        return replace(lines, first=joined.fit(0, rows), settled=True)
    anchor = lines.anchor
    if anchor is None and live_since is not None:
        anchor = max(live_since, int(joined.times[-1]) + joined.interval_ms)
    before = size if anchor is None else int(np.searchsorted(joined.times, anchor - joined.interval_ms, "right"))
    after = size - before
    if before >= bars:
        start, stop = before - bars, before
        # Stored bars of an earlier session make a first line only until history has closed the distance.
        near = anchor is not None and anchor - int(joined.times[start]) <= 2 * bars * joined.interval_ms
        settled = near or after >= bars
    else:
        start, stop = 0, min(size, bars)
        settled = size >= bars and anchor is not None
    if stop - start < SHORTEST_WINDOW:
        return replace(lines, anchor=anchor)
    first = joined.fit(start, stop)
    return replace(lines, first=first, anchor=anchor, settled=settled and first is not None)


def _with_refit(lines: HedgeLines, line: Refit | None) -> HedgeLines:
    if line is None:
        return lines
    kept = tuple(r for r in lines.refits if r.time < line.time)
    return replace(lines, refits=(*kept, line))


def _scheduled(lines: HedgeLines, joined: JoinedBars, settings: PairSettings) -> HedgeLines:
    assert lines.newest is not None
    newest, refits, every = lines.newest, list(lines.refits), settings.refit_every
    row = int(np.searchsorted(joined.times, newest.end_ms, "right")) + every
    while row <= len(joined):
        line = joined.fit(max(0, row - settings.formation_bars), row)
        if line is not None:
            refits.append(line)
        row += every
    return replace(lines, refits=tuple(refits))


def _pruned(lines: HedgeLines, oldest: int) -> HedgeLines:
    """Drop the refits that no bar on hand uses: those followed by another one before the oldest bar."""
    refits = lines.refits[-MOST_REFITS:]
    unused = sum(1 for r in refits if r.time <= oldest) - 1
    return replace(lines, refits=refits[max(0, unused) :])
