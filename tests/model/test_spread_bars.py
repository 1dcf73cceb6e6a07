"""The spread of the pair on screen has candles of the trades at hand, and closes alone where there are none."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from quantdesk.analytics.spread_bars import Formula
from quantdesk.bars.arrays import BarArrays
from quantdesk.model.jobs import JobRunner
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.model.recent_trades import TradePrices
from quantdesk.model.spread_bars import SpreadBarsModel, TradesWanted
from quantdesk.types import Instrument, Tick

START = 1_720_000_800_000
Y, X = "BTCUSDT", "ETHUSDT"
SETTINGS = PairSettings(Y, X, interval="1s", window=20, correlation_window=20, formation_bars=20)


class Market:
    """Trade both legs a few times a second into the real models."""

    def __init__(self, jobs: JobRunner, settings: PairSettings = SETTINGS) -> None:
        self.model = MarketModel()
        for symbol in (Y, X):
            self.model.on_instrument(Instrument("binance-um", symbol, Decimal("0.1"), Decimal("0.001")))
        self.pair = PairModel(jobs)
        self.pair.set_source(self.model, settings)
        self.bars = SpreadBarsModel(self.pair)
        self.rng, self.ids, self.now = np.random.default_rng(5), {Y: 0, X: 0}, START
        self.trades: dict[str, list[tuple[int, float]]] = {Y: [], X: []}
        self.price = {Y: 60_000.0, X: 3_000.0}

    def trade(self, symbol: str, time: int, price: float) -> None:
        self.ids[symbol] += 1
        self.trades[symbol].append((time, price))
        self.model.on_tick(Tick(symbol, self.ids[symbol], price, 0.5, time, False, 1))

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            for at in sorted(self.rng.choice(1_000, 8, replace=False).tolist()):
                symbol = Y if self.rng.random() < 0.5 else X
                self.price[symbol] += round(float(self.rng.normal(0, 3.0 if symbol == Y else 0.4)), 1)
                self.trade(symbol, self.now + at, round(self.price[symbol], 1))
            self.now += 1_000
            self.model.on_time(self.now)

    def extremes(self, row: int, beta: float) -> tuple[float, float, float, float]:
        """Return open, high, low and close of a row of the frame, by walking through the trades."""
        frame = self.pair.frame
        assert frame is not None
        opens = int(frame.times[row])
        events = sorted((t, s, p) for s in (Y, X) for t, p in self.trades[s] if t < opens + 1_000)
        held: dict[str, float] = {}
        values = []
        for time, symbol, price in events:
            held[symbol] = price
            if time >= opens and len(held) == 2:
                values.append(held[Y] - beta * held[X])
        return values[0], max(values), min(values), values[-1]


@pytest.fixture
def market(jobs: JobRunner) -> Market:
    return Market(jobs)


def settled(qtbot, market: Market) -> None:
    def ready() -> bool:
        frame, held = market.pair.frame, market.bars.latest
        return (
            not market.pair.jobs.busy()
            and frame is not None
            and held is not None
            and len(held.times) == len(frame.times)
            and frame.times[-1] == market.now - 1_000
        )

    qtbot.waitUntil(ready, timeout=10_000)


def test_candles_are_the_extremes_between_the_trades_of_both_legs(qtbot, market: Market) -> None:
    market.bars.watch("test", True)
    market.run(60)
    settled(qtbot, market)
    held, frame = market.bars.latest, market.pair.frame
    assert held is not None and frame is not None and held.formula is Formula.DIFFERENCE
    assert held.known[21:].mean() > 0.9
    np.testing.assert_allclose(held.bars.close[held.known], frame.spread[held.known], rtol=1e-12)
    for row in np.flatnonzero(held.known)[-20:].tolist():
        found = [getattr(held.bars, name)[row] for name in ("open", "high", "low", "close")]
        np.testing.assert_allclose(found, market.extremes(row, frame.beta_at(row)), rtol=1e-12)


def test_bar_by_bar_the_candles_are_those_made_at_once(qtbot, market: Market) -> None:
    market.bars.watch("test", True)
    market.run(30)
    settled(qtbot, market)
    for _ in range(8):
        market.run(3)
        settled(qtbot, market)
    step_by_step = market.bars.latest
    again = SpreadBarsModel(market.pair)
    again.watch("test", True)
    qtbot.waitUntil(lambda: again.latest is not None, timeout=5_000)
    assert step_by_step is not None and again.latest is not None
    for name in ("open", "high", "low", "close", "moves"):
        np.testing.assert_array_equal(getattr(step_by_step.bars, name), getattr(again.latest.bars, name))


def test_frames_that_come_faster_than_the_rest_are_folded_at_its_end(qtbot, market: Market) -> None:
    market.bars.watch("test", True)
    market.run(30)
    settled(qtbot, market)
    market.bars._rest.setInterval(10**9)
    market.bars._rest.start()
    held = market.bars.latest
    for _ in range(3):
        market.run(1)
        qtbot.waitUntil(lambda: market.pair.frame.times[-1] == market.now - 1_000 and not market.pair.jobs.busy())
    assert market.bars.latest is held, "folded at every frame"
    market.bars._rest.start(1)
    settled(qtbot, market)
    assert market.bars.latest.known[-3:].any()


def test_nobody_looks_and_nothing_is_made(qtbot, market: Market) -> None:
    market.run(40)
    qtbot.waitUntil(lambda: market.pair.frame is not None and not market.pair.jobs.busy())
    assert market.bars.latest is None


def test_the_forming_bar_follows_every_trade(qtbot, market: Market) -> None:
    market.bars.watch("test", True)
    market.run(40)
    settled(qtbot, market)
    frame = market.pair.frame
    assert frame is not None
    beta, opens = frame.beta, market.now
    y0, x0 = market.trades[Y][-1][1], market.trades[X][-1][1]
    seen = []
    for place, (symbol, move) in enumerate([(Y, 9.0), (X, 2.0), (Y, -15.0), (X, 0.0)]):
        market.trade(symbol, opens + 100 * place, (y0 if symbol == Y else x0) + move)
        tail = market.pair.tail()
        found = market.bars.forming(tail)
        seen = [getattr(found, n)[-1] for n in ("open", "high", "low", "close")]
    values = [y0 + 9 - beta * x0, y0 + 9 - beta * (x0 + 2), y0 - 15 - beta * (x0 + 2), y0 - 15 - beta * x0]
    np.testing.assert_allclose(seen, [values[0], max(values), min(values), values[-1]], rtol=1e-12)


def test_a_long_forming_bar_settles_in_steps_and_stays_true(qtbot, jobs: JobRunner) -> None:
    market = Market(jobs, PairSettings(Y, X, interval="1m", window=20, correlation_window=20, formation_bars=20))
    market.bars.watch("test", True)
    market.now = START - START % 60_000
    market.run(60 * 24)
    qtbot.waitUntil(lambda: market.pair.frame is not None and len(market.pair.frame) == 24, timeout=10_000)
    frame, opens = market.pair.frame, market.now
    assert frame is not None
    for _ in range(40):
        market.run(1)
        found = market.bars.forming(market.pair.tail())
    events = sorted((t, s, p) for s in (Y, X) for t, p in market.trades[s])
    held: dict[str, float] = {}
    values = []
    for time, symbol, price in events:
        held[symbol] = price
        if time >= opens:
            values.append(held[Y] - frame.beta * held[X])
    np.testing.assert_allclose(
        [found.open[-1], found.high[-1], found.low[-1], found.close[-1]],
        [values[0], max(values), min(values), values[-1]],
        rtol=1e-12,
    )


def test_the_ratio_takes_the_place_of_the_spread(qtbot, market: Market) -> None:
    market.bars.watch("test", True)
    market.run(40)
    settled(qtbot, market)
    market.bars.set_ratio(True)
    assert market.bars.latest is None
    qtbot.waitUntil(lambda: market.bars.latest is not None, timeout=5_000)
    held, frame = market.bars.latest, market.pair.frame
    assert held is not None and frame is not None and held.formula is Formula.RATIO
    np.testing.assert_array_equal(held.bars.close[held.known], (frame.y.close / frame.x.close)[held.known])
    assert (held.bars.high[held.known] > held.bars.low[held.known]).any()


@pytest.fixture
def bars_only(qtbot, jobs: JobRunner) -> tuple[Market, Market]:
    """Return a market that knows bars alone, and the one in which they were traded."""
    market, other = Market(jobs), Market(jobs)
    other.run(60)
    for symbol in (Y, X):
        series = other.model.series(symbol, "1s")
        assert series is not None
        market.model.on_source_bars(market.model.instrument(symbol), "1s", series.arrays()[series.closed()], "kline")
    market.now = other.now
    market.model.on_time(market.now)
    market.bars.watch("test", True)
    market.bars._pause.setInterval(10)
    qtbot.waitUntil(lambda: market.bars.latest is not None and not jobs.busy(), timeout=10_000)
    assert not market.bars.latest.known.any()
    return market, other


def test_bars_without_trades_are_asked_of_the_store_and_checked_against_the_bars(qtbot, bars_only, jobs) -> None:
    market, other = bars_only
    asked: list[TradesWanted] = []
    market.bars.trades_wanted.connect(asked.append)
    frame = market.pair.frame
    assert frame is not None
    sight = int(frame.times[30]), int(frame.times[50])
    market.bars.look_at(*sight)
    assert not asked, "not while the view is moved"
    market.bars.look_at(*sight)
    qtbot.waitUntil(lambda: bool(asked), timeout=5_000)
    assert len(asked) == 1 and asked[0].rows_from == sight[0] and asked[0].end == sight[1] + 1_000
    y, x = (trades_of(other, symbol, asked[0]) for symbol in (Y, X))
    x = x[:-5]  # the store lacks the newest: those bars stay closes
    row = slice(*np.searchsorted(y.times, [frame.times[40], frame.times[41]]).tolist())
    inside = y.prices[row]
    lost = row.start + int(inside.argmax() if inside.argmax() < len(inside) - 1 else inside.argmin())
    assert lost < row.stop - 1  # and one that made a high or low, though not a close
    y = TradePrices(*(np.delete(getattr(y, name), lost) for name in ("times", "ids", "prices")))
    market.bars.take_stored(asked[0], y, x)
    qtbot.waitUntil(lambda: market.bars.latest.known.any() and not jobs.busy(), timeout=5_000)
    known = market.bars.latest.known
    assert known[31:49].mean() > 0.8 and not known[40] and not known[50]
    assert not known[:30].any() and not known[51:].any()
    np.testing.assert_allclose(market.bars.latest.bars.close[known], frame.spread[known], rtol=1e-12)
    market.bars.look_at(*sight)
    qtbot.wait(50)
    assert len(asked) == 1  # what the store lacks is not asked for again


def test_an_answer_about_another_pair_is_not_taken(qtbot, bars_only, jobs) -> None:
    market, other = bars_only
    asked: list[TradesWanted] = []
    market.bars.trades_wanted.connect(asked.append)
    times = market.pair.frame.times
    market.bars.look_at(int(times[30]), int(times[50]))
    qtbot.waitUntil(lambda: bool(asked), timeout=5_000)
    market.pair.set_settings(PairSettings(X, Y, interval="1s", window=20, correlation_window=20, formation_bars=20))
    market.bars.take_stored(asked[0], *(trades_of(other, symbol, asked[0]) for symbol in (Y, X)))
    qtbot.waitUntil(lambda: market.bars.latest is not None and not jobs.busy(), timeout=5_000)
    assert not market.bars.latest.known.any()


def test_of_a_long_stretch_the_newest_rows_are_asked_for_first(qtbot, bars_only, monkeypatch) -> None:
    market, _ = bars_only
    monkeypatch.setattr("quantdesk.model.spread_bars.MOST_STORED", 80)  # ten bars of eight trades
    asked: list[TradesWanted] = []
    market.bars.trades_wanted.connect(asked.append)
    times = market.pair.frame.times
    market.bars.look_at(int(times[30]), int(times[50]))
    qtbot.waitUntil(lambda: bool(asked), timeout=5_000)
    assert asked[0].end == int(times[50]) + 1_000 and asked[0].rows_from == int(times[41])


def trades_of(market: Market, symbol: str, wanted: TradesWanted) -> TradePrices:
    held = market.model.trades(symbol)
    rows = slice(*np.searchsorted(held.times, [wanted.start, wanted.end]).tolist())
    return held[rows]


def test_candles_of_one_pair_are_not_shown_for_another(qtbot, market: Market) -> None:
    market.bars.watch("test", True)
    market.run(40)
    settled(qtbot, market)
    market.pair.set_settings(PairSettings(X, Y, interval="1s", window=20, correlation_window=20, formation_bars=20))
    assert market.bars.latest is None
    qtbot.waitUntil(lambda: market.bars.latest is not None, timeout=5_000)
    assert market.bars.latest.known.any()


def test_a_file_of_bars_has_closes_alone(qtbot, market: Market) -> None:
    closes = np.linspace(100, 120, 40)
    times = START + 1_000 * np.arange(40, dtype=np.int64)
    for symbol in (Y, X):
        bars = BarArrays(times, closes, closes + 1, closes - 1, closes, closes, closes, np.full(40, 3))
        market.model.on_source_bars(market.model.instrument(symbol), "1s", bars, "kline")
    market.now = START + 40_000
    market.model.on_time(market.now)
    market.bars.watch("test", True)
    qtbot.waitUntil(lambda: market.bars.latest is not None, timeout=5_000)
    assert not market.bars.latest.known.any()
