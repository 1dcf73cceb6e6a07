"""Let two legs grow as a test says, and hold a frame beside the one that a batch makes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.attribution import Attribution
from quantdesk.analytics.zscore import ZKind
from quantdesk.bars.builder import Bar
from quantdesk.bars.series import BarSeries
from quantdesk.model.frame import LegColumns, PairFrame
from quantdesk.model.jobs import JobRunner
from quantdesk.model.pair import EVALUATE, PairModel
from quantdesk.types import Interval, Origin
from tests.model.conftest import START, Source, bars_of

SECOND = 1_000
ROWS = 160


class Counted(JobRunner):
    """Count the frames that a job has built."""

    batches = 0

    def submit(self, key, fn, done, failed=None, *, first=False):
        self.batches += key == EVALUATE
        super().submit(key, fn, done, failed, first=first)


class Legs(Source):
    """Let two legs of one-second bars grow as a test says."""

    def __init__(self, seed: int, price: float, move: float) -> None:
        super().__init__(Origin.LIVE, START + ROWS * SECOND)
        self.rng = np.random.default_rng(seed)
        self.price, self.move, self.row = price, move, ROWS
        x = price + self.steps(ROWS).cumsum()
        self.close = {"B": float(x[-1]), "A": self.tied(float(x[-1]))}
        y = np.array([self.tied(value) for value in x.tolist()])
        for symbol, closes in (("A", y), ("B", x)):
            self.held[symbol] = BarSeries()
            self.held[symbol].merge(bars_of(START + SECOND * np.arange(ROWS), closes), from_trades=True)

    def steps(self, count: int) -> np.ndarray:
        return self.move * self.rng.standard_normal(count)

    def tied(self, x: float) -> float:
        return 0.05 * x + 0.01 * self.price + float(self.steps(1)[0]) / 10

    def series(self, symbol: str, interval: str) -> BarSeries | None:
        return self.held.get(symbol)

    def walk(self) -> None:
        self.row += 1
        self.close["B"] += float(self.steps(1)[0])
        self.close["A"] = self.tied(self.close["B"])

    def bar(self, symbol: str, row: int, close: float, *, closed: bool = True, revision: int = 0) -> None:
        time = START + (row - 1) * SECOND
        sides = (close, close + 1, close - 1, close)
        self.held[symbol].upsert(Bar(Interval.S1, time, *sides, 2.0, 2 * close, 5, revision, closed))
        self.bar_closed.emit(symbol, "1s", (time,))

    def both(self) -> None:
        self.walk()
        for symbol in ("A", "B"):
            self.bar(symbol, self.row, self.close[symbol])


def rest(pair: PairModel) -> None:
    """Run the loop until nothing is due and no frame is being built."""
    for _ in range(3):
        QCoreApplication.processEvents()
        while pair.jobs.busy(EVALUATE):
            pair.jobs.wait()
            QCoreApplication.processEvents()


class Comparison:
    """Compare every field of two frames, each number on its own scale."""

    def __init__(self, found: PairFrame, wanted: PairFrame, residual: float) -> None:
        self.found, self.wanted = found, wanted
        self.level = float(np.nanmax(np.abs(wanted.y.close), initial=1.0))
        legs, chosen = wanted.joined, wanted.settings
        reach = 1 + max(chosen.window, chosen.correlation_window + 1, chosen.formation_bars)
        ticks = np.flatnonzero(np.maximum(legs.y, legs.x) > (np.log(1e8) if chosen.log else 1e8))
        near = np.zeros(len(legs.times), bool)
        for tick in ticks.tolist():
            near[tick : tick + reach] = True
        # To all bars of its windows a tick of 1e9 leaves its own rounding: that much of a residual is anybody's.
        self.joined = np.where(near, max(1e-9, 64 * 2.2e-16 * 1e9 / residual), 1e-9)
        self.rows = np.full(len(wanted), 1e-9)
        self.rows[np.searchsorted(wanted.times, legs.times)] = self.joined
        self.next = float(self.joined[-1]) if len(near) else 1e-9
        # Moments of all rows, a tick of 1e9 among them, have no digit left for a ratio that moves.
        self.lost = np.zeros(len(wanted), bool)
        if wanted.beta_path is not None and len(ticks):
            self.lost = wanted.times >= legs.times[ticks[0]]

    def of_kind(self, kind: ZKind) -> np.ndarray:
        return np.where(self.lost & (kind in (ZKind.EXPANDING, ZKind.EWM)), np.inf, self.rows)

    def of_last(self) -> float:
        return max(self.next, float(self.of_kind(self.wanted.settings.z_kind)[-1]))

    def close(self, found, wanted, scale: float, tolerance, what: str) -> None:
        found, wanted = np.atleast_1d(found), np.atleast_1d(wanted)
        asked = np.isfinite(np.broadcast_to(tolerance, found.shape))
        np.testing.assert_array_equal(np.isnan(found)[asked], np.isnan(wanted)[asked], err_msg=what)
        off = np.abs(found - wanted) / np.maximum(np.abs(wanted), scale) / tolerance
        assert not np.nanmax(off, initial=0.0) > 1, f"{what}: {np.nanmax(off)} times too much at {np.nanargmax(off)}"

    def run(self) -> None:
        self.columns()
        self.bars()
        self.numbers()
        self.forming()

    def columns(self) -> None:
        found, wanted, level = self.found, self.wanted, self.level
        scales = {"z": 1.0, "walk_z": 1.0, "correlation": 1.0, "beta_path": 1e-2}
        scales |= dict.fromkeys(("spread", "spread_upper", "spread_lower"), level)
        for name, scale in scales.items():
            columns = [getattr(frame, name) for frame in (found, wanted)]
            assert (columns[0] is None) == (columns[1] is None), name
            if columns[1] is not None:
                self.close(*columns, scale, self.of_kind(wanted.settings.z_kind) if name == "z" else self.rows, name)
                assert not columns[0].flags.writeable
        for part in fields(Attribution):
            parts = (getattr(frame.attribution, part.name) for frame in (found, wanted))
            self.close(*parts, level, self.rows, part.name)
        assert found.other_z.keys() == wanted.other_z.keys()
        for kind, z in wanted.other_z.items():
            self.close(found.other_z[kind], z, 1.0, self.of_kind(kind), kind)

    def bars(self) -> None:
        found, wanted = self.found, self.wanted
        for leg in ("y", "x"):
            for column in fields(LegColumns):
                np.testing.assert_array_equal(*(getattr(getattr(f, leg), column.name) for f in (found, wanted)))
        for name in ("times", "left_out", "quality_y", "quality_x"):
            np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)
        for name in ("times", "y", "x", "known"):
            np.testing.assert_array_equal(getattr(found.joined, name), getattr(wanted.joined, name), name)
        self.close(found.joined.beta, wanted.joined.beta, 1e-2, self.joined, "joined beta")

    def numbers(self) -> None:
        found, wanted, level = self.found, self.wanted, self.level
        for name in ("alpha", "next_alpha", "beta", "next_beta", "next_sigma"):
            numbers = (getattr(frame, name) for frame in (found, wanted))
            self.close(*numbers, level if "alpha" in name else 1e-2, self.next, name)
        for field in fields(found.last):
            pair = (getattr(frame.last, field.name) for frame in (found, wanted))
            numbers = [np.nan if value is None else value for value in pair]
            last = self.of_last() if field.name == "z" else self.next
            self.close(*numbers, level if field.name == "spread" else 1.0, last, field.name)
        same = ["epoch", "origin", "live_since", "interval_ms", "settings", "formation", "formation_settled"]
        same += ["refits", "first_fit", "observations", "hedge_reason", "price_decimals_y", "quantity_decimals_x"]
        same += ["fit"] if wanted.beta_path is None else []
        for name in same:
            assert getattr(found, name) == getattr(wanted, name), name
        for name in ("time", "start_ms", "end_ms", "n"):
            assert wanted.fit is None or getattr(found.fit, name) == getattr(wanted.fit, name)

    def forming(self) -> None:
        found, wanted = self.found, self.wanted
        assert (found.forming is None) == (wanted.forming is None)
        if wanted.forming is not None:
            bar = float(wanted.joined.y[-1]) * 1.0001, float(wanted.joined.x[-1]), wanted.beta
            self.close(found.forming.z_of(*bar), wanted.forming.z_of(*bar), 1.0, self.of_last(), "forming")
