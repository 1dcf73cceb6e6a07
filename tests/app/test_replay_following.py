"""The same records and rules bring the same bars, frames and alerts, however one got there."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Comparison, Gates, Rule, z_rule
from quantdesk.ingest.transport import FASTEST, TransportState
from quantdesk.types import Origin
from tests.app.replays import MINUTE, Played, play, tape

START = MINUTE * 60_000
RULES = (
    z_rule(),
    Rule("price", "price", Metric.PRICE_Y, Comparison.AT_LEAST, 1.0, 1.0),
    Rule("volume", "volume", Metric.VOLUME_X, Comparison.AT_LEAST, 1.0, 0.5, gates=Gates(max_age_seconds=30.0)),
)


def whole_run(app, speed: float, **more) -> list[tuple[object, ...]]:
    async def act(at: Played) -> None:
        at.transport.play()
        await at.rests(TransportState.ENDED)

    return play(app, act, tape(1), rules=RULES, speed=speed, **more).fired()


@lru_cache(maxsize=1)
def golden(app) -> list[tuple[object, ...]]:
    return whole_run(app, FASTEST)


@pytest.mark.parametrize("speed", [100.0, 1_000.0])
def test_the_alerts_are_the_same_at_every_speed(qapp, speed: float) -> None:
    assert len(golden(qapp)) > 5
    assert whole_run(qapp, speed) == golden(qapp)


def test_stepping_bar_by_bar_brings_every_bar_and_the_same_alerts(qapp) -> None:
    seen: list[int] = []

    async def act(at: Played) -> None:
        await at.at(1)
        while at.transport.state is not TransportState.ENDED:
            at.transport.step()
            await at.rests_or_ends()
            frame = at.pair.frame
            if frame is not None and frame.last.time is not None:
                seen.append(frame.last.time)

    played = play(qapp, act, tape(1), rules=RULES)
    assert played.fired() == golden(qapp)
    steps = sorted(set(seen))
    assert [b - a for a, b in pairwise(steps)] == [1_000] * (len(steps) - 1)


def test_every_step_to_the_next_alert_rests_at_the_bar_that_raised_it(qapp) -> None:
    stops: list[tuple[int, int]] = []

    async def act(at: Played) -> None:
        await at.at(1)
        while True:
            before = len(at.alerts.events)
            at.transport.next_alert()
            await at.rests_or_ends()
            if at.transport.state is TransportState.ENDED:
                return
            newest = at.alerts.events[-1]
            assert len(at.alerts.events) > before
            stops.append((newest.time_ms, at.transport.position or 0))

    played = play(qapp, act, tape(1), rules=(z_rule(),))
    assert [time for time, _ in stops] == [e.time_ms for e in played.alerts.events]
    assert all(1_000 <= position - time < 3_000 for time, position in stops), stops


@settings(max_examples=6)
@given(
    places=st.lists(st.integers(2_000, 58_000), min_size=1, max_size=4),
    end=st.integers(20_000, 50_000),
    speed=st.sampled_from([300.0, FASTEST]),
)
def test_a_place_reached_by_scrubbing_is_the_place_reached_by_playing(qapp, places, end, speed) -> None:
    async def playing(at: Played) -> None:
        at.transport.seek(START + end)
        await at.at(START + end)
        await at.rests()

    async def scrubbing(at: Played) -> None:
        for place in places:
            at.transport.play()
            await asyncio.sleep(0.01)
            at.transport.seek(START + place)
            at.following.hurry(bool(place % 2))
            await asyncio.sleep(0.005 * (place % 7))
        at.transport.pause()
        at.following.hurry(False)
        at.transport.seek(START)
        at.transport.seek(START + end)
        await at.rests()

    straight, scrubbed = (play(qapp, act, tape(1), rules=RULES, speed=speed) for act in (playing, scrubbing))
    assert scrubbed.transport.position == straight.transport.position
    assert scrubbed.fired() == straight.fired()
    assert scrubbed.shown() == straight.shown()


def test_rules_that_go_by_slow_tests_fire_alike_at_every_speed(qapp) -> None:
    rules = (
        Rule("half", "half-life", Metric.HALF_LIFE, Comparison.AT_MOST, 50.0, 60.0),
        z_rule(),
        Rule("gated", "gated", Metric.Z, Comparison.BEYOND, 1.0, 0.5, gates=Gates(p_below=0.5)),
    )

    def run(speed: float) -> list[tuple[object, ...]]:
        async def act(at: Played) -> None:
            at.transport.play()
            await at.rests(TransportState.ENDED)

        return play(qapp, act, tape(2), rules=rules, speed=speed).fired()

    fast = run(FASTEST)
    assert {"half", "gated"} <= {rule for rule, *_ in fast}
    assert run(300.0) == fast


def test_nothing_replayed_pops_up_or_counts_for_the_market(qapp) -> None:
    async def act(at: Played) -> None:
        at.transport.play()
        await at.rests(TransportState.ENDED)
        assert at.alerts.record_of(RULES[0]).firings > 0

    played = play(qapp, act, tape(1), rules=RULES, speed=FASTEST)
    assert not played.popups
    assert {event.origin for event in played.alerts.events} == {Origin.REPLAY}
    assert played.alerts.log.record_of(RULES[0], Origin.LIVE).firings == 0
