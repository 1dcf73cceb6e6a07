"""Write tables as CSV: fixed point, safe in a spreadsheet, moved into place only when whole."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import IO, Any

import numpy as np

from quantdesk.store.base import StoreError

#: A block is one sequence per column, all of one length; a lone str stands for a column of it.
Block = Sequence[Sequence[Any] | np.ndarray[Any, Any] | str]

_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")
_NEEDS_QUOTES = frozenset('",\r\n')
#: Above this, a double times a power of ten is no exact whole number.
_EXACT = 2.0**53


class ExportError(StoreError):
    """Say in one line why a file could not be written; an existing one is as it was."""


class Cell(Enum):
    """Say how the values of a column are written."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """Describe a column. Numbers are written in fixed point; NaN is an empty cell.

    ``decimals`` None writes the shortest digits that give the double back. ``lossless`` does so for
    the values that ``decimals`` would round: what was stored under a finer tick stays as it was.
    """

    name: str
    cell: Cell = Cell.NUMBER
    decimals: int | None = None
    lossless: bool = False


def text_cell(text: str) -> str:
    """Return text as a cell: what a spreadsheet would run gets an apostrophe, separators get quotes."""
    if text.startswith(_RUNS_IN_A_SPREADSHEET):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.intersection(text) else text


def shortest(value: float) -> str:
    """Return the shortest fixed-point digits that read back as ``value`` (1e-07 -> 0.0000001, 2.0 -> 2)."""
    digits = repr(value)
    if "e" in digits:
        digits = format(Decimal(digits), "f")
    return digits.removesuffix(".0")


def number_cells(values: Sequence[float] | np.ndarray[Any, Any], decimals: int | None, lossless: bool) -> list[str]:
    """Format numbers at so many decimals; what is no number (NaN, infinite) is an empty cell."""
    array = np.asarray(values, np.float64)
    finite = bool(np.isfinite(array).all())
    if decimals is None:
        cells = [shortest(value) for value in array.tolist()] if finite else []
        return cells or ["" if value - value != 0 else shortest(value) for value in array.tolist()]
    scale = 10.0**decimals
    rounded = np.where(np.abs(array) * scale < 0.5, 0.0, array)  # no "-0.00"
    pattern = f"%.{decimals}f"
    if lossless:
        with np.errstate(invalid="ignore", over="ignore"):
            same = (np.round(array, decimals) == array) | (np.abs(array) * scale >= _EXACT)
        if not same.all():
            pairs = zip(array.tolist(), same.tolist(), strict=True)
            return [_lossless(value, fits, pattern) for value, fits in pairs]
    if finite:
        return [pattern % value for value in rounded.tolist()]
    return ["" if value - value != 0 else pattern % value for value in rounded.tolist()]


def _lossless(value: float, fits: bool, pattern: str) -> str:
    if value - value != 0:
        return ""
    return pattern % value if fits else shortest(value)


def _cells(column: Column, values: Any, rows: int) -> list[str]:
    if isinstance(values, str):
        return [text_cell(values)] * rows
    if column.cell is Cell.NUMBER:
        return number_cells(values, column.decimals, column.lossless)
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    if column.cell is Cell.TEXT:
        return [text_cell(str(value)) for value in plain]
    if column.cell is Cell.FLAG:
        return ["true" if value else "false" for value in plain]
    return ["" if value is None else str(int(value)) for value in plain]


def table_text(columns: Sequence[Column], blocks: Iterable[Block]) -> Iterator[tuple[str, int]]:
    """Yield the table's text in pieces, the header first, each with its number of rows."""
    yield ",".join(text_cell(column.name) for column in columns) + "\n", 0
    for block in blocks:
        rows = next((len(values) for values in block if not isinstance(values, str)), 1)
        cells = [_cells(column, values, rows) for column, values in zip(columns, block, strict=True)]
        text = "\n".join(map(",".join, zip(*cells, strict=True)))
        yield (text + "\n" if rows else ""), rows


def write_table(path: Path | str, columns: Sequence[Column], blocks: Iterable[Block]) -> int:
    """Write a table to ``path`` ("-" is standard output) and return its rows.

    A file appears, or replaces the one that was there, only when it is whole. Raises ExportError.
    """
    total = 0
    with _standard_output() if str(path) == "-" else whole_file(Path(path)) as out:
        for text, rows in table_text(columns, blocks):
            out.write(text.encode())
            total += rows
    return total


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` that takes its place once all of it is on disk."""
    target = Path(os.path.realpath(path))
    with _in_words(path):
        if target.is_dir():
            raise ExportError(f"{path} is a folder: name a file")
        if target.exists() and not target.is_file():
            with target.open("wb") as device:  # a pipe or a device cannot be replaced
                yield device
            return
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.part")
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    out: IO[bytes] = sys.stdout.buffer
    try:
        sys.stdout.flush()
        yield out
        out.flush()
    except BrokenPipeError:
        raise  # the reader has enough (``| head``): the command line knows what to do
    except OSError as error:
        raise ExportError(f"cannot write to standard output: {error.strerror}") from error


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(f"cannot write {path}: {error.strerror or error}") from error
