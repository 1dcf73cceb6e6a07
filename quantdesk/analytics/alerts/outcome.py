"""Follow a firing through the bars behind it, and sum up what became of all firings of a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

from quantdesk.analytics.alerts.machine import Firing, Kind
from quantdesk.analytics.alerts.metric import MetricSample

#: After so many bars a firing that has neither come back nor stopped is no longer followed.
HORIZON_BARS = 500


class Ended(StrEnum):
    """Say what became of a firing."""

    OPEN = "open"
    REVERTED = "reverted"
    STOPPED = "stopped"
    EXPIRED = "horizon over"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what became of a firing so far, or in the end.

    ``bars`` and ``ms`` count from the firing to the newest bar seen, which is the last one once it
    has ended: the time to the mean where it reverted. ``worst`` is the largest move against it since
    the firing (>= 0, unit of the metric), ``worst_value`` the value at that bar.
    """

    ended: Ended
    bars: int
    ms: int
    worst: float
    worst_value: float


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """Sum up the firings of a rule; None = no firing to take it from.

    ``share_reverted`` is of those that have ended. The medians are of those that reverted: slower
    ones that have not yet come back are not in them. ``at_start`` counts rows that said the value
    was beyond the level already; they are in no other number.
    """

    firings: int
    open: int
    reverted: int
    stopped: int
    expired: int
    at_start: int
    share_reverted: float | None
    median_bars: float | None
    median_ms: float | None
    worst: float | None


def begin(firing: Firing) -> Outcome:
    """Return the outcome at the firing itself: open, nothing has happened."""
    return Outcome(Ended.OPEN, 0, 0, 0.0, firing.value)


def follow(firing: Firing, outcome: Outcome, sample: MetricSample, horizon_bars: int = HORIZON_BARS) -> Outcome:
    """Return the outcome after one more bar; unchanged once it has ended or where the bar is not newer.

    It reverts at the rule's exit level, else at the metric's mean (0 of a z-score), else where the
    rule is armed again; it stops at the stop level, which is asked first. A bar without a value or,
    where the rule asks for whole bars, with trades missing counts as time, but is not judged.
    """
    elapsed = sample.time_ms - firing.time_ms
    if outcome.ended is not Ended.OPEN or elapsed <= outcome.ms:
        return outcome
    rule, bars = firing.rule, outcome.bars + 1
    value = sample.value(rule.metric)
    ended = Ended.EXPIRED if bars >= horizon_bars else Ended.OPEN
    if rule.passes_over(sample):
        return replace(outcome, ended=ended, bars=bars, ms=elapsed)
    if rule.stop_met(value, firing.side):
        ended = Ended.STOPPED
    elif rule.target_met(value, firing.side):
        ended = Ended.REVERTED
    against = firing.side * (value - firing.value)
    if against > outcome.worst:
        return Outcome(ended, bars, elapsed, against, value)
    return replace(outcome, ended=ended, bars=bars, ms=elapsed)


def rule_record(firings: Sequence[tuple[Firing, Outcome]]) -> RuleRecord:
    """Return the record of one rule's firings, each with its outcome so far."""
    news = [outcome for firing, outcome in firings if firing.kind is Kind.CROSS]
    counts = {ended: sum(outcome.ended is ended for outcome in news) for ended in Ended}
    over = len(news) - counts[Ended.OPEN]
    back = [outcome for outcome in news if outcome.ended is Ended.REVERTED]
    return RuleRecord(
        firings=len(news),
        open=counts[Ended.OPEN],
        reverted=counts[Ended.REVERTED],
        stopped=counts[Ended.STOPPED],
        expired=counts[Ended.EXPIRED],
        at_start=len(firings) - len(news),
        share_reverted=len(back) / over if over else None,
        median_bars=float(median(outcome.bars for outcome in back)) if back else None,
        median_ms=float(median(outcome.ms for outcome in back)) if back else None,
        worst=max((outcome.worst for outcome in news), default=None),
    )
