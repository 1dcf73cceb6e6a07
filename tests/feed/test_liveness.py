"""Only frames prove a stream; what is silent is renewed, what is dead is left."""

from __future__ import annotations

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
            live.on_ack(message.id)
            assert message.streams == ("x@aggTrade",)
            if message.method == "SUBSCRIBE":
                renewed.append(second)
    assert renewed[0] == 31
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
