"""Make a seeded market with a known truth: a cointegrated pair and symbols that walk alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quantdesk.bars.arrays import IntArray
from quantdesk.simulator import market
from quantdesk.simulator.market import MINUTE_MS, BookColumns, Listing, Recent, TradeColumns
from quantdesk.simulator.paths import DAY_SECONDS, Coupled, OrnsteinUhlenbeck, Path, Walk, price_at

#: Ids count from here, 2020-01-01, so that a second run of the same seed goes on where time is.
_EPOCH_MINUTE = 26_297_280
_LATENCY_MS, _JITTER_MS = 30, 40
_BOOK_MS = 50
_BOOK_LATENCY_MS = 2
_DAY_MINUTES = DAY_SECONDS // 60
#: About how many trades of the past stay in memory; the others are made again when asked for.
_KEPT_TRADES = 1_000_000


@dataclass(frozen=True, slots=True)
class Truth:
    """State the law of the pair: y = alpha + beta · x + spread, in prices."""

    y: str = "BTCUSDT"
    x: str = "ETHUSDT"
    alpha: float = 13_000.0
    beta: float = 15.0
    half_life_seconds: float = 480.0
    spread_std: float = 60.0


@dataclass(frozen=True, slots=True)
class _Symbol:
    listing: Listing
    path: Path
    per_minute: float
    median_quantity: float
    seed: tuple[int, ...]


class SyntheticSource:
    """Trade BTCUSDT and ETHUSDT by a known law, SOLUSDT and one more by chance alone.

    ``rate`` is the mean number of aggregate trades a second of each leg of the pair; arrivals are
    uniform within a minute and their number varies as a Poisson number would. Everything is a
    function of the seed and the time.
    """

    def __init__(self, seed: int = 1, rate: float = 20.0, law: Truth | None = None) -> None:
        if not (math.isfinite(rate) and 0 < rate <= 100_000):
            raise ValueError("the rate must be above 0 and at most 100,000 trades a second")
        self.seed = seed
        self.rate = rate
        self.law = law = law or Truth()
        x = Walk((seed, 1), 3_400.0, 0.03)
        y = Coupled(x, law.alpha, law.beta, OrnsteinUhlenbeck((seed, 0), law.half_life_seconds, law.spread_std))
        symbols = (
            _Symbol(Listing(law.y, law.y.removesuffix("USDT"), "USDT", "0.10", "0.001"), y, rate * 60, 12.0, (seed, 0)),
            _Symbol(
                Listing(law.x, law.x.removesuffix("USDT"), "USDT", "0.01", "0.001"), x, rate * 60, 220.0, (seed, 1)
            ),
            _Symbol(
                Listing("SOLUSDT", "SOL", "USDT", "0.0100", "0.01"),
                Walk((seed, 2), 160.0, 0.035),
                rate * 15,
                400.0,
                (seed, 2),
            ),
            _Symbol(
                Listing("币安人生USDT", "币安人生", "USDT", "0.00001", "1"),
                Walk((seed, 3), 0.15, 0.06),
                rate * 3,
                250.0,
                (seed, 3),
            ),
        )
        self._symbols = {symbol.listing.symbol: symbol for symbol in symbols}
        self._trades = Recent(self._make_trades, max(12, min(256, int(_KEPT_TRADES / (rate * 60)))))
        self._books = Recent(self._make_books, 16)
        self._old_days = Recent(self._make_old_day, 400)

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Return the symbols, the pair first."""
        return tuple(symbol.listing for symbol in self._symbols.values())

    @property
    def latency_ms(self) -> int:
        """Return by how much E is at most later than the end of the minute that holds T."""
        return _LATENCY_MS

    @property
    def truth(self) -> Mapping[str, Any]:
        """Return the law of the pair, and who has no part in it."""
        controls = [name for name in self._symbols if name not in (self.law.y, self.law.x)]
        half_life = self.law.half_life_seconds / 60
        return {**asdict(self.law), "half_life_minutes": half_life, "controls": controls}

    def first_id(self, symbol: str, minute: int) -> int:
        """Return the id of the first trade at or after the minute."""
        return int(self._ids(symbol, np.array([minute]))[0])

    def trades(self, symbol: str, minute: int) -> TradeColumns:
        """Return the aggregate trades of a minute."""
        return self._trades((symbol, minute))

    def books(self, symbol: str, minute: int) -> BookColumns:
        """Return the best quotes of a minute, one each 50 ms."""
        return self._books((symbol, minute))

    def old_minutes(self, symbol: str, start: int, end: int) -> IntArray:
        """Return bars taken from the price path, one point a second, shape (minutes, 12)."""
        days = range(start // _DAY_MINUTES, -(-end // _DAY_MINUTES))
        if not days:
            return np.empty((0, 12), np.int64)
        table = np.concatenate([self._old_days((symbol, day)) for day in days])
        begin = start - days[0] * _DAY_MINUTES
        return table[begin : begin + end - start]

    def _ids(self, symbol: str, minutes: IntArray) -> IntArray:
        """Return the first id of each minute: a straight line plus bounded noise, so it needs no past."""
        made = self._symbols[symbol]
        mean = made.per_minute
        width = min(math.sqrt(1.5 * mean), mean / 2)
        noise = (_hashed(minutes, made.seed) - 0.5) * 2 * width
        return np.floor((minutes - _EPOCH_MINUTE) * mean + noise).astype(np.int64) + 1_000_000

    def _fill_ids(self, symbol: str, minutes: IntArray) -> IntArray:
        """Return the first trade id of each minute: two fills a trade, and one id a minute left out."""
        return 2 * self._ids(symbol, minutes) + minutes - _EPOCH_MINUTE

    def _make_trades(self, key: tuple[str, int]) -> TradeColumns:
        symbol, minute = key
        made = self._symbols[symbol]
        edges = np.array([minute, minute + 1])
        begin, end = self._ids(symbol, edges).tolist()
        count = end - begin
        rng = np.random.default_rng([*made.seed, 2, minute])
        start = minute * MINUTE_MS
        ts = np.sort(rng.integers(0, MINUTE_MS, count)) + start
        maker = rng.random(count) < 0.5
        tick = made.listing.tick_units
        bid = self._bid(made, ts)
        fills = 1 + np.bincount(rng.integers(0, max(1, count), count), minlength=count)[:count]
        size = np.rint(np.exp(rng.normal(math.log(made.median_quantity), 1.3, count))).astype(np.int64)
        last = self._fill_ids(symbol, edges)[0] + np.cumsum(fills) - 1
        last[int(rng.integers(0, count)) if count else 0 :] += 1
        event = np.maximum.accumulate(ts + _LATENCY_MS + rng.integers(0, _JITTER_MS, count))
        return TradeColumns(
            ids=np.arange(begin, end),
            price=bid + np.where(maker, 0, tick),
            quantity=np.maximum(size, fills),
            first=last - fills + 1,
            last=last,
            ts=ts,
            event=np.minimum(event, start + MINUTE_MS + _LATENCY_MS),
            maker=maker,
        )

    def _bid(self, made: _Symbol, ts: IntArray) -> IntArray:
        scale, tick = 10**made.listing.price_digits, made.listing.tick_units
        units = np.floor(price_at(made.path, ts.astype(np.float64)) * scale / tick)
        bid: IntArray = np.maximum(units.astype(np.int64), 1) * tick
        return bid

    def _make_books(self, key: tuple[str, int]) -> BookColumns:
        symbol, minute = key
        made = self._symbols[symbol]
        rng = np.random.default_rng([*made.seed, 3, minute])
        count = MINUTE_MS // _BOOK_MS
        ts = minute * MINUTE_MS + np.arange(count) * _BOOK_MS + rng.integers(0, _BOOK_MS, count)
        bid = self._bid(made, ts)
        sizes = 1 + np.rint(rng.exponential(made.median_quantity * 40, (2, count))).astype(np.int64)
        ask = bid + made.listing.tick_units
        return BookColumns(ts * 3, bid, sizes[0], ask, sizes[1], ts, ts + _BOOK_LATENCY_MS)

    def _make_old_day(self, key: tuple[str, int]) -> IntArray:
        symbol, day = key
        made = self._symbols[symbol]
        scale, tick = 10**made.listing.price_digits, made.listing.tick_units
        units = np.maximum(np.floor(made.path.day(day) * scale / tick).astype(np.int64), 1) * tick
        seconds = np.stack([units[:-1].reshape(-1, 60), units[1:].reshape(-1, 60)], axis=2).reshape(-1, 120)
        minutes = np.arange(day * _DAY_MINUTES, (day + 1) * _DAY_MINUTES + 1)
        fills = self._fill_ids(symbol, minutes)
        trades = np.diff(self._ids(symbol, minutes))
        rng = np.random.default_rng([*made.seed, 4, day])
        mean = made.median_quantity * math.exp(1.3**2 / 2)
        noise = rng.lognormal(0.0, 1.0 / np.sqrt(np.maximum(trades, 1)))
        table = np.empty((_DAY_MINUTES, 12), np.int64)
        table[:, market.OPEN_TIME] = minutes[:-1] * MINUTE_MS
        table[:, market.OPEN], table[:, market.CLOSE] = seconds[:, 0], seconds[:, -1]
        table[:, market.HIGH], table[:, market.LOW] = seconds.max(1), seconds.min(1)
        table[:, market.VOLUME] = np.maximum(2 * trades, np.rint(trades * mean * noise))
        table[:, market.QUOTE] = table[:, market.VOLUME] * np.rint(seconds.mean(1)).astype(np.int64)
        table[:, market.TRADES] = 2 * trades
        table[:, market.TAKER] = table[:, market.VOLUME] // 2
        table[:, market.TAKER_QUOTE] = table[:, market.QUOTE] // 2
        table[:, market.FIRST], table[:, market.LAST] = fills[:-1], fills[1:] - 1
        empty = trades == 0
        table[empty, market.VOLUME :] = 0
        table[empty, market.FIRST :] = -1
        return table


def _hashed(minutes: IntArray, seed: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a number in [0, 1) for each minute, without order (the mixing of splitmix64)."""
    start = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    mixed = minutes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11), np.float64) / 2.0**53
