"""Write moments and spans as UTC text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from quantdesk.bars.arrays import IntArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(ms: int) -> str:
    """Return a moment (ms since 1970) to the day where it is midnight, else to the second."""
    try:
        moment = _EPOCH + timedelta(milliseconds=int(ms))
    except OverflowError:
        return f"{ms} ms"
    return f"{moment:%Y-%m-%d}" if ms % 86_400_000 == 0 else f"{moment:%Y-%m-%d %H:%M:%S}"


def span_text(times: IntArray) -> str:
    """Return the first and last of ascending moments (ms), "(empty)" without one."""
    return f"{utc_text(int(times[0]))} to {utc_text(int(times[-1]))}" if len(times) else "(empty)"
