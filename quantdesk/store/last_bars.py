"""Read the newest bars of a SQLite store before anything else is loaded: no SQLAlchemy, no waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

from quantdesk.bars.arrays import BarArrays
from quantdesk.bars.derived import DERIVED
from quantdesk.store.base import StoredBars
from quantdesk.store.derived import load_derived
from quantdesk.store.sqlite_plain import check_file, in_plain_words, read_only_connection
from quantdesk.types import Instrument

#: So long (s) a store that another program has locked may keep the first paint waiting.
_PATIENCE = 0.2
#: So many bars of a level the first paint folds at most; what is older follows it.
_MOST_FOLDED = 10_000
_KEY = "instrument_id = ? AND interval = ?"
_FIND = "SELECT id, venue, symbol, tick_size, step_size FROM instruments WHERE venue = ? AND symbol = ?"
# Which bar stands for a time is the business of the store's own view. Each table alone has so many times
# that the view has as many from there on; without that bound it would build every bar of the instrument.
_BOUNDS = tuple(
    f"SELECT open_time FROM {table} WHERE {_KEY} AND open_time < ? ORDER BY open_time DESC LIMIT 1 OFFSET ?"  # noqa: S608  # two names
    for table in ("bars", "source_bars")
)
_NAMES = ", ".join(field.name for field in fields(BarArrays))
_SELECT = (
    f"SELECT {_NAMES}, origin FROM all_bars WHERE {_KEY} AND open_time >= ? AND open_time < ?"  # noqa: S608  # names of ours
    " ORDER BY open_time DESC LIMIT ?"
)


def read_last_bars(
    path: Path, venue: str, symbols: Sequence[str], interval: str, limit: int
) -> list[tuple[Instrument, StoredBars]]:
    """Load what ``load_bars(..., limit=limit)`` would load of those symbols that the store has bars of.

    Nothing where there is no store; an older one is read as it is. Raises StoreError in words where it
    cannot be read now: damaged, of a newer version, or locked for longer than a moment.
    """
    if not check_file(path):
        return []
    with in_plain_words(path), closing(read_only_connection(path, _PATIENCE)) as store:
        store.execute("BEGIN")  # one state of the store for all of it
        found = [store.execute(_FIND, (venue, symbol)).fetchone() for symbol in symbols]
        loaded = [
            _loaded(store, row[0], Instrument(row[1], row[2], Decimal(row[3]), Decimal(row[4])), interval, limit)
            for row in found
            if row is not None
        ]
    return [(instrument, stored) for instrument, stored in loaded if stored.origin]


def _loaded(
    store: sqlite3.Connection, held: int, instrument: Instrument, interval: str, limit: int
) -> tuple[Instrument, StoredBars]:
    stored, derived = _bars(store, held, interval, None, limit), DERIVED.get(interval)
    if derived is None:
        return instrument, stored
    most = max(1, min(limit, _MOST_FOLDED // derived.ratio))
    return instrument, load_derived(_Levels(store, held), instrument, derived, stored, None, None, most)


class _Levels:
    """Read the kept levels for folding."""

    def __init__(self, store: sqlite3.Connection, held: int) -> None:
        self._store, self._held = store, held

    def load_bars(
        self, instrument: Instrument, interval: str, start: int | None, end: int | None, limit: int | None
    ) -> StoredBars:
        """Load the newest bars before ``end`` (ms)."""
        return _bars(self._store, self._held, interval, end, limit or _MOST_FOLDED)


def _bars(store: sqlite3.Connection, held: int, interval: str, end: int | None, limit: int) -> StoredBars:
    key, before = (held, interval), 2**63 - 1 if end is None else end
    firsts = [store.execute(bound, (*key, before, limit - 1)).fetchone() for bound in _BOUNDS]
    start = max((first[0] for first in firsts if first is not None), default=-(2**63))
    rows = store.execute(_SELECT, (*key, start, before, limit)).fetchall()[::-1]
    return StoredBars(BarArrays.from_rows([row[:-1] for row in rows]), tuple(row[-1] for row in rows))
