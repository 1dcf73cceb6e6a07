"""Tell what a store holds of each instrument and interval: rows, span, coverage, size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from quantdesk.store.base import Reader, RowSpan, StoredInstrument
from quantdesk.store.files import Cancelled
from quantdesk.store.ledger_report import HOLES
from quantdesk.types import Gap, GapState, Instrument, Interval

#: What a row takes on disk with its key, measured; used where the store cannot tell by table.
_BYTES = {"ticks": 60, "bars": 90, "source_bars": 90, "gaps": 60}
_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


class Kind(StrEnum):
    """Name what a row of the table is about."""

    TRADES = "trades"
    BARS = "bars"
    SOURCE_BARS = "source bars"
    GAPS = "gaps"


@dataclass(frozen=True, slots=True)
class Holding:
    """Tell what is held of one thing; ``coverage`` is 0 to 1, None where it makes no sense.

    Trades: of the ids between the first and the last one held that the exchange has. Bars: of the open times
    between the first and the last one (a second without a trade has none). ``note`` is in words.
    """

    instrument: Instrument
    kind: Kind
    interval: str
    rows: int
    first_ts: int | None
    last_ts: int | None
    coverage: float | None
    size_bytes: int
    note: str = ""

    @property
    def title(self) -> str:
        """Return the kind with its interval."""
        return f"{self.kind.value} {self.interval}".strip()


@dataclass(frozen=True, slots=True)
class Holdings:
    """Hold the rows of every instrument, by venue and symbol; ``basis`` says how the sizes were found."""

    rows: tuple[Holding, ...]
    basis: str


def interval_ms(name: str) -> int | None:
    """Return the length (ms) of an interval by its name, None for months and what is no interval."""
    count, unit = name[:-1], name[-1:]
    is_known = unit in _UNITS and count.isascii() and count.isdigit() and int(count) > 0
    return int(count) * _UNITS[unit] if is_known else None


def read_holdings(
    reader: Reader,
    progress: Callable[[float, str], None] = lambda done, words: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Holdings:
    """Look at the whole store; raise Cancelled between two questions, StoreError where it cannot be read.

    ``progress`` hears 0 to 1 and what is looked at.
    """

    def pause() -> None:
        if cancelled():
            raise Cancelled("the look at the store was stopped")

    facts = reader.facts()
    pause()
    held = reader.instruments()
    found: list[Holding] = []
    for place, one in enumerate(held):
        for row in _of_instrument(reader, one, pause):
            found.append(row)
            progress((place + 0.5) / len(held), f"{one.instrument.symbol}: {row.title}")
        progress((place + 1) / len(held), one.instrument.symbol)
    return Holdings(*_sized(found, facts.sizes))


def _of_instrument(reader: Reader, held: StoredInstrument, pause: Callable[[], None]) -> Iterator[Holding]:
    instrument = held.instrument
    gaps = reader.load_gaps(instrument)
    if held.ticks:
        coverage, note = _trades_covered(reader, held, gaps)
        yield Holding(instrument, Kind.TRADES, "", held.ticks, held.first_ts, held.last_ts, coverage, 0, note)
    pause()
    for interval in Interval:
        span = reader.trade_bar_span(instrument, interval.value, pause=pause)
        if span.rows:
            yield _bars(instrument, Kind.BARS, interval.value, span)
    for name in sorted(reader.source_intervals(instrument), key=lambda n: interval_ms(n) or 1 << 62):
        yield _bars(instrument, Kind.SOURCE_BARS, name, reader.source_bar_span(instrument, name, pause=pause))
    if gaps:
        times = [stamp for gap in gaps for stamp in (gap.start_ts, gap.end_ts)]
        yield Holding(instrument, Kind.GAPS, "", len(gaps), min(times), max(times), None, 0, _gap_words(gaps))


def _trades_covered(reader: Reader, held: StoredInstrument, gaps: Sequence[Gap]) -> tuple[float | None, str]:
    """Return which part of the ids is held of those that the exchange has, and what is not, in words."""
    first = reader.first_tick(held.instrument)
    last = held.last_agg_id
    if first is None or last is None or last < first.agg_id:
        return None, ""
    wanted = last - first.agg_id + 1 - _ids(gaps, first.agg_id, last, (GapState.MISSING,))
    lacking = _ids(gaps, first.agg_id, last, HOLES)
    dropped = _ids(gaps, first.agg_id, last, (GapState.DROPPED,))
    words = [f"{_ids_text(lacking)} missing" if lacking else "", f"{_ids_text(dropped)} deleted" if dropped else ""]
    coverage = min(1.0, held.ticks / wanted) if wanted > 0 else None
    if coverage is not None and coverage < 1 and not lacking and not dropped:
        words.append(f"{_ids_text(wanted - held.ticks)} absent that no row of the ledger explains")
    return coverage, ", ".join(part for part in words if part)


def _ids(gaps: Sequence[Gap], first: int, last: int, states: Sequence[GapState]) -> int:
    inside = (min(gap.last_id, last) - max(gap.first_id, first) + 1 for gap in gaps if gap.state in states)
    return sum(size for size in inside if size > 0)


def _bars(instrument: Instrument, kind: Kind, interval: str, span: RowSpan) -> Holding:
    step = interval_ms(interval)
    coverage = None
    if step is not None and span.first_ts is not None and span.last_ts is not None:
        coverage = min(1.0, span.rows / ((span.last_ts - span.first_ts) // step + 1))
    return Holding(instrument, kind, interval, span.rows, span.first_ts, span.last_ts, coverage, 0)


def _ids_text(count: int) -> str:
    return f"{count:,} id" if count == 1 else f"{count:,} ids"


def _gap_words(gaps: Sequence[Gap]) -> str:
    parts = []
    for state in GapState:
        mine = [gap for gap in gaps if gap.state is state]
        ids = sum(max(0, gap.size) for gap in mine)
        parts += [f"{len(mine):,} {state.value} ({_ids_text(ids)})"] if mine else []
    return ", ".join(parts)


_TABLES = {Kind.TRADES: "ticks", Kind.BARS: "bars", Kind.SOURCE_BARS: "source_bars", Kind.GAPS: "gaps"}


def _sized(found: Sequence[Holding], sizes: dict[str, int]) -> tuple[tuple[Holding, ...], str]:
    """Share the bytes of each table out by rows; where they are not known, count what a row takes."""
    totals: dict[str, int] = {}
    for row in found:
        totals[_TABLES[row.kind]] = totals.get(_TABLES[row.kind], 0) + row.rows
    given = dict(sizes)
    if "kept_bars" in given:
        given["bars"] = given.get("bars", 0) + given.pop("kept_bars")
    sized = []
    for row in found:
        table = _TABLES[row.kind]
        share = row.rows / totals[table] if totals[table] else 0.0
        size = given[table] * share if table in given else float(row.rows * _BYTES[table])
        sized.append(replace(row, size_bytes=round(size)))
    basis = "sizes: the bytes of each table, shared out by rows" if sizes else "sizes: estimated from the rows"
    return tuple(sized), basis


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """Name what is to be written to ``path``: trades, or bars of an interval, with start <= time < end (ms)."""

    instrument: Instrument
    kind: Kind
    interval: str
    start: int | None
    end: int | None
    path: Path
