"""Tell what the shown desk keeps in memory over many pair switches and replayed hours, as Markdown tables."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument
from tests.benchmarks.desk_load import desk_program, exchange
from tests.benchmarks.remembering_desk import LEGS, REPLAYED, SYMBOLS
from tests.benchmarks.screen import own_screen, place

ROOT = Path(__file__).resolve().parents[2]
#: A minute (of the epoch) that the replayed trades begin at.
_MINUTE = 28_688_400
#: A replay is looked at every so many minutes of its own time.
_EVERY = 30


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


def look_names(minutes: int) -> list[str]:
    """Return what the looks at a replay are called: the start, every half hour, and the market after it."""
    hours = [f"{minute / 60:g} h" for minute in range(_EVERY, minutes + 1, _EVERY)]
    return ["start", *hours, "back at the market"]


def measure(marks: list[int], minutes: int, rate: float) -> tuple[dict[str, Any], int, str]:
    """Return what the desk reported, the replayed trades, and the screen in words."""
    with tempfile.TemporaryDirectory() as name, own_screen() as environment:
        data = Path(name) / "data"
        (data / "config").mkdir(parents=True)
        settings = {"symbols": list(SYMBOLS), "y": SYMBOLS[0], "x": SYMBOLS[1]}
        (data / "config" / "settings.json").write_text(json.dumps(settings), "utf-8")
        start, end, trades = seed(data / "quantdesk.sqlite", minutes, rate)
        numbers = ["--marks", *map(str, marks), "--span", str(start), str(end), "--looks", str(minutes // _EVERY)]
        command = [*desk_program("tests.benchmarks.remembering_desk"), "--data-dir", str(data), *numbers]
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
    parser.add_argument("--hours", type=float, default=3.0, help="of the market to replay, in half hours")
    parser.add_argument("--rate", type=float, default=20.0, help="trades a second of each leg")
    args = parser.parse_known_args()[0]
    minutes = max(1, round(args.hours * 60 / _EVERY)) * _EVERY
    report, trades, screen = measure(args.marks, minutes, args.rate)
    names = ["start", *(str(mark) for mark in args.marks)]
    title = f"{args.marks[-1]:,} pair switches, {len(SYMBOLS)} symbols, {screen}: after"
    table(report["switches"], names, title, judged=len(names) - 1)
    names = look_names(minutes)
    seconds = report["replay"][len(names) - 2]["seconds"]
    title = f"{minutes / 60:g} h of {len(LEGS)} symbols replayed, {trades:,} trades in {seconds:.0f} s: after"
    table(report["replay"], names, title, judged=len(names) - 2)


if __name__ == "__main__":
    main()
