"""Run the real desk, switch its pair many times, replay a stored span, and note on the way what stays in memory.

A program of its own for ``desk_memory``; it prints one JSON line at its end.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QObject

import quantdesk.app.desk
from quantdesk.app import run
from quantdesk.app.desk import Desk
from quantdesk.cli import desk_parser
from quantdesk.ingest.merged_tape import Span
from quantdesk.ingest.transport import FASTEST, TransportState
from quantdesk.model.frame import PairFrame
from quantdesk.types import Instrument

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "币安人生USDT")
INTERVALS = ("1s", "1m", "5s", "5m", "15m", "1h")
#: The venue under which the replayed span is stored, and its legs: nothing else writes there.
REPLAYED = "replayed"
LEGS = SYMBOLS[:2]
#: Every so many switches one is of the interval, and of the legs against each other.
_INTERVAL_EVERY, _SWAP_EVERY = 4, 10
#: Open beside the charts, so that what they hold counts as well.
_DOCKS = ("view.evidence", "view.ticks", "view.hedge_bench")
_PATIENCE = 60.0


class RememberingDesk(Desk):
    """Switch the pair, then replay; note memory and living objects on the way."""

    settle = 8.0
    marks: tuple[int, ...] = (50, 250, 500)
    span: tuple[int, int] = (0, 0)
    looks = 2

    def __init__(self, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]  # handed through
        self._process = psutil.Process()
        start_feed = self.feeding.start
        self._paints = 0
        self.clock.tick.connect(self._on_paint)

        def start() -> None:
            start_feed()
            self._spawn(self._script())

        self.feeding.start = start  # type: ignore[method-assign]

    async def _script(self) -> None:
        try:
            await self._reached(lambda: set(SYMBOLS) <= set(self.feeding.market.symbols()), "the symbols")
            await self._framed()
            for name in _DOCKS:
                if not self.window.registry[name].isChecked():
                    self.window.registry[name].trigger()
            await asyncio.sleep(self.settle)
            report = {"switches": await self._switch(), "replay": await self._replay()}
            sys.stdout.write(json.dumps(report) + "\n")
            sys.stdout.flush()
        finally:
            self.window.quit_requested.emit()

    async def _switch(self) -> list[dict[str, float]]:
        control, found = self.window.control, [self._look(0)]
        pairs, intervals = itertools.cycle(itertools.permutations(SYMBOLS, 2)), itertools.cycle(INTERVALS[1:])
        for number in range(1, self.marks[-1] + 1):
            if number % _SWAP_EVERY == 0:
                self.window.registry["pair.swap"].trigger()
            elif number % _INTERVAL_EVERY == 0:
                self.window.registry[f"pair.{next(intervals)}"].trigger()
            else:
                y, x = next(pairs)
                settings = self.pair.settings
                if (y, x) == (settings.y, settings.x):
                    y, x = next(pairs)
                control.change(y=y, x=x)
            await self._framed()
            if number in self.marks:
                found.append(self._look(number))
        return found

    async def _replay(self) -> list[dict[str, float]]:
        start, end = self.span
        self.window.registry["pair.1s"].trigger()
        await self._framed()
        legs = tuple(Instrument(REPLAYED, symbol) for symbol in LEGS)
        self.window.store.settings.replay_speed = FASTEST
        found = [self._look(start)]
        self.window.replay.span_requested.emit(Span(legs, start, end))
        await self._reached(lambda: self.replaying.playback is not None, "a playback")
        playback = self.replaying.playback
        assert playback is not None
        transport, began = playback.transport, time.perf_counter()
        transport.set_speed(FASTEST)
        for part in range(1, self.looks + 1):
            mark = start + (end - start) * part // self.looks

            def is_there(mark: int = mark) -> bool:
                return (transport.position or 0) >= mark or transport.state is TransportState.ENDED

            await self._reached(is_there, "the next look", 3_600.0)
            found.append(self._look(transport.position or 0) | {"seconds": time.perf_counter() - began})
        self.window.registry["file.live"].trigger()
        await self._framed()
        found.append(self._look(0))
        return found

    def _look(self, at: int) -> dict[str, float]:
        """Return memory (MB) and counts once all that is garbage has gone."""
        gc.collect()
        kinds = list(map(type, gc.get_objects()))
        found = {
            "at": at,
            "memory": self._process.memory_info().rss / 1e6,
            "frames": sum(issubclass(kind, PairFrame) for kind in kinds),
            "python_qobjects": sum(issubclass(kind, QObject) for kind in kinds),
            "qobjects": len(self.window.findChildren(QObject)),
            "widgets": len(self._app.allWidgets()),
            "objects": len(kinds),
        }
        sys.stderr.write(f"{json.dumps(found)}\n")  # it lasts minutes: somebody may watch
        sys.stderr.flush()
        return found

    async def _framed(self) -> None:
        """Return once the pair asked for is in a frame and that was painted."""
        await self._reached(lambda: self._is_framed, "a frame")
        painted = self._paints
        await self._reached(lambda: self._paints > painted, "a paint")

    @property
    def _is_framed(self) -> bool:
        frame, settings = self.pair.frame, self.pair.settings
        return frame is not None and len(frame) > 0 and frame.settings == settings and self.pair.is_current

    def _on_paint(self) -> None:
        self._paints += 1

    async def _reached(self, look: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not look():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited in vain for {what}: {self.pair.settings}, {self.feeding.problem}")
            await asyncio.sleep(0.005)


def main() -> int:
    """Run the desk with the given numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--marks", type=int, nargs="+", default=list(RememberingDesk.marks))
    parser.add_argument("--span", type=int, nargs=2, required=True, help="first and last time of the replay, ms")
    parser.add_argument("--looks", type=int, default=RememberingDesk.looks, help="into how many equal parts it is cut")
    args = parser.parse_args()
    RememberingDesk.marks, RememberingDesk.span = tuple(args.marks), tuple(args.span)
    RememberingDesk.looks = args.looks
    quantdesk.app.desk.Desk = RememberingDesk  # type: ignore[misc]  # the entry point composes this one
    return run(desk_parser().parse_args(["--data-dir", str(args.data_dir)]))


if __name__ == "__main__":
    sys.exit(main())
