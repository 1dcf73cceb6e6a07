"""Tell what the shown desk keeps in memory over many pair switches and a replayed hour, as Markdown tables."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument
from tests.benchmarks.desk_load import exchange
from tests.benchmarks.remembering_desk import LEGS, REPLAYED, SYMBOLS
from tests.benchmarks.screen import own_screen, place

ROOT = Path(__file__).resolve().parents[2]
#: A minute (of the epoch) that the replayed trades begin at.
_MINUTE = 28_688_400


def seed(path: Path, minutes: int, rate: float) -> tuple[int, int, int]:
    """Store the simulator's trades of both legs; return the first and last time (ms) and how many trades."""
    store, source, count = open_embedded(path), SyntheticSource(seed=3, rate=rate), 0
    for leg in source.listings:
        if leg.symbol not in LEGS:
            continue
        instrument = Instrument(REPLAYED, leg.symbol, Decimal(leg.tick), Decimal(leg.step))
        for minute in range(_MINUTE, _MINUTE + minutes):
            ticks = source.trades(leg.symbol, minute).ticks(leg)
            store.append_ticks(instrument, ticks)
            count += len(ticks)
    store.close()
    return _MINUTE * 60_000, (_MINUTE + minutes) * 60_000, count


def table(rows: list[dict[str, float]], names: list[str], title: str, *, judged: int) -> None:
    """Print one column a look; after ``judged`` columns the growth between that one and the one before it."""
    print(f"\n| {title} | {' | '.join(names)} | growth, {names[judged - 1]} to {names[judged]} |")
    print("|---|" + "---|" * (len(names) + 1))
    words = {
        "memory": "memory, MB",
        "frames": "frames alive",
        "qobjects": "QObjects of the window",
        "python_qobjects": "QObjects known to Python",
        "widgets": "widgets",
        "objects": "Python objects",
    }
    for key, name in words.items():
        digits = 1 if key == "memory" else 0
        cells = [f"{row[key]:,.{digits}f}" for row in rows]
        grown = f"{rows[judged][key] - rows[judged - 1][key]:+,.{digits}f}"
        print(f"| {name} | {' | '.join(cells)} | {grown} |")


def measure(marks: list[int], minutes: int, rate: float) -> tuple[dict[str, Any], int, str]:
    """Return what the desk reported, the replayed trades, and the screen in words."""
    with tempfile.TemporaryDirectory() as name, own_screen() as environment:
        data = Path(name) / "data"
        (data / "config").mkdir(parents=True)
        settings = {"symbols": list(SYMBOLS), "y": SYMBOLS[0], "x": SYMBOLS[1]}
        (data / "config" / "settings.json").write_text(json.dumps(settings), "utf-8")
        start, end, trades = seed(data / "quantdesk.sqlite", minutes, rate)
        numbers = ["--marks", *map(str, marks), "--span", str(start), str(end)]
        command = [sys.executable, "-m", "tests.benchmarks.remembering_desk", "--data-dir", str(data), *numbers]
        with exchange(Path(name) / "trades.jsonl", [], rate) as announced:
            urls = {"QUANTDESK_WS_URL": announced["ws_url"], "QUANTDESK_REST_URL": announced["rest_url"]}
            desk = subprocess.run(
                command, cwd=ROOT, env={**environment, **urls}, stdout=subprocess.PIPE, text=True, check=True
            )
        return json.loads(desk.stdout.splitlines()[-1]), trades, place(environment)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--marks", type=int, nargs="+", default=[50, 250, 500], help="switches after which to look")
    parser.add_argument("--minutes", type=int, default=60, help="minutes of the market to replay")
    parser.add_argument("--rate", type=float, default=20.0, help="trades a second of each leg")
    args = parser.parse_known_args()[0]
    report, trades, screen = measure(args.marks, args.minutes, args.rate)
    names = ["start", *(str(mark) for mark in args.marks)]
    title = f"{args.marks[-1]:,} pair switches, {len(SYMBOLS)} symbols, {screen}: after"
    table(report["switches"], names, title, judged=len(names) - 1)
    seconds = report["replay"][3]["seconds"]
    title = f"{args.minutes} minutes of {len(LEGS)} symbols replayed, {trades:,} trades in {seconds:.0f} s: after"
    table(report["replay"], ["start", "a third", "two thirds", "all", "back at the market"], title, judged=3)


if __name__ == "__main__":
    main()
