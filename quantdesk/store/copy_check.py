"""Prove that a store holds what was copied into it, or say what differs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np

from quantdesk.bars.arrays import BarArrays
from quantdesk.store.bar_match import Mask, columns_of, falls_short, places, rows_of
from quantdesk.store.base import StoredBars
from quantdesk.store.instrument_copy import InstrumentCopy
from quantdesk.store.ledger_merge import merged
from quantdesk.types import Interval

_CHUNK = 20_000
#: So long (s) a server may take to bring its bars up to date.
PATIENCE = 300.0


class CopyCheck:
    """Compare what was read of one instrument with what the target holds of it."""

    def __init__(self, copy: InstrumentCopy) -> None:
        self._copy, self._instrument = copy, copy.instrument
        self._source, self._target = copy.source, copy.target

    def differences(self) -> list[str]:
        """Return in words what differs; nothing where all that was copied is there."""
        return [*self._ticks(), *self._source_bars(), *self._ledger(), *self._shown_bars()]

    def source_has_changed(self) -> bool:
        """Tell whether the source was written since it was read: another run brings the rest."""
        copy = self._copy
        return self._has_grown() or self._source.load_gaps(self._instrument) != copy.ledger

    def _has_grown(self) -> bool:
        until, held = self._copy.until, self._source.find(self._instrument.symbol, self._instrument.venue)
        return until is not None and any(one.last_ts is not None and one.last_ts >= until for one in held)

    def _ticks(self) -> list[str]:
        missing: list[int] = []
        conflicting: list[int] = []
        for day in self._copy.days:
            there = self._copy.digest(self._target, day.start, day.end, units=1).until(day.end)
            if there == day:
                continue
            found = self._copy.survey(day.start, day.end, day.count + there.count)
            missing += found.missing.tolist()
            conflicting += found.conflicting.tolist()
        words = []
        if missing:
            words.append(f"{len(missing):,} trades are missing, the first is {min(missing)}")
        if conflicting:
            words.append(
                f"{len(conflicting):,} trades were there with other content and stayed, the first is {min(conflicting)}"
            )
        return words

    def _source_bars(self) -> list[str]:
        words = []
        for interval in self._copy.source_until:
            lacking, differing = self._copy.source_bar_faults(interval)
            if lacking:
                words.append(f"{lacking:,} {interval} source bars are missing")
            if differing:
                words.append(f"{differing:,} {interval} source bars were there with other content and stayed")
        return words

    def _ledger(self) -> list[str]:
        theirs = {row.first_id: row for row in self._target.load_gaps(self._instrument)}
        wrong = [row for row in self._copy.ledger if merged(row, theirs.get(row.first_id)) != theirs.get(row.first_id)]
        words = [f"{len(wrong):,} ledger rows differ, the first begins with {wrong[0].first_id}"] if wrong else []
        if self._target.duplicates(self._instrument) < self._source.duplicates(self._instrument):
            words.append("fewer duplicates are counted")
        return words

    def _shown_bars(self) -> list[str]:
        """Compare what a chart would show; a server may still be at work on its bars."""
        begun = time.monotonic()
        while True:
            words = [said for interval in Interval if (said := self._shown(interval))]
            if not words or not self._target.facts().refresh_lag or time.monotonic() - begun > PATIENCE:
                return words
            self._copy.pace.step(f"{self._instrument.symbol}: waits for the server's bars")
            time.sleep(0.5)

    def _shown(self, interval: Interval) -> str:
        until = self._copy.until
        # The bars of the last moments grow while the source is being written.
        end = until - interval.ms + 1 if until is not None and self._has_grown() else None
        wrong: list[int] = []
        for block in self._source.iter_bars(self._instrument, interval.value, None, end, chunk=_CHUNK):
            wrong += block.bars.open_time[self._faults(block, interval)].tolist()
            self._copy.pace.step(f"{self._instrument.symbol}: compares the {interval.value} bars")
        if not wrong:
            return ""
        first = datetime.fromtimestamp(wrong[0] // 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{len(wrong):,} {interval.value} bars differ, the first is of {first} UTC"

    def _faults(self, block: StoredBars, interval: Interval) -> Mask:
        first, last = int(block.bars.open_time[0]), int(block.bars.open_time[-1])
        there = columns_of(self._target.load_bars(self._instrument, interval.value, first, last + 1))
        ours = columns_of(block)
        at = places(ours, there)
        faults = at < 0
        found = np.flatnonzero(~faults)
        short = falls_short(
            rows_of(ours, found),
            rows_of(there, at[found]),
            self._instrument,
            self._unfinished(block.bars, interval)[found],
        )
        faults[found] = short
        return faults

    def _unfinished(self, bars: BarArrays, interval: Interval) -> Mask:
        """Tell which bars the source's first or last trade lies in: amid other trades they are partial."""
        edges = [t - t % interval.ms for t in (self._copy.first_ts, self._copy.until and self._copy.until - 1) if t]
        return np.isin(bars.open_time, edges)
