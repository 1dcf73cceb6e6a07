"""Infer a symbol and an interval from a file's name."""

from __future__ import annotations

import re
from pathlib import Path

_ENDINGS = {".csv", ".tsv", ".txt", ".zip", ".gz"}
_BINANCE = re.compile(
    r"(?P<symbol>[A-Z0-9_]{2,})-(?P<what>\d{1,2}(?P<unit>[smhdw]|mo|M)|aggTrades|trades|bars|ticks)(?:-\d{4}-\d{2}(?:-\d{2})?)?"
)
_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "M": 2_678_400_000}
_LONGEST = 60


def stem_of(path: Path) -> str:
    """Return the file's name without its table and packing endings."""
    name = path.name
    while Path(name).suffix.lower() in _ENDINGS and Path(name).stem:
        name = Path(name).stem
    return name


def symbol_of(path: Path) -> str:
    """Return the symbol of a Binance file name (BTCUSDT-1m-2024-07-18.zip -> BTCUSDT), else the stem."""
    stem = stem_of(path)
    match = _BINANCE.fullmatch(stem)
    name = match.group("symbol") if match else stem
    return "".join(c for c in name if c.isprintable()).strip()[:_LONGEST] or "file"


def interval_in_name(name: str) -> int | None:
    """Return the interval in ms that a Binance file name tells, or None."""
    match = _BINANCE.fullmatch(stem_of(Path(name)))
    unit = match.group("unit") if match else None
    if match is None or unit is None:
        return None
    letter = "M" if unit == "mo" else unit
    return int(re.match(r"\d+", match.group("what")).group()) * _MS[letter]  # type: ignore[union-attr]  # the pattern has digits
