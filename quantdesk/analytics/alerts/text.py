"""Fill an alert's text: names of known things in braces and plain number formats, nothing that can run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isnan
from string import Formatter

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.config import ConfigError

LONGEST_TEXT = 300
#: What a text may name beside the metrics themselves.
WORDS = ("rule", "metric", "unit", "comparison", "pair", "y", "x", "interval", "time", "origin")
NUMBERS = ("value", "level", "p", *(metric.value for metric in Metric))
#: A sign, thousands and a few decimals: a width could ask for a text of a gigabyte.
_FORMAT = re.compile(r"\+?,?(\.\d{1,2})?[fge%]?")
_DEFAULT = "+.2f"


def check_text(text: str) -> None:
    """Raise ConfigError in words where a text cannot be filled in."""
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise ConfigError(f"the text of an alert must have 1 to {LONGEST_TEXT} characters")
    if not text.isprintable():
        raise ConfigError("the text of an alert must be one line of printable characters")
    for _, name, wanted in _parts(text):
        if name is None:
            continue
        if name not in WORDS and name not in NUMBERS:
            raise ConfigError(f"the text names {{{name}}}, which is none of {', '.join((*WORDS, *NUMBERS))}")
        if wanted and (name in WORDS or not _FORMAT.fullmatch(wanted)):
            raise ConfigError(f"the format {wanted!r} of {{{name}}} is not allowed; write for example {{value:+.2f}}")


def fill(text: str, words: Mapping[str, str], numbers: Mapping[str, float]) -> str:
    """Return the text with its names replaced; a name without a value becomes a dash. The text must be checked.

    What is filled in is not read again: a pair called "{x}" stays "{x}".
    """
    filled = []
    for plain, name, wanted in _parts(text):
        filled.append(plain)
        if name is None:
            continue
        number = numbers.get(name, float("nan"))
        filled.append(words.get(name, "–") if isnan(number) else format(number, wanted or _DEFAULT))
    return "".join(filled)


def _parts(text: str) -> list[tuple[str, str | None, str]]:
    """Cut a text into (plain, name or None, format)."""
    try:
        found = list(Formatter().parse(text))
    except ValueError as error:
        raise ConfigError(f"the braces in the text do not match: {error}") from error
    if any(conversion for *_, conversion in found):
        raise ConfigError("a name in the text may carry a number format only, no conversion")
    return [(plain, name, wanted or "") for plain, name, wanted, _ in found]
