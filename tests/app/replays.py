"""Play the simulator's trades through the desk's own models, and note what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from PySide6.QtWidgets import QApplication

from quantdesk.analytics.alerts.rule import Rule, z_rule
from quantdesk.app.loop import Loop
from quantdesk.app.replay_following import Following
from quantdesk.ingest.merged_tape import MergedTape
from quantdesk.ingest.replay import Replay
from quantdesk.ingest.transport import Transport, TransportState
from quantdesk.model.alert_samples import look_of
from quantdesk.model.alerts import AlertEvent, AlertModel
from quantdesk.model.jobs import JobRunner
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel, PairSettings
from quantdesk.simulator.synthetic import SyntheticSource
from quantdesk.types import Origin, Tick

#: A minute (of the epoch) that the simulator's trades begin at.
MINUTE = 28_688_400
PATIENCE = 60.0


def simulated(minutes: int, rate: float = 5.0, seed: int = 3) -> dict[str, list[Tick]]:
    """Return the simulator's trades of two symbols."""
    source = SyntheticSource(seed=seed, rate=rate)
    return {
        leg.symbol: [tick for m in range(minutes) for tick in source.trades(leg.symbol, MINUTE + m).ticks(leg)]
        for leg in source.listings
        if leg.symbol in ("BTCUSDT", "ETHUSDT")
    }


def tape(minutes: int = 3) -> MergedTape:
    """Return the simulator's trades of two symbols, merged by their time."""
    found = simulated(minutes)
    precision = {symbol: (Decimal("0.01"), Decimal("0.001")) for symbol in found}
    span = (MINUTE * 60_000, (MINUTE + minutes) * 60_000)
    return MergedTape(
        precision, span, lambda: [((tick.ts / 1_000, tick) for tick in ticks) for ticks in found.values()]
    )


@dataclass
class Played:
    """Hold the models that a replay runs through."""

    transport: Transport
    market: MarketModel
    pair: PairModel
    alerts: AlertModel
    following: Following
    popups: list[AlertEvent] = field(default_factory=list)

    def fired(self) -> list[tuple[object, ...]]:
        return [(e.rule.id, e.time_ms, e.kind, e.value) for e in self.alerts.events]

    def shown(self) -> dict[str, object]:
        """Return what a frame says, as plain values that can be compared."""
        frame = self.pair.frame
        assert frame is not None
        names = ("times", "spread", "z", "correlation", "spread_upper", "signal_z")
        found: dict[str, object] = {name: _plain(getattr(frame, name)) for name in names}
        bars = [self.market.series(leg, "1s") for leg in ("BTCUSDT", "ETHUSDT")]
        held = [series.arrays() for series in bars if series is not None]
        found["bars"] = [[_plain(getattr(b, n)) for n in ("open_time", "close", "volume", "trades")] for b in held]
        return found | {"last": str(frame.last), "beta": repr(frame.beta), "position": self.transport.position}

    async def rests(self, state: TransportState = TransportState.PAUSED) -> None:
        await _until(lambda: self.transport.state is state)

    async def rests_or_ends(self) -> None:
        await _until(lambda: self.transport.state is not TransportState.SEEKING)

    async def at(self, ms: int) -> None:
        await _until(lambda: (self.transport.position or 0) >= ms)


async def _until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not look():  # noqa: ASYNC110  # the transport has no event of its own to wait for
            await asyncio.sleep(0.001)


def _plain(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values).tobytes()


def play(
    app: QApplication,
    act: Callable[[Played], Awaitable[None]],
    source: MergedTape,
    *,
    rules: tuple[Rule, ...] | None = None,
    speed: float = 1.0,
    playing: bool = False,
    settings: PairSettings | None = None,
) -> Played:
    """Run a replay of a tape on a loop of its own until ``act`` has ended."""
    jobs = JobRunner()
    pair, market = PairModel(jobs), MarketModel(Origin.REPLAY)
    alerts = AlertModel(rules if rules is not None else (z_rule(),))
    following = Following(market, pair, alerts)
    played = Played(Transport(speed, playing=playing), market, pair, alerts, following)
    alerts.fired.connect(lambda event: played.popups.append(event) if event.popup else None)
    pair.changed.connect(lambda: alerts.judge(pair.frame, look_of(pair)))

    async def main() -> None:
        pair.set_source(market, settings or PairSettings("BTCUSDT", "ETHUSDT", "1s", window=20, formation_bars=30))
        replay = Replay(source, None, market, transport=played.transport, follower=following)
        running = asyncio.ensure_future(replay.run())
        try:
            await act(played)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            following.close()

    with asyncio.Runner(loop_factory=lambda: Loop(app)) as runner:
        runner.run(main())
    assert jobs.close(20)
    return played
