"""A leg stores in an order that survives a crash, and marks history it could not ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from quantdesk.bars.arrays import BarArrays
from quantdesk.ingest.leg import Leg
from quantdesk.ingest.listener import Guarded
from quantdesk.store.base import StoredInstrument
from quantdesk.types import BookTicker, Gap, GapState, Instrument, Tick
from tests.ingest.conftest import Heard

T = 1_700_000_000_000 - 1_700_000_000_000 % 300_000
X = Instrument("v", "X")


class Writes:
    """Keep what a leg hands over, in order."""

    def __init__(self) -> None:
        self.log: list[tuple[str, object]] = []
        self.ticks: list[int] = []

    def put_ticks(self, instrument: Instrument, ticks: Sequence[Tick]) -> bool:
        self.log.append(("ticks", [t.agg_id for t in ticks]))
        self.ticks += [t.agg_id for t in ticks]
        return True

    def put_duplicates(self, instrument: Instrument, count: int) -> None:
        pass

    def put_source_bars(self, instrument: Instrument, interval: str, bars: BarArrays, origin: str) -> None:
        self.log.append(("bars", len(bars)))

    def put_gaps(self, instrument: Instrument, gaps: Sequence[Gap]) -> None:
        self.log.append(("gaps", [(g.first_id, g.last_id, g.state) for g in gaps]))


class Bench:
    """Hold a leg whose clock the test moves."""

    def __init__(self, seam_ms: int = 0) -> None:
        self.now = 0.0
        self.writes, self.heard = Writes(), Heard()
        self.leg = Leg(X, self.writes, Guarded(self.heard), lambda: self.now, settle=2.0, seam_ms=seam_ms)


def tick(ident: int, ts: int = T) -> Tick:
    return Tick("X", ident, 1.0, 1.0, ts + ident, False)


def test_overtaken_trades_are_shown_at_once_and_stored_without_a_gap() -> None:
    bench = Bench()
    bench.leg.open(X, (0, T), [], None)
    for ident in (1, 3, 4, 2):
        bench.leg.on_tick(tick(ident))
        bench.leg.flush()
    assert bench.heard.ticks["X"] == [1, 3, 4, 2]
    assert bench.writes.ticks == [1, 2, 3, 4]
    assert not [entry for entry in bench.writes.log if entry[0] == "gaps"]


def test_a_gap_is_stored_before_the_trades_above_it() -> None:
    bench = Bench()
    bench.leg.open(X, (0, T), [], None)
    bench.leg.on_tick(tick(10))
    bench.leg.flush()
    assert bench.writes.log == []
    bench.now = 2.5
    bench.leg.flush()
    assert bench.writes.log == [("gaps", [(1, 9, GapState.OPEN)]), ("ticks", [10])]


def test_a_filled_gap_is_stored_after_the_trades_that_fill_it() -> None:
    bench = Bench()
    bench.leg.open(X, (0, T), [], None)
    bench.leg.on_tick(tick(3))
    bench.now = 3.0
    bench.leg.flush()
    bench.leg.deliver([tick(1), tick(2)])
    bench.writes.log.clear()
    bench.leg.flush()
    assert bench.writes.log == [("ticks", [1, 2]), ("gaps", [(1, 2, GapState.FILLED)])]


def test_a_fresh_start_marks_the_history_before_its_first_trade() -> None:
    bench = Bench(seam_ms=300_000)
    bench.leg.open(X, None, [], None)
    bench.leg.on_tick(tick(50))
    bench.leg.flush()
    assert bench.writes.log == [("gaps", [(49, 49, GapState.OPEN)]), ("ticks", [50])]
    assert bench.leg.seam is not None
    assert bench.leg.seam.start == T - 300_000
    assert bench.leg.sequencer.gaps.lowest(1e9) is None, "not asked for before its beginning is known"


def test_the_seam_is_stored_before_the_page_that_begins_to_fill_it() -> None:
    bench = Bench(seam_ms=300_000)
    bench.leg.open(X, None, [], None)
    bench.leg.on_tick(tick(50))
    bench.leg.flush()
    assert bench.leg.seam is not None
    bench.leg.close_seam(bench.leg.seam, [tick(10), tick(11)])
    bench.leg.flush()
    assert bench.writes.log[2:] == [
        ("gaps", [(10, 48, GapState.OPEN)]),
        ("gaps", [(12, 48, GapState.OPEN)]),
        ("ticks", [10, 11]),
        ("gaps", [(10, 11, GapState.FILLED)]),
    ]


def test_a_session_killed_before_rest_answered_asks_for_its_history_later() -> None:
    bench = Bench(seam_ms=300_000)
    rows = [Gap("X", 49, 49, T - 300_000, T + 50, T)]
    bench.leg.open(X, (60, T + 60), rows, StoredInstrument(1, X, 11, T + 50, T + 60, 60))
    seam = bench.leg.seam
    assert seam is not None
    assert (seam.start, seam.end, seam.low) == (T - 300_000, T + 50, 50)


def test_an_ordinary_hole_of_one_id_is_no_seam() -> None:
    bench = Bench(seam_ms=300_000)
    rows = [Gap("X", 55, 55, T - 300_000, T + 50, T)]
    bench.leg.open(X, (60, T + 60), rows, StoredInstrument(1, X, 10, T - 300_000, T + 60, 60))
    assert bench.leg.seam is None
    assert len(bench.leg.sequencer.gaps) == 1


def test_an_old_quote_is_dropped_and_only_the_newest_is_shown() -> None:
    bench = Bench()
    for ident in (5, 7, 6):
        bench.leg.on_quote(BookTicker("X", ident, 1.0, 1.0, 2.0, 1.0, T, T))
    bench.leg.flush()
    bench.leg.on_quote(BookTicker("X", 3, 1.0, 1.0, 2.0, 1.0, T, T))
    bench.leg.flush()
    assert bench.heard.quotes["X"] == 1


def test_claims_of_a_session_that_stored_no_trade_are_emptied() -> None:
    bench = Bench()
    rows = [
        Gap("X", 6, 5, T, T + 6, T + 6, GapState.EXPIRED),
        Gap("X", 7, 90, T, T + 90, T + 90, GapState.OPEN),
        Gap("X", 95, 95, T, T + 95, T + 95, GapState.FILLED),
    ]
    bench.leg.open(X, None, rows, None)
    assert bench.writes.log == [("gaps", [(6, 5, GapState.FILLED), (7, 6, GapState.FILLED)])]
    assert len(bench.leg.sequencer.gaps) == 0


def test_what_was_handed_over_while_the_store_was_asked_for_its_holes_is_none() -> None:
    bench = Bench()
    bench.leg.open(X, (2, T), [], None)
    with bench.leg.adopting() as handed:
        answer = [Gap("X", 3, 9, T + 2, T + 10, T + 10)]  # what the store says before these come
        for ident in (3, 4, 7, 10):
            bench.leg.on_tick(tick(ident))
        bench.leg.flush()
        bench.leg.adopt(answer, handed)
    bench.leg.flush()
    assert bench.writes.ticks == [3, 4], "the others wait until the young hole has settled"
    assert [(gap.first_id, gap.last_id) for gap in bench.leg.sequencer.gaps.active()] == [(5, 6), (8, 9)]
    for ident in (5, 6, 8, 9):
        bench.leg.deliver([tick(ident)])
    bench.leg.flush()
    assert bench.writes.ticks == list(range(3, 11))
    last = {}
    for kind, rows in bench.writes.log:
        if kind == "gaps":
            assert isinstance(rows, list)
            last.update({first: (end, state) for first, end, state in rows})
    assert {state for _, state in last.values()} == {GapState.FILLED}
    assert 3 in last, "the row of the store is closed"


def test_what_was_brought_in_behind_its_back_is_no_hole_any_more() -> None:
    bench = Bench()
    lost = Gap("X", 11, 20, T, T + 20, T, GapState.EXPIRED)
    later = Gap("X", 51, 60, T + 50, T + 60, T, GapState.EXPIRED)
    mended = Gap("X", 31, 35, T + 30, T + 36, T)
    stored = StoredInstrument(1, X, 70, T, T + 100, 100)
    bench.leg.open(X, (100, T + 100), [lost, mended], stored, first=1)
    assert bench.leg.missing() == [lost, mended]
    before = list(bench.leg.lost)
    bench.leg.lost.append(later)  # while the store was asked
    filled = [
        Gap("X", 11, 20, T, T + 20, T, GapState.FILLED),
        Gap("X", 31, 35, T + 30, T + 36, T, GapState.FILLED),
    ]
    bench.leg.gaps_changed = False
    bench.leg.relearn(filled, before, T, T + 1_000)
    assert bench.leg.missing() == [later] and bench.leg.gaps_changed


def test_a_hole_that_was_given_up_by_hand_is_asked_for_no_more() -> None:
    bench = Bench()
    hole = Gap("X", 31, 35, T + 30, T + 36, T)
    bench.leg.open(X, (100, T + 100), [hole], StoredInstrument(1, X, 70, T, T + 100, 100), first=1)
    assert bench.leg.missing() == [hole]
    bench.leg.relearn([replace(hole, state=GapState.DROPPED)], [], T, T + 1_000)
    assert bench.leg.missing() == [] and bench.leg.sequencer.gaps.lowest(1e12) is None
