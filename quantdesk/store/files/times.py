"""Read columns of times: stamps told apart by magnitude, ISO dates and times, clocks."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from quantdesk.bars.arrays import IntArray
from quantdesk.store.files.numbers import BoolArray, Cells, Scan, scan

EARLIEST = -5_364_662_400_000  # 1800-01-01
LATEST = 7_258_118_400_000  # 2200-01-01
_DAY = 86_400_000
_WIDTH = 40
_SHAPES = 64

_CLOCK = r"(?P<hour>99?):(?P<minute>99)(?::(?P<second>99)(?:[.,](?P<fraction>9{1,9}))?)?"
_ZONE = r" ?(?P<zone>[Zz]|UTC|GMT|[+-]99(?::?99)?)?"
_REST = rf"(?:(?:[Tt]|, ?| +){_CLOCK}{_ZONE})?"
_TEMPLATES = (
    re.compile(rf"(?P<year>9999)(?P<mark>[-/.])(?P<month>99?)(?P=mark)(?P<day>99?){_REST}"),
    re.compile(rf"(?P<day>99?)\.(?P<month>99?)\.(?P<year>9999){_REST}"),
    re.compile(rf"(?P<year>9999)(?P<month>99)(?P<day>99)(?:[Tt ](?P<hour>99)(?P<minute>99)(?P<second>99)?{_ZONE})"),
)
_CLOCK_TEMPLATE = re.compile(_CLOCK)
_AMBIGUOUS = re.compile(r"\d{1,2}[/-]\d{1,2}[/-](\d{4}|\d{2})\b.*")


def parse_times(cells: Cells) -> tuple[IntArray, BoolArray]:
    """Return times in ms since 1970 UTC and which cells are such; naive times are UTC."""
    ms = np.zeros(len(cells), np.int64)
    good = np.zeros(len(cells), np.bool_)
    if not len(cells):
        return ms, good
    found = scan(cells)
    plain = found.plain & found.fits
    stamps, fine = _stamps(found)
    ms[plain], good[plain] = stamps[plain], fine[plain]
    rest = np.flatnonzero(~plain)
    if len(rest):
        ms[rest], good[rest] = _shaped(cells[rest], _TEMPLATES)
    return ms, good & (ms >= EARLIEST) & (ms < LATEST)


def parse_clocks(cells: Cells) -> tuple[IntArray, BoolArray]:
    """Return clock times (09:30, 09:30:00.5) as ms since midnight and which cells are such."""
    if not len(cells):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    return _shaped(cells, (_CLOCK_TEMPLATE,))


def cells_of(text: str) -> Cells:
    """Return one text as a column of one cell."""
    raw = text.strip().encode()
    return Cells(np.frombuffer(raw + b"\n", np.uint8), np.array([0]), np.array([len(raw)]))


def parse_time(text: str) -> int | None:
    """Return one time in ms, or None if the text is none."""
    ms, good = parse_times(cells_of(text))
    return int(ms[0]) if good[0] else None


def is_clock(text: str) -> bool:
    """Tell whether a text is a time of day without a date."""
    return bool(parse_clocks(cells_of(text))[1][0])


def why_no_time(text: str) -> str:
    """Say why a cell is no time and what to write instead."""
    if not text:
        return "the time is empty"
    if _AMBIGUOUS.fullmatch(text):
        return f"the date '{text}' may have the day or the month first: write dates as YYYY-MM-DD"
    return f"'{text}' is no time: write YYYY-MM-DD, ISO 8601 or a unix stamp"


def _stamps(found: Scan) -> tuple[IntArray, BoolArray]:
    """Turn numbers into ms: < 1e12 seconds, < 1e14 ms, < 1e17 µs, else ns; 8 digits may be YYYYMMDD."""
    power = np.uint64(10) ** np.minimum(found.decimals, 19).astype(np.uint64)
    whole = found.mantissa // power
    part = np.minimum(found.mantissa - whole * power, np.uint64(10**15)) * np.uint64(1_000) // power
    limits = np.array([10**12, 10**14, 10**17], np.uint64)
    unit = np.searchsorted(limits, whole, side="right")
    thousand = np.uint64(1_000)
    seconds = np.minimum(whole, limits[0]) * thousand + part
    ms = np.choose(unit, [seconds, whole, whole // thousand, whole // np.uint64(10**6)]).astype(np.int64)
    ms = np.where(found.negative, -ms, ms)
    dated = (found.decimals == 0) & ~found.negative & (whole >= 18_000_101) & (whole <= 21_991_231)
    if dated.any():
        number = whole.astype(np.int64)
        days, valid = _days(number // 10_000, number // 100 % 100, number % 100)
        ms = np.where(dated & valid, days * _DAY, ms)
    return ms, np.ones(len(ms), np.bool_)


def _shaped(cells: Cells, templates: tuple[re.Pattern[str], ...]) -> tuple[IntArray, BoolArray]:
    """Read texts by their shape (every digit a 9): rows of one shape are read together."""
    size, length = len(cells), cells.ends - cells.starts
    width = min(int(length.max(initial=0)), _WIDTH)
    offsets = np.arange(width)
    index = np.minimum(cells.starts[:, None] + offsets, len(cells.buffer) - 1)
    chars = np.where(offsets < length[:, None], cells.buffer[index], 0).astype(np.uint8)
    shapes = np.where((chars >= 48) & (chars < 58), 57, chars).astype(np.uint8)
    ms, good = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    todo = np.flatnonzero((length > 0) & (length <= _WIDTH))
    for _ in range(_SHAPES):
        if not len(todo):
            break
        shape = shapes[todo[0]]
        same = (shapes[todo] == shape).all(axis=1)
        rows, todo = todo[same], todo[~same]
        text = shape.tobytes().rstrip(b"\0").decode("latin-1")
        for template in templates:
            match = template.fullmatch(text)
            if match:
                ms[rows], good[rows] = _fields(chars[rows], match)
                break
    return ms, good


def _fields(chars: npt.NDArray[np.uint8], match: re.Match[str]) -> tuple[IntArray, BoolArray]:
    """Read the numbers that the template's groups stand for; missing ones are zero."""
    groups = match.re.groupindex

    def number(name: str) -> IntArray:
        total = np.zeros(len(chars), np.int64)
        if name in groups and match.group(name) is not None:
            for place in range(*match.span(name)):
                total = total * 10 + (chars[:, place].astype(np.int64) - 48)
        return total

    hour, minute, second = number("hour"), number("minute"), number("second")
    good = (hour < 24) & (minute < 60) & (second < 60)
    ms = ((hour * 60 + minute) * 60 + second) * 1_000
    if "fraction" in groups and match.group("fraction"):
        ms = ms + number("fraction") * 1_000 // 10 ** len(match.group("fraction"))
    if "year" in groups:
        days, valid = _days(number("year"), number("month"), number("day"))
        ms, good = ms + days * _DAY, good & valid
    zone = match.group("zone") if "zone" in groups else None
    if zone and zone[0] in "+-":
        start = match.start("zone") + 1
        digits = [i for i in range(start, match.end("zone")) if match.string[i] == "9"]
        values = [chars[:, i].astype(np.int64) - 48 for i in digits]
        hours = values[0] * 10 + values[1]
        minutes = values[2] * 10 + values[3] if len(values) == 4 else np.zeros_like(hours)
        good &= (hours < 24) & (minutes < 60)
        shift = (hours * 60 + minutes) * 60_000
        ms = ms - shift if zone[0] == "+" else ms + shift
    return ms, good


def _days(year: IntArray, month: IntArray, day: IntArray) -> tuple[IntArray, BoolArray]:
    """Return days since 1970-01-01 and which of the dates exist."""
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1)
    months = (year - 1970) * 12 + np.where(valid, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    valid &= day <= after - first
    return first + day - 1, valid
