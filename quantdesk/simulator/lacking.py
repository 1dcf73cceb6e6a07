"""Let an exchange lack ids: a market in which trades of some stretches of time have never been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantdesk.bars.arrays import IntArray
from quantdesk.simulator.market import BookColumns, Listing, Source, TradeColumns


@dataclass(frozen=True, slots=True)
class Lack:
    """Name the trades with T in [start_ms, end_ms): their ids are used up, but nobody can supply them."""

    symbol: str
    start_ms: int
    end_ms: int


class LackingSource:
    """Be another source without some of its trades, on the stream, in REST and in the bars alike."""

    def __init__(self, source: Source, lacks: Sequence[Lack]) -> None:
        self._source = source
        self._lacks = tuple(lacks)

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Return the symbols."""
        return self._source.listings

    @property
    def latency_ms(self) -> int:
        """Return by how much E is at most later than the end of the minute that holds T."""
        return self._source.latency_ms

    @property
    def truth(self) -> Mapping[str, Any]:
        """Return what is known about the market for certain."""
        return self._source.truth

    def first_id(self, symbol: str, minute: int) -> int:
        """Return the id of the first trade at or after the minute, as if nothing were lacking."""
        return self._source.first_id(symbol, minute)

    def trades(self, symbol: str, minute: int) -> TradeColumns:
        """Return the aggregate trades of a minute that there are."""
        block = self._source.trades(symbol, minute)
        keep = np.ones(len(block), bool)
        for lack in self._lacks:
            if lack.symbol == symbol:
                keep &= (block.ts < lack.start_ms) | (block.ts >= lack.end_ms)
        return block if keep.all() else block[keep]

    def books(self, symbol: str, minute: int) -> BookColumns:
        """Return the best quotes of a minute."""
        return self._source.books(symbol, minute)

    def old_minutes(self, symbol: str, start: int, end: int) -> IntArray:
        """Return the bars of minutes [start, end) whose trades are not kept, shape (minutes, 12)."""
        return self._source.old_minutes(symbol, start, end)
