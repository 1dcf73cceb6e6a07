"""Turn alerts into marks on the charts: where a rule fired, and where what it fired at was over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QCoreApplication

from quantdesk.analytics.alerts.outcome import Ended
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.model.alerts import AT_START, AlertEvent
from quantdesk.ui.charts.rule_marks import MarkKind, RuleMark
from quantdesk.ui.rule_words import outcome_text, value_text

_ENDS = {Ended.REVERTED: MarkKind.EXIT, Ended.STOPPED: MarkKind.STOP}


def _tr(text: str) -> str:
    return QCoreApplication.translate("event_marks", text)


def marks_of(events: Iterable[AlertEvent], rules: Sequence[Rule], pair: str, interval: str) -> tuple[RuleMark, ...]:
    """Return the marks of one view's events, by time: those of rules that are on."""
    on = {rule.id for rule in rules if rule.enabled}
    found: list[RuleMark] = []
    for event in events:
        if event.pair == pair and event.interval == interval and event.rule.id in on:
            found += _marks(event)
    return tuple(sorted(found, key=lambda mark: mark.time_ms))


def _marks(event: AlertEvent) -> list[RuleMark]:
    side, outcome = event.record.firing.side, event.outcome
    value, ended = value_text(event.metric, event.value), outcome_text(outcome, event.kind)
    if event.kind == AT_START:
        words = _tr("{0}: {1}, beyond at start").format(event.rule.name, value)
        return [RuleMark(event.time_ms, MarkKind.AT_START, event.metric, side, words)]
    words = _tr("{0}: entry at {1}, {2}").format(event.rule.name, value, ended)
    found = [RuleMark(event.time_ms, MarkKind.ENTRY, event.metric, side, words)]
    if outcome is not None and outcome.ended in _ENDS:
        forms = {MarkKind.EXIT: _tr("{0}: exit of {1}, {2}"), MarkKind.STOP: _tr("{0}: stop of {1}, {2}")}
        kind = _ENDS[outcome.ended]
        text = forms[kind].format(event.rule.name, value, ended)
        found.append(RuleMark(event.time_ms + outcome.ms, kind, event.metric, side, text))
    return found
