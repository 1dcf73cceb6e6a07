"""Measure a live bar through the desk's own path against building its frame anew, as a Markdown table.

Trades go into the real market model; what is timed begins where the exchange's time closes a bar of both
legs and ends with the frame that counts it, for alerts and charts to read.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from decimal import Decimal

import numpy as np
from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.arrays import BarArrays
from quantdesk.model import pair as pair_module
from quantdesk.model.frame import PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.jobs import JobRunner
from quantdesk.model.live_pair import build_and_follow
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import EVALUATE, PairModel
from quantdesk.types import Instrument, Tick

ROWS = pair_module.LIVE_ROWS
SECOND = 1_000
START = 1_720_000_800_000
SETTINGS = PairSettings("ETHUSDT", "BTCUSDT", "1s")
OTHERS = (ZKind.REGRESSION, ZKind.ROLLING, ZKind.EXPANDING, ZKind.EWM)
VIEWS = {
    "windows of 60": (SETTINGS, ()),
    "windows of 1,000": (replace(SETTINGS, window=1_000, correlation_window=1_000), ()),
    "Kalman, all kinds of z": (replace(SETTINGS, hedge=HedgeMethod.KALMAN), OTHERS),
}


class Desk:
    """Hold a market of two legs with as many bars as a live frame takes, and the pair on screen."""

    def __init__(self, settings: PairSettings, kinds: tuple[ZKind, ...]) -> None:
        random = np.random.default_rng(1)
        x = np.round(1e5 + np.cumsum(random.normal(0, 8, ROWS)), 1)
        self.prices = {"BTCUSDT": x, "ETHUSDT": np.round(0.03 * x + random.normal(0, 0.5, ROWS), 2)}
        self.random, self.ids, self.now = random, 0, START + ROWS * SECOND
        self.market, self.jobs = MarketModel(), JobRunner()
        for symbol, decimals in (("BTCUSDT", "0.1"), ("ETHUSDT", "0.01")):
            instrument = Instrument("benchmark", symbol, Decimal(decimals), Decimal("0.001"))
            self.market.on_instrument(instrument)
            self.market.on_source_bars(instrument, "1s", _bars(self.prices[symbol]), "kline")
        self.market.on_time(self.now)
        self.pair = PairModel(self.jobs)
        self.pair.watch_kinds(kinds)
        self.pair.set_source(self.market, settings)
        self.rest()
        for _ in range(settings.formation_bars):
            self.bar()  # until the hedge ratio is settled
            self.rest()

    def rest(self) -> None:
        """Let everything come to an end."""
        QCoreApplication.processEvents()
        while self.jobs.busy():
            self.jobs.wait()
            QCoreApplication.processEvents()

    def bar(self) -> float:
        """Close one bar; return the seconds until its frame stood, or NaN where a job had to build it."""
        for symbol, closes in self.prices.items():
            for number, share in enumerate((0.1, 0.5, 0.9)):
                price = round(float(closes[-1]) * (1 + 1e-5 * self.random.standard_normal()), 2)
                at = self.now + int(share * SECOND)
                self.market.on_tick(Tick(symbol, self.ids + number, price, 0.5, at, False, 1))
        QCoreApplication.processEvents()
        self.ids += 3
        self.now += SECOND
        before = self.pair.frame
        start = time.perf_counter()
        self.market.on_time(self.now)
        while self.pair.frame is before and not self.jobs.busy(EVALUATE):
            QCoreApplication.processEvents()
        taken = time.perf_counter() - start
        return taken if not self.jobs.busy(EVALUATE) else float("nan")

    def anew(self) -> tuple[float, float]:
        """Return the seconds of the copies that a job needs and of the job itself."""
        start = time.perf_counter()
        order = self.pair.order()
        copied = time.perf_counter()
        assert order is not None
        build_and_follow(order)
        return copied - start, time.perf_counter() - copied


def _bars(close: np.ndarray) -> BarArrays:
    times = START + SECOND * np.arange(len(close))
    ones = np.ones(len(close))
    return BarArrays(times, close, close, close, close, ones, close, np.ones(len(close), np.int64))


def measure(runs: int) -> None:
    """Print the table."""
    print(f"\n| a live bar at {ROWS:,} rows | carried on | built anew: copies | and job in the pool | ratio |")
    print("|---|---|---|---|---|")
    for name, view in VIEWS.items():
        desk = Desk(*view)
        carried: list[float] = []
        copies: list[float] = []
        built: list[float] = []
        for _ in range(runs):
            carried += [desk.bar() for _ in range(10)]
            copied, job = desk.anew()
            copies.append(copied)
            built.append(job)
        desk.rest()
        desk.jobs.close()
        one, copied, job = (1e6 * float(np.nanmedian(taken)) for taken in (carried, copies, built))
        cells = f"{one:,.0f} µs | {copied:,.0f} µs | {job:,.0f} µs | {(copied + job) / one:,.0f} ×"
        print(f"| {name} | {cells} |", flush=True)
    print(
        f"\nMedians of {10 * runs} bars and {runs} builds taken in turn; a bar with all that it sets off in the market."
    )


def main() -> None:
    """Measure without a screen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_known_args()[0].runs
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    program = QCoreApplication([])
    measure(runs)
    program.processEvents()


if __name__ == "__main__":
    main()
