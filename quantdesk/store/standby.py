"""Stand by for an instrument that another program writes: keep what the store lacks, take over when that one dies."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from quantdesk.store.base import Store
from quantdesk.types import Instrument, Tick

_log = logging.getLogger(__name__)

#: Trades kept for each instrument; an hour of a busy one. Beyond, the oldest go: REST has them.
MOST_TICKS = 200_000
#: Trades of one transaction of a takeover: it must not outlast the lease.
_PART = 20_000


class Standby:
    """Keep the newest trades of leased instruments in memory; only the writer's thread changes it.

    What the store has by now is let go, so that at a takeover nothing between the dead program's
    last commit and this one's first is missing.
    """

    def __init__(self, most: int = MOST_TICKS) -> None:
        self._most = most
        self._ticks: dict[Instrument, deque[Tick]] = {}
        self._holders: dict[Instrument, str] = {}
        self._taken: list[Instrument] = []
        self._lock = threading.Lock()

    def __contains__(self, instrument: Instrument) -> bool:
        return _key(instrument) in {_key(held) for held in self._ticks}

    @property
    def words(self) -> str:
        """Say who writes what; empty where nothing is stood by for."""
        by_holder: dict[str, list[str]] = {}
        for instrument, holder in list(self._holders.items()):
            by_holder.setdefault(holder, []).append(instrument.symbol)
        said = (f"{', '.join(symbols)} recorded by {holder}" for holder, symbols in by_holder.items())
        return "; ".join(said)

    def holder(self, instrument: Instrument) -> str:
        """Return who writes an instrument that is stood by for, empty where none is."""
        held = {_key(own): holder for own, holder in list(self._holders.items())}
        return held.get(_key(instrument), "")

    def keep(self, instrument: Instrument, ticks: Sequence[Tick], holder: str = "") -> None:
        """Keep trades of an instrument that ``holder`` writes."""
        own = next((held for held in self._ticks if _key(held) == _key(instrument)), instrument)
        self._ticks.setdefault(own, deque(maxlen=self._most)).extend(ticks)
        if holder and self._holders.get(own) != holder:
            _log.info("%s is recorded by %s: standing by", own.symbol, holder)
            self._holders[own] = holder

    def drop(self, instrument: Instrument) -> None:
        """Stand by for an instrument no longer."""
        for own in [held for held in self._ticks if _key(held) == _key(instrument)]:
            del self._ticks[own]
            self._holders.pop(own, None)

    def tend(self, store: Store, write: Callable[[Instrument, list[Tick]], None]) -> None:
        """Take over what nobody writes any more by ``write``, else let go what the store has.

        Raises StoreError where the store does not answer; nothing kept is lost by it.
        """
        for instrument, kept in list(self._ticks.items()):
            if store.acquire(instrument):
                self._take_over(instrument, kept, write)
                continue
            last = store.last_tick(instrument)
            while last is not None and kept and kept[0].agg_id <= last[0]:
                kept.popleft()

    def _take_over(
        self, instrument: Instrument, kept: deque[Tick], write: Callable[[Instrument, list[Tick]], None]
    ) -> None:
        while kept:
            part = list(islice(kept, _PART))
            write(instrument, part)
            for _ in part:
                kept.popleft()
        del self._ticks[instrument]
        _log.info("%s is taken over from %s", instrument.symbol, self._holders.pop(instrument, "another program"))
        with self._lock:
            self._taken.append(instrument)

    def takeovers(self) -> list[Instrument]:
        """Return, once, what was taken over; from any thread."""
        with self._lock:
            taken, self._taken = self._taken, []
        return taken


def _key(instrument: Instrument) -> tuple[str, str]:
    return instrument.venue, instrument.symbol
