"""Load the shown desk with 2,000 trades a second and compare its store with the exchange's own log."""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from quantdesk.config import venue_of
from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument, Tick
from tests.benchmarks.screen import AHEAD, own_screen, place

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = ("BTCUSDT", "ETHUSDT")
#: Trades a second of each of the two symbols.
RATE = 1_000


class Logged(msgspec.Struct):
    """Name what is compared of a trade in the exchange's log."""

    symbol: str
    agg_id: int
    price: str
    quantity: str
    trade_time_ms: int


def desk_program(module: str) -> list[str]:
    """Return what starts a benchmark's desk as the program itself begins: PySide reads no source."""
    code = "from quantdesk.app.sources import leave_unread; leave_unread()"
    return [sys.executable, "-c", f"{code}; from {module} import main; raise SystemExit(main())"]


@contextmanager
def exchange(log: Path, first: list[str], rate: float = RATE) -> Iterator[dict[str, Any]]:
    """Run the simulated exchange; yield what it announces."""
    command = [*first, sys.executable, "-m", "quantdesk", "simulate", "--rate", str(rate), "--log", str(log)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def store_newest(path: Path, announced: dict[str, Any]) -> str:
    """Put the newest trade of each symbol into the store, as if the desk had been shut just now; return the venue.

    A first start would fetch five minutes of trades, at this rate more than the exchange's
    REST limits allow within the benchmark.
    """
    venue = venue_of(announced["rest_url"], announced["ws_url"])
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    store = open_embedded(path)
    for symbol, tick in zip(SYMBOLS, ("0.1", "0.01"), strict=True):
        with direct.open(f"{announced['rest_url']}/fapi/v1/aggTrades?symbol={symbol}&limit=1") as answer:
            row = json.load(answer)[-1]
        trade = Tick(symbol, row["a"], float(row["p"]), float(row["q"]), row["T"], row["m"], row["l"] - row["f"] + 1)
        store.append_ticks(Instrument(venue, symbol, Decimal(tick), Decimal("0.001")), [trade])
    store.close()
    return venue


def logged_trades(log: Path) -> dict[str, np.ndarray]:
    """Return (id, time, price, quantity) of each symbol as the exchange generated them."""
    decode, rows = msgspec.json.Decoder(Logged).decode, {symbol: [] for symbol in SYMBOLS}
    with log.open("rb") as lines:
        for line in lines:
            trade = decode(line)
            if trade.symbol in rows:
                rows[trade.symbol].append(
                    (trade.agg_id, trade.trade_time_ms, float(trade.price), float(trade.quantity))
                )
    return {symbol: _columns(found) for symbol, found in rows.items()}


def stored_trades(path: Path, venue: str) -> tuple[dict[str, np.ndarray], int]:
    """Return (id, time, price, quantity) of each symbol as stored, and how many gaps the ledger holds open."""
    with closing(sqlite3.connect(path)) as connection:
        ids = dict(connection.execute("SELECT symbol, id FROM instruments WHERE venue = ?", (venue,)).fetchall())
        wanted = "SELECT agg_id, ts, price, quantity FROM ticks WHERE instrument_id = ? ORDER BY agg_id"
        found = {symbol: _columns(connection.execute(wanted, (ids[symbol],)).fetchall()) for symbol in SYMBOLS}
        holes = connection.execute("SELECT count(*) FROM gaps WHERE state IN ('open', 'filling', 'expired')")
        return found, int(holes.fetchone()[0])


def _columns(rows: list[tuple[Any, ...]]) -> np.ndarray:
    kinds = [("id", np.int64), ("ts", np.int64), ("price", np.float64), ("quantity", np.float64)]
    return np.array(rows, dtype=kinds)


def compare(truth: np.ndarray, stored: np.ndarray) -> tuple[int, int, int, int]:
    """Return (stored, lost, doubled, different) in the span from the first stored id to the last."""
    distinct = np.unique(stored["id"])
    span = truth[(truth["id"] >= distinct[0]) & (truth["id"] <= distinct[-1])]
    lost = len(np.setdiff1d(span["id"], distinct))
    held = stored[np.searchsorted(stored["id"], distinct)]
    both = np.isin(distinct, span["id"])
    twin = span[np.searchsorted(span["id"], distinct[both])]
    return len(stored), lost, len(stored) - len(distinct), int((held[both] != twin).sum() + (~both).sum())


def table(report: dict[str, Any], rows: dict[str, tuple[int, int, int, int]], holes: int, title: str) -> float:
    """Print the table; return the ratio of the timer's p99 with and without feed."""
    feed, before, after = report["feed"], report["before"], report["after"]
    quiet = (before["p99"] + after["p99"]) / 2
    ratio = float(feed["p99"] / quiet)
    memory = feed["memory"]
    marks = [np.mean(memory[i : i + 10]) for i in (0, len(memory) // 2, max(0, len(memory) - 10))]
    print(f"\n| {title} | figure |\n|---|---|")
    for name, words in (("feed", "with feed"), ("before", "before the feed"), ("after", "after the feed")):
        one = report[name]
        figures = f"p50 {one['p50']:.1f} ms, p99 {one['p99']:.1f} ms, longest {one['longest']:.0f} ms"
        print(f"| 16 ms timer, {words} | {figures} |")
    print(f"| p99 with feed / without | {ratio:.2f} |")
    print(f"| the desk's work between two wake-ups, with feed | p99 {feed['work']:.1f} ms of processor time |")
    p50, p99 = np.array(feed["paint"]).T if feed["paint"] else (np.array([np.nan]),) * 2
    words = f"p50 {np.median(p50):.0f} ms, p99 {np.median(p99):.0f} ms (worst two seconds {p99.max():.0f} ms)"
    print(f"| from a trade's receipt to the paint that shows it | {words} |")
    print(f"| processor and frames | {feed['processor']:.0%} of a core, {feed['frames']:.0f} frames/s |")
    others = ", ".join(f"{report[name]['others']:.1f}" for name in ("feed", "before", "after"))
    print(f"| cores busy with other programs: with feed, before, after | {others} |")
    print(f"| memory at start, middle, end of the feed | {', '.join(f'{mark:.0f}' for mark in marks)} MB |")
    for symbol, (count, lost, doubled, different) in rows.items():
        words = f"{count:,} stored, {lost} lost, {doubled} doubled, {different} different"
        print(f"| {symbol} against the exchange's log | {words} |")
    print(f"| gaps still open in the ledger | {holes} |")
    return ratio


def main() -> int:
    """Print the table; return 1 where a trade was lost, doubled or changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--quiet", type=float, default=20.0, help="seconds of each window without feed")
    parser.add_argument("--keep", type=Path, help="folder to keep the desk's data in")
    parser.add_argument(
        "--ahead", action="store_true", help="schedule desk and exchange ahead of other programs: on a busy machine"
    )
    args = parser.parse_known_args()[0]
    first = AHEAD if args.ahead else []
    with tempfile.TemporaryDirectory() as name, own_screen() as environment:
        data, log = args.keep or Path(name) / "data", Path(name) / "trades.jsonl"
        data.mkdir(parents=True, exist_ok=True)
        with exchange(log, first) as announced:
            venue = store_newest(data / "quantdesk.sqlite", announced)
            times = ["--seconds", str(args.seconds), "--quiet", str(args.quiet)]
            program = desk_program("tests.benchmarks.measured_desk")
            command = [*first, *program, "--data-dir", str(data), *times]
            urls = {"QUANTDESK_WS_URL": announced["ws_url"], "QUANTDESK_REST_URL": announced["rest_url"]}
            desk = subprocess.run(
                command, cwd=ROOT, env={**environment, **urls}, stdout=subprocess.PIPE, text=True, check=True
            )
        report = json.loads(desk.stdout.splitlines()[-1])
        truth = logged_trades(log)
        stored, holes = stored_trades(data / "quantdesk.sqlite", venue)
    rows = {symbol: compare(truth[symbol], stored[symbol]) for symbol in SYMBOLS}
    priority = ", scheduled ahead of other programs" if args.ahead else ""
    title = f"{2 * RATE:,} trades/s, {args.seconds:.0f} s, {place(environment)}{priority}"
    table(report, rows, holes, title)
    return int(any(lost or doubled or different for _, lost, doubled, different in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
