"""Say what history is to be downloaded, how far it is, and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from quantdesk.config import ConfigError

TRADES = "aggtrades"
#: The intervals of bars that both the archive and REST have, with their lengths in ms.
INTERVALS = {
    "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000,
    "1h": 3_600_000, "2h": 7_200_000, "4h": 14_400_000, "6h": 21_600_000, "8h": 28_800_000, "12h": 43_200_000,
    "1d": 86_400_000,
}  # fmt: skip
DAY_MS = 86_400_000
MOST_DAYS = 5_000
MOST_SYMBOLS = 50
_MOST_NAMED = 20


class Source(StrEnum):
    """Name where history comes from."""

    ARCHIVE = "archive"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class DownloadOrder:
    """Name symbols, ``what`` (an interval of bars, or aggregate trades), first and last day (UTC), the source."""

    symbols: tuple[str, ...]
    what: str
    first: date
    last: date
    source: Source = Source.ARCHIVE

    @property
    def is_trades(self) -> bool:
        """Tell whether trades are wanted."""
        return self.what == TRADES

    @property
    def days(self) -> list[date]:
        """Return the days, ascending."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def check(self, today: date) -> None:
        """Raise ConfigError in words where this cannot be downloaded on the day ``today`` (UTC)."""
        if not self.symbols or not all(name and name.isprintable() and not _has_blank(name) for name in self.symbols):
            raise ConfigError("name at least one symbol, without blanks, for example BTCUSDT")
        if len(self.symbols) > MOST_SYMBOLS:
            raise ConfigError(f"at most {MOST_SYMBOLS} symbols at once: {len(self.symbols)} were named")
        if self.what != TRADES and self.what not in INTERVALS:
            raise ConfigError(f"{self.what!r} is no interval: choose {TRADES} or one of {', '.join(INTERVALS)}")
        if self.is_trades and self.source is Source.REST:
            raise ConfigError("REST has the trades of the last 48 hours only: take the archive for older ones")
        if self.first > self.last:
            raise ConfigError("the first day is later than the last one")
        if len(self.days) > MOST_DAYS:
            raise ConfigError(f"at most {MOST_DAYS:,} days at once: {len(self.days):,} were named")
        newest = today - timedelta(days=1) if self.source is Source.ARCHIVE else today
        if self.last > newest:
            also = ": the archive brings a day once it has ended" if self.source is Source.ARCHIVE else ""
            raise ConfigError(f"the last day can be {newest} at most{also}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Name what one request brings: some whole days of one symbol, or one month."""

    symbol: str
    days: tuple[date, ...]
    monthly: bool = False

    @property
    def start(self) -> int:
        """Return the start of the first day (ms)."""
        return day_start(self.days[0])

    @property
    def end(self) -> int:
        """Return the end of the last day (ms)."""
        return day_start(self.days[-1]) + DAY_MS


def day_start(day: date) -> int:
    """Return the start of a UTC day (ms)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def pieces(order: DownloadOrder, symbol: str, page: int = 1_000) -> Iterator[Piece]:
    """Cut an order into requests: trades by day, klines of the archive by whole months, those of REST by pages."""
    days = order.days
    if order.is_trades:
        yield from (Piece(symbol, (day,)) for day in days)
    elif order.source is Source.REST:
        count = max(1, page // max(1, DAY_MS // INTERVALS[order.what]))
        yield from (Piece(symbol, tuple(days[at : at + count])) for at in range(0, len(days), count))
    else:
        at = 0
        while at < len(days):
            month = [day for day in days[at : at + 31] if (day.year, day.month) == (days[at].year, days[at].month)]
            is_whole = month[0].day == 1 and (month[-1] + timedelta(days=1)).day == 1
            yield from [Piece(symbol, tuple(month), True)] if is_whole else [Piece(symbol, (day,)) for day in month]
            at += len(month)


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Tell how far a download is: days of all days, bytes, bytes a second, seconds left (None: not known yet)."""

    days: int
    of_days: int
    part: float  #: of the day that is being fetched, 0 to 1
    bytes: int
    rate: float
    seconds_left: float | None
    words: str

    @property
    def done(self) -> float:
        """Return how much of all is done (0 to 1)."""
        return min(1.0, (self.days + self.part) / max(1, self.of_days))

    def line(self) -> str:
        """Return how far it is, in words."""
        parts = [
            f"{self.days:,} of {self.of_days:,} days",
            f"{self.bytes / 1e6:,.1f} MB",
            f"{self.rate / 1e6:.1f} MB/s",
        ]
        if self.seconds_left is not None:
            minutes, seconds = divmod(round(self.seconds_left), 60)
            parts.append(f"{minutes:,} min {seconds:02} s left" if minutes else f"{seconds} s left")
        return " · ".join([*parts, self.words] if self.words else parts)


@dataclass(slots=True)
class DownloadReport:
    """Count what came: whole days, rows new to the store; name the days that are absent or were refused."""

    fetched: int = 0
    held: int = 0
    rows: int = 0
    bytes: int = 0
    lacking: int = 0  #: ids that are still holes within the days that came
    absent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Tell whether every day came."""
        return not self.absent and not self.failed

    def lines(self) -> list[str]:
        """Return what a person wants to know, a line each."""
        said = [f"{self.fetched:,} days brought {self.rows:,} rows ({self.bytes / 1e6:,.1f} MB)"]
        said += [f"{self.held:,} days were held already"] if self.held else []
        said += [f"{self.lacking:,} trade ids are absent in the archive, too"] if self.lacking else []
        said += _named(self.absent, "not there (not yet, or nothing was traded)")
        return said + _named(self.failed, "refused, nothing of them was used")


def _named(names: list[str], words: str) -> list[str]:
    more = [f"  and {len(names) - _MOST_NAMED:,} more"] if len(names) > _MOST_NAMED else []
    return [f"{len(names):,} {words}:", *(f"  {name}" for name in names[:_MOST_NAMED]), *more] if names else []


def _has_blank(name: str) -> bool:
    return any(letter.isspace() or letter in "/\\?#%" for letter in name)
