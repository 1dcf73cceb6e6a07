"""Requests, connections and retries keep the exchange's pace."""

from __future__ import annotations

from quantdesk.config import FeedLimits
from quantdesk.feed.pace import Backoff, ConnectBudget, WeightBudget

LIMITS = FeedLimits()


def test_at_most_the_share_is_spent_in_any_minute() -> None:
    budget, now, sent = WeightBudget(LIMITS), 0.0, []
    while now < 300:
        if (wait := budget.wait(20, now)) <= 0:
            budget.spend(20, now)
            sent.append(now)
            now += 0.1
        else:
            now += wait
    for start in sent:
        assert 20 * sum(start <= t < start + 60 for t in sent) <= 1_200


def test_the_announced_limit_counts_not_the_configured_one() -> None:
    budget = WeightBudget(LIMITS)
    budget.limit = 100
    assert budget.wait(20, 0.0) == 0
    for _ in range(2):
        budget.spend(20, 0.0)
    assert budget.wait(20, 0.0) > 0


def test_what_others_use_is_heeded_until_the_minute_ends() -> None:
    budget = WeightBudget(LIMITS)
    budget.report(2_390, 10.0, 30.0)
    assert budget.wait(20, 10.0) == 30.0
    assert budget.used(11.0) == 2_390
    assert budget.wait(20, 40.0) == 0


def test_while_others_use_more_than_our_share_only_a_trickle_goes_out() -> None:
    budget = WeightBudget(LIMITS)
    budget.report(1_500, 0.0)
    assert budget.wait(20, 0.0) == 0
    budget.spend(20, 0.0)
    assert 4 < budget.wait(20, 0.5) <= 5


def test_handshakes_are_counted_in_five_minutes() -> None:
    budget = ConnectBudget(FeedLimits(connects_per_5min=2))
    budget.count(0.0)
    budget.count(10.0)
    assert budget.wait(20.0) == 280.0
    assert budget.wait(301.0) == 0.0


def backoff() -> Backoff:
    return Backoff(LIMITS, jitter=lambda: 1.0)


def test_a_start_without_network_backs_off_to_thirty_seconds() -> None:
    pace = backoff()
    assert [pace.delay() for _ in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_after_data_the_first_retry_is_at_once_and_it_is_back_within_two_seconds_for_ever() -> None:
    pace = backoff()
    pace.on_delivered()
    pace.on_stable()
    assert [pace.delay() for _ in range(7)] == [0, 0.25, 0.5, 1, 1.5, 1.5, 1.5]


def test_a_connection_that_delivers_but_does_not_last_is_no_tight_loop() -> None:
    pace = backoff()
    delays = []
    for _ in range(6):
        pace.on_delivered()
        delays.append(pace.delay())
    assert delays == [0.25, 0.5, 1, 1.5, 1.5, 1.5]


def test_a_refusal_waits_as_long_as_it_asks_for_even_after_data() -> None:
    pace = backoff()
    pace.on_stable()
    assert pace.delay(refused=True, asked_for=120.0) == 120.0


def test_an_exchange_that_answers_with_faults_after_data_is_asked_in_haste_but_not_for_ever() -> None:
    pace = backoff()
    pace.on_delivered()
    delays = [pace.delay(answered=True) for _ in range(60)]
    assert max(delays[:40]) == LIMITS.reconnect_cap
    assert delays[45:] == [LIMITS.handshake_cap] * 15
    pace.on_stable()
    assert pace.delay() == 0.0
