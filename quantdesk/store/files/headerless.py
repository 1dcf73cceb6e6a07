"""Tell what a table without a header holds, from the look of its first rows."""

from __future__ import annotations

from quantdesk.store.files.report import FileError
from quantdesk.store.files.times import parse_time

_KLINES = ("time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trades")
_OHLCV = _KLINES[:6]
_AGG = ("id", "price", "quantity", "first_id", "last_id", "time", "maker")
_RAW = ("id", "price", "quantity", "quote_quantity", "time", "maker")
_UNUSED = {"close_time", "quote_quantity"}
_SOON = 100_000_000_000  # ms: a stamp before 1973 is rather a small number


def headerless_columns(name: str, rows: list[list[str]]) -> tuple[str, dict[str, int]]:
    """Return (kind, column numbers by role); raise FileError in words if the columns cannot be told."""
    row = _filled(rows)
    kind, roles = _guess(row)
    if not roles:
        raise FileError(
            f"{name}: has no header and {len(row)} columns that cannot be told apart: "
            "add a header (time, open, high, low, close, volume or time, price)"
        )
    return kind, {role: i for i, role in enumerate(roles) if role not in _UNUSED}


def _filled(rows: list[list[str]]) -> list[str]:
    """Return the first row whose cells look whole, without empty cells at the right."""
    bare = []
    for row in rows[:20]:
        cells = list(row)
        while cells and not cells[-1]:
            cells.pop()
        bare.append(cells)
    lengths = [len(cells) for cells in bare]
    usual = max(set(lengths), key=lambda length: (lengths.count(length), length))
    return next((c for c in bare if len(c) == usual and _guess(c)[1]), next(c for c in bare if len(c) == usual))


def _guess(row: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return (kind, roles of the columns from the left) of a row, or no roles."""
    size = len(row)
    timed = bool(row) and _is_time(row[0])
    found: tuple[str, tuple[str, ...]] = ("", ())
    if size in (7, 8) and _is_flag(row[6]) and _is_time(row[5]) and _are_ids(row[0], row[3], row[4]):
        found = ("aggTrades", _AGG)
    elif size in (6, 7) and _is_flag(row[5]) and _is_time(row[4]) and _are_ids(row[0]):
        found = ("trades", _RAW)
    elif timed and size in (11, 12) and _is_time(row[6]):
        found = ("klines", _KLINES)
    elif timed and size >= 5 and _is_bar(row[1:5]):
        found = ("ohlcv", _OHLCV[: min(size, 6)])
    elif timed and size == 2:
        found = ("closes", ("time", "close"))
    return found


def _is_flag(text: str) -> bool:
    return text.lower() in ("true", "false")


def _are_ids(*texts: str) -> bool:
    return all(text.isascii() and text.isdigit() for text in texts)


def _is_time(text: str) -> bool:
    ms = parse_time(text)
    return ms is not None and ("-" in text[1:] or "." in text or ":" in text or abs(ms) >= _SOON)


def _is_bar(cells: list[str]) -> bool:
    try:
        opened, high, low, close = (float(cell) for cell in cells)
    except ValueError:
        return False
    return 0 < low <= min(opened, close) and high >= max(opened, close)
