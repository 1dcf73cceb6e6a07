"""Run the real desk with a stop-watch inside: a window without feed, one with feed, one without again.

A program of its own for ``desk_load``; it prints one JSON line at its end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QObject, Qt, QTimer

import quantdesk.app.desk
from quantdesk.app import run
from quantdesk.app.desk import Desk
from quantdesk.cli import desk_parser
from quantdesk.types import Latency

TIMER_MS = 16


class Watch(QObject):
    """Note the wake-ups of a 16 ms timer, the processor's time, memory and painted frames of one phase."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._process = psutil.Process()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TIMER_MS)
        self._timer.timeout.connect(self._on_wake)
        self._timer.start()
        desk.clock.tick.connect(self._on_frame)
        self.begin()

    def begin(self) -> None:
        """Start a phase."""
        self._waits: list[float] = []
        self._works: list[float] = []
        self._memory: list[int] = []
        self._paints: list[Latency] = []
        self._frames = 0
        self._last = self._next_look = self._start = time.perf_counter()
        self._processor = self._worked = time.process_time()
        self._machine = _busy_seconds()

    def end(self) -> dict[str, object]:
        """End the phase and return its figures: milliseconds, share of a core, MB, frames a second."""
        seconds = time.perf_counter() - self._start
        waits, own = np.array(self._waits) * 1e3, time.process_time() - self._processor
        return {
            "p50": float(np.percentile(waits, 50)),
            "p99": float(np.percentile(waits, 99)),
            "longest": float(waits.max()),
            "work": float(np.percentile(self._works, 99)) * 1e3,
            "processor": own / seconds,
            "others": (_busy_seconds() - self._machine - own) / seconds,
            "frames": self._frames / seconds,
            "paint": [[one.p50, one.p99] for one in self._paints if one.samples],
            "memory": [size / 1e6 for size in self._memory],
        }

    def _on_wake(self) -> None:
        now, worked = time.perf_counter(), time.process_time()
        self._waits.append(now - self._last)
        self._works.append(worked - self._worked)
        self._last, self._worked = now, worked
        if now >= self._next_look:
            self._next_look = now + 1
            self._memory.append(self._process.memory_info().rss)
            self._paints.append(self._desk.feeding.market.latency.report())

    def _on_frame(self) -> None:
        self._frames += 1


def _busy_seconds() -> float:
    """Return the seconds that all cores together have worked, for whomever."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


class MeasuredDesk(Desk):
    """Hold the feed back until the quiet window is measured, and quit when all is."""

    #: Seconds: until the start has settled, each quiet window, the feed before it counts, with feed.
    settle, quiet, warm, seconds = 8.0, 20.0, 5.0, 300.0
    interval = "1m"

    def __init__(self, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]  # handed through
        self._start_feed = self.feeding.start
        self.feeding.start = lambda: self._spawn(self._script())  # type: ignore[method-assign]

    async def _script(self) -> None:
        await asyncio.sleep(self.settle)
        watch, report = Watch(self), {}
        await asyncio.sleep(self.quiet)
        report["before"] = watch.end()
        self._start_feed()
        await asyncio.sleep(self.warm)
        watch.begin()
        await asyncio.sleep(self.seconds)
        report["feed"] = watch.end()
        status = self.feeding.market.feed_status
        report["status"] = repr(status)
        await self.feeding.stop()
        watch.begin()
        await asyncio.sleep(self.quiet)
        report["after"] = watch.end()
        report["dropped_jobs"] = self.jobs.dropped
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()
        self.window.quit_requested.emit()


def main() -> int:
    """Run the desk with the given times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=MeasuredDesk.seconds)
    parser.add_argument("--quiet", type=float, default=MeasuredDesk.quiet)
    args = parser.parse_args()
    MeasuredDesk.seconds, MeasuredDesk.quiet = args.seconds, args.quiet
    quantdesk.app.desk.Desk = MeasuredDesk  # type: ignore[misc]  # the entry point composes this one
    return run(desk_parser().parse_args(["--data-dir", str(args.data_dir)]))


if __name__ == "__main__":
    sys.exit(main())
