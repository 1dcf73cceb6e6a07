"""Name the stretches of ids without a hole, from the span held and the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from quantdesk.types import Coverage, Gap, GapState

_LACKING = (GapState.OPEN, GapState.FILLING, GapState.EXPIRED, GapState.DROPPED)


def coverage(span: Coverage | None, gaps: Iterable[Gap], limit: int = 1_000) -> tuple[Coverage, ...]:
    """Return what is left of ``span`` between the gaps that lack trades, ascending; the newest ``limit``."""
    if span is None:
        return ()
    found: list[Coverage] = []
    first, start = span.first_id, span.start_ts
    for gap in sorted((g for g in gaps if g.state in _LACKING and g.size > 0), key=lambda g: g.first_id):
        if gap.last_id < first:
            continue
        if gap.first_id > span.last_id:
            break
        if gap.first_id > first:
            found.append(Coverage(first, gap.first_id - 1, start, max(start, gap.start_ts)))
        first, start = gap.last_id + 1, max(start, gap.end_ts)
    if first <= span.last_id:
        found.append(Coverage(first, span.last_id, start, max(start, span.end_ts)))
    return tuple(found[-limit:])
