import asyncio

from quantdesk.simulator.clock import VirtualClock, WallClock


async def test_a_virtual_clock_wakes_sleepers_in_order_when_it_is_moved():
    clock = VirtualClock(1_000)
    woken = []

    async def sleeper(name, seconds):
        await clock.sleep(seconds)
        woken.append((name, clock.now_ms()))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 3))
        group.create_task(sleeper("early", 1))
        await asyncio.sleep(0)
        await clock.advance(2, step=0.5)
        assert woken == [("early", 2_000)]
        clock.jump(86_400)
    assert woken[1] == ("late", 86_403_000)


async def test_a_wall_clock_runs_as_fast_as_told_and_never_back():
    clock = WallClock(speed=1_000, start_ms=5)
    before = clock.now_ms()
    await clock.sleep(5)
    assert before >= 5
    assert clock.now_ms() - before >= 5_000
