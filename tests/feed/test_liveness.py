"""Only frames prove a stream; what is silent is renewed, what is dead is left."""

from __future__ import annotations

import pytest

from quantdesk.config import FeedLimits
from quantdesk.feed.liveness import Liveness

LIMITS = FeedLimits()
MARKET = ("x@aggTrade", "x@kline_1m", "x@markPrice@1s")


def opened(*streams: str) -> Liveness:
    live = Liveness(LIMITS, 0.0)
    live.want(streams or MARKET)
    message = live.next_control(0.0)
    assert message is not None
    assert message.method == "SUBSCRIBE"
    live.on_ack(message.id)
    return live


def test_acknowledged_but_never_data_is_said_in_ten_seconds_and_left_after_twenty() -> None:
    live = opened()
    assert live.complaint(9.0) == ""
    assert live.check(10.1) is None
    assert live.complaint(10.1) == "subscribed, no data"
    renewal = [live.next_control(10.2), live.next_control(10.5)]
    assert [m.method for m in renewal if m] == ["UNSUBSCRIBE", "SUBSCRIBE"]
    assert live.check(20.1) == "subscribed, no data"


def test_a_dead_market_route_is_left_after_five_seconds() -> None:
    live = opened()
    for name in MARKET:
        live.on_frame(name, 1.0)
    assert live.check(5.9) is None
    assert live.check(6.1) == "no data for 5 s"


def test_a_line_that_dies_before_the_first_heartbeat_is_left_after_ten_seconds() -> None:
    live = opened()
    live.on_frame("x@aggTrade", 0.3)
    assert live.check(10.2) is None
    assert live.check(10.4) == "no data for 10 s"


def test_one_silent_stream_is_renewed_alone_and_ever_more_seldom() -> None:
    live = opened()
    for name in MARKET:
        live.on_frame(name, 0.0)
    renewed = []
    for second in range(1, 400):
        live.on_frame("x@markPrice@1s", float(second))
        live.on_frame("x@kline_1m", float(second))
        assert live.check(float(second)) is None
        while (message := live.next_control(float(second))) is not None:
            live.on_ack(message.id, MARKET if message.method == "LIST_SUBSCRIPTIONS" else None, float(second))
            if message.method == "LIST_SUBSCRIPTIONS":
                continue
            assert message.streams == ("x@aggTrade",)
            if message.method == "SUBSCRIBE":
                renewed.append(second)
    assert renewed[0] == LIMITS.public_silence + 1
    assert len(renewed) == 3


def test_a_busy_program_does_not_take_its_own_pause_for_silence() -> None:
    live = opened()
    for name in MARKET:
        live.on_frame(name, 1.0)
    live.forgive(20.0)
    assert live.check(21.5) is None


def test_a_lost_acknowledgement_is_asked_for_again_only_where_no_data_come() -> None:
    silent, lucky = Liveness(LIMITS, 0.0), Liveness(LIMITS, 0.0)
    for live in (silent, lucky):
        live.want(["x@bookTicker"])
        assert live.next_control(0.0)
    lucky.on_frame("x@bookTicker", 1.0)
    assert lucky.next_control(5.1) is None
    again = silent.next_control(5.1)
    assert again is not None
    assert again.method == "SUBSCRIBE"


def test_a_refused_subscription_is_said_and_tried_again_later() -> None:
    live = Liveness(LIMITS, 0.0)
    live.want(["x@bookTicker"])
    message = live.next_control(0.0)
    assert message is not None
    live.on_error(message.id, "too many", 0.1)
    assert "too many" in live.complaint(0.2)
    assert live.next_control(1.0) is None
    assert live.next_control(5.2) is not None


def test_streams_come_and_go() -> None:
    live = opened()
    live.want(["x@aggTrade", "y@aggTrade"])
    messages = [live.next_control(1.0), live.next_control(1.3)]
    assert [(m.method, m.streams) for m in messages if m] == [
        ("UNSUBSCRIBE", ("x@kline_1m", "x@markPrice@1s")),
        ("SUBSCRIBE", ("y@aggTrade",)),
    ]


def verified(live: Liveness, now: float, listed: tuple[str, ...]) -> None:
    message = live.next_control(now)
    assert message is not None
    assert (message.method, message.streams) == ("LIST_SUBSCRIPTIONS", ())
    live.on_ack(message.id, listed, now + 0.1)


def test_after_a_subscription_and_every_few_minutes_the_exchange_is_asked_what_it_took() -> None:
    live = opened()
    for name in MARKET:
        live.on_frame(name, 0.5)
    assert live.next_control(0.9) is None
    verified(live, 1.1, MARKET)
    assert live.verified_at == pytest.approx(1.2)
    assert live.next_control(180.0) is None
    verified(live, 181.2, MARKET)
    assert live.verified_at is not None
    assert live.verified_at > 181
    assert live.lost == 0


def test_a_subscription_that_the_exchange_has_lost_is_asked_for_again_unless_its_data_come() -> None:
    live = opened()
    for name in MARKET:
        live.on_frame(name, 0.5)
    message = live.next_control(1.1)
    assert message is not None
    live.on_frame("x@kline_1m", 1.15)
    live.on_ack(message.id, ("x@markPrice@1s",), 1.2)
    assert live.verified_at is None
    again = live.next_control(1.5)
    assert again is not None
    assert (again.method, again.streams) == ("SUBSCRIBE", ("x@aggTrade",))
    assert live.lost == 1
    live.on_ack(again.id, None, 1.6)
    verified(live, 2.7, MARKET)
    assert live.verified_at == pytest.approx(2.8)


def test_a_subscription_that_nobody_wants_is_given_up() -> None:
    live = opened()
    verified(live, 1.1, (*MARKET, "y@aggTrade"))
    message = live.next_control(1.5)
    assert message is not None
    assert (message.method, message.streams) == ("UNSUBSCRIBE", ("y@aggTrade",))


def test_an_exchange_that_does_not_tell_its_list_costs_no_subscription() -> None:
    for answer in ("error", "null", "nothing"):
        live = opened()
        message = live.next_control(1.1)
        assert message is not None
        if answer == "error":
            live.on_error(message.id, "unknown method", 1.2)
        elif answer == "null":
            live.on_ack(message.id, None, 1.2)
        assert live.refusal == ""
        assert live.next_control(6.5) is None
        assert live.lost == 0
