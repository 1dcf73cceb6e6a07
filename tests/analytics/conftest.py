"""Share the recorded data and a synthetic pair among the tests of the statistics."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("shared data folder is absent")
    return SHARED


@pytest.fixture(scope="session")
def nist_line(shared: Path):
    def load(name: str) -> tuple[np.ndarray, np.ndarray]:
        with (shared / "nist" / f"{name}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return np.array([float(r["y"]) for r in rows]), np.array([float(r["x"]) for r in rows])

    return load


@pytest.fixture(scope="session")
def nist_column(shared: Path):
    def load(name: str) -> tuple[np.ndarray, float, float]:
        """Return the data, the certified mean and the certified deviation."""
        lines = (shared / "nist" / f"{name}.txt").read_text(encoding="latin-1").splitlines()
        certified = {}
        for word in ("Mean", "Standard Deviation"):
            line = next(line for line in lines[:60] if f"Sample {word}" in line)
            certified[word] = float(line.split(":")[1].split()[0])
        values = np.array([float(line) for line in lines[60:] if line.strip()])
        return values, certified["Mean"], certified["Standard Deviation"]

    return load


@pytest.fixture(scope="session")
def daily_logs(shared: Path):
    def load(y: str, x: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the logs of two daily spot closes on their common days."""
        from quantdesk.analytics.align import inner_join
        from quantdesk.store.files import read_file

        legs = [read_file(shared / "spot_1d" / f"{name}USDT-1d.csv").legs[0] for name in (y, x)]
        rows = inner_join(legs[0].bars.open_time, legs[1].bars.open_time)
        return tuple(np.log(leg.statistic_closes[r]) for leg, r in zip(legs, rows, strict=True))

    return load


@pytest.fixture
def walk_pair() -> tuple[np.ndarray, np.ndarray]:
    """Return 3,000 closes of a pair near 3,000 and 60,000 whose spread reverts."""
    rng = np.random.default_rng(7)
    x = np.round(60_000 + np.cumsum(rng.normal(0, 8, 3_000)), 1)
    noise = rng.normal(0, 1, 3_000)
    spread = np.zeros(3_000)
    for row in range(1, 3_000):
        spread[row] = 0.9 * spread[row - 1] + noise[row]
    return np.round(0.05 * x + spread + 40, 2), x
