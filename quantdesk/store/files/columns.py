"""Read the columns a layout names, block by block, with every check a cell must pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quantdesk.bars.arrays import FloatArray, IntArray
from quantdesk.store.files.layout import Layout
from quantdesk.store.files.numbers import (
    BoolArray,
    Cells,
    parse_flags,
    parse_integers,
    parse_numbers,
    used_decimals,
    written_decimals,
)
from quantdesk.store.files.rows import Flaws, Marks, Rows, split_block
from quantdesk.store.files.text import Block
from quantdesk.store.files.times import parse_clocks, parse_times, why_no_time

PRICES = ("open", "high", "low", "close", "adj_close", "price", "first", "second")
_STEP_PRICES = ("open", "high", "low", "close", "price")
_AMOUNTS = ("volume", "quote_volume")
_IDS = ("id", "first_id", "last_id")
_MISSING = (b"", b"null", b"nan", b"n/a", b"na", b"-")
_LARGEST = 1e15
_MOST_STEPS = 4e18
_CLOSES = ("first", "second")


class Columns:
    """Gather the good rows of a table as columns by role, their line order kept, and their precision."""

    def __init__(self, name: str, layout: Layout, *, skip_bad_rows: bool) -> None:
        self._layout = layout
        self._parts: dict[str, list[FloatArray | IntArray]] = {role: [] for role in self._kept()}
        self._used: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self.flaws = Flaws(name, skip=skip_bad_rows)
        self.rows = 0
        self.blanks = 0

    def _kept(self) -> list[str]:
        return [role for role in self._layout.columns if role not in ("clock", "symbol")]

    def take(self, block: Block) -> None:
        """Read one block; raise FileError at its first bad line unless bad rows are skipped."""
        named: list[tuple[int, str]] = []
        rows, failed = split_block(block, self._layout.form, named)
        marks = Marks(rows.lines)
        found: dict[str, FloatArray | IntArray] = {}
        if len(rows):
            for role, index in self._layout.columns.items():
                self._read(role, rows.column(index), rows, marks, found)
            self._compare(marks, found)
            self._check_rest(rows, marks)
        self.flaws.take(named + marks.reasons, failed + int(marks.bad.sum()))
        good = ~marks.bad
        self.rows += int(good.sum())
        for role, parts in self._parts.items():
            if role in found:
                parts.append(found[role][good])

    def ints(self, role: str) -> IntArray | None:
        """Return a column of integers, or None if the table has none."""
        return self._joined(role, np.int64)

    def floats(self, role: str) -> FloatArray | None:
        """Return a column of doubles, or None if the table has none."""
        return self._joined(role, np.float64)

    def price_decimals(self, *roles: str) -> int:
        """Return the decimals that prices are written with, beyond two only where not padding zeros."""
        used = max((self._used.get(role, 0) for role in roles), default=0)
        written = max((self._written.get(role, 0) for role in roles), default=0)
        return max(used, min(written, 2))

    def amount_decimals(self, role: str) -> int:
        """Return the decimals of a column of amounts, padding zeros not counted, such that sums fit 64 bits."""
        decimals = self._used.get(role, 0)
        total = sum(float(part.sum()) for part in self._parts.get(role, []))
        while decimals and total * 10**decimals > _MOST_STEPS:
            decimals -= 1
        return decimals

    def _joined(self, role: str, kind: type) -> np.ndarray | None:
        parts = self._parts.get(role)
        if parts is None:
            return None
        return np.concatenate(parts).astype(kind, copy=False) if parts else np.empty(0, kind)

    def _read(self, role: str, cells: Cells, rows: Rows, marks: Marks, found: dict[str, FloatArray | IntArray]) -> None:
        if role == "time":
            found[role] = self._times(cells, rows, marks)
        elif role in PRICES:
            found[role] = self._numbers(role, cells, marks, lambda v: v > 0, "is no price above zero")
        elif role == "quantity":
            found[role] = self._numbers(role, cells, marks, lambda v: v > 0, "is no quantity above zero")
        elif role in _AMOUNTS or role == "trades":
            values = self._amounts(role, cells, marks)
            found[role] = np.rint(values).astype(np.int64) if role == "trades" else values
        elif role in _IDS:
            found[role], good = parse_integers(cells)
            marks.flag(~good, lambda row: f"{role} '{cells.text(row)}' is no id")
        elif role == "maker":
            found[role], good = parse_flags(cells)
            marks.flag(~good, lambda row: f"is_buyer_maker '{cells.text(row)}' is neither true nor false")
        elif role == "symbol" and self._layout.symbol is not None:
            self._same_symbol(cells, self._layout.symbol, marks)

    def _times(self, cells: Cells, rows: Rows, marks: Marks) -> IntArray:
        times, good = parse_times(cells)
        marks.flag(~good, lambda row: why_no_time(cells.text(row)))
        clock = self._layout.columns.get("clock")
        if clock is not None:
            beside = rows.column(clock)
            clocks, fine = parse_clocks(beside)
            marks.flag(~fine, lambda row: f"'{beside.text(row)}' is no time of day")
            times = times + clocks
        if "id" in self._layout.columns:
            marks.flag(times < 0, lambda row: f"the time '{cells.text(row)}' of a trade is before 1970")
        return times

    def _numbers(
        self, role: str, cells: Cells, marks: Marks, fits: Callable[[FloatArray], BoolArray], words: str
    ) -> FloatArray:
        values, found = parse_numbers(cells)
        fine = np.isfinite(values) & (values < _LARGEST)
        fine &= fits(np.where(fine, values, 1.0))
        title = self._title(role)
        marks.flag(
            ~fine,
            lambda row: f"{title} '{cells.text(row)}' {words}" if cells.raw(row) else f"{title} is empty",
        )
        self._used[role] = used_decimals(found, self._used.get(role, 0))
        self._written[role] = max(self._written.get(role, 0), written_decimals(found))
        return np.where(fine, values, 1.0)

    def _amounts(self, role: str, cells: Cells, marks: Marks) -> FloatArray:
        """Read volumes and counts: not negative; an empty one is zero, counted."""
        values, found = parse_numbers(cells)
        fine = np.isfinite(values) & (values >= 0) & (values < 1e18)
        for row in np.flatnonzero(~np.isfinite(values)):
            if cells.raw(int(row)).lower() in _MISSING:
                values[row], fine[row] = 0.0, True
                self.blanks += role == "volume"
        marks.flag(~fine, lambda row: f"{role} '{cells.text(row)}' is no amount")
        self._used[role] = used_decimals(found, self._used.get(role, 0))
        return np.where(fine, values, 0.0)

    def _same_symbol(self, cells: Cells, symbol: str, marks: Marks) -> None:
        marks.flag(
            ~cells.equal(symbol.encode()),
            lambda row: f"the symbol changes from {symbol} to '{cells.text(row)}': one symbol a file, please",
        )

    def _check_rest(self, rows: Rows, marks: Marks) -> None:
        """Reject rows with filled cells to the right of the header."""
        expected = self._layout.form.most
        for index in range(expected, self._layout.form.cells):
            cells = rows.column(index)
            marks.flag(~cells.equal(b""), lambda row: f"has more cells than the {expected} of the header")

    def _title(self, role: str) -> str:
        if role in _CLOSES:
            return self._layout.names[_CLOSES.index(role)]
        if role == "close" and self._layout.names:
            return self._layout.names[0]
        return role

    def _compare(self, marks: Marks, found: dict[str, FloatArray | IntArray]) -> None:
        if "high" in found and "low" in found:
            high, low = found["high"], found["low"]
            marks.flag(np.asarray(high < low), lambda row: f"high {high[row]!s} is below low {low[row]!s}")
        if "first_id" in found and "last_id" in found:
            first, last = found["first_id"], found["last_id"]
            marks.flag(np.asarray(last < first), lambda row: f"last id {last[row]} is below first id {first[row]}")
