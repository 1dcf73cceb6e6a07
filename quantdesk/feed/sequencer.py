"""Account for every aggregate trade id of one symbol: each passes once, what is missing is known. Pure."""

from __future__ import annotations

from enum import Enum, auto

from quantdesk.feed.gaps import Fill, Gaps
from quantdesk.types import Tick

#: A jump of the id beyond what 48 h can hold is a damaged frame, unless the next one confirms it.
MAX_JUMP = 20_000_000
#: So many ids in a row that are old but carry news mean that the exchange counts anew.
RENUMBERED_AFTER = 20


class Verdict(Enum):
    """Say what to do with a tick."""

    NEW = auto()  #: the next id, or one beyond a gap: show and store it
    LATE = auto()  #: fills a gap: show and store it
    REFILL = auto()  #: was shown before, the store lacks it: store it
    DUPLICATE = auto()  #: drop it
    REFUSED = auto()  #: implausible, or the ledger is full: drop it; its id stays missing

    @property
    def is_news(self) -> bool:
        """Tell whether nobody has seen this id before."""
        return self in (Verdict.NEW, Verdict.LATE)


class Sequencer:
    """Judge the ticks of one symbol by their id; ``expected`` is the id after the last one held.

    ``settle`` is how long (s) a gap may be closed by an overtaken trade before it counts as one.
    """

    def __init__(self, symbol: str, expected: int | None = None, last_ts: int = 0, settle: float = 0.0) -> None:
        self.symbol = symbol
        self.gaps = Gaps(symbol)
        self.expected = expected
        self.last_ts = last_ts
        self.duplicates = self.refused = self.renumbered = 0
        self._settle = settle
        self._suspect: Tick | None = None
        self._contradictions: list[Tick] = []

    def on_tick(self, tick: Tick, now: float = 0.0) -> Verdict:
        """Judge a tick; ``now`` is monotonic seconds. A jump of the id opens a gap."""
        if self.expected is None:
            return self._advance(tick)
        if tick.agg_id == self.expected:
            return self._advance(tick)
        if tick.agg_id > self.expected:
            return self._jump(tick, now)
        return self._old(tick)

    def _advance(self, tick: Tick) -> Verdict:
        self.expected = tick.agg_id + 1
        self.last_ts = max(self.last_ts, tick.ts)
        self._suspect = None
        self._contradictions.clear()
        return Verdict.NEW

    def _jump(self, tick: Tick, now: float) -> Verdict:
        assert self.expected is not None
        if tick.agg_id - self.expected > MAX_JUMP:
            suspect, self._suspect = self._suspect, tick
            if suspect is None or not 0 < tick.agg_id - suspect.agg_id < RENUMBERED_AFTER:
                self.refused += 1
                return Verdict.REFUSED
            return self._start_anew(suspect, tick)
        if self.gaps.is_full:
            self.refused += 1
            return Verdict.REFUSED
        settles = now + self._settle if self._settle else 0.0
        opened_at = tick.event_ts or tick.ts
        self.gaps.open(self.expected, tick.agg_id - 1, self.last_ts or tick.ts, tick.ts, opened_at, settles=settles)
        return self._advance(tick)

    def _old(self, tick: Tick) -> Verdict:
        found = self.gaps.fill(tick.agg_id, tick.ts)
        if found is Fill.UNSEEN:
            return Verdict.LATE
        if found is Fill.UNSTORED:
            return Verdict.REFILL
        if tick.ts > self.last_ts:
            # An id that we hold cannot be younger than the newest trade: the exchange may count anew.
            self._contradictions.append(tick)
            if len(self._contradictions) >= RENUMBERED_AFTER:
                return self._start_anew(self._contradictions[0], tick)
        else:
            self._contradictions.clear()
        self.duplicates += 1
        return Verdict.DUPLICATE

    def _start_anew(self, first: Tick, tick: Tick) -> Verdict:
        """Follow an exchange that has restarted its ids; what was missing before cannot be asked for any more."""
        self.renumbered += 1
        self.gaps.forget()
        if tick.agg_id > first.agg_id:
            self.gaps.open(first.agg_id, tick.agg_id - 1, first.ts, tick.ts, tick.event_ts or tick.ts)
        self._contradictions.clear()
        self.expected = tick.agg_id
        return self._advance(tick)
