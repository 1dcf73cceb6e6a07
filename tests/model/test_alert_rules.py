"""The desk's default rule is the plain |z| alert with hysteresis, and judges frames as the pure rules judge samples."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.machine import Kind, State, changed, healed, walk
from quantdesk.analytics.alerts.metric import Metric, MetricSample
from quantdesk.analytics.alerts.rule import z_rule
from quantdesk.model.alerts import AT_START, AlertModel
from quantdesk.model.frame import LegColumns, PairFrame, PairSettings
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START

NAN = float("nan")
values = st.lists(st.one_of(st.just(NAN), st.sampled_from([1.5, 2.0, -2.0]), st.floats(-4, 4)), min_size=1, max_size=60)
levels = st.sampled_from([(2.0, 1.5), (1.5, 1.5), (3.0, 0.5)])


def frame(z: list[float], left_out: tuple[int, ...] = ()) -> PairFrame:
    n = len(z)
    times = START + MINUTE * np.arange(n)
    columns = dict.fromkeys(("spread", "spread_upper", "spread_lower", "correlation"), np.full(n, NAN))
    return PairFrame(
        1, 1, Origin.LIVE, START, MINUTE, PairSettings("BTCUSDT", "ETHUSDT"),
        times, LegColumns.empty(n), LegColumns.empty(n), z=np.array(z, float),
        alpha=0.0, beta=1.0, formation=None, formation_settled=True, fit=None, refits=(), observations=n,
        left_out=times[list(left_out)], **columns,
    )  # fmt: skip


def samples(z: list[float], left_out: tuple[int, ...] = ()) -> list:
    return [MetricSample(START + MINUTE * row, {Metric.Z: v}, row not in left_out) for row, v in enumerate(z)]


def last_value(z: list[float]) -> int:
    finite = [row for row, value in enumerate(z) if value == value]
    return finite[-1] if finite else len(z)


def crossings(z: list[float], level: float, rearm: float) -> list[int]:
    """Return the rows that a plain hysteresis alerts at, armed before the first."""
    armed, found = True, []
    for row, size in enumerate(map(abs, z)):
        if armed and size >= level:
            armed = False
            found.append(row)
        elif size < rearm:
            armed = True
    return found


@given(values, levels)
def test_the_default_rule_alerts_where_a_plain_hysteresis_does(z, level):
    model = AlertModel([z_rule(*level)])
    for end in range(1, len(z) + 2):
        model.judge(frame([0.0, *z][:end]))
    assert [(event.time_ms - START) // MINUTE - 1 for event in model.events] == crossings(z, *level)


@given(values, levels, st.integers(1, 60), st.booleans())
def test_both_fire_at_the_same_bars_with_the_same_values(z, level, first, enabled):
    first = min(first, len(z))
    model = AlertModel([z_rule(*level, enabled=enabled)])
    for end in range(first, len(z) + 1):
        model.judge(frame(z[:end]))
    # The desk judges the newest value of its first frame, and then every bar.
    begun = last_value(z[:first])
    _, found = walk(z_rule(*level, enabled=enabled), State(), samples(z)[begun:])
    assert [(e.time_ms, e.z, e.kind == AT_START) for e in model.events] == [
        (f.time_ms, f.value, f.kind is Kind.AT_START) for f in found
    ]


@given(values, values, levels, levels)
def test_both_take_an_edited_rule_the_same_way(z, later, old, new):
    model = AlertModel([z_rule(*old)])
    judged = [row for row, value in enumerate(z) if value == value]
    for end in range(1, len(z) + 1):
        model.judge(frame(z[:end]))
    model.set_rules([z_rule(*new)])
    seen = len(model.events)
    state = walk(z_rule(*old), State(), samples(z))[0]
    assert (state == State()) == (not judged)
    state = changed(state, z_rule(*old), z_rule(*new))
    for end in range(len(z) + 1, len(z) + len(later) + 1):
        model.judge(frame((z + later)[:end]))
    _, found = walk(z_rule(*new), state, samples(z + later)[len(z) :])
    assert [(e.time_ms, e.z) for e in model.events[seen:]] == [(f.time_ms, f.value) for f in found]


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=30), st.data())
def test_both_pass_over_partial_bars_and_find_them_once_they_are_whole(z, data):
    left_out = tuple(sorted(data.draw(st.sets(st.integers(1, len(z) - 1), max_size=len(z) - 1))))
    lacking = [NAN if row in left_out else value for row, value in enumerate(z)]
    model = AlertModel()
    for end in range(1, len(z) + 1):
        out = tuple(row for row in left_out if row < end)
        model.judge(frame(lacking[:end], out))
    seen = len(model.events)
    _, found = walk(z_rule(), State(), samples(z, left_out))
    assert [(e.time_ms, e.z) for e in model.events] == [(f.time_ms, f.value) for f in found]
    judged = [row for row in range(len(z)) if row not in left_out]
    model.judge(frame(z))
    # What lies behind the newest bar judged is no history: the next step finds it.
    times = {START + MINUTE * row for row in left_out if row < judged[-1]}
    history = healed(z_rule(), samples(z)[: judged[-1] + 1], times)
    behind = [e for e in model.events[seen:] if e.time_ms <= START + MINUTE * judged[-1]]
    assert [(e.time_ms, e.z) for e in behind] == [(f.time_ms, f.value) for f in history]
