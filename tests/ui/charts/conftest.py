from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from quantdesk.model.clock import FrameClock
from quantdesk.model.frame import PairFrame
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.acts import settle
from tests.ui.charts.frames import Pair, build


@dataclass
class Desk:
    pair: Pair
    clock: FrameClock
    stack: ChartStack


@pytest.fixture(scope="session")
def make() -> Callable[..., PairFrame]:
    return build


@pytest.fixture
def desk(qtbot, qtlog) -> Iterator[Desk]:
    """Show a stack of 1200x800; a Qt warning or an error while painting fails the test."""
    pair, clock = Pair(), FrameClock()
    stack = ChartStack(pair, clock, DARK)
    stack.resize(1200, 800)
    qtbot.addWidget(stack)
    with qtbot.waitExposed(stack):
        stack.show()
    yield Desk(pair, clock, stack)
    loud = [r.message for r in qtlog.records if not r.ignored]
    assert not loud


@pytest.fixture
def full(desk, make):
    desk.pair.show(make(1_000))
    settle(desk)
    return desk
