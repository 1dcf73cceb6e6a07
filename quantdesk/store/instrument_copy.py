"""Copy all that a store holds of one instrument into another store, so that stopping anywhere does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from quantdesk.bars.arrays import IntArray
from quantdesk.store.bar_match import Ahead, Columns, bars_of, places, rows_of, trade_bars_of, unequal
from quantdesk.store.base import LeasedElsewhereError, Reader, Store, StoredInstrument, TickArrays
from quantdesk.store.copy_pace import Pace
from quantdesk.store.ledger_merge import narrowed, rows_after, rows_before, seams
from quantdesk.store.ledger_report import HOLES
from quantdesk.store.ledger_sql import joined_runs
from quantdesk.store.tick_days import (
    BLOCK,
    DAY_MS,
    DayDigest,
    TickDay,
    chosen,
    compared,
    first_ts,
    joined,
    stretches,
    ticks_of,
)
from quantdesk.types import Gap, GapState, Instrument, Interval

#: So many bars are written at once.
BAR_BLOCK = 5_000
_GAP_BLOCK = 1_000
#: Later than any bar.
_LAST = 253_402_214_400_000


@dataclass(frozen=True, slots=True)
class Survey:
    """Name by id the ticks of a stretch that the target lacks, and those it holds with other content."""

    missing: IntArray
    conflicting: IntArray


class InstrumentCopy:
    """Copy one instrument and remember what was read of it; a second run finds everything there.

    What the target holds already stays as it is.
    """

    def __init__(self, source: Reader, target: Store, instrument: Instrument, pace: Pace) -> None:
        self.source, self.target, self.instrument, self.pace = source, target, instrument, pace
        self.ledger: list[Gap] = []
        self.days: list[TickDay] = []
        self.first_ts: int | None = None
        self.until: int | None = None  #: first time (ms) that was not read; None: there are no ticks
        self.source_until: dict[str, int] = {}  #: the same of source bars, by interval
        self.new_ticks = self.source_bars = self.old_bars = 0
        self._last_id: int | None = None
        self._rows: dict[int, Gap] = {}  # the target's ledger by first id
        self._guarded: int | None = None
        self._due: list[Gap] = []  # guards of a day that is whole

    @property
    def ticks(self) -> int:
        """Return how many ticks were read."""
        return sum(day.count for day in self.days)

    def run(self) -> None:
        """Copy; raise Cancelled, LeasedElsewhereError or StoreError."""
        self.pace.step(self._words("begins"))
        self.target.ensure_instrument(self.instrument)
        self._lease()
        # Read before the ticks: the trades that fill a row are stored before the row says so.
        self.ledger = self.source.load_gaps(self.instrument)
        self._rows = {row.first_id: row for row in self.target.load_gaps(self.instrument)}
        self._save(rows_before(self.ledger, self._rows))
        held = _held(self.source, self.instrument)
        if held is not None and held.last_ts is not None:
            self.first_ts, self.until, self._last_id = held.first_ts, held.last_ts + 1, held.last_agg_id
        self._book_seams()
        for interval in self.source.source_intervals(self.instrument):
            self._copy_source_bars(interval)
        self._copy_ticks()
        self._finish_ledger()
        more = self.source.duplicates(self.instrument) - self.target.duplicates(self.instrument)
        if more > 0:
            self.target.add_duplicates(self.instrument, more)

    def survey(self, start: int, end: int, ticks: int) -> Survey:
        """Compare the ticks with start <= ts < end of both stores one by one; there are about so many ``ticks``."""
        lacking, differing, strange = ([np.empty(0, np.int64)] for _ in range(3))
        for low, high in stretches(start, end, ticks):
            ours, theirs = self._loaded(self.source, low, high), self._loaded(self.target, low, high)
            found = compared(ours, theirs)
            lacking.append(ours.agg_id[found.lacking])
            differing.append(ours.agg_id[found.differing])
            strange.append(found.strange)
        absent = np.concatenate(lacking)
        # An id that the target has at another time is no missing trade: adding it would double it.
        elsewhere = np.isin(absent, np.concatenate(strange))
        return Survey(absent[~elsewhere], np.concatenate([*differing, absent[elsewhere]]))

    def digest(self, reader: Reader, start: int, end: int, units: int = 0) -> DayDigest:
        """Sum up the ticks of a day up to ``end``; each counts ``units`` of the progress."""
        found = DayDigest(start)
        for block in reader.load_ticks(self.instrument, start, end, chunk=BLOCK):
            found.add(block)
            self.pace.step(self._words(f"compares the trades of {_date(start)}"), units * len(block))
        return found

    def _lease(self) -> None:
        if self.target.acquire(self.instrument):
            return
        facts, symbol = self.target.facts(), self.instrument.symbol
        holder = next((who for name, who in facts.leases if name == symbol), "another program")
        raise LeasedElsewhereError(
            f"{symbol} is written by {holder} to {facts.place}: stop it there, then run the same again", holder
        )

    def _words(self, doing: str) -> str:
        return f"{self.instrument.symbol}: {doing}"

    def _copy_source_bars(self, interval: str) -> None:
        theirs = Ahead(self.target.iter_source_bars(self.instrument, interval, chunk=BAR_BLOCK))
        ours = Ahead(self.source.iter_source_bars(self.instrument, interval, chunk=BAR_BLOCK))
        for block in ours.below(_LAST):
            first, last = int(block["open_time"][0]), int(block["open_time"][-1])
            lacking = places(block, theirs.between(first, last + 1)) < 0
            for origin in dict.fromkeys(block["origin"][lacking].tolist()):
                rows = rows_of(block, lacking & (block["origin"] == origin))
                self.target.append_source_bars(self.instrument, interval, bars_of(rows), str(origin))
            self.source_bars += len(lacking)
            self.source_until[interval] = last + 1
            self.pace.step(self._words(f"{interval} bars of {_date(last)}"))

    def source_bar_faults(self, interval: str) -> tuple[int, int]:
        """Count the source bars read that the target lacks, and those it holds with other content."""
        lacking = differing = 0
        theirs = Ahead(self.target.iter_source_bars(self.instrument, interval, chunk=BAR_BLOCK))
        ours = Ahead(self.source.iter_source_bars(self.instrument, interval, chunk=BAR_BLOCK))
        for block in ours.below(self.source_until.get(interval, 0)):
            others = theirs.between(int(block["open_time"][0]), int(block["open_time"][-1]) + 1)
            at = places(block, others)
            lacking += int((at < 0).sum())
            if others is not None:
                differing += int(unequal(rows_of(block, at >= 0), rows_of(others, at[at >= 0])).sum())
            self.pace.step(self._words(f"compares the {interval} bars"))
        return lacking, differing

    def _copy_ticks(self) -> None:
        """Copy day by day, with each day the bars whose trades are no longer held."""
        bars = {
            interval: Ahead(self.source.iter_trade_bars(self.instrument, interval.value, _LAST, chunk=BAR_BLOCK))
            for interval in Interval
        }
        start = first_ts(self.source, self.instrument, None) if self.until is not None else None
        while start is not None and self.until is not None and start < self.until:
            day = start - start % DAY_MS
            for interval, ahead in bars.items():
                for block in ahead.below(day):
                    self._keep(interval, block, None)
            # Read before the trades: more of them than the bar tells do no harm, fewer mean that some are gone.
            of_day = {interval: ahead.between(day, day + DAY_MS) for interval, ahead in bars.items()}
            digest = self._copy_day(day, min(day + DAY_MS, self.until))
            for interval, columns in of_day.items():
                if columns is not None:
                    self._keep(interval, columns, digest)
            start = first_ts(self.source, self.instrument, day + DAY_MS)
        for interval, ahead in bars.items():
            for block in ahead.below(_LAST):
                self._keep(interval, block, None)

    def _keep(self, interval: Interval, bars: Columns, held: DayDigest | None) -> None:
        """Keep the bars that tell of more trades than are held."""
        gone = np.ones(len(bars["trades"]), np.bool_)
        if held is not None:
            gone &= bars["trades"] > held.trades_of(bars["open_time"], interval)
        if self._last_id is not None:
            gone &= bars["last_id"] <= self._last_id  # a bar that grew meanwhile has trades that are held
        rows = rows_of(bars, gone)
        for start in range(0, len(rows["trades"]), BAR_BLOCK):
            part = rows_of(rows, slice(start, start + BAR_BLOCK))
            self.target.append_trade_bars(self.instrument, interval.value, trade_bars_of(part))
            self.old_bars += len(part["trades"])
            self.pace.step(self._words(f"old {interval.value} bars of {_date(int(part['open_time'][-1]))}"))

    def _copy_day(self, day: int, end: int) -> DayDigest:
        self._lease()
        self._save(self._due)
        self._due = []
        if not self.target.count_ticks(self.instrument, day, end):
            found = DayDigest(day)
            for block in self.source.load_ticks(self.instrument, day, end, chunk=BLOCK):
                self._append(block, day)
                found.add(block)
                self.pace.step(self._words(f"trades of {_date(day)}"), len(block))
        else:
            found = self.digest(self.source, day, end, units=1)
            there = self.digest(self.target, day, end)
            if found.until(end) != there.until(end):
                self._mend(day, end, found.count + there.count)
        self.days.append(found.until(end))
        own = {row.first_id for row in self.ledger}
        guards = [row for row in self._rows.values() if _is_guard(row, day) and row.first_id not in own]
        self._due = [replace(row, state=GapState.FILLED) for row in guards]
        return found

    def _mend(self, day: int, end: int, ticks: int) -> None:
        """Add what the target lacks of a day."""
        found = self.survey(day, end, ticks)
        if not len(found.missing):
            return
        for low, high in stretches(day, end, ticks):
            ours = self._loaded(self.source, low, high)
            lacking = compared(ours, self._loaded(self.target, low, high)).lacking
            wanted = chosen(ours, lacking & ~np.isin(ours.agg_id, found.conflicting))
            for start in range(0, len(wanted), BLOCK):
                part = np.zeros(len(wanted), np.bool_)
                part[start : start + BLOCK] = True
                self._append(chosen(wanted, part), day)
                self.pace.step(self._words(f"trades of {_date(day)}"))

    def _loaded(self, reader: Reader, start: int, end: int) -> TickArrays:
        blocks = []
        for block in reader.load_ticks(self.instrument, start, end, chunk=BLOCK):
            blocks.append(block)
            self.pace.step(self._words(f"compares the trades of {_date(start)}"))
        return joined(blocks)

    def _append(self, block: TickArrays, day: int) -> None:
        if self._guarded != day:
            self._guarded = day
            self._guard(int(block.agg_id[0]), int(block.ts[0]), day)
        self.new_ticks += self.target.append_ticks(self.instrument, ticks_of(self.instrument.symbol, block))

    def _book_seams(self) -> None:
        """Put the holes that will be left between what the two stores hold into the target's ledger.

        A store's first and last bar may lack trades; where they come to lie amid others, they are partial.
        """
        there = _held(self.target, self.instrument)
        if self.until is None or self._last_id is None or there is None or there.first_ts is None:
            return
        if there.first_ts == self.first_ts and (there.last_agg_id or 0) <= self._last_id:
            return  # what an earlier copy brought
        ours = self.source.id_runs(self.instrument)
        runs = joined_runs([*ours, *self.target.id_runs(self.instrument)])
        rows = {**{row.first_id: row for row in self.ledger}, **self._rows}
        self._save(seams(self.instrument.symbol, rows, runs, ours[0].first_id, ours[-1].last_id))

    def _guard(self, first_id: int, ts: int, day: int) -> None:
        """Mark the bars of a day from ``ts`` on as partial while it is copied below trades that are there already.

        At the end of a store a bar that lacks trades is one that is not finished; amid others it would pass
        for whole. Days need no mark between them: no bar lies in two.
        """
        last = self.target.last_tick(self.instrument)
        if last is None or last[0] <= first_id:
            return
        if any(_is_guard(row, day) and row.start_ts <= ts for row in self._rows.values()):
            return  # an earlier copy was stopped here
        key = first_id
        while key in self._rows:
            key += 1
        self._save([Gap(self.instrument.symbol, key, key - 1, ts, _last_ms(day), ts, GapState.EXPIRED)])

    def _save(self, rows: Sequence[Gap]) -> None:
        for start in range(0, len(rows), _GAP_BLOCK):
            part = rows[start : start + _GAP_BLOCK]
            self.target.save_gaps(self.instrument, part)
            self._rows.update((row.first_id, row) for row in part)
            self.pace.step(self._words("ledger"))

    def _finish_ledger(self) -> None:
        """Store the rows that say less is missing, now that the trades are there."""
        less = {row.first_id: row for row in self._due}
        less.update((row.first_id, row) for row in rows_after(self.ledger, {**self._rows, **less}))
        self._due = []
        rows = {**self._rows, **less}
        own = {row.first_id for row in self.ledger}
        there = _held(self.target, self.instrument)
        beside_others = there is not None and there.ticks > self.ticks
        if beside_others or any(row.state in HOLES and key not in own for key, row in rows.items()):
            runs = self.target.id_runs(self.instrument)
            less.update((row.first_id, row) for row in narrowed(self.instrument.symbol, rows, own, runs))
        self._save(list(less.values()))


def _is_guard(row: Gap, day: int) -> bool:
    return row.size <= 0 and row.state is GapState.EXPIRED and row.end_ts == _last_ms(day)


def _held(reader: Reader, instrument: Instrument) -> StoredInstrument | None:
    found = reader.find(instrument.symbol, instrument.venue)
    return next((held for held in found if held.instrument.symbol == instrument.symbol), None)


def _last_ms(day: int) -> int:
    return day + DAY_MS - 1


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1_000, UTC).strftime("%Y-%m-%d")
