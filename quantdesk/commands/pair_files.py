"""Read one or two files as a pair: legs joined on time, with a note on everything that was left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from quantdesk.commands.shared import UsageError
from quantdesk.config import ConfigError

if TYPE_CHECKING:
    from quantdesk.analytics.analysis import PairInput
    from quantdesk.analytics.ticks import TickLeg
    from quantdesk.store.files import LoadedLeg


def read_pair(path_y: Path, path_x: Path | None, *, skip_bad_rows: bool) -> PairInput:
    """Return the legs of two files, or of one that holds a pair; raise UsageError, ConfigError or FileError."""
    from quantdesk.store.files import interval_name

    notes: list[str] = []
    if path_x is None:
        legs = _read(path_y, skip_bad_rows, None, notes)
        if len(legs) != 2:
            raise UsageError(f"{path_y.name} holds one leg: name the file of the hedge leg, too")
        leg_y, leg_x = legs
    else:
        leg_y = _one_leg(path_y, skip_bad_rows, None, notes)
        leg_x = _one_leg(path_x, skip_bad_rows, None, notes)
        if leg_y.interval_ms != leg_x.interval_ms:
            # Trades can be built into any longer bars: into those of the other leg.
            longest = max(leg_y.interval_ms, leg_x.interval_ms)
            if leg_y.ticks is not None and leg_y.interval_ms < longest:
                leg_y = _one_leg(path_y, skip_bad_rows, longest, [])
            if leg_x.ticks is not None and leg_x.interval_ms < longest:
                leg_x = _one_leg(path_x, skip_bad_rows, longest, [])
        if leg_y.interval_ms != leg_x.interval_ms:
            found = f"{interval_name(leg_y.interval_ms)} and {interval_name(leg_x.interval_ms)}"
            notes.append(f"the legs have different intervals ({found}): only common times are used")
    return _join(leg_y, leg_x, notes)


def _join(leg_y: LoadedLeg, leg_x: LoadedLeg, notes: list[str]) -> PairInput:
    """Return the rows at which both legs have a close; ConfigError where there is none."""
    from quantdesk.analytics.align import inner_join
    from quantdesk.analytics.analysis import PairInput
    from quantdesk.analytics.utc_text import span_text
    from quantdesk.store.files import interval_name

    times_y, times_x = leg_y.bars.open_time, leg_x.bars.open_time
    rows_y, rows_x = inner_join(times_y, times_x)
    good = np.isfinite(leg_y.statistic_closes[rows_y]) & np.isfinite(leg_x.statistic_closes[rows_x])
    rows_y, rows_x = rows_y[good], rows_x[good]
    if len(rows_y) == 0:
        spans = " and ".join(f"{leg.name} {span_text(leg.bars.open_time)}" for leg in (leg_y, leg_x))
        raise ConfigError(f"the legs have no time in common: {spans}")
    for leg in (leg_y, leg_x):
        if len(leg.bars) > len(rows_y):
            notes.append(f"{len(leg.bars) - len(rows_y)} of {len(leg.bars)} bars of {leg.name} have no partner")
    return PairInput(
        leg_y.name,
        leg_x.name,
        interval_name(max(leg_y.interval_ms, leg_x.interval_ms)),
        times_y[rows_y],
        leg_y.statistic_closes[rows_y],
        leg_x.statistic_closes[rows_x],
        tuple(notes),
        _ticks(leg_y),
        _ticks(leg_x),
    )


def _ticks(leg: LoadedLeg) -> TickLeg | None:
    from quantdesk.analytics.ticks import collapse

    return None if leg.ticks is None else collapse(leg.ticks.ts, leg.ticks.price)


def _one_leg(path: Path, skip_bad_rows: bool, interval_ms: int | None, notes: list[str]) -> LoadedLeg:
    """Read a file that must hold one leg."""
    legs = _read(path, skip_bad_rows, interval_ms, notes)
    if len(legs) != 1:
        raise UsageError(f"{path.name} holds a pair of its own ({', '.join(leg.name for leg in legs)}): name it alone")
    return legs[0]


def _read(path: Path, skip_bad_rows: bool, interval_ms: int | None, notes: list[str]) -> tuple[LoadedLeg, ...]:
    """Read a file; what it held, and what was left out, goes to the notes."""
    from quantdesk.store.files import read_file

    loaded = read_file(path, skip_bad_rows=skip_bad_rows, bar_interval_ms=interval_ms)
    notes.append(loaded.report.summary())
    return loaded.legs
