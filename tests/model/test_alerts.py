from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.analytics.alerts.rule import z_rule
from quantdesk.config import ConfigError
from quantdesk.model.alerts import AT_START, CROSS, MOST_EVENTS, AlertModel
from quantdesk.model.frame import LegColumns, PairFrame, PairSettings
from quantdesk.types import Origin
from tests.model.conftest import MINUTE, START

NAN = float("nan")


def frame(z: list[float], origin: Origin = Origin.LIVE, live_since: int | None = START, epoch: int = 1) -> PairFrame:
    n = len(z)
    columns = dict.fromkeys(("spread", "spread_upper", "spread_lower", "correlation"), np.full(n, NAN))
    return PairFrame(
        1, epoch, origin, live_since, MINUTE, PairSettings("BTCUSDT", "ETHUSDT"),
        START + MINUTE * np.arange(n), LegColumns.empty(n), LegColumns.empty(n), z=np.array(z, float),
        alpha=0.0, beta=1.0, formation=None, formation_settled=True, fit=None, refits=(), observations=n, **columns,
    )  # fmt: skip


def test_a_crossing_fires_once_until_z_was_small_again(qtbot):
    model = AlertModel()
    model.judge(frame([0.1]))
    with qtbot.waitSignal(model.fired):
        found = model.judge(frame([0.1, 2.1, 2.5, 1.6, 2.2, 1.4, -2.0]))
    assert [(e.time_ms, e.z, e.kind, e.popup) for e in found] == [
        (START + MINUTE, 2.1, CROSS, True),
        (START + 6 * MINUTE, -2.0, CROSS, True),
    ]
    assert model.judge(frame([0.1, 2.1, 2.5, 1.6, 2.2, 1.4, -2.0])) == []
    assert found[0].text == "BTCUSDT / ETHUSDT  z +2.10  (1m bar of 2024-07-03 10:01:00 UTC)"


def test_a_z_beyond_the_level_at_start_is_a_row_without_popup():
    model = AlertModel()
    (event,) = model.judge(frame([0.0, 2.5]))
    assert (event.kind, event.popup) == (AT_START, False)
    assert model.judge(frame([0.0, 2.5, 2.6])) == []


@given(
    st.lists(st.one_of(st.just(NAN), st.floats(-4, 4)), min_size=2, max_size=60),
    st.lists(st.integers(1, 60), max_size=8),
    st.integers(1, 60),
)
def test_events_are_the_same_bar_by_bar_or_in_blocks(z, cuts, first):
    first = min(first, len(z))

    def run(ends: list[int]) -> list[tuple[int, float, str]]:
        model = AlertModel()
        for end in [first, *ends, len(z)]:
            model.judge(frame(z[:end]))
        return [(e.time_ms, e.z, e.kind) for e in model.events]

    by_bar = run(list(range(first, len(z))))
    finite = [v for v in z[:first] if v == v]
    if finite:  # the first frame with a z arms: blocks must not move it
        assert by_bar == run(sorted(c for c in cuts if c >= first))
    armed, last = True, 0
    for event in by_bar:
        assert abs(event[1]) >= 2.0
        row = (event[0] - START) // MINUTE
        assert armed or any(abs(v) < 1.5 for v in z[last:row])
        last, armed = row, False


def test_a_bar_that_only_one_leg_had_closed_is_judged_when_the_other_closes():
    model = AlertModel()
    model.judge(frame([0.0, NAN]))
    assert [e.time_ms for e in model.judge(frame([0.0, 2.4]))] == [START + MINUTE]


@pytest.mark.parametrize("origin", [Origin.REPLAY, Origin.SIMULATED, Origin.FILE])
def test_what_is_not_the_market_never_pops_up_and_is_marked(origin):
    model = AlertModel()
    model.judge(frame([0.0], origin))
    (event,) = model.judge(frame([0.0, 3.0], origin))
    assert not event.popup and event.text.startswith(f"{origin.value.upper()}: ")


def test_history_filling_in_behind_never_pops_up():
    model = AlertModel()
    live_since = START + 3 * MINUTE + 1_000
    model.judge(frame([0.0], live_since=live_since))
    found = model.judge(frame([0.0, 3.0, 0.0, 3.0], live_since=live_since))
    assert [(e.popup, e.origin) for e in found] == [(False, Origin.HISTORY), (True, Origin.LIVE)]
    assert found[0].text.startswith("HISTORY: ")


def test_an_hour_without_connection_is_no_news_afterwards():
    model = AlertModel()
    model.judge(frame([0.0]))
    found = model.judge(frame([0.0, 3.0, *[0.0] * 60, 3.0]))
    assert [e.popup for e in found] == [False, True]


def test_another_pair_or_window_arms_silently():
    model = AlertModel()
    model.judge(frame([0.0]))
    changed = frame([0.0, 0.0, 0.5])
    model.judge(replace(changed, settings=replace(changed.settings, window=90)))
    assert model.events == ()
    model.judge(frame([0.0, 3.0, 0.5], epoch=2))
    assert model.events == ()


def test_another_level_counts_the_newest_z_as_known():
    model = AlertModel()
    model.judge(frame([0.0, 1.8]))
    model.set_rules([z_rule(1.7, 1.0)])
    assert model.judge(frame([0.0, 1.8, 1.9])) == []
    assert len(model.judge(frame([0.0, 1.8, 1.9, 0.9, 1.75]))) == 1
    model.set_rules([z_rule(2.5, 1.0)])
    assert len(model.judge(frame([0.0, 1.8, 1.9, 0.9, 1.75, 2.6]))) == 1


def test_alerts_switched_off_keep_count_and_do_not_catch_up():
    model = AlertModel([z_rule(enabled=False)])
    model.judge(frame([0.0]))
    assert model.judge(frame([0.0, 3.0])) == []
    model.set_rules([z_rule()])
    assert model.judge(frame([0.0, 3.0, 3.1])) == []
    assert len(model.judge(frame([0.0, 3.0, 3.1, 0.0, 3.0]))) == 1


@pytest.mark.parametrize(("level", "rearm"), [(0, 0), (2, 2.5), (-1, -2), (NAN, 1), (float("inf"), 1)])
def test_a_senseless_rule_is_refused(level, rearm):
    with pytest.raises(ConfigError):
        z_rule(level, rearm)


def test_the_table_is_bounded():
    model = AlertModel()
    model.judge(frame([0.0]))
    model.judge(frame([0.0, *[3.0, 0.0] * (MOST_EVENTS + 50)]))
    assert len(model.events) == MOST_EVENTS
    model.clear()
    assert model.events == ()
