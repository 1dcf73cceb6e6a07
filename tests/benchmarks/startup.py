"""Measure the way from process start to the first paint with the last stored bars, as a Markdown table."""

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


def start_once(folder: Path, environment: dict[str, str], first: list[str]) -> dict[str, Any]:
    """Start the desk from source until it has painted and end it; return what it reported."""
    command = [*first, sys.executable, "-m", "quantdesk", "--data-dir", str(folder)]
    surroundings = {**environment, **NOWHERE, "QUANTDESK_TRACE_STARTUP": repr(time.time())}
    process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith(_WORDS):
                report: dict[str, Any] = json.loads(line.removeprefix(_WORDS))
                return report
        raise RuntimeError(f"the desk ended before its first paint, exit code {process.wait()}")
    finally:
        # The figure is taken: how it quits is the tests' business.
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait()
        process.stderr.close()


def main() -> int:
    """Print the table; return 1 where the first paint was empty or something heavy came before it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--ahead", action="store_true", help="schedule the desk ahead of other programs")
    args = parser.parse_known_args()[0]
    runs, first = args.runs, AHEAD if args.ahead else []
    with tempfile.TemporaryDirectory() as name, own_screen() as environment:
        folder = Path(name)
        seed(folder / "quantdesk.sqlite", VENUE)
        start_once(folder, environment, first)  # fills the caches of disk and byte code
        reports = [start_once(folder, environment, first) for _ in range(runs)]
    times = sorted(report["ms"] for report in reports)
    heavy = sorted({module for report in reports for module in report["heavy"]})
    bars, menus = {report["bars"] for report in reports}, {report["menus"] for report in reports}
    priority = ", scheduled ahead of other programs" if args.ahead else ""
    print(f"\n| start from source, warm, {place(environment)}, {runs} runs{priority} | figure |\n|---|---|")
    print(f"| process start to first paint | median {statistics.median(times):.0f} ms, best {times[0]} ms |")
    print(f"| painted: menus, stored bars of each leg | {min(menus)}, {min(bars):,} |")
    print(f"| imported before it | {', '.join(heavy) or 'nothing heavy'} |")
    empty = min(bars) < BARS or min(menus) == 0 or any(report["visible"] is None for report in reports)
    return int(empty or bool({"statsmodels", "scipy", "pandas"} & set(heavy)))


if __name__ == "__main__":
    sys.exit(main())
