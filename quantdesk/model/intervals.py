"""Turn interval names into milliseconds."""

from __future__ import annotations

from quantdesk.config import ConfigError

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "M": 2_592_000_000}


def interval_ms_of(name: str) -> int:
    """Return the length of an interval such as 1s, 5m, 1d or 1M (30 days); raises ConfigError."""
    digits = name.rstrip("msMhdw")
    unit = name[len(digits) :]
    if not digits.isdecimal() or unit not in _UNITS or int(digits) == 0:
        raise ConfigError(f"{name!r} is not an interval: write a number and one of {', '.join(_UNITS)}")
    return int(digits) * _UNITS[unit]
