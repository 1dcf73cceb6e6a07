"""Carry one symbol: judge its ticks, pass on the news, hand them to the store, book what it lacks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol

from quantdesk.bars.arrays import BarArrays
from quantdesk.feed.sequencer import Sequencer, Verdict
from quantdesk.ingest.listener import Guarded
from quantdesk.store.base import StoredInstrument
from quantdesk.store.ranges import Ranges
from quantdesk.types import BookTicker, Coverage, Gap, GapState, Instrument, Tick

#: Ticks kept while the store is asked what it holds; what comes beyond is a gap and filled later.
MAX_BUFFER = 50_000
#: Ticks that wait behind a young gap; beyond, the gap counts at once.
MAX_HELD = 20_000
CHUNK = 2_000
#: So many final rows of the ledger are remembered for looking at.
MOST_ROWS = 1_000
FIRST_BLOCK, LONGEST_BLOCK = 5.0, 60.0
#: A quote so much younger (ms) with a lower id means that the exchange counts anew.
RESTART_MS = 5_000
MINUTE, FIVE_MINUTES = 60_000, 300_000


@dataclass(frozen=True, slots=True)
class Seam:
    """Name the stretch between the history asked for and the first id held: [start, end] in trade time (ms)."""

    start: int
    end: int
    low: int


class TickStore(Protocol):
    """Take what a leg stores; the store's writer does."""

    def put_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> bool:
        """Queue ticks; False where they are refused."""

    def put_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        """Queue bars whose trades are not held."""

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        """Queue rows of the ledger."""

    def put_duplicates(self, instrument: Instrument, count: int) -> None:
        """Count trades that came once more and were dropped."""


class Leg:
    """Hold the state of one symbol between the feed on one side, store and listener on the other."""

    def __init__(
        self,
        instrument: Instrument,
        writer: TickStore,
        listener: Guarded,
        clock: Callable[[], float],
        *,
        settle: float,
        seam_ms: int,
    ) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.sequencer = Sequencer(self.symbol, settle=settle)
        self._writer, self._listener, self._clock, self._settle = writer, listener, clock, settle
        self._seam_ms = seam_ms
        self.seam: Seam | None = None  #: history that REST has not yet been asked for
        self.begin: Gap | None = None  #: where the record begins amid a bar
        self._buffer: list[Tick] | None = []
        self._pending: list[Tick] = []
        self._handed: list[Ranges] = []
        self._repeats = 0  # duplicates that the store has been told of
        self._quote: BookTicker | None = None
        self._quote_seen = (-1, 0)  # update id, event time
        self._blocked_until = 0.0
        self._block = FIRST_BLOCK
        self.started = asyncio.Event()  #: the first tick has come
        self.opened = asyncio.Event()  #: what is stored is known
        self.heard_at = -inf  #: when the stream brought a trade last, by the loop's clock
        self.taken = 0  #: new ids of this session
        self.refused = 0
        self.first_id: int | None = None
        self.last_id: int | None = None
        self.old: tuple[int, int] | None = None  #: (id, ts) of the last trade stored, beyond what REST may have
        self.lost: deque[Gap] = deque(maxlen=MOST_ROWS)  #: expired rows of the ledger
        self.closed: deque[Gap] = deque(maxlen=MOST_ROWS)  #: filled and missing rows of the ledger
        self.expired: list[Gap] = []  #: those whose klines are yet to be asked for
        self.filled_ids = 0
        self.held: Coverage | None = None  #: the span of ids and times held, holes not considered
        self.tail_check: tuple[float, int | None] | None = None
        self.gaps_changed = False

    def open(
        self,
        instrument: Instrument,
        last: tuple[int, int] | None,
        rows: list[Gap],
        stored: StoredInstrument | None,
        *,
        first: int | None = None,
        old: tuple[int, int] | None = None,
    ) -> None:
        """Start judging: ``last`` is the (id, ts) to carry on from, None for a fresh start; ``rows`` the ledger.

        ``first`` is the lowest id stored. ``old`` is the last (id, ts) stored where it is too long ago to carry
        on from: what lies between is a gap whose reachable part is filled.
        """
        self.set_instrument(instrument)
        self.old = old
        self._take_over(rows, stored, first)
        expected, ts = (last[0] + 1, last[1]) if last is not None else (None, 0)
        self.sequencer = Sequencer(self.symbol, expected, ts, settle=self._settle)
        if stored is not None and stored.last_agg_id is not None:
            self.sequencer.gaps.load(rows, stored.last_agg_id)
            self._resume_seam(stored)
        elif rows:
            self._disown(rows)
        buffered, self._buffer = self._buffer or [], None
        for tick in buffered:
            self._take(tick)
        self.gaps_changed = True
        self.opened.set()

    def _take_over(self, rows: list[Gap], stored: StoredInstrument | None, first: int | None) -> None:
        """Learn what the ledger says for good and which span is held."""
        self._remember(rows)
        self.filled_ids = 0
        if stored is not None and first is not None and stored.first_ts is not None and stored.last_agg_id is not None:
            self.held = Coverage(first, stored.last_agg_id, stored.first_ts, stored.last_ts or stored.first_ts)

    def _disown(self, rows: list[Gap]) -> None:
        """Empty the claims of a session that died before it stored a trade: the record begins with this one."""
        idle = (GapState.FILLED, GapState.MISSING, GapState.DROPPED)
        claims = [row for row in rows if row.state not in idle]
        emptied = [replace(row, last_id=row.first_id - 1, state=GapState.FILLED) for row in claims]
        self._writer.put_gaps(self.instrument, emptied)

    def _resume_seam(self, stored: StoredInstrument) -> None:
        """Recognise the mark of a history that an earlier session could not ask for."""
        lowest = self.sequencer.gaps.oldest()
        if lowest is None or stored.first_ts is None or lowest.end_ts > stored.first_ts:
            return
        if lowest.first == lowest.last and MINUTE <= lowest.end_ts - lowest.start_ts <= self._seam_ms + FIVE_MINUTES:
            self.seam = Seam(lowest.start_ts, lowest.end_ts, lowest.last + 1)
            lowest.due = inf

    def _mark_seam(self, tick: Tick) -> None:
        """Book the id before the first one as missing until REST tells how far the history reaches.

        The mark is stored before the first trade is, so that no crash forgets the history.
        """
        gaps, old = self.sequencer.gaps, self.old
        if old is not None and tick.agg_id > old[0] and tick.ts >= old[1]:
            if tick.agg_id > old[0] + 1:
                gaps.open(old[0] + 1, tick.agg_id - 1, old[1], tick.ts, tick.event_ts or tick.ts)
            return
        start = tick.ts - tick.ts % FIVE_MINUTES - self._seam_ms
        if tick.agg_id == 0 or self._seam_ms <= 0:
            return
        gaps.open(tick.agg_id - 1, tick.agg_id - 1, start, tick.ts, tick.event_ts or tick.ts)
        gaps.put_off(tick.agg_id - 1, inf)
        self.seam = Seam(start, tick.ts, tick.agg_id)

    def close_seam(self, seam: Seam, page: Sequence[Tick], *, amid: bool = False) -> None:
        """Learn from the first page of the history where it begins; the rest of it is an ordinary gap.

        ``amid``: it begins in the middle of a bar, so that this bar never gets whole.
        """
        gaps, self.seam = self.sequencer.gaps, None
        if amid and page:
            self._mark_begin(page[0])
        if page and page[0].agg_id < seam.low:
            first = page[0]
            gaps.open(first.agg_id, seam.low - 1, first.ts, seam.end, seam.end)
            gaps.put_off(seam.low - 1, 0.0)
            self.flush()  # the gap is stored before what fills it
            self.deliver(page)
        else:
            gaps.end(seam.low - 1, seam.low - 1, GapState.FILLED)  # nothing was traded in that time

    def _mark_begin(self, first: Tick) -> None:
        """Put a row without ids into the ledger: the bars around the first trade are partial for good."""
        before = first.agg_id - 1
        opened = first.ts - first.ts % FIVE_MINUTES
        self.begin = Gap(self.symbol, before, before - 1, opened, first.ts, first.ts, GapState.EXPIRED)
        self._writer.put_gaps(self.instrument, [self.begin])
        self.lost.append(self.begin)
        self.gaps_changed = True

    @contextmanager
    def adopting(self) -> Iterator[Ranges]:
        """Note which ids are handed to the store while it is asked for its holes: its answer knows none of them."""
        handed = Ranges()
        self._handed.append(handed)
        try:
            yield handed
        finally:
            self._handed.remove(handed)

    def adopt(self, rows: Sequence[Gap], handed: Ranges) -> None:
        """Take over holes of the store that this session did not know: another program's, or an earlier one's.

        What this session has shown already is fetched for the store alone.
        """
        expected, gaps = self.sequencer.expected, self.sequencer.gaps
        if expected is None:
            return
        gaps.adopt(rows, expected - 1, shown_from=self.first_id)
        for tick in self._pending:
            handed.add(tick.agg_id, tick.agg_id + 1)
        for start, end in handed:
            gaps.end(start, end - 1, GapState.FILLED)
        self.gaps_changed = True

    def relearn(self, rows: Sequence[Gap], before: Sequence[Gap], start_ms: int, end_ms: int) -> None:
        """Take over the stored rows: what expired and was brought in since no longer makes bars partial.

        What was given up by hand is filled no longer.

        ``before`` are the expired rows that were known when the store was asked.
        """
        since = [row for row in self.lost if row not in before]
        self.lost = deque([*(row for row in rows if row.state is GapState.EXPIRED), *since], maxlen=MOST_ROWS)
        for row in rows:
            if row.state in (GapState.FILLED, GapState.DROPPED) and start_ms <= row.start_ts < end_ms and row.size > 0:
                self.sequencer.gaps.end(row.first_id, row.last_id, row.state)
        self.gaps_changed = True

    def missing(self, now: float = inf) -> list[Gap]:
        """Return the gaps that make bars partial, settled by ``now``: the active and the expired ones."""
        return [*self.lost, *self.sequencer.gaps.active(now)]

    def ledger(self) -> tuple[Gap, ...]:
        """Return the active rows of the ledger and the final ones that are remembered, ascending."""
        return tuple(sorted((*self.lost, *self.closed, *self.sequencer.gaps.active()), key=lambda row: row.first_id))

    @property
    def waiting(self) -> tuple[int, int]:
        """Return how many ticks wait for the store's answer, and how many for the next flush."""
        return len(self._buffer or ()), len(self._pending)

    def set_instrument(self, instrument: Instrument) -> None:
        """Take over a better known precision."""
        self.instrument = instrument
        self._listener.on_instrument(instrument)

    def on_tick(self, tick: Tick) -> None:
        """Take a tick of the stream."""
        self.heard_at = self._clock()
        if self._buffer is None:
            self._take(tick)
        elif len(self._buffer) < MAX_BUFFER:
            self._buffer.append(tick)
        self.started.set()

    def deliver(self, ticks: Sequence[Tick]) -> None:
        """Take a page of REST."""
        for tick in ticks:
            self._take(tick)

    def on_quote(self, quote: BookTicker) -> None:
        """Keep the newest quote until the next flush."""
        ident, ts = self._quote_seen
        if quote.update_id > ident or quote.event_ts > ts + RESTART_MS:
            self._quote_seen, self._quote = (quote.update_id, quote.event_ts), quote

    def is_blocked(self) -> bool:
        """Tell whether the store has refused ticks a moment ago."""
        return self._buffer is not None or self._clock() < self._blocked_until

    def flush(self, *, final: bool = False) -> None:
        """Show the newest quote; store what has come, the ledger's rows around it in the safe order."""
        if self._quote is not None:
            self._listener.on_quote(self._quote)
            self._quote = None
        now, gaps = self._clock(), self.sequencer.gaps
        held = gaps.held_from(now)
        if held is not None and (final or len(self._pending) > MAX_HELD):
            gaps.settle()
            held = None
        before, after = gaps.drain(now)
        ready = self._pending if held is None else [t for t in self._pending if t.agg_id < held]
        self._pending = [] if held is None else [t for t in self._pending if t.agg_id >= held]
        if before:
            self._writer.put_gaps(self.instrument, before)
        ready.sort(key=lambda tick: tick.agg_id)  # a crash within leaves a prefix: nothing below it is unknown
        for start in range(0, len(ready), CHUNK):
            self._store(ready[start : start + CHUNK], now)
        if after:
            self._writer.put_gaps(self.instrument, after)
            self._remember(after)
        if before or after:
            self.gaps_changed = True
        if self.sequencer.duplicates > self._repeats:
            self._writer.put_duplicates(self.instrument, self.sequencer.duplicates - self._repeats)
        self._repeats = self.sequencer.duplicates  # a new sequencer begins at zero
        if gaps.has_news:  # the store has refused: say so in the ledger at once
            rows = [row for rows in gaps.drain(now) for row in rows]
            self._writer.put_gaps(self.instrument, rows)
            self._remember(rows)

    def _remember(self, rows: Sequence[Gap]) -> None:
        for row in rows:
            if row.state is GapState.EXPIRED:
                self.lost.append(row)
                self.expired += [row] if row.size > 0 else []
            elif row.state in (GapState.FILLED, GapState.MISSING, GapState.DROPPED):
                self.closed.append(row)
                self.filled_ids += row.size if row.state is GapState.FILLED else 0

    def _store(self, ticks: list[Tick], now: float) -> None:
        if self._writer.put_ticks(self.instrument, ticks):
            self._block = FIRST_BLOCK
            for handed in self._handed:
                for tick in ticks:
                    handed.add(tick.agg_id, tick.agg_id + 1)
            return
        self.refused += len(ticks)
        self._blocked_until = now + self._block
        self._block = min(LONGEST_BLOCK, self._block * 2)
        run: list[Tick] = []
        for tick in ticks:
            if run and tick.agg_id != run[-1].agg_id + 1:
                self._book(run)
                run = []
            run.append(tick)
        self._book(run)

    def _book(self, run: list[Tick]) -> None:
        """Book ticks that were shown but that the store has refused."""
        first, last = run[0], run[-1]
        stamps = [tick.ts for tick in run]
        opened_at = last.event_ts or last.ts
        self.sequencer.gaps.open(first.agg_id, last.agg_id, min(stamps), max(stamps), opened_at, seen=True)

    def _widen(self, tick: Tick) -> None:
        held = self.held
        if held is None:
            self.held = Coverage(tick.agg_id, tick.agg_id, tick.ts, tick.ts)
        elif not held.first_id <= tick.agg_id <= held.last_id:
            first, last = min(held.first_id, tick.agg_id), max(held.last_id, tick.agg_id)
            self.held = Coverage(first, last, min(held.start_ts, tick.ts), max(held.end_ts, tick.ts))

    def _take(self, tick: Tick) -> None:
        fresh = self.sequencer.expected is None
        verdict = self.sequencer.on_tick(tick, self._clock())
        if fresh:
            self._mark_seam(tick)
        if verdict in (Verdict.DUPLICATE, Verdict.REFUSED):
            return
        self._widen(tick)
        if verdict.is_news:
            self.taken += 1
            self.first_id = tick.agg_id if self.first_id is None else min(self.first_id, tick.agg_id)
            self.last_id = tick.agg_id if self.last_id is None else max(self.last_id, tick.agg_id)
            self._listener.on_tick(tick)
        self._pending.append(tick)
