"""Read the alert rules from the settings and write them there; the single level of old settings becomes a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantdesk.analytics.alerts.rule import Rule, z_rule
from quantdesk.analytics.alerts.rule_json import check_schema, rule_from_dict, rule_to_dict
from quantdesk.config import ConfigError
from quantdesk.model.alerts import MOST_RULES

#: Rises when the list itself changes its form; each rule says its own schema.
LIST_SCHEMA = 1
#: What settings said before there were several rules.
OLD_KEYS = frozenset({"alert_level", "alert_rearm", "alerts_enabled"})


def plain_of(rules: Sequence[Rule]) -> dict[str, Any]:
    """Return rules as plain values."""
    return {"schema": LIST_SCHEMA, "rules": [rule_to_dict(rule) for rule in rules]}


def rules_of(plain: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of plain values that were accepted; the desk's own rule where none were ever chosen."""
    return tuple(rule_from_dict(one) for one in plain["rules"]) if plain else (z_rule(),)


def accepted(read: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the rules that settings hold, as plain values, and in words what of them cannot be read."""
    if "alert_rules" not in read:
        return _of_old(read), ""
    held = read["alert_rules"]
    if held == {}:
        return {}, ""
    try:
        if not isinstance(held, dict) or not isinstance(held.get("rules"), list):
            raise ConfigError("they are no list of rules")
        check_schema(held.get("schema"), LIST_SCHEMA, "list of alert rules")
    except ConfigError as error:
        return {}, f"The alert rules cannot be read: {error}. The desk's own rule is used."
    good: dict[str, Rule] = {}
    problems: list[str] = []
    for one in held["rules"]:
        try:
            rule = rule_from_dict(one)
            if rule.id in good:
                raise ConfigError(f"two rules have the id {rule.id!r}")
            if len(good) == MOST_RULES:
                raise ConfigError(f"there are more than {MOST_RULES} rules")
        except ConfigError as error:
            problems.append(str(error))
            continue
        good[rule.id] = rule
    if not problems:
        return plain_of(tuple(good.values())), ""
    words = f"{len(problems)} of {len(held['rules'])} alert rules cannot be read ({problems[0]})."
    if not good:
        return {}, f"{words} The desk's own rule is used."
    return plain_of(tuple(good.values())), words


def _of_old(read: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule that old settings describe; nothing where they are silent or senseless."""
    found = {key: read[key] for key in OLD_KEYS if key in read}
    if not found:
        return {}
    level, rearm = found.get("alert_level", 2.0), found.get("alert_rearm", 1.5)
    enabled = found.get("alerts_enabled", True)
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (level, rearm)):
        return {}
    try:
        return plain_of((z_rule(float(level), min(float(rearm), float(level)), enabled=enabled is not False),))
    except (ConfigError, OverflowError):
        return {}
