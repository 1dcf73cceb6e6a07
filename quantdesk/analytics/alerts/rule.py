"""Say when an alert fires, when it may fire again, and how it is told; checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite, isnan

from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.text import check_text
from quantdesk.config import ConfigError

DEFAULT_TEXT = "{pair}  {metric} {value:+.2f}  ({interval} bar of {time} UTC)"
DEFAULT_SOUND = "default"


class Comparison(StrEnum):
    """Say how a value is set against the enter level.

    The first three are states: the alert waits while it is held back and fires as soon as it may.
    A crossing is a moment: the value before was on the other side; held back, it is spent.
    """

    AT_LEAST = ">="
    AT_MOST = "<="
    BEYOND = "abs>="
    CROSSES_UP = "crosses_up"
    CROSSES_DOWN = "crosses_down"

    @property
    def label(self) -> str:
        """Return the comparison in words."""
        return {">=": "≥", "<=": "≤", "abs>=": "|value| ≥"}.get(self.value, self.value.replace("_", " "))

    @property
    def is_crossing(self) -> bool:
        """Return whether it is a moment, not a state."""
        return self in (Comparison.CROSSES_UP, Comparison.CROSSES_DOWN)

    @property
    def sign(self) -> int:
        """Return 1 where larger values are further beyond the level, -1 where smaller ones are, 0 for |value|."""
        if self is Comparison.BEYOND:
            return 0
        return 1 if self in (Comparison.AT_LEAST, Comparison.CROSSES_UP) else -1


@dataclass(frozen=True, slots=True)
class Gates:
    """Name what must hold besides the level; ``p_below`` and ``max_age_seconds`` None: not asked.

    ``max_age_seconds`` bounds the age of both legs' newest price. Raises ConfigError.
    """

    p_below: float | None = None
    complete: bool = True
    window_full: bool = True
    max_age_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.p_below is not None and not 0 < self.p_below <= 1:
            raise ConfigError("the cointegration p of a gate must be above 0 and at most 1")
        if self.max_age_seconds is not None and not 0 < self.max_age_seconds < float("inf"):
            raise ConfigError("the largest age of a price must be a positive number of seconds")

    def shut(self, sample: MetricSample) -> str:
        """Say which gate holds an alert back at this sample; empty where none does."""
        if self.complete and not sample.complete:
            return "trades of the bar are missing"
        if self.window_full and not sample.window_full:
            return "the window is not full"
        if self.p_below is not None:
            if sample.p is None or isnan(sample.p):
                return "no cointegration p is known"
            if not sample.p < self.p_below:
                return f"cointegration p {sample.p:.3g} ≥ {self.p_below:g}"
        return self._stale(sample)

    def _stale(self, sample: MetricSample) -> str:
        if self.max_age_seconds is None:
            return ""
        for leg, age in (("y", sample.age_y_ms), ("x", sample.age_x_ms)):
            if age is None:
                return f"the age of {leg}'s price is not known"
            if age > self.max_age_seconds * 1_000:
                return f"the price of {leg} is {age / 1_000:.1f} s old (at most {self.max_age_seconds:g} s)"
        return ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Say how a firing is told: popup, sound and which one, the words, and a webhook. Raises ConfigError.

    Address and secret of the webhook are no part of a rule, which is kept in stores that others read.
    """

    popup: bool = True
    sound: bool = True
    sound_name: str = DEFAULT_SOUND
    text: str = DEFAULT_TEXT
    webhook: bool = False

    def __post_init__(self) -> None:
        if not self.sound_name.strip() or not self.sound_name.isprintable():
            raise ConfigError("a sound needs a name")
        check_text(self.text)


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one rule. Levels are in the metric's unit; for BEYOND they are sizes without a sign.

    In the direction of the comparison they are ordered exit <= rearm <= enter < stop, and exit <
    enter. Without ``exit`` an alert is over once it is armed again, strictly nearer than ``rearm``; with it the
    alert is over at ``exit`` ("reverted") or ``stop`` ("stopped"), and armed again after that below
    ``rearm``. It fires when ``dwell_bars`` samples in a row, the first and last at least
    ``dwell_seconds`` apart, were beyond ``enter``, every gate is open and the last firing is
    ``cooldown_seconds`` ago. Raises ConfigError in words.
    """

    id: str
    name: str
    metric: Metric
    comparison: Comparison
    enter: float
    rearm: float
    exit: float | None = None
    stop: float | None = None
    dwell_bars: int = 1
    dwell_seconds: float = 0.0
    cooldown_seconds: float = 0.0
    enabled: bool = True
    gates: Gates = field(default_factory=Gates)
    notice: Notice = field(default_factory=Notice)

    def __post_init__(self) -> None:
        for what, text in (("id", self.id), ("name", self.name)):
            if not text.strip() or len(text) > 80 or not text.isprintable():
                raise ConfigError(f"the {what} of a rule must be one line of 1 to 80 characters")
        levels = {"enter": self.enter, "re-arm": self.rearm, "exit": self.exit, "stop": self.stop}
        for what, level in levels.items():
            if level is not None and not isfinite(level):
                raise ConfigError(f"the {what} level must be a number")
            if level is not None and self.comparison is Comparison.BEYOND and level < 0:
                raise ConfigError(f"the {what} level of a |value| cannot be below 0")
        if self.comparison is Comparison.BEYOND and not (self.enter > 0 and self.rearm > 0):
            raise ConfigError("the enter and re-arm levels of a |value| must be above 0")
        self._check_order()
        if self.dwell_bars < 1:
            raise ConfigError("an alert needs at least one bar beyond its level")
        for what, seconds in (("dwell", self.dwell_seconds), ("cooldown", self.cooldown_seconds)):
            if not 0 <= seconds < float("inf"):
                raise ConfigError(f"the {what} must be 0 or more seconds")

    def _check_order(self) -> None:
        if self.reach(self.rearm) > self.reach(self.enter):
            raise ConfigError("the level that arms it again must not lie beyond the enter level")
        if self.exit is not None and not self.reach(self.exit) < self.reach(self.enter):
            raise ConfigError("the exit level must lie nearer than the enter level")
        if self.exit is not None and self.reach(self.exit) > self.reach(self.rearm):
            raise ConfigError("the exit level must not lie beyond the level that arms it again")
        if self.stop is not None and not self.reach(self.stop) > self.reach(self.enter):
            raise ConfigError("the stop level must lie beyond the enter level")

    def passes_over(self, sample: MetricSample) -> bool:
        """Return whether a sample is not judged: without a value, or lacking trades where whole bars are asked for."""
        return isnan(sample.value(self.metric)) or (self.gates.complete and not sample.complete)

    def reach(self, value: float) -> float:
        """Return how far out a value is: larger is further in the direction of the comparison."""
        sign = self.comparison.sign
        return abs(value) if sign == 0 else sign * value

    def side_of(self, value: float) -> int:
        """Return the side an alert at this value is on: 1 or -1."""
        sign = self.comparison.sign
        return sign if sign else (-1 if value < 0 else 1)

    def is_beyond(self, value: float) -> bool:
        """Return whether the value is at or beyond the enter level."""
        return self.reach(value) >= self.reach(self.enter)

    def is_near(self, value: float) -> bool:
        """Return whether the value arms the rule again."""
        return self.reach(value) < self.reach(self.rearm)

    def target_met(self, value: float, side: int) -> bool:
        """Return whether an alert of that side is back: at the exit level, else the metric's mean, else re-armed.

        The side counts: a z that jumps from 2 to -3 has passed its mean.
        """
        if self.exit is not None:
            return side * value <= self._sided(self.exit)
        if self.metric.mean is not None and self._sided(self.rearm) >= side * self.metric.mean:
            return side * value <= side * self.metric.mean
        return side * value < self._sided(self.rearm)

    def stop_met(self, value: float, side: int) -> bool:
        """Return whether an alert of that side has gone beyond its stop level."""
        return self.stop is not None and side * value >= self._sided(self.stop)

    def _sided(self, level: float) -> float:
        return level if self.comparison is Comparison.BEYOND else self.reach(level)


def z_rule(
    level: float = 2.0, rearm: float = 1.5, *, enabled: bool = True, sound: bool = True, rule_id: str = "z"
) -> Rule:
    """Return the desk's own rule: |z| at or beyond ``level``, armed again below ``rearm``."""
    return Rule(
        rule_id,
        "|z|",
        Metric.Z,
        Comparison.BEYOND,
        level,
        rearm,
        enabled=enabled,
        notice=Notice(sound=sound, text="{pair}  z {value:+.2f}  ({interval} bar of {time} UTC)"),
    )
