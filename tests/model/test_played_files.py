"""Opened files play to the very bars that they show, at every interval they offer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from quantdesk.ingest.replay import Replay
from quantdesk.model.files import FilesModel
from quantdesk.model.played_files import PlayedFiles, files_tape
from quantdesk.store.files import read_file


@pytest.mark.parametrize(("step", "start"), [("m", "2023-01-02T00:00"), ("h", "2023-01-02T03:00"), ("D", "2023-01-02")])
def test_every_interval_ends_with_the_bars_of_the_files(qapp, tmp_path: Path, step: str, start: str) -> None:
    rng, files = np.random.default_rng(3), FilesModel()
    times = (np.datetime64(start) + np.arange(130) * np.timedelta64(1, step)).astype("datetime64[s]").astype(str)
    for name in ("y", "x"):
        closes = np.round(100 + np.cumsum(rng.normal(0, 1, 130)), 2)
        rows = [f"{t},{c},{c + 1},{c - 1},{c},{c * 0.9:.3f},5" for t, c in zip(times, closes, strict=True)]
        (tmp_path / f"{name}.csv").write_text("Date,Open,High,Low,Close,Adj Close,Volume\n" + "\n".join(rows) + "\n")
        files.add(read_file(tmp_path / f"{name}.csv"))
    tape, played = files_tape(files), PlayedFiles(files)
    assert tape is not None
    played.tell_when_asked()
    asyncio.run(Replay(tape, None, played, speed=0.0).run())
    for symbol in files.symbols():
        assert played.intervals(symbol) == files.intervals(symbol)
        for interval in files.intervals(symbol):
            shown, held = played.series(symbol, interval), files.series(symbol, interval)
            assert shown is not None and held is not None
            shut = shown.closed()
            for name in ("open_time", "open", "high", "low", "close", "volume"):
                assert np.array_equal(getattr(shown.arrays()[shut], name), getattr(held.arrays(), name)), interval
            closes, whole = played.statistic_closes(symbol, interval), files.statistic_closes(symbol, interval)
            assert closes is not None and whole is not None
            assert np.array_equal(closes[shut], whole), interval


def test_without_an_open_file_there_is_nothing_to_play() -> None:
    assert files_tape(FilesModel()) is None
