"""Measure how fast the embedded store takes trades and gives bars back, as a Markdown table."""

from __future__ import annotations

import argparse
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import numpy as np

from quantdesk.store.embedded import open_embedded
from quantdesk.types import Instrument, Tick

START = 1_721_347_200_000


def trades(count: int, symbol: str) -> list[Tick]:
    """Make a seeded random walk of ``count`` aggregate trades, about 20 a second."""
    random = np.random.default_rng(1)
    ts = START + np.cumsum(random.integers(1, 100, count))
    price = 64_000 + np.round(np.cumsum(random.normal(0, 0.5, count)), 1)
    size = random.integers(1, 2_000, count)
    return [
        Tick(symbol, i, float(p), int(q) / 1_000, int(t), bool(q & 1), 1, int(t))
        for i, (p, q, t) in enumerate(zip(price, size, ts, strict=True), 1)
    ]


def write(rows: list[Tick], batch: int, folder: Path) -> float:
    """Return the rows a second of one batch size, bars included."""
    instrument = Instrument("bench", rows[0].symbol, Decimal("0.1"), Decimal("0.001"))
    store = open_embedded(folder / f"{batch}.sqlite")
    store.ensure_instrument(instrument)
    start = time.perf_counter()
    for first in range(0, len(rows), batch):
        store.append_ticks(instrument, rows[first : first + batch])
    seconds = time.perf_counter() - start
    store.close()
    return len(rows) / seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    count = parser.parse_known_args()[0].rows
    rows = trades(count, "BTCUSDT")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"\n| embedded store, {count:,} trades | figure |\n|---|---|")
        for batch in (500, 2_000, 20_000):
            print(f"| written with their bars, batches of {batch:,} | {write(rows, batch, folder):,.0f} rows/s |")
        path = folder / "2000.sqlite"
        size = sum(p.stat().st_size for p in folder.glob("2000.sqlite*"))
        print(f"| size with bars | {size / len(rows) * 1e6 / 1e6:.0f} MB per million trades |")
        reader = open_embedded(path, read_only=True)
        held = reader.find("BTCUSDT")[0].instrument
        for interval in ("1s", "1m"):
            start = time.perf_counter()
            found = len(reader.load_bars(held, interval, limit=5_000).bars)
            print(f"| newest {found:,} {interval} bars read | {(time.perf_counter() - start) * 1e3:.1f} ms |")
        reader.close()


if __name__ == "__main__":
    main()
