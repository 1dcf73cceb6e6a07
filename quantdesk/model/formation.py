"""Freeze hedge lines on stated formation windows, so that no spread depends on what came later."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantdesk.analytics.hedge import OlsFit, ols, ols_through_origin, total_least_squares
from quantdesk.analytics.spread import spread_of
from quantdesk.analytics.stationarity import NoValueError
from quantdesk.analytics.utc_text import utc_text
from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.model.frame import PairSettings, Refit
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.hedge_path import HedgePath, kalman_extended, kalman_start, rolling_path
from quantdesk.types import Origin

LEAST_FILE_ROWS = 3
MOST_REFITS = 5_000


@dataclass(frozen=True, slots=True)
class HedgeLines:
    """Hold the first fit and the refits after it, oldest first, of one pair view.

    ``anchor`` (ms) is the end of the last joined bar when the view went live. Until ``settled`` the
    first window is made anew as history fills in behind; afterwards it never changes. ``path`` is the line that
    moves, for methods that have one; ``reason`` says why there is no line where bars enough are there.
    """

    first: Refit | None = None
    refits: tuple[Refit, ...] = ()
    anchor: int | None = None
    settled: bool = False
    path: HedgePath | None = None
    reason: str = ""

    @property
    def newest(self) -> Refit | None:
        """Return the line in force at the newest bar."""
        if self.path is not None and self.first is not None:
            return _moved(self.first, self.path)
        return self.refits[-1] if self.refits else self.first

    def columns(self, times: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return (beta, mean, sigma) in force at each time; NaN without a line."""
        if self.path is not None:
            return self.path.at(times)
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

    def closed_by(self, time_ms: int) -> int:
        """Return how many of the bars had closed at a time."""
        return int(np.searchsorted(self.times, time_ms - self.interval_ms, "right"))

    def fit(self, start: int, stop: int, method: HedgeMethod = HedgeMethod.OLS) -> Refit:
        """Fit rows [start, stop), by OLS where the method moves; the line applies from the next bar on.

        Raises NoValueError where there is no line.
        """
        fit = _estimate(self.y[start:stop], self.x[start:stop], method)
        if fit.n < LEAST_FILE_ROWS:
            raise NoValueError(f"{fit.n} bars of both legs are too few for a hedge ratio")
        if not np.isfinite(fit.beta):
            raise NoValueError("there is no hedge ratio: a leg does not vary in the formation window")
        spread = spread_of(self.y[start:stop], self.x[start:stop], fit.beta)
        first, last = int(self.times[start]), int(self.times[stop - 1])
        mean, sigma = float(spread.mean()), float(spread.std(ddof=1))
        time = last + self.interval_ms
        return Refit(time, fit.alpha, fit.beta, mean, sigma, first, last, fit.n, fit.r_squared, fit.stderr_beta)


def _estimate(y: FloatArray, x: FloatArray, method: HedgeMethod) -> OlsFit:
    """Return a line by a method, errors and R² where it has some. Raises NoValueError where Johansen finds none."""
    if method is HedgeMethod.ORIGIN:
        return ols_through_origin(y, x)
    if method is HedgeMethod.REVERSE:
        fit = ols(x, y)
        beta = 1 / fit.beta if fit.beta else np.nan
        return OlsFit(-fit.alpha * beta, beta, fit.r_squared, fit.stderr_beta * beta**2, fit.n)
    if method is HedgeMethod.TLS:
        line = total_least_squares(y, x)
        return OlsFit(line.alpha, line.beta, np.nan, np.nan, line.n)
    if method is HedgeMethod.JOHANSEN:
        from quantdesk.analytics.johansen import johansen

        found = johansen(y, x)
        return OlsFit(float((y - found.beta * x).mean()), found.beta, np.nan, np.nan, found.observations)
    return ols(y, x)


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
    if settings.hedge.moves:
        return _followed(lines, joined, settings.hedge)
    if refit_now:
        lines = _with_refit(replace(lines, settled=True), _line_before(joined, len(joined), settings))
    if lines.settled and settings.refit_every:
        lines = _scheduled(lines, joined, settings)
    return _pruned(lines, int(joined.times[0]))


def _first(
    lines: HedgeLines, joined: JoinedBars, settings: PairSettings, origin: Origin, live_since: int | None
) -> HedgeLines:
    size, bars, least = len(joined), settings.formation_bars, settings.least_formation
    anchor = lines.anchor
    if settings.formation_end:
        return _dated(lines, joined, settings, origin)
    if origin is Origin.FILE:
        return _fitted(lines, joined, 0, min(size, max(least, -(-size // 3))), settings, settled=True)
    if anchor is None and live_since is not None:
        anchor = max(live_since, int(joined.times[-1]) + joined.interval_ms)
    lines = replace(lines, anchor=anchor)
    before = size if anchor is None else joined.closed_by(anchor)
    after = size - before
    if before >= bars:
        start, stop = before - bars, before
        # Stored bars of an earlier session make a first line only until history has closed the distance.
        near = anchor is not None and anchor - int(joined.times[start]) <= 2 * bars * joined.interval_ms
        settled = near or after >= bars
    else:
        start, stop = 0, min(size, bars)
        settled = size >= bars and anchor is not None
    if settings.hedge.moves:
        # A line that moves is known only after its window: the earliest bars leave most to draw.
        start, stop = 0, min(size, bars)
    return lines if stop - start < least else _fitted(lines, joined, start, stop, settings, settled=settled)


def _dated(lines: HedgeLines, joined: JoinedBars, settings: PairSettings, origin: Origin) -> HedgeLines:
    """Fit on the last bars that closed by a date; they stay as they are once there are enough, and a later one."""
    stop = joined.closed_by(settings.formation_end)
    start = max(0, stop - settings.formation_bars)
    rows, least = stop - start, settings.least_formation
    if rows < least:
        day = utc_text(settings.formation_end)
        return replace(lines, reason=f"{rows} bars of both legs closed by {day}: a hedge ratio needs {least}")
    held = lines.first
    if held is not None and held.n > rows and held.end_ms == int(joined.times[stop - 1]):
        return replace(lines, settled=True)  # its oldest bars have left meanwhile
    settled = origin is Origin.FILE or (rows == settings.formation_bars and len(joined) > stop)
    return _fitted(lines, joined, start, stop, settings, settled=settled)


def _fitted(
    lines: HedgeLines, joined: JoinedBars, start: int, stop: int, settings: PairSettings, *, settled: bool
) -> HedgeLines:
    """Make the first line anew on rows [start, stop); where that fails, keep what there is and say why."""
    path: HedgePath | None = None
    rows = slice(start, stop)
    try:
        first = joined.fit(start, stop, settings.hedge)
        if settings.hedge is HedgeMethod.KALMAN:
            path = kalman_start(joined.times[rows], joined.y[rows], joined.x[rows], settings.stated_delta)
    except NoValueError as error:
        return replace(lines, reason=str(error), settled=settled and lines.first is not None)
    return replace(lines, first=first, path=path, settled=settled, reason="")


def _followed(lines: HedgeLines, joined: JoinedBars, method: HedgeMethod) -> HedgeLines:
    """Move the line on to the newest bar."""
    assert lines.first is not None
    if method is HedgeMethod.ROLLING:
        return replace(lines, path=rolling_path(joined.times, joined.y, joined.x, lines.first.n))
    assert lines.path is not None
    path = kalman_extended(lines.path, joined.times, joined.y, joined.x)
    return replace(lines, path=path.since(int(joined.times[0])))


def _moved(first: Refit, path: HedgePath) -> Refit:
    """Return the newest line of a path."""
    alpha, beta, sigma = float(path.alpha[-1]), float(path.beta[-1]), float(path.deviation[-1])
    end = int(path.times[-1])
    return Refit(first.time, alpha, beta, alpha, sigma, first.start_ms, end, first.n)


def _with_refit(lines: HedgeLines, line: Refit | None) -> HedgeLines:
    if line is None:
        return lines
    kept = tuple(r for r in lines.refits if r.time < line.time)
    return replace(lines, refits=(*kept, line))


def _line_before(joined: JoinedBars, stop: int, settings: PairSettings) -> Refit | None:
    """Return the line of the last formation bars before row ``stop``, if there is one."""
    try:
        return joined.fit(max(0, stop - settings.formation_bars), stop, settings.hedge)
    except NoValueError:
        return None


def _scheduled(lines: HedgeLines, joined: JoinedBars, settings: PairSettings) -> HedgeLines:
    assert lines.newest is not None
    newest, refits, every = lines.newest, list(lines.refits), settings.refit_every
    row = int(np.searchsorted(joined.times, newest.end_ms, "right")) + every
    if newest.end_ms < int(joined.times[0]):
        row = max(row, settings.formation_bars)  # a line kept for long: the bars between are not on hand
    while row <= len(joined):
        line = _line_before(joined, row, settings)
        if line is not None:
            refits.append(line)
        row += every
    return replace(lines, refits=tuple(refits))


def _pruned(lines: HedgeLines, oldest: int) -> HedgeLines:
    """Drop the refits that no bar on hand uses: those followed by another one before the oldest bar."""
    refits = lines.refits[-MOST_REFITS:]
    unused = sum(1 for r in refits if r.time <= oldest) - 1
    return replace(lines, refits=refits[max(0, unused) :])
