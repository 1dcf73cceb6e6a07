"""Fold stored bars into the intervals that no store keeps, and put the exchange's own bars beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from quantdesk.bars.arrays import BarArrays
from quantdesk.bars.derived import Derived, fold_bars
from quantdesk.store.base import StoredBars
from quantdesk.types import Instrument

_NO_BARS = StoredBars(BarArrays.empty(), ())
_NO_TIMES = np.empty(0, np.int64)


class Loads(Protocol):
    """Load bars of the levels that the store keeps."""

    def load_bars(
        self, instrument: Instrument, interval: str, start: int | None, end: int | None, limit: int | None
    ) -> StoredBars:
        """Load bars of the read view."""


class Iterates(Loads, Protocol):
    """Load them in blocks, too."""

    def iter_bars(
        self, instrument: Instrument, interval: str, start: int | None, end: int | None, chunk: int
    ) -> Iterator[StoredBars]:
        """Yield blocks of bars of the read view."""


def folded(base: StoredBars, derived: Derived, instrument: Instrument, *, begins: bool) -> StoredBars:
    """Fold bars of the base; ``begins``: the store has none before them.

    A bar with one from trades only is "trades", one that lacks trades "partial"; the rest have the origin of
    the first bar in them that is not from trades.
    """
    if not base.origin:
        return _NO_BARS
    origin = np.array(base.origin, dtype=object)
    found = fold_bars(
        base.bars,
        derived,
        traded=np.asarray(np.isin(origin, ("trades", "partial")), np.bool_),
        partial=np.asarray(origin == "partial", np.bool_),
        begins=begins,
        decimals=(instrument.price_decimals, instrument.quantity_decimals),
    )
    lacking = found.partial.copy()
    # The newest bar may still run: one that klines stand in would pass for one of the exchange's own.
    reached = int(base.bars.open_time[-1]) + derived.base.ms
    lacking[-1] |= not found.traded[-1] and reached < int(found.bars.open_time[-1]) + derived.ms
    bucket = base.bars.open_time - base.bars.open_time % derived.ms
    first = {int(time): str(name) for time, name in zip(bucket[::-1], origin[::-1], strict=True) if name != "trades"}
    times = found.bars.open_time.tolist()
    flags = zip(times, found.traded.tolist(), lacking.tolist(), strict=True)
    origins = ("partial" if lacks else "trades" if traded else first[time] for time, traded, lacks in flags)
    return StoredBars(found.bars, tuple(origins))


def beside(fold: StoredBars, source: StoredBars, limit: int | None = None) -> StoredBars:
    """Return folded bars where they are whole and from trades, else source bars, else what there is; the newest."""
    whole = fold.bars.open_time[np.array(fold.origin, dtype=object) == "trades"] if fold.origin else _NO_TIMES
    theirs = ~np.isin(source.bars.open_time, whole)
    ours = ~np.isin(fold.bars.open_time, source.bars.open_time[theirs])
    times = np.concatenate([fold.bars.open_time[ours], source.bars.open_time[theirs]])
    order = np.argsort(times, kind="stable")[-limit if limit else 0 :]
    names = ("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades")
    pairs = ((getattr(fold.bars, n)[ours], getattr(source.bars, n)[theirs]) for n in names)
    origins = (np.array(fold.origin, dtype=object)[ours], np.array(source.origin, dtype=object)[theirs])
    bars = BarArrays(*(np.concatenate(pair)[order] for pair in pairs))
    return StoredBars(bars, tuple(np.concatenate(origins)[order].tolist()))


def load_derived(
    levels: Loads,
    instrument: Instrument,
    derived: Derived,
    source: StoredBars,
    start: int | None,
    end: int | None,
    limit: int | None,
) -> StoredBars:
    """Load what ``load_bars`` promises of an interval that is folded at read; ``source``: its own source bars."""
    ms, base = derived.ms, derived.base.value
    first = None if start is None else -(-start // ms) * ms
    last = None if end is None else -(-end // ms) * ms
    most = None if limit is None else limit * derived.ratio
    held = levels.load_bars(instrument, base, first, last, most)
    if not held.origin:
        return beside(_NO_BARS, source, limit)
    edge = int(held.bars.open_time[0])
    begins = not levels.load_bars(instrument, base, None, edge, 1).origin
    if most is not None and len(held.bars) == most and not begins and edge % ms:
        # Of the oldest bar only a part was read.
        whole = held.bars.open_time >= edge - edge % ms + ms
        held = StoredBars(held.bars[whole], tuple(np.array(held.origin, dtype=object)[whole].tolist()))
    return beside(folded(held, derived, instrument, begins=begins), source, limit)


def iter_derived(
    levels: Iterates,
    instrument: Instrument,
    derived: Derived,
    source: StoredBars,
    start: int | None,
    end: int | None,
    chunk: int,
) -> Iterator[StoredBars]:
    """Yield what ``load_derived`` would load in blocks, ascending; each is folded from about ``chunk`` bars."""
    ms, base = derived.ms, derived.base.value
    first = None if start is None else -(-start // ms) * ms
    last = None if end is None else -(-end // ms) * ms
    kept, begins, told = _NO_BARS, None, -(2**63)
    for block in levels.iter_bars(instrument, base, first, last, chunk):
        if begins is None:
            begins = not levels.load_bars(instrument, base, None, int(block.bars.open_time[0]), 1).origin
        held = beside(kept, block)  # one after the other
        cut = int(held.bars.open_time[-1] - held.bars.open_time[-1] % ms)  # more of this one may come
        ready, kept = _split(held, cut)
        if ready.origin:
            part = _split(_split(source, told)[1], cut)[0]
            yield beside(folded(ready, derived, instrument, begins=begins), part)
            begins, told = False, cut
    rest = beside(folded(kept, derived, instrument, begins=bool(begins)), _split(source, told)[1])
    if rest.origin:
        yield rest


def _split(stored: StoredBars, time: int) -> tuple[StoredBars, StoredBars]:
    """Return the bars before a time (ms), and the others."""
    row = int(np.searchsorted(stored.bars.open_time, time))
    return (
        StoredBars(stored.bars[:row], stored.origin[:row]),
        StoredBars(stored.bars[row:], stored.origin[row:]),
    )
