"""Try a rule on the bars that are loaded: how often it would have fired, and what would have become of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from quantdesk.analytics.alerts.machine import Kind, Phase, State, step
from quantdesk.analytics.alerts.outcome import RuleRecord, begin, rule_record
from quantdesk.analytics.alerts.record import AlertRecord
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.model.alert_log import followed
from quantdesk.model.alert_samples import FrameSamples, Look
from quantdesk.model.frame import PairFrame

#: Of more firings the record is of the newest; the count is of all.
_MOST_FOLLOWED = 200


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """Hold what a rule would have done on ``bars`` bars that have a value of its metric.

    ``without`` names the gates that past bars cannot be asked for, which the trial leaves open.
    """

    rule: Rule
    bars: int
    firings: int
    record: RuleRecord
    without: tuple[str, ...] = ()


def try_rule(rule: Rule, frame: PairFrame, look: Look | None = None) -> RuleTrial:
    """Return what a rule, switched on, would have done on the bars of a frame. About 0.1 s for 20,000 bars."""
    without = []
    if rule.gates.p_below is not None:
        without.append("cointegration p")
    if rule.gates.max_age_seconds is not None:
        without.append("age of prices")
    tried = replace(rule, enabled=True, gates=replace(rule.gates, p_below=None, max_age_seconds=None))
    samples = FrameSamples(frame, look)
    rows = np.flatnonzero(samples.usable(tried)).tolist()
    state, fired = State(Phase.ARMED), []
    for sample in samples.narrow(tried.metric, rows):
        state, found = step(tried, state, sample)
        fired += [one for one in found if one.kind is Kind.CROSS]
    context = samples.context(tried.metric, frame.origin)
    ends = []
    for firing in fired[-_MOST_FOLLOWED:]:
        outcome, _ = followed(AlertRecord(firing, context, firing.time_ms), begin(firing), samples)
        ends.append((firing, outcome))
    return RuleTrial(rule, len(rows), len(fired), rule_record(ends), tuple(without))
