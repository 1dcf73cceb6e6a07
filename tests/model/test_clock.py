from __future__ import annotations

from quantdesk.model.clock import FrameClock


def test_any_number_of_marks_makes_one_tick(qtbot):
    clock, ticks = FrameClock(), []
    clock.tick.connect(lambda: ticks.append(1))
    with qtbot.waitSignal(clock.tick, timeout=5_000):
        for _ in range(1_000):
            clock.mark()
    qtbot.wait(100)
    assert len(ticks) == 1


def test_an_unmarked_clock_rests(qtbot):
    clock, ticks = FrameClock(), []
    clock.tick.connect(lambda: ticks.append(1))
    qtbot.wait(80)
    assert ticks == []


def test_a_clock_marked_without_end_keeps_its_rate(qtbot):
    clock, ticks = FrameClock(rate=20), []

    def on_tick():
        ticks.append(1)
        clock.mark()

    clock.tick.connect(on_tick)
    clock.mark()
    qtbot.wait(300)
    clock.stop()
    assert 1 <= len(ticks) <= 8


def test_a_flush_ticks_at_once_and_only_when_a_tick_is_due(qtbot):
    clock, ticks = FrameClock(), []
    clock.tick.connect(lambda: ticks.append(1))
    clock.flush()
    assert ticks == []
    clock.mark()
    clock.flush()
    assert ticks == [1]
    qtbot.wait(80)
    assert ticks == [1]
