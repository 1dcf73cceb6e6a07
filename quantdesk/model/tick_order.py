"""Say what is to be found out about the trades of two legs: which window of them, and how old a price may be."""

from __future__ import annotations

from dataclasses import dataclass

from quantdesk.config import ConfigError
from quantdesk.model.recent_trades import TradePrices

#: The windows (minutes) and largest ages of a price (ms) that can be chosen.
MINUTES = (1, 5, 15, 30)
AGES_MS = (1_000, 2_000, 5_000, 10_000, 30_000, 60_000)


@dataclass(frozen=True, slots=True)
class TickSettings:
    """Choose the newest ``minutes`` of trades, and how old a sampled price may be (ms). Raises ConfigError."""

    minutes: int = 15
    max_age_ms: int = 10_000

    def __post_init__(self) -> None:
        if self.minutes not in MINUTES:
            raise ConfigError(f"the window of trades must be one of {MINUTES} minutes, not {self.minutes}")
        if self.max_age_ms not in AGES_MS:
            raise ConfigError(f"the largest age of a price must be one of {AGES_MS} ms, not {self.max_age_ms}")


@dataclass(frozen=True, slots=True)
class TickOrder:
    """Hold the trades of both legs in the window and what to make of them; ``end`` (ms) ends the window."""

    name_y: str
    name_x: str
    settings: TickSettings
    y: TradePrices
    x: TradePrices
    end: int
