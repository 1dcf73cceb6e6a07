"""Split blocks of lines into cells, and gather what is wrong with them by line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import IntArray
from quantdesk.store.files.numbers import BoolArray, Cells
from quantdesk.store.files.report import NAMED_ROWS, FileError
from quantdesk.store.files.text import Block

#: Stands for a separator inside a quoted cell; no number or time has it.
INNER = b"\x1f"


class Flaws:
    """Gather rejected lines: in strict reading the first one fails the file, else they are counted."""

    def __init__(self, name: str, *, skip: bool) -> None:
        self._name = name
        self._skip = skip
        self.count = 0
        self.named: list[tuple[int, str]] = []

    def take(self, found: list[tuple[int, str]], count: int) -> None:
        """Add the rejected lines of one block, ``count`` in all; raise FileError unless they may be skipped."""
        if not count:
            return
        found.sort()
        if not self._skip:
            line, reason = found[0]
            raise FileError(f"{self._name}: line {line}: {reason} (skip bad rows to open it without such rows)")
        self.count += count
        self.named = (self.named + found)[:NAMED_ROWS]

    def fail_if_all(self, rows: int) -> None:
        """Raise FileError if no row is left."""
        if rows:
            return
        if self.count:
            line, reason = self.named[0]
            raise FileError(
                f"{self._name}: no usable row: all {self.count:,} are rejected, first line {line}: {reason}"
            )
        raise FileError(f"{self._name}: has no data rows")


class Marks:
    """Mark bad rows of one block with the reason of the first check that fails."""

    def __init__(self, lines: IntArray) -> None:
        self._lines = lines
        self.bad: BoolArray = np.zeros(len(lines), np.bool_)
        self.reasons: list[tuple[int, str]] = []

    def flag(self, wrong: BoolArray, reason: Callable[[int], str]) -> None:
        """Mark the rows where ``wrong``, asking for the words of the first hundred only."""
        new = wrong & ~self.bad
        if new.any():
            rows = np.flatnonzero(new)[:NAMED_ROWS]
            self.reasons += [(int(self._lines[row]), reason(int(row))) for row in rows]
            self.bad |= new


@dataclass(frozen=True, slots=True)
class Rows:
    """Hold the cells of n regular rows of k columns, with each row's line number."""

    buffer: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    lines: IntArray

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, index: int) -> Cells:
        """Return the cells of one column."""
        return Cells(
            self.buffer, np.ascontiguousarray(self.starts[:, index]), np.ascontiguousarray(self.ends[:, index])
        )


@dataclass(frozen=True, slots=True)
class Form:
    """Say how lines become cells: separator, usual cells a line, how many must be there and may be filled."""

    separator: bytes
    cells: int
    needed: int
    most: int
    decimal_comma: bool = False


def split_line(line: bytes, separator: bytes) -> list[bytes]:
    """Split one line, quotes respected; raise ValueError if a quote is not closed."""
    if b'"' not in line:
        return [cell.strip(b" ") for cell in line.split(separator)]
    if line.count(b'"') % 2:
        raise ValueError("a quote is not closed on its line")
    text = line.decode("utf-8", "surrogateescape")
    try:
        cells = next(csv.reader([text], delimiter=separator.decode(), skipinitialspace=True))
    except (csv.Error, StopIteration):
        raise ValueError("the quotes are wrong") from None
    return [cell.strip().encode("utf-8", "surrogateescape").replace(separator, INNER) for cell in cells]


def split_block(block: Block, form: Form, flaws: list[tuple[int, str]]) -> tuple[Rows, int]:
    """Split a block into regular rows; append (line, reason) of irregular ones; return rows and how many failed."""
    separator = form.separator
    data = block.data
    if form.decimal_comma:
        data = data.replace(b",", b".")
    if b" " in data and re.search(rb" [%b\n]|[%b\n] |^ " % (re.escape(separator), re.escape(separator)), data):
        data = re.sub(rb" *(%b|\n) *" % re.escape(separator), rb"\1", data).lstrip(b" ")
    buffer, breaks, counts = _measure(data, separator)
    lengths = np.diff(breaks, prepend=-1) - 1
    lines = block.first_line + np.arange(len(breaks))
    failed = 0
    if b'"' in data or bool(((counts != form.cells - 1) | (lengths == counts)).any()):
        kept, numbers, failed = _regular(data, block.first_line, form, flaws)
        data, lines = b"".join(kept), np.array(numbers, np.int64)
        buffer, breaks, counts = _measure(data, separator)
    if not len(lines):
        none = np.zeros((0, form.cells), np.int64)
        return Rows(buffer, none, none, lines), failed
    ends = np.flatnonzero((buffer == ord(separator)) | (buffer == 10))
    starts = np.concatenate([[0], ends[:-1] + 1])
    shape = (len(lines), form.cells)
    return Rows(buffer, starts.reshape(shape), ends.reshape(shape), lines), failed


def _measure(data: bytes, separator: bytes) -> tuple[npt.NDArray[np.uint8], IntArray, IntArray]:
    """Return the bytes, where the lines end, and how many separators each line has."""
    buffer = np.frombuffer(data, np.uint8)
    breaks = np.flatnonzero(buffer == 10)
    upto = np.searchsorted(np.flatnonzero(buffer == ord(separator)), breaks)
    return buffer, breaks, np.diff(upto, prepend=0)


def _regular(
    data: bytes, first_line: int, form: Form, flaws: list[tuple[int, str]]
) -> tuple[list[bytes], list[int], int]:
    """Give every line its due number of cells, drop blank ones, name those that cannot be mended."""
    kept: list[bytes] = []
    numbers: list[int] = []
    failed = 0
    separator, last = form.separator, form.cells - 1
    for number, line in enumerate(data.split(b"\n")[:-1], first_line):
        quoted = b'"' in line
        if not quoted and line.count(separator) == last and len(line) > last:
            kept.append(line + b"\n")
            numbers.append(number)
            continue
        try:
            cells = split_line(line, separator)
        except ValueError as error:
            failed += 1
            if failed <= NAMED_ROWS:
                flaws.append((number, str(error)))
            continue
        if not any(cells):
            continue
        if any(cells[form.most :]) or len(cells) < form.needed:
            failed += 1
            if failed <= NAMED_ROWS:
                flaws.append((number, f"has {len(cells)} cells where {form.most} are expected"))
            continue
        cells = cells[: form.cells] + [b""] * (form.cells - len(cells))
        kept.append(separator.join(cells) + b"\n")
        numbers.append(number)
    return kept, numbers, failed
