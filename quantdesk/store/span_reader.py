"""Read how much is held of a span of time: rows, first and last, and what lies beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from quantdesk.store.base import RowSpan, TickEdge
from quantdesk.store.schema import bars, source_bars, ticks
from quantdesk.types import Instrument

#: Bars are counted in stretches of so many ms, so that Cancel is heard between two.
_STRETCH_MS = 30 * 86_400_000
NO_ROWS = RowSpan(0, None, None)


class SpanReader:
    """Count rows of one instrument; the statements seek the key."""

    def _rows(self, statement: sa.Executable) -> Sequence[Any]:
        raise NotImplementedError

    def _id_of(self, instrument: Instrument) -> int | None:
        raise NotImplementedError

    def trade_bar_span(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> RowSpan:
        """Count the bars from trades with start <= open time < end (ms); ``pause`` is called now and then."""
        return self._bar_span(bars, instrument, interval, (start, end), pause)

    def source_bar_span(
        self,
        instrument: Instrument,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        pause: Callable[[], None] = lambda: None,
        origin: str | None = None,
    ) -> RowSpan:
        """Count the source bars with start <= open time < end (ms), of one origin or all."""
        more = () if origin is None else (source_bars.c.origin == origin,)
        return self._bar_span(source_bars, instrument, interval, (start, end), pause, more)

    def _bar_span(
        self,
        table: sa.Table,
        instrument: Instrument,
        interval: str,
        span: tuple[int | None, int | None],
        pause: Callable[[], None],
        more: Sequence[sa.ColumnElement[bool]] = (),
    ) -> RowSpan:
        held = self._id_of(instrument)
        if held is None:
            return NO_ROWS
        time = table.c.open_time
        mine = [table.c.instrument_id == held, table.c.interval == interval, *more]
        mine += [] if span[1] is None else [time < span[1]]
        first = sa.select(time).where(*mine).order_by(time).limit(1)
        rows, edges, at = 0, NO_ROWS, span[0]
        while True:
            found = self._rows(first if at is None else first.where(time >= at))
            if not found:
                return RowSpan(rows, edges.first_ts, edges.last_ts)
            begin = int(found[0][0])
            at = begin + _STRETCH_MS
            counted = sa.select(sa.func.count(), sa.func.max(time)).where(*mine, time >= begin, time < at)
            count, last = self._rows(counted)[0]
            rows += int(count)
            edges = RowSpan(rows, begin if edges.first_ts is None else edges.first_ts, int(last))
            pause()

    def first_tick(self, instrument: Instrument, start: int = 0, end: int | None = None) -> TickEdge | None:
        """Return the first trade with start <= ts < end (ms), or None."""
        return self._edge(instrument, start, end, newest=False)

    def newest_tick(self, instrument: Instrument, start: int = 0, end: int | None = None) -> TickEdge | None:
        """Return the last trade with start <= ts < end (ms), or None."""
        return self._edge(instrument, start, end, newest=True)

    def _edge(self, instrument: Instrument, start: int, end: int | None, *, newest: bool) -> TickEdge | None:
        held = self._id_of(instrument)
        if held is None:
            return None
        mine = [ticks.c.instrument_id == held, ticks.c.ts >= start]
        mine += [] if end is None else [ticks.c.ts < end]
        key = (ticks.c.ts, ticks.c.agg_id)
        order = [column.desc() for column in key] if newest else list(key)
        rows = self._rows(sa.select(ticks.c.agg_id, ticks.c.ts).where(*mine).order_by(*order).limit(1))
        return TickEdge(int(rows[0][0]), int(rows[0][1])) if rows else None
