"""Choose where axes carry labels and what they say; times are UTC unless a zone is named."""

from __future__ import annotations

import math
from bisect import bisect
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLocale

from quantdesk.ui.charts.timeline import TimeLine
from quantdesk.ui.charts.zone import UTC_ZONE, Zone

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
_CLOCK_STEPS = tuple(
    [s * SECOND for s in (1, 2, 5, 10, 15, 30)]
    + [m * MINUTE for m in (1, 2, 5, 10, 15, 30)]
    + [h * HOUR for h in (1, 2, 3, 6, 12)]
)
#: Days to a calendar step, in the order of coarseness: day, week, month, quarter, year, five years.
_CALENDAR_DAYS = (1, 7, 30, 91, 365, 1826)
#: Ticks are looked for in at most this many rows: finer than a pixel on any screen.
_SAMPLES = 8_192
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeTick:
    """Place a label at row ``x``; ``major`` ones begin a day, month or year."""

    x: float
    label: str
    major: bool


@dataclass(frozen=True, slots=True)
class ValueTicks:
    """Hold the values to label, their step and the decimals that tell them apart."""

    values: npt.NDArray[np.float64]
    step: float
    decimals: int


def value_ticks(low: float, high: float, pixels: float, spacing: float = 46.0) -> ValueTicks:
    """Return round values between low and high, at least ``spacing`` pixels apart."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or pixels <= 0:
        return ValueTicks(np.empty(0), 1.0, 0)
    step = nice_step((high - low) * spacing / pixels)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # 0 - 0: a negative zero would be labelled "-0".
    values = np.arange(first, last + 1, dtype=np.float64) * step + 0.0
    return ValueTicks(values, step, decimals_for(step))


def nice_step(least: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    for factor in (1.0, 2.0, 5.0):
        if factor * power >= least * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def decimals_for(step: float) -> int:
    """Return the decimals that write a step of 1, 2 or 5 times a power of ten exactly."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def decimals_of_scale(scale: float, digits: int = 3) -> int:
    """Return the decimals that show ``digits`` significant digits of a typical size."""
    if not math.isfinite(scale) or scale <= 0:
        return 2
    return min(8, max(0, digits - 1 - math.floor(math.log10(scale))))


def number(value: float, decimals: int, *, sign: bool = False) -> str:
    """Write a number in fixed point with thousands separators and a true minus; "—" if there is none."""
    if not math.isfinite(value):
        return "—"
    text = f"{value:+,.{decimals}f}" if sign else f"{value:,.{decimals}f}"
    if not any(c in "123456789" for c in text):
        text = text.lstrip("+-")
    return text.replace("-", "\N{MINUS SIGN}")


def amount(value: float, decimals: int = 3) -> str:
    """Write a volume shortly: 12.300 at the instrument's step, 1.23K, 5.60M."""
    if not math.isfinite(value):
        return "—"
    for limit, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= limit:
            return f"{value / limit:.2f}{suffix}"
    return f"{value:.{min(max(0, decimals), 3)}f}"


def time_ticks(
    line: TimeLine, left: float, right: float, pixels: float, spacing: float = 92.0, zone: Zone = UTC_ZONE
) -> list[TimeTick]:
    """Return labels for the rows left..right drawn over ``pixels``, at round times of the zone."""
    first, last = math.floor(left), math.ceil(right)
    if pixels <= 0 or last - first < 1:
        return []
    stride = max(1, (last - first) // _SAMPLES)
    rows = np.arange(first - stride, last + stride, stride)
    times = line.at(rows)
    per_pixel = (right - left) / pixels
    step_ms = max(1.0, float(times[-1] - times[0]) / max(1, len(rows) - 1) / stride)
    typical = min(step_ms, float(line.step_ms) * 4) if line.step_ms < DAY else step_ms
    times = zone.shifted(times)
    weight, unit = _marks(times, spacing * per_pixel * typical)
    if stride > 1:
        # The row looked at is the first one after the mark, not the mark itself: 00:03 for midnight.
        times = times // unit * unit
    return _thinned(rows, times, weight, left, right, spacing * per_pixel * 0.72, line.step_ms)


def _marks(times: npt.NDArray[np.int64], least_ms: float) -> tuple[npt.NDArray[np.int8], int]:
    """Return a weight for each time, and the ms of which every mark's time is a multiple.

    0 is none, 1 begins the chosen step, 2 a day, 3 a month, 4 a year.
    """
    weight = np.zeros(len(times), np.int8)
    days = times // DAY
    clock = next((s for s in _CLOCK_STEPS if s >= least_ms), None)
    if clock is not None:
        steps = times // clock
        weight[1:][steps[1:] != steps[:-1]] = 1
    # Whatever is coarser begins where a day does: only those rows are looked up in the calendar.
    fresh = np.flatnonzero(days[1:] != days[:-1]) + 1
    after, before = _calendar(days[fresh]), _calendar(days[fresh - 1])
    if clock is not None:
        weight[fresh] = 2
    else:
        # A week's first day is no month's first day: only steps that nest may add coarser marks.
        index = next((i for i, d in enumerate(_CALENDAR_DAYS) if d * DAY >= least_ms * 0.8), len(_CALENDAR_DAYS) - 1)
        weight[fresh[after[index] != before[index]]] = 1
    if least_ms <= 45 * DAY:
        weight[fresh[after[2] != before[2]]] = 3
    weight[fresh[after[4] != before[4]]] = 4
    return weight, clock or DAY


def _calendar(days: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Return the number of each day, week, month, quarter, year and five years, as _CALENDAR_DAYS has them."""
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return days, (days + 3) // 7, months, months // 3, months // 12, months // 60


def _thinned(
    rows: npt.NDArray[np.int64],
    times: npt.NDArray[np.int64],
    weight: npt.NDArray[np.int8],
    left: float,
    right: float,
    least: float,
    step_ms: int,
) -> list[TimeTick]:
    """Drop marks that stand closer than ``least`` rows to one of more weight."""
    marked = np.flatnonzero(weight)
    inside = marked[(rows[marked] >= left) & (rows[marked] <= right)]
    taken: list[tuple[int, int]] = []  # row and place, in order
    for level in (4, 3, 2, 1):
        chosen = inside[weight[inside] == level]
        for row, i in zip(rows[chosen].tolist(), chosen.tolist(), strict=True):
            at = bisect(taken, (row, i))
            if all(abs(row - other) >= least for other, _ in taken[max(0, at - 1) : at + 1]):
                taken.insert(at, (row, i))
    return [_label(float(row), int(times[i]), int(weight[i]), step_ms) for row, i in taken]


def _label(x: float, stamp: int, weight: int, step_ms: int) -> TimeTick:
    moment = moment_of(stamp)
    if weight == 4:
        return TimeTick(x, f"{moment.year}", True)
    if weight == 3:
        return TimeTick(x, month_name(moment.month), True)
    midnight = moment.hour == moment.minute == moment.second == 0
    if weight == 2 or midnight or step_ms >= DAY:
        return TimeTick(x, f"{moment.day} {month_name(moment.month)}", weight == 2)
    text = f"{moment:%H:%M}" if moment.second == 0 else f"{moment:%H:%M:%S}"
    return TimeTick(x, text, False)


def moment_of(ms: int) -> datetime:
    """Return the UTC date and time of ms since 1970; beyond what a calendar knows, 1970 itself."""
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return _EPOCH


def month_name(month: int) -> str:
    """Return the short name of a month in the user's language."""
    return QLocale().standaloneMonthName(month, QLocale.FormatType.ShortFormat)


def stamp_text(ms: int, step_ms: int, zone: Zone = UTC_ZONE) -> str:
    """Write a bar's open time in full: Thu 18 Jul 2024  14:30 UTC."""
    moment, name = moment_of(zone.shift(ms)), zone.name(ms)
    day = QLocale().standaloneDayName(moment.isoweekday(), QLocale.FormatType.ShortFormat)
    text = f"{day} {moment.day} {month_name(moment.month)} {moment.year}"
    if step_ms >= DAY:
        return text
    return f"{text}  {moment:%H:%M:%S} {name}" if step_ms < MINUTE else f"{text}  {moment:%H:%M} {name}"


def span_text(start_ms: int, end_ms: int, zone: Zone = UTC_ZONE) -> str:
    """Write the first and last open time of a window: 18 Jul 23:10 – 19 Jul 00:05 UTC."""
    name, start_ms, end_ms = zone.name(end_ms), zone.shift(start_ms), zone.shift(end_ms)
    first, last = moment_of(start_ms), moment_of(end_ms)
    if (end_ms - start_ms) >= 30 * DAY or (start_ms % DAY == 0 and end_ms % DAY == 0):
        texts = [f"{m.day} {month_name(m.month)} {m.year}" for m in (first, last)]
        return " – ".join(texts)
    clock = "%H:%M" if start_ms % MINUTE == 0 and end_ms % MINUTE == 0 else "%H:%M:%S"
    days = [f"{m.day} {month_name(m.month)} " for m in (first, last)]
    if first.date() == last.date():
        days[1] = ""
    return f"{days[0]}{first:{clock}} – {days[1]}{last:{clock}} {name}"
