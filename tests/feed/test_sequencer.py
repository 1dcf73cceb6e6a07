"""The sequencer passes each id once and knows what is missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.feed.gaps import Gaps
from quantdesk.feed.sequencer import MAX_JUMP, RENUMBERED_AFTER, Sequencer, Verdict
from quantdesk.types import Gap, GapState, Tick


def tick(ident: int, ts: int | None = None) -> Tick:
    return Tick("BTCUSDT", ident, 1.0, 1.0, 1_000_000 + ident if ts is None else ts, False)


def bounds(gaps: Gaps) -> list[tuple[int, int]]:
    return [(gap.first_id, gap.last_id) for gap in gaps.active()]


def test_the_expected_id_passes_and_a_lower_one_is_a_duplicate() -> None:
    sequencer = Sequencer("BTCUSDT")
    assert [sequencer.on_tick(tick(i)) for i in (5, 6, 6, 5, 7)] == [
        Verdict.NEW,
        Verdict.NEW,
        Verdict.DUPLICATE,
        Verdict.DUPLICATE,
        Verdict.NEW,
    ]
    assert sequencer.duplicates == 2


def test_a_jump_of_the_id_opens_a_gap_and_later_trades_keep_flowing() -> None:
    sequencer = Sequencer("BTCUSDT", 10, 1_000_009)
    assert sequencer.on_tick(tick(15)) is Verdict.NEW
    assert sequencer.on_tick(tick(16)) is Verdict.NEW
    (gap,) = sequencer.gaps.active()
    assert (gap.first_id, gap.last_id, gap.start_ts, gap.end_ts) == (10, 14, 1_000_009, 1_000_015)
    assert gap.state is GapState.OPEN


def test_a_late_trade_splits_a_gap_and_passes_once() -> None:
    sequencer = Sequencer("BTCUSDT", 10)
    sequencer.on_tick(tick(20))
    assert sequencer.on_tick(tick(14)) is Verdict.LATE
    assert sequencer.on_tick(tick(14)) is Verdict.DUPLICATE
    assert bounds(sequencer.gaps) == [(10, 13), (15, 19)]


def test_what_the_store_refused_is_stored_again_but_not_shown_again() -> None:
    sequencer = Sequencer("BTCUSDT")
    sequencer.on_tick(tick(1))
    sequencer.gaps.open(1, 1, 0, 0, 0, seen=True)
    verdict = sequencer.on_tick(tick(1))
    assert verdict is Verdict.REFILL
    assert not verdict.is_news


def test_a_lone_absurd_id_is_refused_and_the_stream_goes_on() -> None:
    sequencer = Sequencer("BTCUSDT", 10)
    assert sequencer.on_tick(tick(2**62)) is Verdict.REFUSED
    assert sequencer.on_tick(tick(10)) is Verdict.NEW
    assert not sequencer.gaps


def test_an_exchange_that_counts_anew_far_ahead_is_followed_at_its_second_id() -> None:
    sequencer = Sequencer("BTCUSDT", 10)
    base = 10 + 2 * MAX_JUMP
    assert sequencer.on_tick(tick(base)) is Verdict.REFUSED
    assert sequencer.on_tick(tick(base + 1)) is Verdict.NEW
    assert bounds(sequencer.gaps) == [(base, base)]


def test_an_exchange_that_counts_anew_from_below_is_followed_and_nothing_of_it_is_forgotten() -> None:
    sequencer = Sequencer("BTCUSDT", 1_000, last_ts=5_000)
    verdicts = [sequencer.on_tick(tick(i, 6_000 + i)) for i in range(1, RENUMBERED_AFTER + 3)]
    assert verdicts[RENUMBERED_AFTER - 1] is Verdict.NEW
    assert bounds(sequencer.gaps) == [(1, RENUMBERED_AFTER - 1)]


def test_a_replayed_window_does_not_look_like_counting_anew() -> None:
    sequencer = Sequencer("BTCUSDT")
    for i in range(1_000):
        sequencer.on_tick(tick(i))
    assert {sequencer.on_tick(tick(i)) for i in range(1_000)} == {Verdict.DUPLICATE}
    assert sequencer.duplicates == 1_000


@given(st.lists(st.integers(100, 160), min_size=1, max_size=120))
def test_every_id_passes_exactly_once_whatever_the_order(ids: list[int]) -> None:
    sequencer = Sequencer("BTCUSDT", 100)
    passed = [i for i in ids if sequencer.on_tick(tick(i)).is_news]
    assert sorted(passed) == sorted(set(ids))
    missing = {i for gap in sequencer.gaps.active() for i in range(gap.first_id, gap.last_id + 1)}
    assert missing == set(range(100, max(ids) + 1)) - set(ids)


class Shelf:
    """Keep what a store would hold after any prefix of the writes."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.rows: dict[int, Gap] = {}

    def missing_as_told(self, first: int) -> set[int]:
        held = max(self.ids, default=first - 1)
        active = [g for g in self.rows.values() if g.state in (GapState.OPEN, GapState.FILLING)]
        return {i for g in active for i in range(g.first_id, min(g.last_id, held) + 1)}


@given(
    st.lists(st.tuples(st.integers(100, 150), st.booleans()), min_size=1, max_size=80),
    st.integers(0, 200),
)
def test_no_crash_between_two_writes_makes_the_ledger_forget_a_hole(
    steps: list[tuple[int, bool]], crash_after: int
) -> None:
    """The order of a flush is: rows that say more is missing, the trades by id, rows that say less.

    A restart carries on from the highest id held, so every hole below it must be in the ledger.
    """
    sequencer = Sequencer("BTCUSDT", 100)
    writes: list[tuple[str, object]] = []
    pending: list[int] = []
    for ident, flush in steps:
        if sequencer.on_tick(tick(ident)) in (Verdict.NEW, Verdict.LATE):
            pending.append(ident)
        if flush:
            before, after = sequencer.gaps.drain(0.0)
            writes += [("row", row) for row in before]
            writes += [("tick", i) for i in sorted(pending)]
            writes += [("row", row) for row in after]
            pending = []
    shelf = Shelf()
    for kind, what in writes[:crash_after]:
        if kind == "row":
            assert isinstance(what, Gap)
            shelf.rows[what.first_id] = what
        else:
            assert isinstance(what, int)
            shelf.ids.add(what)
    if shelf.ids:
        holes = set(range(100, max(shelf.ids) + 1)) - shelf.ids
        assert holes <= shelf.missing_as_told(100)


def test_a_finished_ledger_says_so_for_every_row_it_ever_wrote() -> None:
    sequencer = Sequencer("BTCUSDT", 100)
    rows: dict[int, Gap] = {}

    def drain() -> None:
        for part in sequencer.gaps.drain(0.0):
            rows.update({row.first_id: row for row in part})

    sequencer.on_tick(tick(120))
    drain()
    for ident in (110, 100, 101, 119, 118, 105):
        sequencer.on_tick(tick(ident))
        drain()
    for ident in range(100, 120):
        sequencer.on_tick(tick(ident))
    drain()
    assert {row.state for row in rows.values()} == {GapState.FILLED}
    assert sum(row.size for row in rows.values()) == 20
