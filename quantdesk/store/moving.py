"""Move a store's content into another store: resumable at any point, proved at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quantdesk.store.alerts_sql import MOST_KEPT
from quantdesk.store.base import Reader, Store, StoreError
from quantdesk.store.copy_check import CopyCheck
from quantdesk.store.copy_pace import CopyProgress, Pace
from quantdesk.store.instrument_copy import InstrumentCopy

__all__ = ["CopyProgress", "CopyReport", "copy_store"]

#: What an instrument costs in units of a tick read, beside its ticks.
_INSTRUMENT = 1_000
#: So often a source that is written meanwhile is read once more where something differs.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class CopyReport:
    """Tell in one line for each instrument what was copied, and whether all of it was found in the target."""

    lines: tuple[str, ...]
    verified: bool


def copy_store(
    source: Reader,
    target: Store,
    *,
    progress: Callable[[CopyProgress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CopyReport:
    """Copy every instrument's ticks, bars and ledger, and the alerts; what the target holds already stays.

    Called in the thread that may write the target. Stopped anywhere, the same call goes on. Raises
    Cancelled where ``cancelled`` says so, and StoreError in words.
    """
    held = source.instruments()
    pace = Pace(target, sum(2 * (one.ticks + _INSTRUMENT) for one in held), progress, cancelled)
    copies, lines, verified = [], [], True
    try:
        for one in held:
            copy = InstrumentCopy(source, target, one.instrument, pace)
            copy.run()
            copies.append(copy)
            pace.step(f"{one.instrument.symbol}: copied", _INSTRUMENT)
        target.sync()
        for copy in copies:
            proved, differences = _proved(copy)
            verified = verified and not differences
            lines.append(_line(proved, differences))
            pace.step(f"{copy.instrument.symbol}: compared", _INSTRUMENT)
        lines += _copy_alerts(source, target)
    except ValueError as error:  # a row that the target's columns cannot hold
        raise StoreError(f"the copy has stopped: {error}") from error
    return CopyReport(tuple(lines), verified)


def _copy_alerts(source: Reader, target: Store) -> list[str]:
    """Copy the alerts with what became of them, oldest first; return a line on them where there are any."""
    rows = source.firings(limit=MOST_KEPT)
    new = 0
    for row in rows:
        fresh = target.save_firing(row)
        new += fresh
        if not fresh and row.outcome is not None and row.outcome_at is not None:
            target.save_outcome(row.id, row.outcome, row.outcome_at)
    return [f"alerts: {len(rows):,} ({new:,} new)"] if rows else []


def _proved(copy: InstrumentCopy) -> tuple[InstrumentCopy, list[str]]:
    """Return the copy and what differs; a source that was written meanwhile is read again."""
    rounds = 0
    while True:
        rounds += 1
        check = CopyCheck(copy)
        differences = check.differences()
        if not differences or rounds == _ROUNDS or not check.source_has_changed():
            return copy, differences
        new = copy.new_ticks
        copy = InstrumentCopy(copy.source, copy.target, copy.instrument, copy.pace)
        copy.run()
        copy.new_ticks += new


def _line(copy: InstrumentCopy, differences: list[str]) -> str:
    days, rows = len(copy.days), len(copy.ledger)
    parts = (
        f"{days} day{'s' if days != 1 else ''}",
        f"{copy.ticks:,} ticks ({copy.new_ticks:,} new)",
        f"{copy.source_bars:,} source bars",
        f"{copy.old_bars:,} bars whose trades are gone" if copy.old_bars else "",
        f"{rows:,} ledger row{'s' if rows != 1 else ''}",
    )
    proof = "; ".join(differences) if differences else "verified"
    return f"{copy.instrument.venue}:{copy.instrument.symbol}: {', '.join(p for p in parts if p)}: {proof}"
