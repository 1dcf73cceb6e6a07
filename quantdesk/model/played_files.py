"""Play opened files as a market: their bars become known one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quantdesk.bars.arrays import FloatArray
from quantdesk.ingest.merged_tape import MergedTape, bar_stream
from quantdesk.ingest.tape import Recorded
from quantdesk.model.files import FilesModel
from quantdesk.model.intervals import interval_ms_of
from quantdesk.model.market import MarketModel
from quantdesk.types import Origin


class PlayedFiles(MarketModel):
    """Hold the bars of files played so far, with the closes that the files themselves give to statistics."""

    def __init__(self, files: FilesModel) -> None:
        super().__init__(Origin.REPLAY)
        self._files = files

    def intervals(self, symbol: str) -> tuple[str, ...]:
        """Return the intervals that the files offer."""
        return self._files.intervals(symbol)

    def statistic_closes(self, symbol: str, interval: str) -> FloatArray | None:
        """Return Adj Close where the file has it, one a bar of the series played so far."""
        whole, played = self._files.series(symbol, interval), self.series(symbol, interval)
        closes = self._files.statistic_closes(symbol, interval)
        if whole is None or played is None or closes is None:
            return None
        found = closes[np.searchsorted(whole.times(), played.times())]
        return np.asarray(found, np.float64)


def files_tape(files: FilesModel) -> MergedTape | None:
    """Return a tape of the opened files' bars at every interval they offer; None without a bar."""
    held = [
        (symbol, interval, series.arrays())
        for symbol in files.symbols()
        for interval in files.intervals(symbol)
        if (series := files.series(symbol, interval)) is not None and len(series)
    ]
    if not held:
        return None

    def streams() -> list[Iterator[Recorded]]:
        return [bar_stream(symbol, interval, interval_ms_of(interval), (bars,)) for symbol, interval, bars in held]

    instruments = [found for symbol in files.symbols() if (found := files.instrument(symbol)) is not None]
    first = min(int(bars.open_time[0]) for _, _, bars in held)
    last = max(int(bars.open_time[-1]) + interval_ms_of(interval) for _, interval, bars in held)
    return MergedTape({one.symbol: (one.tick_size, one.step_size) for one in instruments}, (first, last), streams)
