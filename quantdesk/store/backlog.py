"""Hold what the store does not take: rows in the spill file, acts in memory behind them."""

from __future__ import annotations

from collections.abc import Sequence

from quantdesk.store.base import StoreError
from quantdesk.store.spill import Spill
from quantdesk.store.spill_records import Kept, representable
from quantdesk.store.write_queue import Act, Ticks, Work, grouped
from quantdesk.types import Gap


class Backlog:
    """Keep works in order until the store takes them again; without a spill it refuses all of them."""

    def __init__(self, spill: Spill | None) -> None:
        self._spill = spill
        self._acts: list[Act] = []
        self._settled = 0  # damaged bytes whose holes are booked
        self._reach: dict[tuple[str, str], Gap] = {}  # what came in since the file was empty

    @property
    def waits(self) -> bool:
        """Tell whether anything waits; then nothing else may go to the store."""
        return bool(self._acts) or (self._spill is not None and not self._spill.is_empty)

    @property
    def trades(self) -> int:
        """Return how many trades wait in the file."""
        return self._spill.waiting if self._spill is not None else 0

    @property
    def damage(self) -> str:
        """Say what of the file could not be read; empty where all of it could."""
        if self._spill is None or not self._spill.damaged_bytes:
            return ""
        return (
            f"{self._spill.damaged_bytes:,} bytes of the spill file could not be read: they are in {self._spill.aside}"
        )

    def move(self, works: Sequence[Work]) -> int:
        """Take all works or none; return how many trades were left out because no file can hold their numbers.

        Raises StoreError in words where the file takes no more.
        """
        if self._spill is None:
            raise StoreError("there is no place for a spill file")
        rows: list[Kept] = [work for work in works if not isinstance(work, Act)]
        left_out = 0
        try:
            self._spill.append(rows)
        except (OverflowError, ValueError):
            sound = [_sound(work) for work in rows]
            left_out = _trades(rows) - _trades(sound)
            self._spill.append(sound)
        self._acts += [work for work in works if isinstance(work, Act)]
        for work in rows:
            if isinstance(work, Ticks) and work.ticks:
                self._note(work)
        return left_out

    def _note(self, work: Ticks) -> None:
        first, last = (pick(work.ticks, key=lambda tick: tick.agg_id) for pick in (min, max))
        key = (work.instrument.venue, work.instrument.symbol)
        known = self._reach.get(key)
        low = first.agg_id if known is None else min(known.first_id, first.agg_id)
        ends = (last.agg_id, last.ts) if known is None else max((known.last_id, known.end_ts), (last.agg_id, last.ts))
        start = first.ts if known is None else min(known.start_ts, first.ts)
        self._reach[key] = Gap(work.instrument.symbol, low, ends[0], start, max(start, ends[1]), ends[1])

    def read(self, rows: int) -> list[Work]:
        """Return the next works, about so many rows, ticks grouped by instrument."""
        return grouped(self._spill.read(rows)) if self._spill is not None else []

    def advance(self) -> bool:
        """Go on behind what was read last; return whether nothing follows."""
        if self._spill is None:
            return True
        self._spill.advance()
        return self._spill.is_replayed

    def clear(self) -> None:
        """Remove the file: all of it is in the store."""
        if self._spill is not None:
            self._spill.clear()
            self._reach.clear()

    def take_acts(self) -> list[Act]:
        """Return the acts whose turn it is now."""
        acts, self._acts = self._acts, []
        return acts

    @property
    def reach(self) -> dict[tuple[str, str], Gap]:
        """Return by venue and symbol the lowest and highest id that came in since the file was empty."""
        return self._reach

    def has_lost(self) -> bool:
        """Tell whether records were damaged since it was asked last: their ids are to be booked as missing."""
        damaged = self._spill.damaged_bytes if self._spill is not None else 0
        lost, self._settled = damaged > self._settled, damaged
        return lost

    def close(self, error: Exception) -> None:
        """Let go of the file, what waits in it stays; tell those who wait for an act that it will not run."""
        for act in self.take_acts():
            if not act.future.done() and act.future.set_running_or_notify_cancel():
                act.future.set_exception(error)
        if self._spill is not None:
            self._spill.close()


def _trades(works: Sequence[Kept]) -> int:
    return sum(len(work.ticks) for work in works if isinstance(work, Ticks))


def _sound(work: Kept) -> Kept:
    return Ticks(work.instrument, [t for t in work.ticks if representable(t)]) if isinstance(work, Ticks) else work
