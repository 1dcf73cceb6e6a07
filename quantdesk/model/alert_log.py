"""Keep what fired and follow it to its end; what is to be stored leaves by signal."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from quantdesk.analytics.alerts.machine import Kind
from quantdesk.analytics.alerts.outcome import HORIZON_BARS, Ended, Outcome, RuleRecord, begin, follow, rule_record
from quantdesk.analytics.alerts.record import AlertRecord, from_row, outcome_to_json, to_row
from quantdesk.analytics.alerts.rule import Notice, Rule
from quantdesk.config import ConfigError
from quantdesk.model.alert_samples import FrameSamples, same_stream
from quantdesk.types import AlertRow, Origin

_log = logging.getLogger(__name__)

#: Of more firings the oldest are forgotten here; the store has them.
MOST_RECORDS = 5_000
#: Bars looked at in one go for all open firings; the rest is looked at with the next bar.
_MOST_STEPS = 20_000


def condition_of(rule: Rule) -> Rule:
    """Return a rule without what does not change when it fires: name, switch, sound and words."""
    return replace(rule, name="rule", enabled=True, notice=Notice())


class AlertLog(QObject):
    """Hold records by key, oldest first.

    ``kept(AlertRow)`` tells of a firing to store, ``ended(key, outcome as JSON, ms)`` of what became of one.
    """

    kept = Signal(object)
    ended = Signal(str, str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._records: dict[str, AlertRecord] = {}
        self._open: dict[str, AlertRecord] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def add(self, record: AlertRecord) -> AlertRecord:
        """Take a new firing and let it be stored; return it as it is followed."""
        followed = self._take(record.id, record)
        self._bound()
        self.kept.emit(to_row(record))
        return followed

    def forget(self, origin: Origin) -> None:
        """Forget the firings seen in one stream of data."""
        for held in (self._records, self._open):
            for key in [key for key, record in held.items() if record.context.origin is origin]:
                del held[key]

    def restore(self, rows: Iterable[AlertRow]) -> tuple[list[AlertRecord], int]:
        """Take firings of earlier sessions, oldest first; return those that are new here, and how many are unreadable.

        One without an end is followed further.
        """
        found: dict[str, AlertRecord] = {}
        unread = 0
        for row in rows:
            if row.id in self._records:
                continue
            try:
                found[row.id] = from_row(row)
            except ConfigError as error:
                unread += 1
                _log.warning("an alert that was kept cannot be read: %s", error)
        now, self._records = self._records, {}
        for key, record in found.items():
            found[key] = self._take(key, record)
        self._records |= now
        self._bound()
        return list(found.values()), unread

    def follow(self, samples: FrameSamples, now_ms: int) -> list[AlertRecord]:
        """Look at the frame's new bars for every open firing of its view; return the records that changed."""
        changed, steps = [], 0
        for key, record in list(self._open.items()):
            if steps > _MOST_STEPS:
                break
            outcome = record.outcome or begin(record.firing)
            metric = record.firing.rule.metric
            context = samples.context(metric, record.context.origin)
            if context != record.context or not same_stream(context.origin, samples.frame.origin):
                continue
            new, seen = followed(record, outcome, samples)
            steps += seen
            if new == outcome:
                continue
            over = new.ended is not Ended.OPEN
            updated = replace(record, outcome=new, outcome_at=now_ms if over else None)
            if key in self._records:
                self._records[key] = updated
            if over:
                del self._open[key]
                self.ended.emit(key, outcome_to_json(new), now_ms)
            else:
                self._open[key] = updated
            changed.append(updated)
        return changed

    def record_of(self, rule: Rule, origin: Origin = Origin.LIVE) -> RuleRecord:
        """Return the record of a rule as it stands now, over firings of one stream of data."""
        return rule_record([(one.firing, one.outcome or begin(one.firing)) for one in self._of(rule, origin)])

    def last_fired(self, rule: Rule, origin: Origin = Origin.LIVE) -> int | None:
        """Return the open time (ms) of the newest bar at which the rule fired, or None."""
        return max((one.firing.time_ms for one in self._of(rule, origin)), default=None)

    def _of(self, rule: Rule, origin: Origin) -> list[AlertRecord]:
        condition = condition_of(rule)
        return [
            one
            for one in self._records.values()
            if one.firing.rule.id == rule.id
            and same_stream(one.context.origin, origin)
            and condition_of(one.firing.rule) == condition
        ]

    def _take(self, key: str, record: AlertRecord) -> AlertRecord:
        if record.firing.kind is Kind.CROSS:
            record = record if record.outcome is not None else replace(record, outcome=begin(record.firing))
            if record.outcome is not None and record.outcome.ended is Ended.OPEN:
                self._open[key] = record
        self._records[key] = record
        return record

    def _bound(self) -> None:
        for key in list(self._records)[: max(0, len(self._records) - MOST_RECORDS)]:
            del self._records[key]
            self._open.pop(key, None)


def followed(record: AlertRecord, outcome: Outcome, samples: FrameSamples) -> tuple[Outcome, int]:
    """Return the outcome after the bars that the frame has beyond it, and how many were looked at."""
    firing = record.firing
    metric, times = firing.rule.metric, samples.times
    column = samples.column(metric)
    finite = np.flatnonzero(np.isfinite(column)) if column is not None else np.empty(0, np.int64)
    if len(finite) == 0:
        return outcome, 0
    # Behind the last value a leg may still be missing: those bars are looked at when it has come.
    last, seen = int(finite[-1]), firing.time_ms + outcome.ms
    left = HORIZON_BARS - outcome.bars
    if int(times[0]) > seen + samples.frame.interval_ms:
        # What came in between is not loaded (yet): beyond the horizon it no longer matters.
        gone = int(times[last]) - seen >= left * samples.frame.interval_ms
        return (replace(outcome, ended=Ended.EXPIRED, bars=HORIZON_BARS) if gone else outcome), 0
    rows = list(range(int(np.searchsorted(times, seen, "right")), last + 1))[:left]
    for sample in samples.narrow(metric, rows):
        outcome = follow(firing, outcome, sample)
        if outcome.ended is not Ended.OPEN:
            break
    return outcome, len(rows)
