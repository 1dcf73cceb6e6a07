"""Measure repaint, pan and append of the charts against pyqtgraph's own plots, as a Markdown table.

Everything is measured in turn in one run, so that what the machine does besides slows all alike.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPicture
from PySide6.QtWidgets import QApplication, QStyleOptionGraphicsItem, QWidget

from quantdesk.bars.quality import BarQuality
from quantdesk.model.clock import FrameClock
from quantdesk.model.frame import PairFrame, PairTail
from quantdesk.ui.charts.pyramid import OHLCV, Pyramid
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.frames import Pair, build, part, tail_of

WIDE, TALL = 1600, 800
SIZES = (10_000, 100_000, 1_000_000)
#: The library's example takes seconds above this many bars.
EXAMPLE_BARS = 100_000
FEW = 300
ACTS = ("repaint", "pan", "append")
#: The library's example is slow: it takes part in every fifth round only.
PATIENCE = 5
#: So many bars are appended to a bare pyramid at a time.
APPENDED = 64

Act = Callable[[], object]


@dataclass
class Contestant:
    """Hold what is measured: acts by name, of which ``undo`` is done unmeasured after an append."""

    name: str
    window: QWidget
    acts: dict[str, Act]
    undo: Act = field(default=lambda: None)
    rare: bool = False
    seconds: dict[str, list[float]] = field(default_factory=lambda: {act: [] for act in ACTS})

    def run(self) -> None:
        """Do every act once."""
        for name, act in self.acts.items():
            start = time.perf_counter()
            act()
            self.seconds[name].append(time.perf_counter() - start)
            if name == "append":
                self.undo()

    def median(self, act: str) -> float:
        """Return the median milliseconds of an act, NaN if it is none of this contestant's."""
        return 1e3 * statistics.median(self.seconds[act]) if self.seconds[act] else float("nan")


class ExampleItem(pg.GraphicsObject):
    """Draw candles as pyqtgraph's example customGraphicsItem does: all of them into one QPicture."""

    def __init__(self, frame: PairFrame) -> None:
        super().__init__()
        leg = frame.y
        self.rows = list(zip(range(len(frame)), leg.open, leg.close, leg.low, leg.high, strict=True))
        self.generate()

    def generate(self) -> None:
        """Draw the picture anew, as the example does after each change."""
        self.picture = QPicture()
        painter = QPainter(self.picture)
        painter.setPen(pg.mkPen("w"))
        wide = 1 / 3
        for row, opened, close, low, high in self.rows:
            painter.drawLine(QPointF(row, low), QPointF(row, high))
            painter.setBrush(pg.mkBrush("r" if opened > close else "g"))
            painter.drawRect(QRectF(row - wide, opened, wide * 2, close - opened))
        painter.end()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Play the picture."""
        painter.drawPicture(0, 0, self.picture)

    def boundingRect(self) -> QRectF:
        """Return the picture's bounds."""
        return QRectF(self.picture.boundingRect())


class Sway:
    """Alternate between a step forth and a step back."""

    def __init__(self, step: float) -> None:
        self._step = -step

    def __call__(self) -> float:
        self._step = -self._step
        return self._step


def library(name: str, rows: int, frame: PairFrame | None) -> Contestant:
    """Return the library's plot over ``rows``, empty or with its example in it."""
    plot = pg.PlotWidget()
    plot.resize(WIDE, TALL)
    box = plot.getViewBox()
    box.disableAutoRange()
    box.setRange(xRange=(0, rows), yRange=(0, 100), padding=0)
    item = None
    if frame is not None:
        item = ExampleItem(frame)
        plot.addItem(item)
        box.setRange(xRange=(0, rows), yRange=(frame.y.low.min(), frame.y.high.max()), padding=0)
    plot.show()
    sway, paint = Sway(rows / 100), plot.viewport().repaint

    def pan() -> None:
        box.translateBy(x=sway())
        paint()

    def append() -> None:
        assert item is not None
        item.rows.append(item.rows[-1])
        item.generate()
        paint()

    acts: dict[str, Act] = {"repaint": paint, "pan": pan}
    if item is not None:
        acts["append"] = append
    return Contestant(name, plot, acts, rare=frame is not None)


def charts(name: str, frame: PairFrame, shown: int, *, price_only: bool) -> Contestant:
    """Return the stack, or its price panel and time axis alone, with the newest ``shown`` bars in sight."""
    pair, clock = Pair(), FrameClock()
    stack = ChartStack(pair, clock, DARK)
    stack.resize(WIDE, TALL)
    for panel in stack.panel_names:
        stack.set_panel_visible(panel, panel == "price" or not price_only)
    stack.show()
    rows = len(frame)
    before, tail = part(frame, slice(0, rows - 1)), tail_of(frame, slice(rows - 1, rows))
    pair.show(before)
    clock.tick.emit()
    stack.pan(0)
    view = stack._state.view
    view.show(rows - shown - 0.5, rows + 0.5)
    ports = [stack.panel(panel).viewport() for panel in stack.panel_names if stack.is_panel_visible(panel)]
    ports.append(stack._axis)
    sway = Sway(shown / 100)

    def paint() -> None:
        for port in ports:
            port.update()
        ports[0].repaint()  # paints whatever is marked, all at once

    def tick() -> None:
        clock.tick.emit()  # what the 30 Hz clock does
        paint()

    def pan() -> None:
        view.pan(sway())
        tick()

    def append() -> None:
        pair.show(before, tail)
        tick()

    def undo() -> None:
        pair.show(before, PairTail.empty())
        tick()
        clock.stop()

    tick()
    clock.stop()
    return Contestant(name, stack, {"repaint": paint, "pan": pan, "append": append}, undo)


def graded(rows: int) -> PairFrame:
    """Make a frame whose bars are whole but for a few."""
    frame = build(rows)
    codes = np.full(rows, int(BarQuality.COMPLETE), np.int64)
    codes[:: max(2, rows // 50)] = int(BarQuality.KLINES)
    return replace(frame, quality_y=codes, quality_x=codes.copy())


def pyramid_append(frame: PairFrame) -> Callable[[], float]:
    """Return a function that appends bars to the columns of a candle chart and tells the seconds of one."""
    columns = {name: getattr(frame.y, name) for name in OHLCV}
    pyramid, rows = Pyramid(OHLCV), len(frame)
    pyramid.sync(columns)
    bars = [{name: column[row : row + 1] for name, column in columns.items()} for row in range(APPENDED)]

    def run() -> float:
        start = time.perf_counter()
        for bar in bars:
            pyramid.write(len(pyramid), bar)
        taken = time.perf_counter() - start
        pyramid.write(rows, {name: column[:0] for name, column in columns.items()})
        return taken / len(bars)

    return run


def measure(runs: int) -> None:
    """Print the table."""
    frames = {rows: graded(rows) for rows in SIZES}
    empty = library("pyqtgraph, empty plot", 100, None)
    contestants = [empty]
    for rows in SIZES:
        if rows <= EXAMPLE_BARS:
            contestants.append(library(f"pyqtgraph, its QPicture example, {rows:,} bars", rows, frames[rows]))
    for price_only, what in ((True, "price panel"), (False, "all panels")):
        for rows in SIZES:
            for shown, words in ((rows, "all in sight"), (FEW, f"{FEW} in sight")):
                name = f"{what}, {rows:,} bars, {words}"
                contestants.append(charts(name, frames[rows], shown, price_only=price_only))
    appends = {rows: pyramid_append(frame) for rows, frame in frames.items()}
    appended: dict[int, list[float]] = {rows: [] for rows in SIZES}
    QApplication.processEvents()
    gc.collect()
    gc.freeze()
    for turn in range(runs):
        first = turn % len(contestants)  # nobody comes always after the same one
        for contestant in contestants[first:] + contestants[:first]:
            if not contestant.rare or turn % PATIENCE == 0:
                contestant.run()
        for rows, run in appends.items():
            appended[rows].append(run())
    print_table(contestants, {rows: 1e3 * statistics.median(taken) for rows, taken in appended.items()}, runs)


def print_table(contestants: list[Contestant], appended: dict[int, float], runs: int) -> None:
    """Print medians, and their ratio to the empty plot's."""
    empty = contestants[0]
    print(f"\n| ms at {WIDE}x{TALL} (times the empty plot's) | repaint | pan | append and repaint |\n|---|---|---|---|")
    for one in contestants:
        cells = []
        for act, against in (("repaint", "repaint"), ("pan", "pan"), ("append", "pan")):
            taken = one.median(act)
            ratio = "" if one is empty else f" ({taken / empty.median(against):.2g})"
            cells.append("" if taken != taken else f"{taken:.2f}{ratio}")
        print(f"| {one.name} | " + " | ".join(cells) + " |")
    words = ", ".join(f"{1e3 * ms:.0f} µs at {rows:,} bars" for rows, ms in appended.items())
    share = max(appended.values()) / empty.median("pan")
    print(
        f"\nMedians of {runs} rounds taken in turn, offscreen; append is set against the empty plot's pan. A bar "
        f"appended to the pyramid of a candle chart, unpainted: {words}, at most {share:.3f} of that pan."
    )


def main() -> None:
    """Measure on Qt's offscreen platform."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=51)
    runs = parser.parse_known_args()[0].runs
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    program = QApplication([])
    measure(runs)
    for window in program.topLevelWidgets():
        window.deleteLater()
    program.processEvents()


if __name__ == "__main__":
    main()
