"""Two programs that write to one server: one records, the other stands by and takes over."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from quantdesk.config import StoreLimits
from quantdesk.store.address import StoreAddress, file_address
from quantdesk.store.base import LeasedElsewhereError, StoreError
from quantdesk.store.ledger_report import account_of, book_holes, open_holes
from quantdesk.store.opening import open_reader, open_store
from quantdesk.store.server.store import ServerStore, open_server
from quantdesk.store.standby import Standby
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Instrument, Light, Tick
from tests.store.rivals import rival
from tests.store.samples import BTC, ETH, trades

TICKS = trades(400)
#: A lease that runs out soon, for what is not about its length.
SHORT = StoreLimits(lease_seconds=1.5)
WITH_SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no SIGSTOP on Windows")


@contextmanager
def writing(address: StoreAddress, limits: StoreLimits = SHORT) -> Iterator[StoreWriter]:
    writer = StoreWriter(lambda: open_store(address, limits), limits)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def put(writer: StoreWriter, first: int, last: int, instrument: Instrument = BTC) -> None:
    ticks = TICKS if instrument == BTC else trades(400, symbol=instrument.symbol)
    assert writer.put_ticks(instrument, ticks[first - 1 : last])
    assert writer.flush(30)


def stored(address: StoreAddress, instrument: Instrument = BTC) -> list[int]:
    reader = open_reader(address)
    try:
        ids = [int(i) for block in reader.load_ticks(instrument) for i in block.agg_id]
        assert len(ids) == sum(held.ticks for held in reader.find(instrument.symbol)), "miscounted"
        return sorted(ids)
    finally:
        reader.close()


def ids(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


def until(condition: Callable[[], object], seconds: float = 30.0) -> float:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it did not come"
        time.sleep(0.02)
    return time.monotonic() - begun


def test_the_second_stands_by_names_the_first_and_writes_nothing(timescale_address: StoreAddress) -> None:
    with writing(timescale_address) as first, writing(timescale_address) as second:
        put(first, 1, 50)
        put(second, 1, 80)
        status = second.status
        assert status.standby.startswith("BTCUSDT recorded by ")
        assert f"(process {os.getpid()})" in status.standby
        assert (status.light, status.text) == (Light.GREEN, status.standby)
        assert (status.written, status.duplicates, second.takeovers()) == (0, 0, [])
        assert (first.status.standby, first.status.text) == ("", "recording")
        time.sleep(1.2)  # beside a living program the second goes on standing by
        assert stored(timescale_address) == ids(1, 50)
        put(first, 51, 60)
        assert stored(timescale_address) == ids(1, 60)


def test_of_two_symbols_each_is_written_by_who_came_first(timescale_address: StoreAddress) -> None:
    with writing(timescale_address) as first, writing(timescale_address) as second:
        put(first, 1, 20)
        put(second, 1, 30, ETH)
        put(first, 1, 25, ETH)
        put(second, 1, 25)
        assert first.status.standby.startswith("ETHUSDT recorded by ")
        assert second.status.standby.startswith("BTCUSDT recorded by ")
        assert (stored(timescale_address), stored(timescale_address, ETH)) == (ids(1, 20), ids(1, 30))


@WITH_SIGNALS
def test_a_killed_recorder_is_taken_over_within_15_s_without_a_lost_or_doubled_trade(
    timescale_address: StoreAddress, tmp_path: Path
) -> None:
    with rival(timescale_address, tmp_path, SHORT.lease_seconds) as first, writing(timescale_address) as second:
        first.ask("put 1 100")
        put(second, 40, 120)
        assert str(first.process.pid) in second.status.standby
        first.process.kill()
        begun = time.monotonic()
        put(second, 121, 200)
        taken: list[Instrument] = []
        until(lambda: taken.extend(second.takeovers()) or taken)
        seconds = time.monotonic() - begun
        assert seconds < 15
        print(f"taken over after {seconds:.1f} s")
        assert taken == [BTC]
        assert second.takeovers() == []
        put(second, 201, 210)
        assert stored(timescale_address) == ids(1, 210)
        assert (second.status.written, second.status.standby, second.status.duplicates) == (110, "", 0)
        assert second.new_trades(BTC) == 110
    reader = open_reader(timescale_address)
    assert account_of(reader, BTC).complete
    assert reader.duplicates(BTC) == 0
    reader.close()


def test_a_recorder_that_stops_is_taken_over_at_once(timescale_address: StoreAddress) -> None:
    patient = StoreLimits(lease_seconds=60.0)  # what runs out would be too late for this test
    with writing(timescale_address, patient) as second:
        with writing(timescale_address, patient) as first:
            put(first, 1, 50)
            put(second, 30, 60)
        until(lambda: second.takeovers() == [BTC], 10)
        assert stored(timescale_address) == ids(1, 60)
        put(second, 61, 70)
        assert stored(timescale_address) == ids(1, 70)


@WITH_SIGNALS
def test_one_who_was_thought_dead_stands_by_when_it_comes_back(timescale_address: StoreAddress, tmp_path: Path) -> None:
    with rival(timescale_address, tmp_path, 1.5) as first, writing(timescale_address) as second:
        first.ask("put 1 50")
        put(second, 1, 60)
        first.process.send_signal(signal.SIGSTOP)
        until(lambda: second.takeovers() == [BTC])
        put(second, 61, 80)
        first.process.send_signal(signal.SIGCONT)
        said = first.ask("put 51 90")  # it has not noticed yet that it was taken over
        assert f"(process {os.getpid()})" in said["standby"]
        assert (said["light"], said["flushed"]) == ("green", True)
        assert (said["written"], said["duplicates"]) == (50, 0)
        assert stored(timescale_address) == ids(1, 80)
        put(second, 81, 85)
        second.stop()
        taken = [0]
        until(lambda: taken.append(first.ask()["takeovers"]) or sum(taken))
        assert sum(taken) == 1
        assert stored(timescale_address) == ids(1, 90)


def test_a_lease_that_lapsed_and_was_another_s_meanwhile_is_a_takeover(timescale_address: StoreAddress) -> None:
    first, second = open_server(timescale_address, SHORT), open_server(timescale_address, SHORT)
    try:
        first.append_ticks(BTC, TICKS[:10])
        time.sleep(1.6)  # it sleeps, and another writes until it stops itself
        second.append_ticks(BTC, TICKS[10:20])
        second.close()
        first.tend()
        with pytest.raises(LeasedElsewhereError):  # what the other one left is to be looked at first
            first.append_ticks(BTC, TICKS[20:30])
        assert first.acquire(BTC)
        assert first.append_ticks(BTC, TICKS[20:30]) == 10
    finally:
        first.close()


def test_what_a_failed_transaction_took_is_not_held(
    timescale_address: StoreAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, store = open_server(timescale_address, SHORT), open_server(timescale_address, SHORT)
    before.append_ticks(BTC, TICKS[:5])
    before.close()
    try:

        def fail(*_: object) -> int:
            raise StoreError("the line broke")

        with monkeypatch.context() as patched:
            patched.setattr(ServerStore, "_insert_ticks", fail)
            with pytest.raises(StoreError, match="the line broke"):
                store.append_ticks(BTC, TICKS[:10])
        assert store.append_ticks(BTC, TICKS[:10]) == 5
    finally:
        store.close()


def test_what_is_kept_is_bounded_and_what_went_is_a_hole_to_fill(timescale_address: StoreAddress) -> None:
    first, second = open_server(timescale_address, SHORT), open_server(timescale_address, SHORT)
    standby, written = Standby(most=30), list[Sequence[Tick]]()
    try:
        first.append_ticks(BTC, TICKS[:20])
        standby.keep(BTC, TICKS[10:50], "the first")
        standby.keep(BTC, TICKS[50:100])

        def write(instrument: Instrument, ticks: Sequence[Tick]) -> None:
            written.append(ticks)
            second.append_ticks(instrument, ticks)

        standby.tend(second, write)
        assert written == []
        first.close()
        standby.tend(second, write)
        assert [t.agg_id for t in written[0]] == ids(71, 100)
        assert standby.takeovers() == [BTC]
        assert stored(timescale_address) == [*ids(1, 20), *ids(71, 100)]
        assert [(gap.first_id, gap.last_id) for gap in open_holes(second, BTC, None)] == [(21, 70)]
    finally:
        second.close()


def test_what_the_store_has_by_now_is_let_go(timescale_address: StoreAddress) -> None:
    first, second = open_server(timescale_address, SHORT), open_server(timescale_address, SHORT)
    standby = Standby()
    try:
        first.append_ticks(BTC, TICKS[:40])
        standby.keep(BTC, TICKS[:60], "the first")
        standby.tend(second, lambda *_: None)
        assert [t.agg_id for t in standby._ticks[BTC]] == ids(41, 60)
    finally:
        first.close()
        second.close()


def test_an_impossible_trade_does_not_spoil_a_takeover(
    timescale_address: StoreAddress, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(timescale_address) as second:
        with writing(timescale_address) as first:
            put(first, 1, 10)
            put(second, 1, 20)
            assert second.put_ticks(BTC, [replace(TICKS[20], price=float("nan")), *TICKS[21:30]])
            assert second.flush(30)
        until(lambda: second.takeovers() == [BTC])
        assert stored(timescale_address) == [*ids(1, 20), *ids(22, 30)]
        assert "1 impossible rows were not kept" in second.status.text
        put(second, 31, 40)
        assert stored(timescale_address) == [*ids(1, 20), *ids(22, 40)]
    assert "cannot be stored" in caplog.text


def test_a_symbol_that_is_given_up_is_free_at_once(timescale_address: StoreAddress) -> None:
    patient = StoreLimits(lease_seconds=60.0)
    with writing(timescale_address, patient) as first, writing(timescale_address, patient) as second:
        put(first, 1, 20)
        put(second, 1, 30)
        first.release(BTC)
        until(lambda: second.takeovers() == [BTC], 10)
        assert stored(timescale_address) == ids(1, 30)
        first.release(BTC)  # for the second time: it is another's by now
        assert first.flush(10)
        put(second, 31, 40)
        assert stored(timescale_address) == ids(1, 40)


def test_who_has_given_a_symbol_up_takes_nothing_over(timescale_address: StoreAddress) -> None:
    with writing(timescale_address) as second:
        with writing(timescale_address) as first:
            put(first, 1, 20)
            put(second, 1, 30)
            second.release(BTC)
            assert second.flush(10)
            assert second.status.standby == ""
        time.sleep(1.5)
        assert second.takeovers() == []
        assert stored(timescale_address) == ids(1, 20)


def test_holes_are_booked_where_nobody_else_writes_and_no_right_is_kept(timescale_address: StoreAddress) -> None:
    first, second = open_server(timescale_address, SHORT), open_server(timescale_address, SHORT)
    try:
        for instrument in (BTC, ETH):
            ticks = trades(20, symbol=instrument.symbol)
            first.append_ticks(instrument, [*ticks[:8], *ticks[12:]])
        first.release(ETH)
        assert book_holes(second, {}) == 1
        assert [(gap.first_id, gap.last_id) for gap in second.load_gaps(ETH)] == [(9, 12)]
        assert second.load_gaps(BTC) == []
        assert first.acquire(ETH)
    finally:
        first.close()
        second.close()


def test_two_programs_of_one_folder_have_a_spill_file_each(timescale_address: StoreAddress) -> None:
    assert timescale_address.spill is not None
    first, second = open_server(timescale_address), open_server(timescale_address)
    try:
        places = first.spill_path, second.spill_path
        assert places[0] == timescale_address.spill
        assert places[1] not in (None, places[0])
        assert (first.spill_path, second.spill_path) == places
    finally:
        first.close()
        second.close()


def test_what_a_dead_program_has_spilled_is_taken_in_before_an_empty_place(timescale_address: StoreAddress) -> None:
    assert timescale_address.spill is not None
    left = timescale_address.spill.with_name(f"{timescale_address.spill.stem}-3.spill")
    left.write_bytes(b"what a dead one has left")
    store = open_server(timescale_address)
    try:
        assert store.spill_path == left
    finally:
        store.close()


def test_a_file_is_written_by_one_program_and_never_taken_over(tmp_path: Path) -> None:
    with writing(file_address(tmp_path / "store.sqlite")) as only:
        put(only, 1, 20)
        only.release(BTC)
        put(only, 21, 30)
        assert (only.status.standby, only.takeovers(), only.new_trades(BTC)) == ("", [], 30)
