"""Read columns of decimal numbers as arrays, exactly, and say which cells are none."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]

MAX_CELL = 48
MAX_DECIMALS = 12
_EXACT = np.uint64(1 << 53)
_TEN = np.uint64(10)
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_POWERS = np.array([10**i for i in range(20)], np.uint64)
_FLOAT_POWERS = np.array([10.0**i for i in range(23)])


@dataclass(frozen=True, slots=True)
class Cells:
    """Point at n cells of a buffer: cell i is ``buffer[starts[i]:ends[i]]``."""

    buffer: npt.NDArray[np.uint8]
    starts: IntArray
    ends: IntArray

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, row: int) -> bytes:
        """Return the bytes of one cell."""
        return self.buffer[self.starts[row] : self.ends[row]].tobytes()

    def text(self, row: int) -> str:
        """Return one cell as text for a message, at most 40 characters."""
        text = self.raw(row).replace(b"\x1f", b",").decode("utf-8", "replace")
        text = "".join(c if c.isprintable() else "?" for c in text)
        return text if len(text) <= 40 else text[:37] + "..."

    def __getitem__(self, rows: IntArray | BoolArray) -> Cells:
        return Cells(self.buffer, self.starts[rows], self.ends[rows])

    def equal(self, word: bytes, *, any_case: bool = False) -> BoolArray:
        """Tell which cells are this word; ``any_case`` takes a lower-case word of letters."""
        same = np.asarray(self.ends - self.starts == len(word))
        last, case = len(self.buffer) - 1, np.uint8(32 if any_case else 0)
        for place, char in enumerate(word):
            same = same & (self.buffer[np.minimum(self.starts + place, last)] | case == char)
        return same


@dataclass(frozen=True, slots=True)
class Scan:
    """Hold plain decimals (n): value = ±mantissa / 10**decimals, where ``plain``.

    ``fits`` tells that the mantissa did not overflow 64 bits.
    """

    mantissa: npt.NDArray[np.uint64]
    decimals: IntArray
    negative: BoolArray
    plain: BoolArray
    fits: BoolArray


def scan(cells: Cells) -> Scan:
    """Read every cell as digits with at most one point and a minus sign; anything else is not plain."""
    buffer, ends = cells.buffer, cells.ends
    size = len(cells)
    length = ends - cells.starts
    negative = (buffer[np.minimum(cells.starts, len(buffer) - 1)] == ord("-")) & (length > 0)
    length = length - negative
    width = min(int(length.max(initial=0)), MAX_CELL)
    mantissa = np.zeros(size, np.uint64)
    decimals = np.zeros(size, np.int64)
    points = np.zeros(size, np.int8)
    plain = (length > 0) & (length <= MAX_CELL)
    shortest = int(length.min(initial=0))
    for back in range(width, 0, -1):
        char = buffer[ends - back]
        digit = char - np.uint8(48)
        is_digit = digit < 10
        is_point = char == ord(".")
        if back > shortest:
            inside = length >= back
            is_digit &= inside
            is_point &= inside
            plain &= is_digit | is_point | ~inside
        else:
            plain &= is_digit | is_point
        if is_digit.all():
            mantissa *= _TEN
            mantissa += digit
        else:
            np.multiply(mantissa, _TEN, out=mantissa, where=is_digit)
            np.add(mantissa, digit, out=mantissa, where=is_digit)
            decimals[is_point] = back - 1
            points += is_point
    digits = length - points
    plain &= (points <= 1) & (digits > 0)
    return Scan(mantissa, decimals, negative, plain, digits <= 19)


def parse_numbers(cells: Cells) -> tuple[FloatArray, Scan]:
    """Return the cells as the nearest doubles (NaN where a cell is no number) and how they were written."""
    found = scan(cells)
    exact = found.plain & found.fits & (found.mantissa <= _EXACT)
    values = found.mantissa / _FLOAT_POWERS[np.minimum(found.decimals, 22)]
    exact &= found.decimals <= 22
    np.negative(values, out=values, where=found.negative)
    for row in np.flatnonzero(~exact):
        raw = cells.raw(int(row))
        values[row] = float(raw) if found.plain[row] or _NUMBER.fullmatch(raw) else np.nan
    return np.asarray(values, np.float64), found


def parse_integers(cells: Cells) -> tuple[IntArray, BoolArray]:
    """Return the cells as integers >= 0 below 2**63, and which of them are such."""
    found = scan(cells)
    good = found.plain & found.fits & (found.decimals == 0) & ~found.negative & (found.mantissa < np.uint64(1 << 63))
    return np.where(good, found.mantissa, np.uint64(0)).astype(np.int64), good


def parse_flags(cells: Cells) -> tuple[IntArray, BoolArray]:
    """Return true/false cells (any letter case, or 1/0) as 1 and 0, and which of them are such."""
    true = cells.equal(b"true", any_case=True) | cells.equal(b"1")
    false = cells.equal(b"false", any_case=True) | cells.equal(b"0")
    return true.astype(np.int64), true | false


def used_decimals(found: Scan, known: int) -> int:
    """Return the most decimals written that are not padding zeros, if above ``known``, capped at 12."""
    rows = found.plain & found.fits
    if not rows.any():
        return known
    decimals, mantissa = found.decimals[rows], found.mantissa[rows]
    for places in range(min(int(decimals.max()), MAX_DECIMALS), known, -1):
        some = decimals >= places
        shift = _POWERS[np.minimum(decimals[some] - places, 19)]
        if bool((mantissa[some] // shift % _TEN != 0).any()):
            return places
    return known


def written_decimals(found: Scan) -> int:
    """Return the most decimals written, padding zeros included, capped at 12."""
    return min(int(found.decimals[found.plain].max(initial=0)), MAX_DECIMALS)
