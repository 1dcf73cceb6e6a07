"""Write one piece of work to a store and count what became of it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import suppress

from quantdesk.config import FeedLimits
from quantdesk.store.base import LeasedElsewhereError, Store, StoreError
from quantdesk.store.day_ledger import settle_days
from quantdesk.store.repeats import Repeats
from quantdesk.store.standby import Standby
from quantdesk.store.write_queue import Bars, Ledger, Ticks, Work
from quantdesk.types import Instrument, Tick

_log = logging.getLogger(__name__)


class Recorder:
    """Write works for the writer's thread; ``standby`` holds what another program writes."""

    def __init__(self) -> None:
        self.standby = Standby()
        self.duplicates = self.rejected = 0
        self._written: Counter[tuple[str, str]] = Counter()
        self._repeats = Repeats()
        self._unsure: Ticks | None = None

    @property
    def written(self) -> int:
        """Return how many trades were new to the store."""
        return sum(list(self._written.values()))

    def written_of(self, instrument: Instrument) -> int:
        """Return how many trades of an instrument were new to the store."""
        return self._written[instrument.venue, instrument.symbol]

    def write(self, store: Store, work: Work, *, replayed: bool) -> None:
        """Write a work; of an impossible row keep the neighbours, count it, say it: retrying cannot help."""
        try:
            self._write(store, work, replayed=replayed)
        except (ValueError, OverflowError) as error:
            if isinstance(work, Ticks) and len(work.ticks) > 1:
                half = len(work.ticks) // 2
                for part in (work.ticks[:half], work.ticks[half:]):
                    self.write(store, Ticks(work.instrument, part), replayed=replayed)
                return
            self.rejected += 1
            _log.exception("not kept: %s", error)

    def _write(self, store: Store, work: Work, *, replayed: bool = False) -> None:
        if isinstance(work, Ticks):
            self._write_ticks(store, work, replayed=replayed)
        elif isinstance(work, Bars):
            store.append_source_bars(work.instrument, work.interval, work.bars, work.origin)
        elif isinstance(work, Ledger):
            with suppress(LeasedElsewhereError):  # who writes the instrument keeps its ledger
                store.save_gaps(work.instrument, list(work.gaps.values()))
        else:
            work.run(store)

    def _write_ticks(self, store: Store, work: Ticks, *, replayed: bool) -> None:
        if work.instrument in self.standby and not replayed:
            self.standby.keep(work.instrument, work.ticks)
            return
        try:
            new = store.append_ticks(work.instrument, work.ticks)
        except LeasedElsewhereError as error:
            if not replayed:
                self.standby.keep(work.instrument, work.ticks, error.holder)
                return
            # What waited in the spill may be nowhere else; rows of the past are the same whoever brings them.
            new = store.append_ticks(work.instrument, work.ticks, guest=True)
        except StoreError:
            self._unsure = work  # a line that breaks at the end may leave it committed all the same
            raise
        self._written[work.instrument.venue, work.instrument.symbol] += new
        again = len(work.ticks) - new
        # What is written for the second time, from a spill or after a failure, is no duplicate of the exchange.
        if again and not replayed and work is not self._unsure:
            self.duplicates += again
            self._repeats.add(work.instrument, again)
        self._unsure = None

    def begin(self, store: Store) -> None:
        """Give up the days that a program was filling as it died; this one fills none yet."""
        try:
            settled = settle_days(store, time.time_ns() // 1_000_000, FeedLimits().rest_reach_ms)
        except StoreError as error:
            _log.warning("days whose download was cut are not looked for: %s", error)
            return
        if settled:
            _log.warning("%d days were left half by a download that was cut: what they lack is missing again", settled)

    def care(self, store: Store) -> None:
        """Count what was dropped, keep alive what the store needs, take over what nobody writes any more."""

        def take_over(instrument: Instrument, ticks: list[Tick]) -> None:
            # As from a spill: what the dead one has stored of it is no duplicate of the exchange.
            self.write(store, Ticks(instrument, ticks), replayed=True)

        self._repeats.save(store)
        store.tend()
        self.standby.tend(store, take_over)

    def release(self, store: Store, instrument: Instrument) -> None:
        """Write an instrument no longer: another program may."""
        self.standby.drop(instrument)
        store.release(instrument)

    def count_repeats(self, instrument: Instrument, count: int) -> None:
        """Count trades that came once more and were dropped; from any thread."""
        self._repeats.add(instrument, count)

    def save_repeats(self, store: Store) -> None:
        """Write that count."""
        self._repeats.save(store)
