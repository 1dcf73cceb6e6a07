"""Step one rule through one sample: the next state and what fired. Pure; no clock but the sample's time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from quantdesk.analytics.alerts.metric import MetricSample
from quantdesk.analytics.alerts.rule import Rule


class Phase(StrEnum):
    """Say where a rule stands between two firings."""

    NEW = "new"  #: no value has been seen
    ARMED = "armed"
    PENDING = "pending"  #: beyond the level, but not long enough or held back
    IN = "in"  #: fired and not over
    SPENT = "spent"  #: over, or never news: armed again only below the re-arm level


class Kind(StrEnum):
    """Say what a firing tells: a crossing, or that the value was beyond the level when watching began."""

    CROSS = "cross"
    AT_START = "beyond at start"


class Ending(StrEnum):
    """Say how the last alert ended."""

    NONE = ""
    REVERTED = "reverted"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Firing:
    """Hold one firing with the rule as it was and every metric's value at that moment.

    ``value`` is the watched metric's, ``side`` 1 where it is against larger values, else -1.
    """

    rule: Rule
    sample: MetricSample
    kind: Kind
    value: float
    side: int

    @property
    def time_ms(self) -> int:
        """Return the sample's time."""
        return self.sample.time_ms


@dataclass(frozen=True, slots=True)
class State:
    """Hold what a rule remembers; ``held`` says why an alert that is due does not fire (or did not)."""

    phase: Phase = Phase.NEW
    last_time: int | None = None
    last_value: float = float("nan")
    pending_since: int = 0
    pending_bars: int = 0
    side: int = 0
    fired_at: int | None = None
    ending: Ending = Ending.NONE
    held: str = ""


def step(rule: Rule, state: State, sample: MetricSample) -> tuple[State, tuple[Firing, ...]]:
    """Judge one sample; return the next state and the firings (none or one).

    A sample that is not newer than the last one judged changes nothing, nor does one without a value
    or, where the rule asks for whole bars, with trades missing: it is passed over, neither fires nor
    arms nor breaks a dwell, and may come again once it is whole. Of a rule that is not enabled the
    state goes on, so that nothing is caught up later; it fires nothing.
    """
    value = sample.value(rule.metric)
    if rule.passes_over(sample) or (state.last_time is not None and sample.time_ms <= state.last_time):
        return state, ()
    judged = replace(state, last_time=sample.time_ms, last_value=value)
    if state.phase is Phase.NEW:
        return _begin(rule, judged, sample, value)
    if state.phase is Phase.IN:
        return _watch(rule, judged, value), ()
    if state.phase is Phase.SPENT:
        return (_armed(judged) if rule.is_near(value) else judged), ()
    if not rule.is_beyond(value):
        return _armed(judged), ()
    return _press(rule, judged, sample, value)


def walk(rule: Rule, state: State, samples: Iterable[MetricSample]) -> tuple[State, tuple[Firing, ...]]:
    """Step through samples in order; return the last state and all firings."""
    found: list[Firing] = []
    for sample in samples:
        state, fired = step(rule, state, sample)
        found += fired
    return state, tuple(found)


def healed(rule: Rule, samples: Iterable[MetricSample], times: Collection[int]) -> tuple[Firing, ...]:
    """Return what would have fired at ``times``, bars that were passed over and are whole now: history, not news.

    ``samples`` are all that were judged, with the healed ones in their places; the walk begins armed.
    """
    _, found = walk(rule, State(Phase.ARMED), samples)
    return tuple(firing for firing in found if firing.time_ms in times)


def changed(state: State, old: Rule, new: Rule) -> State:
    """Return the state under an edited rule; the samples so far are not judged again.

    With another enter level the newest value counts as known: beyond it, the rule alerts only after
    it has been nearer. Another metric or comparison begins anew.
    """
    if (new.metric, new.comparison) != (old.metric, old.comparison):
        return State(fired_at=state.fired_at)
    if state.phase is Phase.NEW:
        return state
    if new.enter != old.enter:
        if not new.is_beyond(state.last_value):
            return _armed(state)
        return state if state.phase is Phase.IN else replace(_armed(state), phase=Phase.SPENT)
    over = state.phase is Phase.SPENT or (state.phase is Phase.IN and new.exit is None)
    return _armed(state) if over and new.is_near(state.last_value) else state


def _begin(rule: Rule, state: State, sample: MetricSample, value: float) -> tuple[State, tuple[Firing, ...]]:
    if not rule.is_beyond(value):
        return _armed(state), ()
    shut = rule.gates.shut(sample)
    known = replace(state, phase=Phase.SPENT, held=shut)
    if shut or rule.comparison.is_crossing or not rule.enabled:
        return known, ()
    return known, (Firing(rule, sample, Kind.AT_START, value, rule.side_of(value)),)


def _press(rule: Rule, state: State, sample: MetricSample, value: float) -> tuple[State, tuple[Firing, ...]]:
    """Take in a value beyond the level of a rule that is armed or pending."""
    since = state.pending_since if state.phase is Phase.PENDING else sample.time_ms
    bars = state.pending_bars + 1 if state.phase is Phase.PENDING else 1
    pending = replace(state, phase=Phase.PENDING, pending_since=since, pending_bars=bars, held="")
    if bars < rule.dwell_bars or sample.time_ms - since < rule.dwell_seconds * 1_000:
        return pending, ()
    shut = rule.gates.shut(sample) or _cooling(rule, state, sample.time_ms)
    if shut:
        spent = Phase.SPENT if rule.comparison.is_crossing else Phase.PENDING
        return replace(pending, phase=spent, held=f"held back: {shut}"), ()
    inside = replace(pending, phase=Phase.IN, side=rule.side_of(value), ending=Ending.NONE)
    if not rule.enabled:
        return inside, ()
    fired = Firing(rule, sample, Kind.CROSS, value, inside.side)
    return replace(inside, fired_at=sample.time_ms), (fired,)


def _watch(rule: Rule, state: State, value: float) -> State:
    """Follow an alert that has fired until it is over."""
    if rule.stop_met(value, state.side):
        return replace(state, phase=Phase.SPENT, ending=Ending.STOPPED)
    if rule.exit is None:
        return _armed(state, Ending.REVERTED) if rule.is_near(value) else state
    if not rule.target_met(value, state.side):
        return state
    over = replace(state, phase=Phase.SPENT, ending=Ending.REVERTED)
    return _armed(over, Ending.REVERTED) if rule.is_near(value) else over


def _armed(state: State, ending: Ending | None = None) -> State:
    kept = state.ending if ending is None else ending
    return replace(state, phase=Phase.ARMED, pending_since=0, pending_bars=0, ending=kept, held="")


def _cooling(rule: Rule, state: State, now: int) -> str:
    if state.fired_at is None:
        return ""
    left = rule.cooldown_seconds - (now - state.fired_at) / 1_000
    return f"cooling down, {left:.0f} s left" if left > 0 else ""
