"""Read a file of the archive as what it claims to be, or say why it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path

import numpy as np

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.base import Store, TickArrays
from quantdesk.store.day_ledger import MisfitError
from quantdesk.store.files import FileError, LoadedFile, LoadedLeg, read_file
from quantdesk.store.tick_days import Mask, compared, joined
from quantdesk.types import Instrument

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class FileTrades:
    """Hold the trades of a file, ascending in time and id, with the precision they are written in."""

    ticks: TickArrays
    tick_size: Decimal
    step_size: Decimal


def read_trades(path: Path, start: int, end: int, cancelled: Callable[[], bool] = lambda: False) -> FileTrades:
    """Read aggregate trades of [start, end) (ms); raises FileError in one line, or Cancelled."""
    loaded, leg = _read(path, cancelled)
    ticks = leg.ticks
    if ticks is None or "agg" not in loaded.report.kind.lower():
        raise FileError(f"{path.name}: holds no aggregate trades: nothing of it was used")
    if ticks.ts[0] < start or ticks.ts[-1] >= end:
        raise FileError(f"{path.name}: holds trades of another day: nothing of it was used")
    if (np.diff(ticks.agg_id) <= 0).any():
        raise FileError(f"{path.name}: its trade ids do not rise with time: nothing of it was used")
    if (ticks.trades < 1).any() or ticks.agg_id[0] < 0:
        raise FileError(f"{path.name}: has impossible trade ids: nothing of it was used")
    return FileTrades(ticks, Decimal(1).scaleb(-leg.price_decimals), Decimal(1).scaleb(-leg.quantity_decimals))


def read_bars(path: Path, ms: int, start: int, end: int, cancelled: Callable[[], bool] = lambda: False) -> BarArrays:
    """Read klines of an interval of ``ms`` that open in [start, end); raises FileError in one line, or Cancelled."""
    _, leg = _read(path, cancelled)
    times = leg.bars.open_time
    if leg.ticks is not None or (times % ms).any() or (np.diff(times) <= 0).any():
        raise FileError(f"{path.name}: does not hold bars of its interval: nothing of it was used")
    if len(times) and (times[0] < start or times[-1] >= end):
        raise FileError(f"{path.name}: holds bars of another time: nothing of it was used")
    return leg.bars


def _read(path: Path, cancelled: Callable[[], bool]) -> tuple[LoadedFile, LoadedLeg]:
    loaded = read_file(path, cancelled=cancelled)
    if len(loaded.legs) != 1:
        raise FileError(f"{path.name}: does not hold one instrument: nothing of it was used")
    return loaded, loaded.legs[0]


def hours_of(start: int, end: int) -> list[tuple[int, int]]:
    """Return [start, end) in hours: so much is compared in one turn of the store."""
    return [(low, min(end, low + _HOUR_MS)) for low in range(start, end, _HOUR_MS)]


def lacking_in(store: Store, instrument: Instrument, ticks: TickArrays, low: int, high: int) -> Mask:
    """Return which trades of [low, high) (ms) the store lacks; raises MisfitError where it holds others so numbered."""
    first, last = np.searchsorted(ticks.ts, (low, high))
    ours = slice_of(ticks, int(first), int(last))
    theirs = joined(list(store.load_ticks(instrument, low, high)))
    found = compared(ours, theirs)
    strange = np.isin(found.strange, ours.agg_id)
    if found.differing.any() or strange.any():
        count = int(found.differing.sum() + strange.sum())
        raise MisfitError(f"{count:,} of its trades differ from those that are held under their ids")
    return found.lacking


def slice_of(ticks: TickArrays, start: int, end: int) -> TickArrays:
    """Return the trades from one place to another."""
    return TickArrays(*(getattr(ticks, field.name)[start:end] for field in fields(ticks)))
