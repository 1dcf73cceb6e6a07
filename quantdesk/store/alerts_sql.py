"""Keep alerts: each firing once with its snapshot, and later what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

import sqlalchemy as sa

from quantdesk.store.schema import alerts
from quantdesk.types import AlertRow, Origin

#: The first version of the tables that keeps alerts.
KEEPS_ALERTS = 3
#: So many firings are kept, the newest: at one a minute all day and night they are those of a month.
MOST_KEPT = 50_000
NAMES = tuple(field.name for field in fields(AlertRow))


def firings_select(rule_id: str | None, since: int | None, limit: int) -> sa.Select[Any]:
    """Return the newest ``limit`` firings, newest first: of one rule or all, fired at ``since`` (ms) or later."""
    wheres = [] if rule_id is None else [alerts.c.rule_id == rule_id]
    wheres += [] if since is None else [alerts.c.fired_at >= since]
    newest = (alerts.c.fired_at.desc(), alerts.c.id.desc())
    return sa.select(*(alerts.c[name] for name in NAMES)).where(*wheres).order_by(*newest).limit(limit)


def outcome_update(firing_id: str, outcome: str, at: int) -> sa.Update:
    """Return the statement that notes an outcome; one that was known later stays."""
    newer = sa.or_(alerts.c.outcome_at.is_(None), alerts.c.outcome_at <= at)
    return sa.update(alerts).where(alerts.c.id == firing_id, newer).values(outcome=outcome, outcome_at=at)


def beyond(most: int) -> sa.Delete:
    """Return the statement that deletes all firings but the newest ``most``."""
    newest = (alerts.c.fired_at.desc(), alerts.c.id.desc())
    last = sa.select(alerts.c.fired_at).order_by(*newest).limit(1).offset(most - 1).scalar_subquery()
    return sa.delete(alerts).where(alerts.c.fired_at < last)


def values_of(row: AlertRow) -> dict[str, Any]:
    """Return the columns of an alert."""
    return {**dict(zip(NAMES, astuple(row), strict=True)), "origin": row.origin.value}


def alert_of(columns: Sequence[Any]) -> AlertRow:
    """Return the alert of a row of ``firings_select``."""
    named = dict(zip(NAMES, columns, strict=True))
    return AlertRow(**{**named, "origin": Origin(named["origin"])})
