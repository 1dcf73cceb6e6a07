"""Keep a firing with where it was seen and what became of it, as a row for the store and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from quantdesk.analytics.alerts.machine import Firing, Kind
from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.outcome import Ended, Outcome
from quantdesk.analytics.alerts.rule_json import check_schema, parsed, rule_from_json, rule_to_json
from quantdesk.analytics.alerts.text import fill
from quantdesk.config import ConfigError
from quantdesk.types import AlertRow, Origin

#: Rises when the snapshot or the outcome changes its fields.
RECORD_SCHEMA = 1
_SNAPSHOT = {"schema", "kind", "value", "side", "values", "complete", "window_full", "age_y_ms", "age_x_ms", "p"}
_OUTCOME = {"schema", "ended", "bars", "ms", "worst", "worst_value"}


@dataclass(frozen=True, slots=True)
class AlertContext:
    """Say where a firing was seen: the pair at its venue, the bars, the data's origin, the view's settings in words."""

    venue: str
    y: str
    x: str
    interval: str
    origin: Origin
    settings: str = ""


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """Hold a firing as it is kept. ``fired_at`` and ``outcome_at`` are the clock's (ms)."""

    firing: Firing
    context: AlertContext
    fired_at: int
    outcome: Outcome | None = None
    outcome_at: int | None = None

    @property
    def id(self) -> str:
        """Return the key: the same rule at the same bar of the same view is one firing, however often it is judged."""
        c, firing = self.context, self.firing
        parts = (c.venue, c.y, c.x, c.interval, c.origin.value, c.settings, str(firing.time_ms), firing.kind.value)
        text = json.dumps([*parts, rule_to_json(firing.rule)])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def text(self) -> str:
        """Return the alert's words: the rule's text filled in, marked where it is not the live market."""
        return text_of(self.firing, self.context)


def text_of(firing: Firing, context: AlertContext) -> str:
    """Return the rule's text filled in with the firing and where it was seen."""
    rule, sample = firing.rule, firing.sample
    words = {
        "rule": rule.name,
        "metric": rule.metric.label,
        "unit": rule.metric.unit,
        "comparison": rule.comparison.label,
        "pair": f"{context.y} / {context.x}",
        "y": context.y,
        "x": context.x,
        "interval": context.interval,
        "time": utc_seconds(sample.time_ms),
        "origin": context.origin.value,
    }
    numbers = {metric.value: sample.value(metric) for metric in Metric}
    numbers |= {"value": firing.value, "level": rule.enter, "p": float("nan") if sample.p is None else sample.p}
    mark = "" if context.origin is Origin.LIVE else f"{context.origin.value.upper()}: "
    what = fill(rule.notice.text, words, numbers)
    return f"{mark}{what}" if firing.kind is Kind.CROSS else f"{mark}{what} (already beyond the level at start)"


def to_row(record: AlertRecord) -> AlertRow:
    """Return the row that a store keeps of a record."""
    firing, context, sample = record.firing, record.context, record.firing.sample
    snapshot = {
        "schema": RECORD_SCHEMA,
        "kind": firing.kind.value,
        "value": firing.value,
        "side": firing.side,
        "values": {m.value: sample.value(m) for m in sample.values if sample.value(m) == sample.value(m)},
        "complete": sample.complete,
        "window_full": sample.window_full,
        "age_y_ms": sample.age_y_ms,
        "age_x_ms": sample.age_x_ms,
        "p": sample.p if sample.p is None or sample.p == sample.p else None,
    }
    return AlertRow(
        record.id,
        firing.rule.id,
        context.venue,
        context.y,
        context.x,
        context.interval,
        context.origin,
        context.settings,
        sample.time_ms,
        record.fired_at,
        rule_to_json(firing.rule),
        json.dumps(snapshot, allow_nan=False),
        None if record.outcome is None else outcome_to_json(record.outcome),
        record.outcome_at,
    )


def from_row(row: AlertRow) -> AlertRecord:
    """Return the record of a row. Raises ConfigError in words where this version cannot read it."""
    found = _fields(row.snapshot, _SNAPSHOT, "snapshot")
    try:
        values = {Metric(name): float(value) for name, value in found["values"].items()}
        flags = bool(found["complete"]), bool(found["window_full"])
        sample = MetricSample(row.bar_time, values, *flags, found["age_y_ms"], found["age_x_ms"], found["p"])
        firing = Firing(
            rule_from_json(row.rule), sample, Kind(found["kind"]), float(found["value"]), int(found["side"])
        )
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"the snapshot of alert {row.id} cannot be read: {error}") from error
    context = AlertContext(row.venue, row.y, row.x, row.interval, row.origin, row.settings)
    outcome = None if row.outcome is None else outcome_from_json(row.outcome)
    return AlertRecord(firing, context, row.fired_at, outcome, row.outcome_at)


def outcome_to_json(outcome: Outcome) -> str:
    """Return an outcome as JSON."""
    plain: dict[str, Any] = {"schema": RECORD_SCHEMA, "ended": outcome.ended.value}
    plain |= {name: getattr(outcome, name) for name in ("bars", "ms", "worst", "worst_value")}
    return json.dumps(plain, allow_nan=False)


def outcome_from_json(text: str) -> Outcome:
    """Return the outcome of a JSON text. Raises ConfigError in words."""
    found = _fields(text, _OUTCOME, "outcome")
    try:
        numbers = float(found["worst"]), float(found["worst_value"])
        return Outcome(Ended(found["ended"]), int(found["bars"]), int(found["ms"]), *numbers)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the outcome cannot be read: {error}") from error


def _fields(text: str, names: set[str], what: str) -> Mapping[str, Any]:
    found = parsed(text, what)
    if not isinstance(found, dict):
        raise ConfigError(f"the {what} must be an object with named fields")
    check_schema(found.get("schema"), RECORD_SCHEMA, what)
    if set(found) != names:
        odd = sorted(set(found) ^ names)
        raise ConfigError(f"the {what} lacks or has a field that this version does not know: {', '.join(odd)}")
    return found


def utc_seconds(ms: int) -> str:
    """Return a moment (ms since 1970) as UTC to the second."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
