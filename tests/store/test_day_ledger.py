"""A day whose download was cut by a crash is a hole again at the next start, or what it was before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Store
from quantdesk.store.day_ledger import DAY_MS, DayIds, begin_day, end_day, is_whole, settle_days
from quantdesk.store.deletion import Deletion, DropOrder, Part
from quantdesk.store.ledger_report import account_of
from quantdesk.store.opening import open_store
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Gap, GapState, Instrument, Tick
from tests.store.kinds import held_ids
from tests.store.samples import BTC, START

DAY = START - START % DAY_MS
EVERY, COUNT = 120_000, 600
REACH = 48 * 3_600_000
#: So late that nothing of these days can be asked for any more.
LATE = DAY + 9 * DAY_MS


def ticks_of(day: int) -> list[Tick]:
    """Return the trades of a day; the ids of the days follow one another."""
    first = 1 + day * COUNT
    start = DAY + day * DAY_MS
    return [Tick("BTCUSDT", first + n, 60_000.0 + n % 9, 0.5, start + n * EVERY, bool(n & 1)) for n in range(COUNT)]


def day_of(day: int) -> DayIds:
    return DayIds(DAY + day * DAY_MS, 1 + day * COUNT, (day + 1) * COUNT)


def bring(store: Store, btc: Instrument, day: int, *, cut: int | None = None) -> None:
    """Bring a day in, or so many trades of it before the program dies."""
    begin_day(store, btc, day_of(day), LATE)
    store.append_ticks(btc, ticks_of(day)[:cut])
    if cut is None:
        end_day(store, btc, day_of(day), LATE, LATE - REACH)


def rows_of(store: Store, btc: Instrument) -> list[tuple[int, int, GapState]]:
    return [(row.first_id, row.last_id, row.state) for row in store.load_gaps(btc) if row.size > 0]


def lacking(store: Store, btc: Instrument) -> list[tuple[int, int, GapState]]:
    return [row for row in rows_of(store, btc) if row[2] is not GapState.FILLED]


@pytest.mark.parametrize(("now", "state"), [(LATE, GapState.EXPIRED), (DAY + DAY_MS, GapState.OPEN)])
def test_what_a_cut_day_lacks_is_a_hole_again(store: Store, btc: Instrument, now: int, state: GapState) -> None:
    bring(store, btc, 1)
    bring(store, btc, 0, cut=200)
    assert lacking(store, btc) == [(1, 600, GapState.FILLING)]
    assert settle_days(store, now, REACH) == 1
    assert rows_of(store, btc)[0] == (1, 200, GapState.FILLED) and lacking(store, btc) == [(201, 600, state)]
    assert not is_whole(store, btc, DAY) and is_whole(store, btc, DAY + DAY_MS)
    cut = ticks_of(0)[199].ts
    origins = store.load_bars(btc, "5m", DAY, DAY + DAY_MS)
    assert dict(zip(origins.bars.open_time.tolist(), origins.origin, strict=True)) == {
        time: "partial" if time + 300_000 > cut else "trades" for time in origins.bars.open_time.tolist()
    }
    assert settle_days(store, now, REACH) == 0, "it is done once"
    bring(store, btc, 0)
    assert not lacking(store, btc) and is_whole(store, btc, DAY)


def test_a_day_that_had_come_whole_is_booked_with_its_seams(store: Store, btc: Instrument) -> None:
    bring(store, btc, 2)
    bring(store, btc, 0, cut=COUNT)
    settle_days(store, LATE, REACH)
    assert is_whole(store, btc, DAY) and lacking(store, btc) == [(601, 1_200, GapState.EXPIRED)]


@pytest.mark.parametrize("cut", [0, 1, 200])
def test_what_was_dropped_is_dropped_again(store: Store, btc: Instrument, cut: int) -> None:
    bring(store, btc, 0)
    bring(store, btc, 1)
    order = DropOrder(btc, Part.TRADES, "", DAY, DAY + DAY_MS)
    Deletion(store, lambda act: act(store), order, clock=lambda: LATE / 1_000).run()
    assert lacking(store, btc) == [(1, 600, GapState.DROPPED)]
    bring(store, btc, 0, cut=cut)
    settle_days(store, LATE, REACH)
    assert lacking(store, btc) == [(1 + cut, 600, GapState.DROPPED)] and account_of(store, btc).complete
    bring(store, btc, 0)
    assert not lacking(store, btc) and held_ids(store, btc) == list(range(1, 1_201))


def test_a_day_of_which_nothing_came_is_a_hole_only_amid_what_is_held(store: Store, btc: Instrument) -> None:
    bring(store, btc, 2)
    bring(store, btc, 1, cut=0)
    settle_days(store, LATE, REACH)
    assert not lacking(store, btc) and account_of(store, btc).complete
    bring(store, btc, 0)
    assert lacking(store, btc) == [(601, 1_200, GapState.EXPIRED)]
    bring(store, btc, 1, cut=0)
    settle_days(store, LATE, REACH)
    assert lacking(store, btc) == [(601, 1_200, GapState.EXPIRED)]


def test_holes_that_the_feed_fills_are_left_to_it(store: Store, btc: Instrument) -> None:
    store.append_ticks(btc, ticks_of(0))
    own = Gap(btc.symbol, 700, 709, DAY + 5, DAY + 9, DAY, GapState.FILLING, 2)
    store.save_gaps(btc, [own])
    assert settle_days(store, LATE, REACH) == 0 and store.load_gaps(btc) == [own]


def test_the_writer_settles_them_as_it_starts(empty: StoreAddress) -> None:
    def started() -> StoreWriter:
        writer = StoreWriter(lambda: open_store(empty))
        writer.start()
        return writer

    first = started()
    first.call(lambda s: bring(s, BTC, 0, cut=200)).result(30)
    assert first.stop()
    again = started()
    assert again.call(lambda s: lacking(s, BTC)).result(30) == [(201, 600, GapState.EXPIRED)]
    assert again.stop()


def test_what_another_program_fills_is_left_to_it(
    timescale_address: StoreAddress, opened: Callable[[StoreAddress], Store]
) -> None:
    filling, starting = opened(timescale_address), opened(timescale_address)
    bring(filling, BTC, 0, cut=200)
    assert settle_days(starting, LATE, REACH) == 0
    assert lacking(filling, BTC) == [(1, 600, GapState.FILLING)]
    end_day(filling, BTC, day_of(0), LATE, LATE - REACH)
