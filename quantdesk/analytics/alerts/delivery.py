"""Write a firing, or a test of a rule, as the JSON that a webhook posts."""

from __future__ import annotations

import json
from typing import Any

from quantdesk.analytics.alerts.record import AlertRecord, utc_seconds
from quantdesk.analytics.alerts.rule import Rule

#: Rises when a field changes its meaning; new ones may come.
DELIVERY_SCHEMA = 1


def alert_body(record: AlertRecord) -> bytes:
    """Return a firing as JSON: its words, where it was seen, and every value of that bar; times in ms since 1970."""
    firing, context = record.firing, record.context
    sample = firing.sample
    return _json(
        {
            **_head(firing.rule, "alert", record.id, record.text, record.fired_at),
            "value": firing.value,
            "side": firing.side,
            "venue": context.venue,
            "pair": {"y": context.y, "x": context.x},
            "interval": context.interval,
            "origin": context.origin.value,
            "settings": context.settings,
            "bar_time": sample.time_ms,
            "bar_time_utc": f"{utc_seconds(sample.time_ms)} UTC",
            "values": {m.value: sample.value(m) for m in sample.values if sample.value(m) == sample.value(m)},
        }
    )


def test_body(rule: Rule, delivery: str, now_ms: int) -> bytes:
    """Return the test of a rule as JSON; it says that it is one and carries no values."""
    text = f"TEST of the rule “{rule.name}”: this is no alert."
    return _json(_head(rule, "test", delivery, text, now_ms))


test_body.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it wherever it is imported


def _head(rule: Rule, kind: str, delivery: str, text: str, at: int) -> dict[str, Any]:
    return {
        "schema": DELIVERY_SCHEMA,
        "kind": kind,
        "id": delivery,
        "text": text,
        "fired_at": at,
        "rule": {"id": rule.id, "name": rule.name},
        "metric": rule.metric.value,
        "comparison": rule.comparison.value,
        "level": rule.enter,
    }


def _json(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
