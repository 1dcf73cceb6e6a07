"""Run a small exchange on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from quantdesk.simulator.clock import VirtualClock
from quantdesk.simulator.exchange import Exchange
from quantdesk.simulator.server import SimulatorServer
from quantdesk.simulator.synthetic import SyntheticSource

#: 2026-11-23T00:07:30Z
START = 1_795_392_450_000


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def exchange(clock: VirtualClock) -> Exchange:
    return Exchange(SyntheticSource(7, 20.0), clock, history_minutes=20)


@pytest_asyncio.fixture
async def server(exchange: Exchange) -> AsyncIterator[SimulatorServer]:
    made = SimulatorServer(exchange)
    await made.start()
    yield made
    await made.stop()
