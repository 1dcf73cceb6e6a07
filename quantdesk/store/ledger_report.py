"""Account for every aggregate trade id of an instrument, from the store alone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from quantdesk.store.base import BarChecks, IdRun, LeasedElsewhereError, Reader, Store
from quantdesk.types import Gap, GapState, Instrument

#: Ids in one of these states are holes: the exchange had them, the store has not.
HOLES = (GapState.OPEN, GapState.FILLING, GapState.EXPIRED)


class _Span(NamedTuple):
    """Name ids [first, last]."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Account:
    """Tell what is held of one instrument and what is not; ``gaps`` are reconciled with the stored ids."""

    instrument: Instrument
    first_id: int | None
    last_id: int | None
    stored: int
    duplicates_dropped: int
    gaps: tuple[Gap, ...]
    bars: BarChecks

    @property
    def complete(self) -> bool:
        """Tell whether no gap is open, filling or expired."""
        return not any(gap.state in HOLES for gap in self.gaps)

    def ids(self, state: GapState) -> int:
        """Return how many ids the gaps of a state span."""
        return sum(gap.size for gap in self.gaps if gap.state is state)

    def count(self, state: GapState) -> int:
        """Return how many gaps are in a state."""
        return sum(gap.state is state for gap in self.gaps)

    def as_json(self) -> dict[str, Any]:
        """Return the account as plain values."""
        return {
            "first_id": self.first_id,
            "last_id": self.last_id,
            "stored": self.stored,
            "duplicates_dropped": self.duplicates_dropped,
            "gaps": {state.value: self.count(state) for state in GapState},
            "gap_ids": {state.value: self.ids(state) for state in GapState},
            "ranges": [_as_json(gap) for gap in self.gaps if gap.state is not GapState.FILLED],
            "bars_checked": self.bars.checked,
            "bars_matching": self.bars.matching,
            "bars_count_only": self.bars.count_only,
            "bars_differing": list(self.bars.first_differences),
        }


def account_of(reader: Reader, instrument: Instrument) -> Account:
    """Reconcile the ledger with the ids that are really stored.

    An id that is stored is never missing, whatever a row says; one that is absent between the first
    and the last stored id and that no row explains is open.
    """
    rows = reader.load_gaps(instrument)  # before the ids: what is filled meanwhile counts as filled
    runs = reader.id_runs(instrument)
    return Account(
        instrument,
        runs[0].first_id if runs else None,
        runs[-1].last_id if runs else None,
        sum(run.last_id - run.first_id + 1 for run in runs),
        reader.duplicates(instrument),
        tuple(sorted(reconciled(instrument.symbol, rows, runs), key=lambda gap: gap.first_id)),
        reader.bar_checks(instrument),
    )


def reconciled(symbol: str, rows: Sequence[Gap], runs: Sequence[IdRun]) -> Iterator[Gap]:
    """Yield the gaps as the stored ids prove them, each missing id in one of them."""
    held = [_Span(run.first_id, run.last_id) for run in runs]
    absent = [_Span(before.last + 1, after.first - 1) for before, after in pairwise(held)]
    taken: list[_Span] = []
    for row in sorted(rows, key=lambda gap: gap.first_id):
        if row.size <= 0:
            continue  # a mark for bars, no id is missing
        if row.state is GapState.FILLED:  # what is absent of it all the same is unexplained
            parts = _less([_Span(row.first_id, row.last_id)], absent)
            yield from (replace(row, first_id=part.first, last_id=part.last) for part in parts)
            continue
        first = max(row.first_id, taken[-1].last + 1) if taken else row.first_id
        missing = list(_less([_Span(first, row.last_id)], held))
        taken += missing
        yield from (replace(row, first_id=part.first, last_id=part.last) for part in missing)
        if not missing and first == row.first_id:
            yield replace(row, state=GapState.FILLED)
    yield from _unexplained(symbol, runs, taken)


def _unexplained(symbol: str, runs: Sequence[IdRun], explained: Sequence[_Span]) -> Iterator[Gap]:
    for before, after in pairwise(runs):
        start_ts, end_ts = sorted((before.last_ts, after.first_ts))
        for part in _less([_Span(before.last_id + 1, after.first_id - 1)], explained):
            yield Gap(symbol, part.first, part.last, start_ts, end_ts, opened_at=end_ts)


def open_holes(store: Reader, instrument: Instrument, since: int | None) -> list[Gap]:
    """Return what is missing between the stored ids and can still be asked for, whether a row tells of it or not.

    Looked for from the trade time ``since`` (ms) on: older ids the exchange no longer gives.
    """
    rows = [row for row in store.load_gaps(instrument) if since is None or row.end_ts >= since]
    runs = store.id_runs(instrument, since)
    active = (GapState.OPEN, GapState.FILLING)
    return [gap for gap in reconciled(instrument.symbol, rows, runs) if gap.state in active]


def book_holes(store: Store, reach: Mapping[tuple[str, str], Gap]) -> int:
    """Put holes that no row of the ledger explains into it as open, for the next start to fill; return how many.

    ``reach`` names by venue and symbol the ids that should be there by now. What another program
    writes is left to its own ledger.
    """
    booked = 0
    for held in store.instruments():
        rows = sorted(store.load_gaps(held.instrument), key=lambda gap: gap.first_id)
        explained = [_Span(row.first_id, row.last_id) for row in rows if row.state is not GapState.FILLED and row.size]
        fresh = list(_unexplained(held.instrument.symbol, store.id_runs(held.instrument), explained))
        due = reach.get((held.instrument.venue, held.instrument.symbol))
        last = store.last_tick(held.instrument)
        if due is not None and last is not None and due.last_id > last[0]:
            fresh.append(replace(due, first_id=last[0] + 1, start_ts=min(last[1], due.end_ts)))
        if not fresh:
            continue
        try:
            store.save_gaps(held.instrument, fresh)
        except LeasedElsewhereError:
            continue
        booked += len(fresh)
        if due is None:  # it may be none of those recorded here
            store.release(held.instrument)
    return booked


def table(accounts: Iterable[Account], new: Mapping[str, int] | None = None) -> Iterator[str]:
    """Yield the lines that a terminal shows; ``new`` tells by symbol how many ticks this session brought."""
    for account in accounts:
        symbol, holes = account.instrument.symbol, [gap for gap in account.gaps if gap.state in HOLES]
        missing = account.ids(GapState.MISSING)
        parts = (
            f"{new[symbol]} new ticks" if new is not None else "",
            f"{account.stored} stored, ids {account.first_id} to {account.last_id}",
            f"{account.duplicates_dropped} duplicates dropped",
            bars_in_words(account.bars),
            f"{account.ids(GapState.FILLED)} ids filled in {account.count(GapState.FILLED)} gaps",
            f"{missing} ids missing at the exchange" if missing else "",
            f"{sum(gap.size for gap in holes)} ids in {len(holes)} holes remain",
        )
        yield f"{symbol}: {', '.join(part for part in parts if part)}"
        for gap in account.gaps:
            if gap.state is not GapState.FILLED:
                calls = f", {gap.calls} calls" if gap.calls else ""
                yield f"  {gap.state.value}: ids {gap.first_id} to {gap.last_id} ({gap.size}{calls})"


def bars_in_words(bars: BarChecks) -> str:
    """Say how many bars match the exchange's."""
    if not bars.checked:
        return "no bars compared"
    count_only = (
        f", {bars.count_only} differ in the count alone: insurance-fund or ADL trades" if bars.count_only else ""
    )
    return f"{bars.matching}/{bars.checked} bars match{count_only}"


def _as_json(gap: Gap) -> dict[str, Any]:
    times = {"start_ts": gap.start_ts, "end_ts": gap.end_ts}
    return {"first_id": gap.first_id, "last_id": gap.last_id, "state": gap.state.value, **times, "calls": gap.calls}


def _less(spans: Iterable[_Span], taken: Sequence[_Span]) -> Iterator[_Span]:
    """Yield what is left of spans without those taken, which are ascending and disjoint."""
    for span in spans:
        first, last = span
        index = bisect_left(taken, first, key=lambda other: other.last)
        while first <= last and index < len(taken) and taken[index].first <= last:
            if taken[index].first > first:
                yield _Span(first, taken[index].first - 1)
            first = taken[index].last + 1
            index += 1
        if first <= last:
            yield _Span(first, last)
