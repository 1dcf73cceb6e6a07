"""Count trades that came once more and were dropped, until the store has the number."""

from __future__ import annotations

import logging
import threading
from collections import Counter

from quantdesk.store.base import LeasedElsewhereError, Store, StoreError
from quantdesk.types import Instrument

_log = logging.getLogger(__name__)


class Repeats:
    """Add up from any thread; what the store does not take stays for the next time."""

    def __init__(self) -> None:
        self._counts: Counter[Instrument] = Counter()
        self._lock = threading.Lock()

    def add(self, instrument: Instrument, count: int) -> None:
        """Count so many more."""
        with self._lock:
            self._counts[instrument] += count

    def save(self, store: Store) -> None:
        """Add what has been counted to the store's numbers."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for instrument, count in counts.items():
            try:
                store.add_duplicates(instrument, count)
            except LeasedElsewhereError:
                continue  # who writes the instrument counts its own
            except StoreError as error:
                _log.warning("%d duplicates of %s are not counted yet: %s", count, instrument.symbol, error)
                self.add(instrument, count)
