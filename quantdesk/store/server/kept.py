"""Keep bars beside the continuous aggregates whose trades are gone, and let them give way to those that tell more."""

from __future__ import annotations

import sqlalchemy as sa

from quantdesk.store.ranges import Ranges
from quantdesk.store.server.schema import VIEWS
from quantdesk.store.server.settings import dropped
from quantdesk.types import Interval

_MS = ", ".join(f"('{interval.value}', {interval.ms})" for interval in Interval)
_WIDTHS = f"(VALUES {_MS}) AS width(interval, ms)"
_START, _END = (f"(TIMESTAMPTZ 'epoch' + :{name} * INTERVAL '1 millisecond')" for name in ("start", "end"))
_WIDTH = "width.ms * INTERVAL '1 millisecond'"
# A kept bar goes once the trades of its time are as many: then the aggregate tells the same, or more.
_GIVE_WAY = sa.text(
    f"""
    DELETE FROM kept_bars k USING {_WIDTHS}
    WHERE k.instrument_id = :held AND k.interval = width.interval
      AND k.open_time > {_START} - {_WIDTH} AND k.open_time < {_END}
      AND k.trades <= (
        SELECT COALESCE(sum(t.trades), 0) FROM ticks t WHERE t.instrument_id = k.instrument_id
          AND t.ts >= k.open_time AND t.ts < k.open_time + {_WIDTH})
    """  # noqa: S608  # intervals of ours, values are bound
)
_BUCKET = f"date_bin({_WIDTH}, t.ts, TIMESTAMPTZ 'epoch')"
_NAMES = ("open", "high", "low", "close", "volume", "quote_volume", "trades", "first_id", "last_id")
_BUILD = sa.text(
    f"""
    INSERT INTO kept_bars (instrument_id, interval, open_time, {", ".join(_NAMES)})
    SELECT t.instrument_id, width.interval, {_BUCKET}, first(t.price, t.agg_id), max(t.price), min(t.price),
      last(t.price, t.agg_id), sum(t.quantity::numeric)::float8,
      sum(round(t.price::numeric * t.quantity::numeric, 8))::float8, sum(t.trades), min(t.agg_id), max(t.agg_id)
    FROM ticks t, {_WIDTHS}
    WHERE t.instrument_id = :held AND t.ts >= date_bin({_WIDTH}, {_START}, TIMESTAMPTZ 'epoch')
      AND t.ts < date_bin({_WIDTH}, {_END} - INTERVAL '1 millisecond', TIMESTAMPTZ 'epoch') + {_WIDTH}
    GROUP BY t.instrument_id, width.interval, {_BUCKET}
    ON CONFLICT (instrument_id, interval, open_time)
    DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _NAMES)}
    WHERE EXCLUDED.trades > kept_bars.trades
    """  # noqa: S608  # names and intervals of ours, values are bound
)


def _beside(interval: Interval) -> sa.TextClause:
    return sa.text(
        f"""
        DELETE FROM kept_bars k USING {VIEWS[interval]} b
        WHERE k.instrument_id = :held AND k.interval = '{interval.value}'
          AND k.open_time > {_START} - INTERVAL '{interval.ms} milliseconds' AND k.open_time < {_END}
          AND b.instrument_id = k.instrument_id AND b.open_time = k.open_time AND b.trades >= k.trades
          AND b.instrument_id = :held AND b.open_time < {_END}
          AND b.open_time > {_START} - INTERVAL '{interval.ms} milliseconds'
        """  # noqa: S608  # names of ours, values are bound
    )


_BESIDE = {interval: _beside(interval) for interval in Interval}


def give_way(connection: sa.Connection, held: int, start: int, end: int) -> None:
    """Make the bars right after trades of an instrument came in [start, end) (ms).

    Kept bars that the trades have made whole go. Where trades were dropped no aggregate may be refreshed:
    what the trades say is kept beside it, unless it tells less.
    """
    touched = Ranges()
    touched.add(start, end)
    gone = dropped(connection)
    for low, high in touched.less(gone):
        connection.execute(_GIVE_WAY, {"held": held, "start": low, "end": high})
    for low, high in gone.within(start, end):
        connection.execute(_BUILD, {"held": held, "start": low, "end": high})
        _drop_lesser(connection, held, low, high)


def keep(connection: sa.Connection, held: int, start: int, end: int) -> None:
    """Keep the bars of an instrument's trades in [start, end) (ms), which are about to go, beside the aggregates."""
    touched = Ranges()
    touched.add(start, end)
    gone = dropped(connection)
    for low, high in touched.less(gone):
        connection.execute(_BUILD, {"held": held, "start": low, "end": high})
    for low, high in gone.within(start, end):  # there the aggregates stay as they are, and may tell more
        connection.execute(_BUILD, {"held": held, "start": low, "end": high})
        _drop_lesser(connection, held, low, high)


def let_go(connection: sa.Connection, held: int, start: int, end: int) -> int:
    """Let go of bars just kept in [start, end) (ms) that the trades or the aggregates tell as well; return how many."""
    touched = Ranges()
    touched.add(start, end)
    went = 0
    for low, high in touched.less(dropped(connection)):
        went += connection.execute(_GIVE_WAY, {"held": held, "start": low, "end": high}).rowcount
    return went + _drop_lesser(connection, held, start, end)


def _drop_lesser(connection: sa.Connection, held: int, start: int, end: int) -> int:
    span = {"held": held, "start": start, "end": end}
    return sum(connection.execute(statement, span).rowcount for statement in _BESIDE.values())
