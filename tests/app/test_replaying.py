"""The desk plays stored spans, opened files and recordings; the market's store and records stay untouched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from quantdesk.app.desk import Desk
from quantdesk.ingest.merged_tape import Span
from quantdesk.ingest.transport import FASTEST, TransportState
from quantdesk.model.playback import Playback
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument, Origin
from tests.app.driven import drive, reached
from tests.app.replays import MINUTE, simulated

START = MINUTE * 60_000
LEGS = tuple(Instrument("a market", symbol) for symbol in ("BTCUSDT", "ETHUSDT"))


@pytest.fixture
def data(place: Path) -> Path:
    """Store two minutes of the simulator's trades."""
    folder = place / "data"
    folder.mkdir()
    store = open_embedded(folder / "quantdesk.sqlite")
    for symbol, ticks in simulated(2).items():
        store.append_ticks(Instrument("a market", symbol), ticks)
    store.close()
    return folder


async def ended(desk: Desk) -> Playback:
    await reached(lambda: desk.replaying.playback is not None, "a playback")
    playback = desk.replaying.playback
    assert playback is not None
    playback.transport.set_speed(FASTEST)
    await reached(lambda: playback.state is TransportState.ENDED, "the end")
    return playback


def replayed(desk: Desk) -> list[tuple[int, float]]:
    return [(e.time_ms, e.value) for e in desk.alerts.events if e.origin is Origin.REPLAY]


def test_a_stored_span_plays_while_the_market_goes_on(qapp, data, nowhere) -> None:
    async def act(desk: Desk) -> None:
        window, session = desk.window, desk.feeding.session
        window.registry["pair.1s"].trigger()
        await reached(lambda: session.writer is not None, "the store")
        window.registry["replay.choose"].trigger()
        dialog = window.replay.dialog
        assert dialog is not None
        await reached(lambda: dialog.leg_y.count() == 2, "what is held")
        dialog.set_times(START, START + 120_000)
        dialog.replay.click()
        playback = await ended(desk)
        assert window.mode.origin is Origin.REPLAY and window.mode.recording
        assert desk.feeding.session is session and session.writer is not None
        first = replayed(desk)
        assert first and playback.found == tuple(sorted(time for time, _ in first))
        frame = desk.pair.frame
        assert frame is not None and len(frame) == 120
        newest = frame.last.time
        await reached(lambda: desk.pair.evidence is not None and desk.pair.evidence.end == newest, "its evidence")
        playback.transport.seek(START + 1_000)
        await reached(lambda: playback.state is TransportState.PAUSED, "the start")
        assert replayed(desk) == []
        playback.transport.play()
        await reached(lambda: playback.state is TransportState.ENDED, "the end once more")
        assert replayed(desk) == first
        window.registry["file.live"].trigger()
        await reached(lambda: window.mode.origin is Origin.LIVE, "the market")
        assert desk.replaying.playback is None
        assert window.market is desk.feeding.market and desk.pair.source is desk.feeding.market
        bar = window.replay.bar
        assert bar is not None and not bar.isVisible()

    drive(qapp, nowhere, act, "--data-dir", data)
    store = open_embedded(data / "quantdesk.sqlite", read_only=True)
    assert Origin.REPLAY not in {row.origin for row in store.firings()}, "the store of the market is for the market"
    assert [held.ticks for held in store.instruments()] == [len(ticks) for ticks in simulated(2).values()]
    store.close()


def test_opened_files_play_bar_by_bar_to_the_very_frame_that_they_show(qapp, place, nowhere) -> None:
    files = [place / f"{name}.csv" for name in ("y", "x")]
    rng, days = np.random.default_rng(5), np.arange(200)
    walk = np.cumsum(rng.normal(0, 1, 200)) + 100
    for path, closes in zip(files, (walk, 0.5 * walk + rng.normal(0, 0.2, 200)), strict=True):
        dates = (np.datetime64("2023-01-02") + days).astype(str)
        rows = [f"{d},{c:.2f},{c:.2f},{c:.2f},{c:.2f},{c * 0.9:.4f},5" for d, c in zip(dates, closes, strict=True)]
        path.write_text("Date,Open,High,Low,Close,Adj Close,Volume\n" + "\n".join(rows) + "\n")

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.pair.frame is not None and len(desk.pair.frame) == 200, "the files")
        shown = desk.pair.frame
        assert shown is not None
        desk.window.replay.files_requested.emit()
        await ended(desk)
        played = desk.pair.frame
        assert played is not None and played.origin is Origin.REPLAY
        assert np.array_equal(played.times, shown.times)
        assert np.array_equal(played.signal_z, shown.signal_z, equal_nan=True)
        assert np.array_equal(played.correlation, shown.correlation, equal_nan=True)
        assert desk.window.registry["pair.1s"].isEnabled() is False
        desk.opener.open(files[:1], False)
        await reached(lambda: desk.window.mode.origin is Origin.FILE, "the file")
        assert desk.replaying.playback is None

    drive(qapp, nowhere, act, *files, "--data-dir", place / "data")


def test_a_recording_given_at_the_start_can_be_steered(qapp, place, nowhere) -> None:
    path = place / "ticks.ndjson"
    rows = [
        {"symbol": t.symbol, "ts": t.ts, "price": t.price, "size": t.quantity}
        for ticks in simulated(2).values()
        for t in ticks
    ]
    path.write_text("\n".join(json.dumps(row) for row in sorted(rows, key=lambda row: row["ts"])))

    async def act(desk: Desk) -> None:
        playback = await ended(desk)
        assert playback.title == "ticks.ndjson" and playback.span is not None
        first = replayed(desk)
        assert first
        bar = desk.window.replay.bar
        assert bar is not None and bar.leave.isHidden(), "there is no market to go back to"
        desk.window.registry["replay.toggle"].trigger()
        await reached(lambda: playback.state is TransportState.SEEKING or not replayed(desk), "a new beginning")
        await reached(lambda: playback.state is TransportState.ENDED and replayed(desk), "the end once more")
        assert replayed(desk) == first

    drive(qapp, nowhere, act, "--replay", path, "--speed", "1000")


def test_what_cannot_be_replayed_is_said_and_the_market_comes_back(qapp, place, nowhere) -> None:
    poem = place / "poem.txt"
    poem.write_text("no market at all\n")

    async def act(desk: Desk) -> None:
        await reached(lambda: desk.feeding.session.writer is not None, "the store")
        desk.window.replay.recording_requested.emit(poem)
        await reached(lambda: desk.window.toasts.toasts, "a word")
        assert "poem.txt" in desk.window.toasts.toasts[-1].accessibleName()
        await reached(lambda: desk.window.mode.origin is Origin.LIVE, "the market")
        desk.window.replay.files_requested.emit()
        assert "Open a file" in desk.window.toasts.toasts[-1].accessibleName()
        desk.window.replay.span_requested.emit(Span((Instrument("a market", "NONE"),), START, START + 1_000))
        assert (await ended(desk)).position is None, "nothing was held, so nothing was played"

    drive(qapp, nowhere, act, "--data-dir", place / "data")
