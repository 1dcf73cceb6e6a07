"""Cycles are collected on the main thread alone, however busy the others are."""

from __future__ import annotations

import gc
import threading

import pytest

from quantdesk.app.memory import Collector


class Ring:
    """Hold itself, and tell on which thread it went."""

    def __init__(self, gone: list[int]) -> None:
        self.itself, self._gone = self, gone

    def __del__(self) -> None:
        self._gone.append(threading.get_ident())


@pytest.fixture
def collector(qapp):
    made = Collector()
    made.start()
    yield made
    made.stop()
    gc.unfreeze()


def allocate() -> None:
    """Allocate what makes Python's own collector run several times."""
    for _ in range(50_000):
        ring: list[object] = []
        ring.append(ring)


def test_a_ring_goes_on_the_main_thread_while_another_allocates(collector: Collector, qtbot) -> None:
    gone: list[int] = []
    Ring(gone)
    worker = threading.Thread(target=allocate)
    worker.start()
    worker.join()
    assert gone == []
    qtbot.waitUntil(lambda: gone == [threading.get_ident()], timeout=10_000)


def test_all_generations_come_to_their_turn(collector: Collector) -> None:
    before = [each["collections"] for each in gc.get_stats()]
    kept: list[list[list[object]]] = []
    for _ in range(300):
        kept.append([[] for _ in range(1_000)])
        collector.collect()
    after = [each["collections"] for each in gc.get_stats()]
    assert all(late > early for early, late in zip(before, after, strict=True))


def test_python_collects_by_itself_again_afterwards(collector: Collector) -> None:
    assert not gc.isenabled()
    collector.stop()
    assert gc.isenabled()
