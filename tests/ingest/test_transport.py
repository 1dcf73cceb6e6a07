"""A transport steers a replay; what is told between two marks depends on the records alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from quantdesk.bars.arrays import BarArrays
from quantdesk.ingest.merged_tape import MergedTape, bar_stream
from quantdesk.ingest.replay import CLOCK_MS, Replay
from quantdesk.ingest.tape import open_tape
from quantdesk.ingest.transport import FASTEST, News, Transport, TransportState
from quantdesk.store.writer import StoreWriter
from quantdesk.types import Instrument, Tick
from tests.ingest.conftest import Heard, stored_ids

T = 1_700_000_000_000


class Follows:
    """Note what was heard at each settling."""

    def __init__(self, heard: Heard, closes_every: int = 1_000) -> None:
        self._heard, self._every = heard, closes_every
        self.begun = 0
        self.seen: list[tuple[int, int]] = []
        self.alert_at = 0
        self.lasts = 0.0  # seconds that each settling takes

    def begin(self) -> None:
        self.begun += 1
        self._heard.ticks.clear()
        self._heard.times.clear()
        self.seen.clear()

    async def settle(self) -> News:
        told = self._heard.times[-1] if self._heard.times else 0
        before = (self.seen[-1][0] if self.seen else 0) or told
        now = (told, sum(map(len, self._heard.ticks.values())))
        if now not in self.seen[-1:]:  # at a rest it is asked once more
            self.seen.append(now)
        await asyncio.sleep(self.lasts)
        return News(told // self._every > before // self._every, before < self.alert_at <= told)


def ticks(path: Path, seconds: int = 20, step_ms: int = 90) -> Path:
    rows = [
        {"symbol": "AB"[i % 2], "ts": T + i * step_ms, "price": 1 + i % 7, "size": 1}
        for i in range(seconds * 1_000 // step_ms)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def run(path: Path, act: Callable[[Transport, Follows], Awaitable[None]], **more) -> Follows:
    return asyncio.run(running(path, act, **more))


async def running(path, act, *, speed: float = FASTEST, playing: bool = False, writer=None) -> Follows:
    heard = Heard()
    follows, transport = Follows(heard), Transport(speed, playing=playing)
    task = asyncio.ensure_future(Replay(path, writer, heard, transport=transport, follower=follows).run())
    try:
        async with asyncio.timeout(30):
            await act(transport, follows)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return follows


async def until(look: Callable[[], object]) -> None:
    while not look():  # noqa: ASYNC110  # the transport has no event of its own to wait for
        await asyncio.sleep(0.002)


async def to_end(transport: Transport, _follows: Follows) -> None:
    transport.play()
    await until(lambda: transport.state is TransportState.ENDED)


@pytest.mark.parametrize("speed", [20.0, 1_000.0])
def test_what_is_told_by_each_mark_is_the_same_at_every_speed(tmp_path: Path, speed: float) -> None:
    path = ticks(tmp_path / "t.ndjson", 6)
    fast, other = run(path, to_end), run(path, to_end, speed=speed)
    assert fast.seen == other.seen
    assert all(mark % CLOCK_MS == 0 for mark, _ in fast.seen)
    assert fast.seen[-1][1] == 6_000 // 90


def test_a_pause_rests_at_a_mark_and_playing_goes_on_from_there(tmp_path: Path) -> None:
    path = ticks(tmp_path / "t.ndjson", 4)

    async def act(transport: Transport, follows: Follows) -> None:
        transport.play()
        for _ in range(5):
            await asyncio.sleep(0.03)
            transport.pause()
            await until(lambda: follows.seen and transport.state is TransportState.PAUSED)
            await asyncio.sleep(0.03)
            rest = list(follows.seen)
            await asyncio.sleep(0.05)
            assert follows.seen == rest, "nothing moves while it rests"
            transport.play()
        await to_end(transport, follows)

    assert run(path, act, speed=10.0).seen == run(path, to_end).seen


def test_steps_go_from_bar_to_bar_and_to_the_next_alert(tmp_path: Path) -> None:
    places: list[int] = []

    async def act(transport: Transport, follows: Follows) -> None:
        for _ in range(3):
            transport.step()
            await until(lambda: transport.state is TransportState.PAUSED)
            places.append(transport.position or 0)
        follows.alert_at = T + 9_100
        transport.next_alert()
        await until(lambda: transport.state is TransportState.PAUSED)
        places.append(transport.position or 0)

    run(ticks(tmp_path / "t.ndjson"), act)
    assert places == [T, T + 1_000, T + 2_000, T + 9_250]


def test_seeking_back_begins_anew_and_arrives_at_the_same_state(tmp_path: Path) -> None:
    path = ticks(tmp_path / "t.ndjson")

    async def straight(transport: Transport, _follows: Follows) -> None:
        transport.seek(T + 5_000)
        await until(lambda: transport.state is TransportState.PAUSED)
        assert transport.position == T + 5_000

    async def astray(transport: Transport, follows: Follows) -> None:
        await to_end(transport, follows)
        transport.seek(T + 11_000)
        await until(lambda: transport.state is TransportState.PAUSED)
        assert transport.progress is None
        await straight(transport, follows)

    first, second = run(path, straight), run(path, astray)
    assert first.seen == second.seen
    assert second.begun == 3


def test_a_seek_can_be_given_up_and_past_the_end_it_ends(tmp_path: Path) -> None:
    async def act(transport: Transport, follows: Follows) -> None:
        follows.lasts = 0.01
        transport.seek(T + 19_000)
        await until(lambda: (transport.position or 0) > T + 1_000)
        assert 0 < (transport.progress or 0) < 1
        transport.pause()
        await until(lambda: transport.state is TransportState.PAUSED)
        assert (transport.position or 0) < T + 19_000
        follows.lasts = 0.0
        transport.seek(T + 10**9)
        await until(lambda: transport.state is TransportState.ENDED)
        transport.play()
        await until(lambda: transport.state is not TransportState.SEEKING)

    assert run(ticks(tmp_path / "t.ndjson"), act).begun == 2


async def test_the_store_gets_every_trade_once_however_often_one_goes_back(tmp_path: Path, writer: StoreWriter) -> None:
    async def act(transport: Transport, follows: Follows) -> None:
        for place in (6_000, 2_000, 9_000, 1_000):
            transport.seek(T + place)
            await until(lambda: transport.state is TransportState.PAUSED)
        await to_end(transport, follows)

    await running(ticks(tmp_path / "t.ndjson", 12), act, writer=writer)
    assert writer.flush(10)
    assert writer.status.duplicates == 0
    held = [stored_ids(writer, Instrument("replay", symbol)) for symbol in "AB"]
    assert [ids == list(range(1, len(ids) + 1)) for ids in held] == [True, True]
    assert sum(map(len, held)) == 12_000 // 90


def test_the_span_of_a_recording_is_known_without_playing_it(tmp_path: Path, shared_data: Path) -> None:
    assert open_tape(ticks(tmp_path / "t.ndjson", 3)).extent() == (T, T + 2_880)
    (frames,) = (shared_data / "usdm_20240718").glob("frames_*.txt.gz")
    start, end = open_tape(frames).extent() or (0, 0)
    assert 0 < end - start < 3_600_000


def test_bars_whose_trades_are_not_held_play_as_bars_once_they_are_over() -> None:
    times = T - T % 60_000 + 60_000 * np.arange(5, dtype=np.int64)
    ones = np.ones(5)
    bars = BarArrays(times, ones, ones, ones, ones, ones, ones, np.ones(5, np.int64))
    known: list[tuple[int, int]] = []

    class Notes(Heard):
        def on_source_bars(self, instrument, interval, bars, origin) -> None:
            known.append((self.times[-1] if self.times else 0, int(bars.open_time[0])))

    one = (Decimal("0.1"), Decimal(1))
    tape = MergedTape({"A": one}, None, lambda: [bar_stream("A", "1m", 60_000, (bars,), int(times[-1]) + 60_000)])
    summary = asyncio.run(Replay(tape, None, Notes(), speed=0.0).run())
    assert summary.records == 5
    assert [opened for _, opened in known] == times.tolist()
    assert all(told == opened + 60_000 for told, opened in known[1:])


def test_a_tape_merges_by_time_and_begins_anew_each_time() -> None:
    def one(symbol: str, *at: int) -> list[tuple[float, Tick]]:
        return [(ms / 1_000, Tick(symbol, n, 1.0, 1.0, ms, False)) for n, ms in enumerate(at)]

    tape = MergedTape({}, None, lambda: [iter(one("A", T, T + 5, T + 9)), iter(one("B", T + 2, T + 5))])
    order = [(tick.symbol, tick.ts - T) for _, tick in tape]  # type: ignore[union-attr]  # ticks only
    assert order == [("A", 0), ("B", 2), ("A", 5), ("B", 5), ("A", 9)]
    assert len(list(tape)) == 5
