"""Write the frozen hedge lines as plain values, and read them with care."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from quantdesk.config import ConfigError
from quantdesk.model.formation import LEAST_FILE_ROWS, MOST_REFITS, HedgeLines
from quantdesk.model.frame import LATEST_END, NAN, Refit
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.model.kept_lines import MOST_KEPT, LineKey

SCHEMA = 1
#: Coefficients beyond this are damage.
_LARGEST = 1e15
_TEXTS, _COUNTS = ("venue", "y", "x", "interval"), ("formation_bars", "refit_every", "formation_end")


def plain_of(kept: Mapping[LineKey, HedgeLines]) -> dict[str, Any]:
    """Return settled lines as plain values, in their order."""
    return {"schema": SCHEMA, "lines": [_plain(key, lines) for key, lines in kept.items()]}


def _plain(key: LineKey, lines: HedgeLines) -> dict[str, Any]:
    fits = [fit for fit in (lines.first, *lines.refits) if fit is not None]
    plain: dict[str, Any] = {name: getattr(key, name) for name in (*_TEXTS, *_COUNTS, "log")}
    return {**plain, "hedge": key.hedge.value, "anchor": lines.anchor, "fits": [_fit_plain(fit) for fit in fits]}


def _fit_plain(fit: Refit) -> list[int | float | None]:
    errors = [value if math.isfinite(value) else None for value in (fit.r_squared, fit.stderr_beta)]
    return [fit.time, fit.alpha, fit.beta, fit.mean, fit.sigma, fit.start_ms, fit.end_ms, fit.n, *errors]


def accepted(read: Mapping[str, Any]) -> tuple[dict[LineKey, HedgeLines], str]:
    """Return the lines that a file holds, and in words what of them cannot be read."""
    listed = read.get("lines")
    if read.get("schema") != SCHEMA or not isinstance(listed, list):
        return {}, "The frozen hedge ratios cannot be read: they are no list that this program knows."
    kept: dict[LineKey, HedgeLines] = {}
    problems: list[str] = []
    for plain in listed[-MOST_KEPT:]:
        try:
            key, lines = _entry(plain)
            kept[key] = lines
        except ConfigError as error:
            problems.append(str(error))
    words = "{0} of {1} frozen hedge ratios cannot be read ({2}): those pairs are fitted anew."
    return kept, words.format(len(problems), len(listed), problems[0]) if problems else ""


def _entry(plain: object) -> tuple[LineKey, HedgeLines]:
    """Return one entry. Raises ConfigError in words."""
    try:
        if not isinstance(plain, dict):
            raise ConfigError("it is no hedge ratio")
        for names, kind in ((_TEXTS, str), (_COUNTS, int), (("log",), bool)):
            if any(type(plain[name]) is not kind for name in names):
                raise ConfigError("it does not say what it belongs to")
        given = {name: plain[name] for name in (*_TEXTS, *_COUNTS, "log")}
        key, anchor = LineKey(**given, hedge=HedgeMethod(plain["hedge"])), plain["anchor"]
        fits = [_fit(one) for one in plain["fits"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"it is no hedge ratio: {error}") from error
    if anchor is not None and (type(anchor) is not int or not 0 <= anchor <= LATEST_END):
        raise ConfigError(f"a formation window cannot have ended at {anchor}")
    if not 1 <= len(fits) <= MOST_REFITS + 1 or any(fit.n > key.formation_bars for fit in fits):
        raise ConfigError("it has no fits that its formation window could have")
    if any(later.time <= earlier.time for earlier, later in pairwise(fits)):
        raise ConfigError("its refits are in disorder")
    return key, HedgeLines(fits[0], tuple(fits[1:]), anchor, settled=True)


def _fit(plain: object) -> Refit:
    """Return one fit. Raises ConfigError or ValueError."""
    if not isinstance(plain, list):
        raise ConfigError("a fit is no list")
    time, alpha, beta, mean, sigma, start, end, n, r_squared, stderr = plain
    if any(type(value) is not int for value in (time, start, end, n)):
        raise ConfigError("a fit has no times")
    if not (0 <= start < end < time <= LATEST_END and n >= LEAST_FILE_ROWS):
        raise ConfigError("a fit has no formation window")
    numbers = [alpha, beta, mean, sigma, *(value for value in (r_squared, stderr) if value is not None)]
    if any(type(value) not in (int, float) or not abs(value) < _LARGEST for value in numbers) or sigma < 0:
        raise ConfigError("a fit has numbers that are none")
    errors = (NAN if value is None else float(value) for value in (r_squared, stderr))
    return Refit(time, float(alpha), float(beta), float(mean), float(sigma), start, end, n, *errors)
