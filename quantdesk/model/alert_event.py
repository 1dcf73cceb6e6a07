"""Tell of one alert: what is kept of it, and where it may go."""

from __future__ import annotations

from dataclasses import dataclass

from quantdesk.analytics.alerts.machine import Kind
from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.outcome import Outcome
from quantdesk.analytics.alerts.record import AlertRecord
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.types import Origin


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Show one alert. ``time_ms`` is the bar's open time, ``fired_at`` the clock's (ms).

    ``popup``: it is news of the live market and may leave the window; ``earlier``: of an earlier
    session, read from the store.
    """

    record: AlertRecord
    popup: bool = False
    earlier: bool = False

    @property
    def id(self) -> str:
        """Return the key that the store keeps it by."""
        return self.record.id

    @property
    def rule(self) -> Rule:
        """Return the rule as it was when it fired."""
        return self.record.firing.rule

    @property
    def time_ms(self) -> int:
        """Return the bar's open time."""
        return self.record.firing.time_ms

    @property
    def fired_at(self) -> int:
        """Return when it fired, by the clock."""
        return self.record.fired_at

    @property
    def pair(self) -> str:
        """Return the pair in words."""
        return f"{self.record.context.y} / {self.record.context.x}"

    @property
    def interval(self) -> str:
        """Return the interval of its bars."""
        return self.record.context.interval

    @property
    def metric(self) -> Metric:
        """Return what was watched."""
        return self.record.firing.rule.metric

    @property
    def value(self) -> float:
        """Return the watched metric's value."""
        return self.record.firing.value

    @property
    def z(self) -> float:
        """Return the z of that bar, NaN where it had none."""
        return self.record.firing.sample.value(Metric.Z)

    @property
    def level(self) -> float:
        """Return the enter level."""
        return self.record.firing.rule.enter

    @property
    def origin(self) -> Origin:
        """Return where its data came from."""
        return self.record.context.origin

    @property
    def kind(self) -> Kind:
        """Return whether it crossed the level, or was beyond it when watching began."""
        return self.record.firing.kind

    @property
    def text(self) -> str:
        """Return the words of the rule, filled in and marked where it is not the live market."""
        return self.record.text

    @property
    def outcome(self) -> Outcome | None:
        """Return what has become of it; None where nobody follows it."""
        return self.record.outcome
