"""Write the statements of the account: runs of stored ids, and bars beside the exchange's klines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from quantdesk.store.base import BarChecks, IdRun
from quantdesk.store.schema import EpochMs, bars, gaps, source_bars, ticks
from quantdesk.types import Instrument, Interval

#: The first version of the tables that counts duplicates.
COUNTS_DUPLICATES = 2
#: So many differing bars are named.
MOST_DIFFERENCES = 100
_PRICES = ("open", "high", "low", "close")
KLINE_ORIGIN = "kline"
#: Trades are looked at in stretches of so many ms.
STRETCH_MS = 600_000
_LOW_BITS = 0xFFFFFFFF


def find_runs(connection: sa.Connection, instrument_id: int, since: int = 0, until: int | None = None) -> list[IdRun]:
    """Find the runs of ids stored with a trade time in [since, until) (ms), ascending and disjoint.

    A stretch of time whose ids count on without a hole is told by its count, bounds and sum, ten
    times faster than by looking at each; only the others are walked through.
    """
    runs: list[IdRun] = []
    start = connection.execute(_FIRST_TS, {"held": instrument_id, "start": since}).scalar()
    while start is not None and (until is None or start < until):
        end = start + STRETCH_MS if until is None else min(start + STRETCH_MS, until)
        span = {"held": instrument_id, "start": start, "end": end}
        count, first, last, first_ts, last_ts, checksum = connection.execute(_SUMMARY, span).one()
        if _counts_on(count, first, last, checksum):
            runs.append(IdRun(first, last, first_ts, last_ts))
        else:
            runs += _walked(connection.execute(_WALK, span).all())
        start = connection.execute(_FIRST_TS, {"held": instrument_id, "start": span["end"]}).scalar()
    return joined_runs(runs)


def _counts_on(count: int, first: int, last: int, checksum: int) -> bool:
    if count != last - first + 1 or first & ~_LOW_BITS != last & ~_LOW_BITS:
        return False
    # The count alone would not notice one id twice (at two times) beside a hole.
    return 2 * int(checksum) == count * ((first & _LOW_BITS) + (last & _LOW_BITS))


def _walked(rows: Sequence[Any]) -> list[IdRun]:
    """Return runs from (id before, its ts, id, ts) of each place where the ids do not count on, and the last row."""
    edges = sorted((tuple(row) for row in rows), key=lambda edge: (edge[2] is None, edge[3], edge[2]))
    starts = [(edge[2], edge[3]) for edge in edges if edge[2] is not None]
    ends = [(edge[0], edge[1]) for edge in edges if edge[0] is not None]
    return [IdRun(a, b, at, bt) for (a, at), (b, bt) in zip(starts, ends, strict=True)]


def joined_runs(found: Iterable[IdRun]) -> list[IdRun]:
    """Put runs in order and join those that touch or overlap: times may disagree with ids."""
    runs: list[IdRun] = []
    for run in sorted(found, key=lambda run: (run.first_id, run.last_id)):
        if runs and run.first_id <= runs[-1].last_id + 1:
            before = runs.pop()
            newest = max((before.last_id, before.last_ts), (run.last_id, run.last_ts))
            runs.append(IdRun(before.first_id, newest[0], before.first_ts, newest[1]))
        else:
            runs.append(run)
    return runs


_STRETCH = (
    ticks.c.instrument_id == sa.bindparam("held", type_=sa.Integer),
    ticks.c.ts >= sa.bindparam("start", type_=EpochMs),
    ticks.c.ts < sa.bindparam("end", type_=EpochMs),
)
_FIRST_TS = sa.select(ticks.c.ts).where(*_STRETCH[:2]).order_by(ticks.c.ts).limit(1)
_SUMMARY = sa.select(
    sa.func.count(),
    sa.func.min(ticks.c.agg_id),
    sa.func.max(ticks.c.agg_id),
    sa.func.min(ticks.c.ts),
    sa.func.max(ticks.c.ts),
    sa.func.sum(ticks.c.agg_id.bitwise_and(_LOW_BITS)),
).where(*_STRETCH)


def _walk() -> sa.Select[Any]:
    """Select the places where ids do not count on, in the order of the key: nothing is sorted."""
    order = (ticks.c.ts, ticks.c.agg_id)
    beside = sa.select(
        sa.func.lag(ticks.c.agg_id).over(order_by=order).label("before"),
        sa.func.lag(ticks.c.ts, type_=EpochMs).over(order_by=order).label("before_ts"),
        *(ticks.c.agg_id, ticks.c.ts),
    )
    walk = beside.where(*_STRETCH).subquery("walk")
    breaks = sa.select(walk).where(sa.or_(walk.c.before.is_(None), walk.c.agg_id != walk.c.before + 1))
    # PostgreSQL takes a NULL without a type for text.
    nothing = (sa.cast(sa.null(), kind).label(name) for name, kind in (("no_id", sa.BigInteger), ("no_ts", EpochMs)))
    last = sa.select(ticks.c.agg_id, ticks.c.ts, *nothing).where(*_STRETCH)
    newest = last.order_by(ticks.c.ts.desc(), ticks.c.agg_id.desc()).limit(1).subquery("newest")
    return sa.select(sa.union_all(breaks, sa.select(newest)).subquery("edges"))


_WALK = _walk()


def pairs_select(instrument_id: int) -> sa.Select[Any]:
    """Return the select of every closed, whole 1m bar from trades beside the kline of its minute.

    A bar is closed when a later trade is stored. The very first one is whole only where the ledger
    reaches back before it: otherwise recording may have begun within it.
    """
    mine, minute = bars.c.instrument_id == instrument_id, bars.c.interval == Interval.M1.value
    newest = sa.select(sa.func.max(bars.c.open_time)).where(mine, minute).scalar_subquery()
    oldest = sa.select(sa.func.min(bars.c.open_time)).where(mine, minute).scalar_subquery()
    known_since = sa.select(sa.func.min(gaps.c.start_ts)).where(gaps.c.instrument_id == instrument_id).scalar_subquery()
    whole = sa.or_(bars.c.open_time > oldest, bars.c.open_time >= known_since, bars.c.first_id <= 1)
    same = (
        source_bars.c.instrument_id == bars.c.instrument_id,
        source_bars.c.interval == bars.c.interval,
        source_bars.c.open_time == bars.c.open_time,
        source_bars.c.origin == KLINE_ORIGIN,
    )
    names = (*_PRICES, "volume", "trades")
    return (
        sa.select(bars.c.open_time, *(bars.c[n] for n in names), *(source_bars.c[n] for n in names))
        .join_from(bars, source_bars, sa.and_(*same))
        .where(mine, minute, bars.c.open_time < newest, ~bars.c.partial, whole)
        .where(bars.c.volume.is_not(None), source_bars.c.volume.is_not(None))
        .order_by(bars.c.open_time)
    )


def counted(rows: Iterable[Any], instrument: Instrument) -> BarChecks:
    """Count how the rows of ``pairs_select`` compare, prices and volume in whole ticks and steps."""
    tick, step = 10.0**instrument.price_decimals, 10.0**instrument.quantity_decimals
    checked = matching = count_only = 0
    differences: list[int] = []
    for open_time, *numbers in rows:
        ours, theirs = ([*map(float, part)] for part in (numbers[:6], numbers[6:]))
        same = all(
            round(a * scale) == round(b * scale)
            for a, b, scale in zip(ours, theirs, (tick, tick, tick, tick, step), strict=False)
        )
        checked += 1
        if same and ours[5] == theirs[5]:
            matching += 1
            continue
        count_only += same and theirs[5] > ours[5]
        if len(differences) < MOST_DIFFERENCES:
            differences.append(int(open_time))
    return BarChecks(checked, matching, count_only, tuple(differences))
