"""Turn interval names into milliseconds, and what somebody types into a name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quantdesk.config import ConfigError

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "M": 2_592_000_000}
_TYPED = {"s": "s", "sec": "s", "m": "m", "min": "m", "h": "h", "d": "d", "day": "d", "w": "w"}


def interval_ms_of(name: str) -> int:
    """Return the length of an interval such as 1s, 5m, 1d or 1M (30 days); raises ConfigError."""
    digits = name.rstrip("msMhdw")
    unit = name[len(digits) :]
    if not digits.isdecimal() or unit not in _UNITS or int(digits) == 0:
        raise ConfigError(f"{name!r} is not an interval: write a number and one of {', '.join(_UNITS)}")
    return int(digits) * _UNITS[unit]


def named_interval(typed: str, offered: Sequence[str]) -> str | None:
    """Return the offered interval that is meant by 15m, 4 H or 60 (minutes, also 1h); None where none is."""
    found = re.fullmatch(r"\s*([0-9]{1,6})\s*([a-z]*)\s*", typed.lower())
    unit = _TYPED.get(found[2] or "m") if found else None
    if found is None or unit is None:
        return None
    length = int(found[1]) * _UNITS[unit]
    return next((name for name in offered if interval_ms_of(name) == length), None)
