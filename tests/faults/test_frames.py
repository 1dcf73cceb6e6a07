"""Fault matrix, rows 9 to 11, 15 and 17: frames doubled, overtaken, lost, damaged, late."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from quantdesk.config import FeedLimits
from quantdesk.feed.binance import Route
from quantdesk.simulator.faults import Faults
from tests.faults.harness import PAIR, QUICK, Market, Session, check, market, session, until


def dropped(at: Market) -> int:
    """Return how many trades' frames were lost."""
    return sum(at.server.streams.wire.dropped[f"{s.lower()}@aggTrade"] for s in PAIR)


def doubled(at: Market, symbol: str) -> int:
    """Return how many frames of a symbol's trades were sent twice."""
    return at.server.streams.wire.doubled[f"{symbol.lower()}@aggTrade"]


def duplicates(run: Session, symbol: str) -> int:
    """Return how many trades of a symbol were dropped as known."""
    return run.ingest.legs[symbol].sequencer.duplicates


async def test_row_9_duplicates_are_dropped_once_each_and_counted(tmp_path: Path) -> None:
    async with market(150.0) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        at.faults = Faults(duplicate=0.05, seed=2)
        await run.flowing(600)
        at.faults = Faults(replay=1_000)
        assert sum(at.server.streams.wire.doubled.values()) >= 1_000
        await until(lambda: all(duplicates(run, s) == doubled(at, s) > 100 for s in PAIR))
        assert run.ingest.status.reconnects == 0
        await check(at, run, tmp_path)


async def test_row_10_overtaken_frames_make_no_phantom_gaps(tmp_path: Path) -> None:
    limits = replace(QUICK, gap_collect=FeedLimits().gap_collect)  # the real time in which a gap settles
    async with market(100.0) as at, session(at.endpoints, tmp_path, limits=limits) as run:
        await run.flowing()
        await asyncio.sleep(2.2)
        asked = at.asked()
        at.faults = Faults(reorder=2.0, seed=5)
        await run.flowing(400)
        at.faults = Faults()
        await until(lambda: not any(leg.sequencer.gaps for leg in run.ingest.legs.values()))
        assert at.asked() - asked <= 2, "a storm of phantom gaps"
        found = await check(at, run, tmp_path)
        assert sum(len(each.gaps) for each in found.values()) <= 2


async def test_row_11_lost_frames_are_filled_by_paging(tmp_path: Path) -> None:
    async with market(800.0) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        await asyncio.sleep(2.2)
        for rate in (0.01, 0.1):
            before = dropped(at)
            at.faults = Faults(drop=rate, seed=3)
            await run.flowing(800)
            at.faults = Faults()
            await run.healed()
            assert dropped(at) > before
        asked = at.asked()
        at.faults = Faults(drop_next=5_000)
        await until(lambda: sum(at.server.streams.wire.dropped.values()) >= 5_000)
        at.faults = Faults()
        await run.flowing(100)
        await run.healed()
        assert dropped(at) > 4_000
        assert at.asked() - asked <= 5_000 // 1_000 + 2 * len(PAIR) + 2, "one page fills all that it holds"
        await check(at, run, tmp_path)


def _event(**changes: object) -> dict[str, object]:
    """Return a sound aggTrade event of an id far below what is held, with some keys changed."""
    event: dict[str, object] = {
        "e": "aggTrade", "E": 1_795_392_450_100, "s": "BTCUSDT", "a": 7, "p": "64000.1", "q": "0.5", "nq": "0.5",
        "f": 3, "l": 4, "T": 1_795_392_450_000, "m": True, "st": 1,
    }  # fmt: skip
    return {key: value for key, value in {**event, **changes}.items() if value is not ...}


BAD_EVENTS = {
    "missing field": _event(p=...),
    "no id": _event(a=...),
    "null": _event(q=None),
    "null price": _event(p=None),
    "NaN": _event(p="NaN"),
    "infinity": _event(q="Infinity"),
    "price 0": _event(p="0.00"),
    "negative quantity": _event(q="-1.5"),
    "huge int": _event(a=10**30),
    "huge time": _event(T=2**70, E=2**70),
    "time far ahead": _event(T=1_795_392_450_000 + 86_400_000),
    "negative id": _event(a=-3),
    "id as text": _event(a="7"),
    "price as list": _event(p=["1"]),
    "ids reversed": _event(f=9, l=3),
    "unknown symbol": _event(s="NOSUCHUSDT"),
    "non-ASCII symbol": _event(s="币安人生USDT"),
    "empty symbol": _event(s=""),
    "unpaired surrogate": _event(s="\ud800"),
}


def _bad_frames() -> tuple[str | bytes, ...]:
    sound = json.dumps({"stream": "btcusdt@aggTrade", "data": _event()})
    raw: list[str | bytes] = [
        sound[: len(sound) // 2],
        sound + "}",
        "",
        "null",
        "[]",
        "17",
        b"\x00\xff\xfe binary \x80",
        sound.encode("utf-16"),
        "x" * (2 << 20),
        json.dumps({"stream": "btcusdt@aggTrade", "data": _event(pad="0" * (2 << 20))}),
        "[" * 100_000,
        '{"stream":"btcusdt@aggTrade","data":7}',
        '{"e":5,"s":"BTCUSDT"}',
        "{}",
    ]
    for event in BAD_EVENTS.values():
        raw += [json.dumps({"stream": "btcusdt@aggTrade", "data": event}), json.dumps(event)]
    return tuple(raw)


#: What is not ours to know harms nobody and is no fault.
HARMLESS = (
    json.dumps({"stream": "btcusdt@newThing", "data": {"e": "newThing", "E": 1, "s": "BTCUSDT"}}),
    json.dumps({"stream": "!miniTicker@arr", "data": [{"e": "24hrMiniTicker"}]}),
    json.dumps(_event(st=2)),
)
#: Extra keys change nothing about a sound event: this one is a duplicate of long ago.
EXTRA_KEYS = json.dumps(_event(new={"deep": [1, 2, {"er": None}]}, X="?", 中=1))


async def test_row_15_malformed_frames_are_quarantined_and_harm_nobody(tmp_path: Path) -> None:
    frames = _bad_frames()
    # Each of the two connections gets every frame.
    async with market(60.0) as at, session(at.endpoints, tmp_path) as run:
        await run.flowing()
        await until(run.is_live)
        known = sum(duplicates(run, s) for s in PAIR)
        at.faults = Faults(inject=(*frames, *HARMLESS))
        await run.flowing(50)
        await until(lambda: run.ingest.tally.quarantined >= 2 * len(frames))
        at.faults = Faults(inject=(EXTRA_KEYS,))
        await until(lambda: sum(duplicates(run, s) for s in PAIR) == known + 2)
        assert run.ingest.tally.quarantined == 2 * len(frames)
        assert {len(bad.frame) <= 4_096 for bad in run.ingest.tally.quarantine} == {True}
        assert len(run.ingest.tally.quarantine) <= 100
        assert all(bad.reason for bad in run.ingest.tally.quarantine)
        assert run.ingest.status.reconnects == 0
        assert run.ingest.clients[Route.MARKET].generations == 1
        found = await check(at, run, tmp_path)
        assert all(each.gaps == [] for each in found.values()), "no bad frame opens a gap"


async def test_row_15_a_symbol_of_other_letters_is_recorded_like_any_other(tmp_path: Path) -> None:
    async with market(300.0) as at, session(at.endpoints, tmp_path, ("BTCUSDT", "币安人生USDT")) as run:
        await run.flowing(10)
        at.faults = Faults(drop=0.2, seed=4)
        await run.flowing(20)
        at.faults = Faults()
        await run.healed()
        await check(at, run, tmp_path)


async def test_row_17_a_stall_and_a_burst_put_every_tick_into_its_bar(tmp_path: Path) -> None:
    real = FeedLimits()  # two seconds are no silence
    limits = replace(
        QUICK,
        market_silence=real.market_silence,
        public_silence=real.public_silence,
        first_frame_timeout=real.first_frame_timeout,
    )
    async with market(800.0) as at, session(at.endpoints, tmp_path, limits=limits) as run:
        await run.flowing(100)
        sent = at.server.streams.sent
        at.faults = Faults(stall=True)
        await asyncio.sleep(2.1)
        at.faults = Faults()
        assert at.server.streams.sent - sent >= 3_000
        await run.flowing(500)
        await run.healed()
        assert run.ingest.status.reconnects == 0, [c.reasons for c in run.ingest.clients.values()]
        found = await check(at, run, tmp_path)
        assert all(each.gaps == [] for each in found.values()), "a stall is no gap"
