"""Write rules as JSON and read them back; what this version does not know is refused in words, never dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from enum import StrEnum
from typing import Any

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Gates, Notice, Rule
from quantdesk.config import ConfigError

#: Rises when a field changes its meaning or a new one may not be ignored.
RULE_SCHEMA = 1
_PARTS: Mapping[str, type[Gates] | type[Notice]] = {"gates": Gates, "notice": Notice}
#: Fields of a part that came later are written where they say something: keys of earlier firings stay as they are.
_LATER = frozenset({"webhook"})
_CHOICES: Mapping[str, type[StrEnum]] = {"metric": Metric, "comparison": Comparison}


def rule_to_dict(rule: Rule) -> dict[str, Any]:
    """Return a rule as plain values with its schema's version."""
    plain: dict[str, Any] = {"schema": RULE_SCHEMA}
    for name in _names(Rule):
        value = getattr(rule, name)
        if name in _PARTS:
            found = {inner: getattr(value, inner) for inner in _names(_PARTS[name])}
            value = {inner: one for inner, one in found.items() if one or inner not in _LATER}
        plain[name] = value.value if isinstance(value, StrEnum) else value
    return plain


def rule_from_dict(plain: object) -> Rule:
    """Return the rule that plain values describe. Raises ConfigError in words for anything else."""
    if not isinstance(plain, dict):
        raise ConfigError("a rule must be an object with named fields")
    found = dict(plain)
    check_schema(found.pop("schema", None), RULE_SCHEMA, "rule")
    for name, kind in _PARTS.items():
        if name in found:
            found[name] = kind(**_checked(kind, found[name], f"{name}."))
    values = _checked(Rule, found, "")
    for name, choices in _CHOICES.items():
        values[name] = _choice(choices, name, values[name])
    return Rule(**values)


def rule_to_json(rule: Rule) -> str:
    """Return a rule as JSON of one line."""
    return json.dumps(rule_to_dict(rule), ensure_ascii=False, allow_nan=False)


def rule_from_json(text: str) -> Rule:
    """Return the rule of a JSON text. Raises ConfigError in words."""
    return rule_from_dict(parsed(text, "rule"))


def parsed(text: str, what: str) -> Any:
    """Return what a JSON text says; ConfigError where it is none or names a field twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        named = dict(pairs)
        if len(named) < len(pairs):
            raise ConfigError(f"the {what} names a field twice")
        return named

    try:
        return json.loads(text, object_pairs_hook=once)
    except ConfigError:
        raise
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the {what} is not JSON: {error}") from error


def check_schema(version: object, known: int, what: str) -> None:
    """Raise ConfigError in words where a version is not the one this program writes."""
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ConfigError(f"the {what} does not say which schema it follows")
    if version > known:
        raise ConfigError(f"the {what} was written by a newer quantdesk (schema {version}; this one knows {known})")


def _names(kind: type[Rule] | type[Gates] | type[Notice]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _checked(kind: type[Rule] | type[Gates] | type[Notice], plain: object, prefix: str) -> dict[str, Any]:
    """Return the fields of a class that plain values give, each of its type."""
    if not isinstance(plain, dict):
        raise ConfigError(f"{prefix.rstrip('.')} of a rule must be an object with named fields")
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(str(name) for name in plain if name not in known)
    if unknown:
        raise ConfigError(f"the rule has a field {prefix}{unknown[0]} that this version does not know")
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name in plain:
            values[name] = plain[name] if name in _PARTS else _typed(field, plain[name], prefix + name)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(f"the rule has no {prefix}{name}")
    return values


def _typed(field: Field[Any], value: object, name: str) -> Any:
    """Return a value of the field's declared type; ConfigError for any other."""
    wanted = str(field.type)
    if value is None and "None" in wanted:
        return None
    base = wanted.split(" ", 1)[0]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if base == "bool" and isinstance(value, bool):
        return value
    if base == "int" and number and isinstance(value, int):
        return value
    if base == "float" and number:
        try:
            return float(value)  # type: ignore[arg-type]  # "number" says so
        except OverflowError as error:
            raise ConfigError(f"{name} of the rule is too large a number") from error
    if base not in ("bool", "int", "float") and isinstance(value, str):
        return value
    words = {"bool": "true or false", "int": "a whole number", "float": "a number"}.get(base, "a text")
    raise ConfigError(f"{name} of the rule must be {words}, not {value!r:.40}")


def _choice(choices: type[StrEnum], name: str, value: str) -> StrEnum:
    try:
        return choices(value)
    except ValueError as error:
        raise ConfigError(f"the rule's {name} {value!r:.40} is none of {', '.join(choices)}") from error
