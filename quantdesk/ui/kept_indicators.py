"""Read the chosen indicators from the settings and write them there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantdesk.analytics.indicators import Indicator, IndicatorKind
from quantdesk.config import ConfigError
from quantdesk.model.indicators import MOST_INDICATORS
from quantdesk.ui.charts.indicator_words import ShownIndicator

SCHEMA = 1


def plain_of(shown: Sequence[ShownIndicator]) -> dict[str, Any]:
    """Return indicators as plain values."""
    return {
        "schema": SCHEMA,
        "indicators": [
            {
                "kind": one.indicator.kind.value,
                "bars": one.indicator.bars,
                "deviations": one.indicator.deviations,
                "ink": one.ink,
                "shown": one.shown,
            }
            for one in shown
        ],
    }


def indicators_of(plain: Mapping[str, Any]) -> tuple[ShownIndicator, ...]:
    """Return the indicators of plain values that were accepted."""
    return tuple(_one(each) for each in plain.get("indicators", ()))


def accepted(read: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the indicators that settings hold, as plain values, and in words what of them cannot be read."""
    held = read.get("indicators", {})
    if held == {}:
        return {}, ""
    listed = held.get("indicators") if isinstance(held, dict) else None
    if not isinstance(held, dict) or not isinstance(listed, list) or held.get("schema") != SCHEMA:
        return {}, "The indicators cannot be read: they are no list that this program knows."
    good: list[ShownIndicator] = []
    problems: list[str] = []
    for each in listed:
        try:
            if len(good) == MOST_INDICATORS:
                raise ConfigError(f"there are more than {MOST_INDICATORS}")
            good.append(_one(each))
        except ConfigError as error:
            problems.append(str(error))
    words = f"{len(problems)} of {len(listed)} indicators cannot be read ({problems[0]})." if problems else ""
    return plain_of(good), words


def _one(plain: object) -> ShownIndicator:
    try:
        if not isinstance(plain, dict) or type(plain["bars"]) is not int or not isinstance(plain["ink"], str):
            raise ConfigError("it is no indicator")
        indicator = Indicator(IndicatorKind(plain["kind"]), plain["bars"], float(plain["deviations"]))
        return ShownIndicator(indicator, plain["ink"], plain.get("shown") is not False)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"it is no indicator: {error}") from error
