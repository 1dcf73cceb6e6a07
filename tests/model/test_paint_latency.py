"""A trade's way to the screen is measured from its receipt to the last panel that was painted."""

from __future__ import annotations

from quantdesk.model.paint_latency import MOST_WAITING, PaintLatency


class Clock:
    def __init__(self) -> None:
        self.ms = 0.0

    def __call__(self) -> int:
        return int(self.ms * 1e6)


def latency(*shown: str) -> tuple[PaintLatency, Clock]:
    clock = Clock()
    made = PaintLatency(clock)
    made.shown = frozenset(shown)
    return made, clock


def test_each_trade_counts_from_its_receipt_to_the_paint_that_shows_it():
    made, clock = latency("BTCUSDT")
    made.received("BTCUSDT")
    clock.ms = 10
    made.received("BTCUSDT")
    made.pulled()
    clock.ms = 12
    made.received("BTCUSDT")  # too late for this paint
    clock.ms = 14
    made.painted()
    clock.ms = 20
    made.painted()  # the last panel
    report = made.report()
    assert (report.samples, report.p50) == (2, 15.0)
    made.pulled()
    clock.ms = 32
    made.painted()
    assert made.report().samples == 3


def test_trades_that_nobody_sees_are_not_counted():
    made, clock = latency("BTCUSDT")
    made.received("SOLUSDT")
    made.pulled()
    made.painted()
    assert made.report().p50 is None
    made.received("BTCUSDT")
    made.forget()
    clock.ms = 60_000
    made.pulled()
    made.painted()
    assert made.report().samples == 0


def test_what_waits_is_bounded():
    made, _ = latency("BTCUSDT")
    for _ in range(3):
        for _ in range(MOST_WAITING + 5):
            made.received("BTCUSDT")
        made.pulled()
    made.painted()
    assert made.report().samples == MOST_WAITING
