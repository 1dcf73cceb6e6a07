"""Measure the way from process start to the first paint with the last stored bars, as a Markdown table.

The source run, and the packaged program where there is one, start in turn: what the machine does besides
slows both alike, so that their ratio holds.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from quantdesk.bars.arrays import BarArrays
from quantdesk.config import DEFAULT_VENUE
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument, Interval, Tick
from tests.benchmarks.screen import AHEAD, own_screen, place

ROOT = Path(__file__).resolve().parents[2]
BARS = 5_000
TICKS = 2_000
LEGS = (("BTCUSDT", 64_000.0, "0.1"), ("ETHUSDT", 3_400.0, "0.01"))
#: Nothing answers there, so that a run asks nothing of the exchange.
NOWHERE = {"QUANTDESK_WS_URL": "ws://127.0.0.1:9", "QUANTDESK_REST_URL": "http://127.0.0.1:9"}
VENUE = "127.0.0.1:9"
_WORDS = "first paint "


def seed(path: Path, venue: str = DEFAULT_VENUE) -> None:
    """Make a store that holds ``BARS`` bars of each interval and some trades of both legs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    store, random = open_embedded(path), np.random.default_rng(3)
    now = int(time.time()) // 300 * 300_000
    for symbol, first, tick in LEGS:
        instrument = Instrument(venue, symbol, Decimal(tick), Decimal("0.001"))
        for interval in Interval:
            times = now - interval.ms * np.arange(BARS, 0, -1, dtype=np.int64)
            close = first * np.exp(np.cumsum(random.normal(0, 2e-4, BARS)))
            start = np.r_[first, close[:-1]]
            high, low = np.maximum(start, close) + 1, np.minimum(start, close) - 1
            volume, trades = random.uniform(1, 9, BARS), random.integers(1, 99, BARS)
            bars = BarArrays(times, start, high, low, close, volume, volume * close, trades)
            store.append_source_bars(instrument, interval, bars, "kline")
        ticks = [
            Tick(symbol, i, round(float(close[-1]), 1), 0.01, now - 60_000 + 30 * i, bool(i & 1), 1, now)
            for i in range(TICKS)
        ]
        store.append_ticks(instrument, ticks)
    store.close()


@dataclass(frozen=True, slots=True)
class Program:
    """Name a program to start, and the command that starts it."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Hold what one start reported: wall time and processor time (ms) to the first paint, and what it showed."""

    wall: float
    processor: float | None
    bars: int
    menus: int
    visible: bool
    heavy: tuple[str, ...]


SOURCE = Program("source", (sys.executable, "-m", "quantdesk"))
#: Where the packaging leaves the program.
FROZEN = ROOT / "dist" / "quantdesk" / ("quantdesk.exe" if sys.platform == "win32" else "quantdesk")


def start_once(
    folder: Path, environment: dict[str, str], first: Sequence[str] = (), program: Program = SOURCE
) -> Start:
    """Start the desk until it has painted and end it; return what it reported."""
    command = [*first, *program.command, "--data-dir", str(folder)]
    surroundings = {**environment, **NOWHERE, "QUANTDESK_TRACE_STARTUP": repr(time.time())}
    process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            if line.startswith(_WORDS):
                found: dict[str, Any] = json.loads(line.removeprefix(_WORDS))
                seen, heavy = found["visible"] is not None, tuple(found["heavy"])
                return Start(found["ms"], found.get("cpu_ms"), found["bars"], found["menus"], seen, heavy)
            said.append(line)
        code = process.wait()
        raise RuntimeError(f"{program.name} ended before its first paint, exit code {code}: {''.join(said[-5:])}")
    finally:
        # The figure is taken: how it quits is the tests' business.
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait()
        process.stderr.close()


def table(starts: dict[str, list[Start]], title: str) -> list[str]:
    """Return the rows of the table, one column a program; with two of them, how many times as long the second takes."""
    columns = list(starts.values())
    names = [f"from {name}" if name == SOURCE.name else name for name in starts]
    ratio = len(columns) == 2
    lines = [f"| {title} | {' | '.join([*names, *(['ratio'] if ratio else [])])} |"]
    lines.append("|---|" + "---|" * (len(columns) + ratio))

    def row(words: str, cells: list[str], times: list[float] | None = None) -> None:
        more = [f"{times[1] / times[0]:.2f}" if times else ""] if ratio else []
        lines.append(f"| {words} | {' | '.join([*cells, *more])} |")

    walls = [sorted(start.wall for start in column) for column in columns]
    medians = [statistics.median(times) for times in walls]
    cells = [f"median {middle:.0f} ms, best {times[0]:.0f} ms" for middle, times in zip(medians, walls, strict=True)]
    row("process start to first paint", cells, medians)
    if all(start.processor is not None for column in columns for start in column):
        spent = [statistics.median(start.processor or 0.0 for start in column) for column in columns]
        row("processor time until then", [f"median {each:.0f} ms" for each in spent], spent)
    shown = [f"{min(s.menus for s in column)}, {min(s.bars for s in column):,}" for column in columns]
    row("painted: menus, stored bars of each leg", shown)
    heavy = [sorted({name for start in column for name in start.heavy}) for column in columns]
    row("imported before it", [", ".join(names) or "nothing heavy" for names in heavy])
    return lines


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--ahead", action="store_true", help="schedule the desk ahead of other programs")
    parser.add_argument(
        "--frozen", type=Path, metavar="PATH", help=f"the packaged program; default: {FROZEN.name} in dist"
    )
    parser.add_argument("--source-only", action="store_true", help="leave the packaged program out")
    return parser.parse_known_args()[0]


def main() -> int:
    """Print the table; return 1 where the first paint was empty or something heavy came before it."""
    args = _arguments()
    programs, first = [SOURCE], AHEAD if args.ahead else []
    frozen = args.frozen or FROZEN
    if not args.source_only and (args.frozen or frozen.exists()):
        programs.append(Program("packaged", (str(frozen.absolute()),)))
    starts: dict[str, list[Start]] = {program.name: [] for program in programs}
    with tempfile.TemporaryDirectory() as name, own_screen() as environment:
        folder = Path(name)
        seed(folder / "quantdesk.sqlite", VENUE)
        for program in programs:
            start_once(folder, environment, first, program)  # fills the caches of disk and byte code
        for _ in range(args.runs):
            for program in programs:
                starts[program.name].append(start_once(folder, environment, first, program))
    priority = ", scheduled ahead of other programs" if args.ahead else ""
    print("\n" + "\n".join(table(starts, f"start, warm, {place(environment)}, {args.runs} runs{priority}")))
    every = [start for column in starts.values() for start in column]
    return int(any(start.bars < BARS or not start.menus or not start.visible or start.heavy for start in every))


if __name__ == "__main__":
    sys.exit(main())
