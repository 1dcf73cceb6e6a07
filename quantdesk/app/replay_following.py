"""Let a replay wait until statistics and alerts have followed what was played."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import Rule
from quantdesk.ingest.transport import News
from quantdesk.model.alerts import CROSS, AlertEvent, AlertModel
from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.types import Origin

_OF_TESTS = (Metric.HALF_LIFE, Metric.COINTEGRATION_P)


class Following(QObject):
    """Follow a replay (ingest.transport.Follower): every closed bar gets its frame and is judged, in order.

    The market tells of closed bars only when asked, so that which frames are made does not depend on
    the speed. Slow tests are waited for only where a rule goes by them. ``alerted(AlertEvent)`` tells
    of each firing of the replay.
    """

    alerted = Signal(object)

    def __init__(self, market: MarketModel, pair: PairModel, alerts: AlertModel) -> None:
        super().__init__()
        self._market, self._pair, self._alerts = market, pair, alerts
        self._woken = asyncio.Event()
        self._fired = False
        self._newest: tuple[object, ...] | None = None
        self._hurries = self._owes = False
        market.tell_when_asked()
        pair.rested.connect(self._wake)
        pair.settings_changed.connect(self._wake)
        alerts.fired.connect(self._on_fired)
        alerts.rules_changed.connect(self._on_rules)
        self._on_rules()

    def begin(self) -> None:
        """Forget what was played, the alerts it brought among it."""
        self._market.restart()
        self._alerts.forget(Origin.REPLAY)
        self._newest = None
        if self._is_shown:
            self._pair.set_source(self._market, self._pair.settings)

    async def settle(self) -> News:
        """Tell what closed; return once it is in a frame and every rule has judged it."""
        self._fired = False
        self._market.tell()
        while self._is_shown and not self._is_done:
            self._woken.clear()
            await self._woken.wait()
        if self._owes and not self._hurries and self._is_shown:
            self._owes = False
            if not self._goes_by_tests:
                self._pair.test_now()  # what was left out on the way
        return News(self._has_closed(), self._fired)

    def hurry(self, on: bool) -> None:
        """Leave out what nobody sees on the way: slow tests that no rule goes by wait for the next rest."""
        self._hurries = on and not self._goes_by_tests
        self._owes = self._owes or self._hurries
        self._pair.test_seldom(self._hurries)

    def close(self) -> None:
        """Follow no more."""
        self.hurry(False)
        self._pair.rested.disconnect(self._wake)
        self._pair.settings_changed.disconnect(self._wake)
        self._alerts.fired.disconnect(self._on_fired)
        self._alerts.rules_changed.disconnect(self._on_rules)
        self._pair.test_by_bars(False)
        self._woken.set()

    @property
    def _is_shown(self) -> bool:
        return self._pair.source is self._market

    @property
    def _is_done(self) -> bool:
        return self._pair.is_current and (not self._goes_by_tests or self._pair.is_tested)

    def _has_closed(self) -> bool:
        """Return whether a bar of the view on screen (of both its legs) has closed since it was last asked."""
        frame = self._pair.frame
        if frame is None or not len(frame):
            return False
        settings = frame.settings
        newest = frame.last.time if settings.y and settings.x else int(frame.times[-1])
        found = (frame.epoch, settings.interval, newest)
        changed = newest is not None and found != self._newest
        self._newest = found
        return changed

    @Slot()
    def _wake(self) -> None:
        self._woken.set()

    @Slot()
    def _on_rules(self) -> None:
        self._goes_by_tests = any(_asks_tests(rule) for rule in self._alerts.rules)
        self._pair.test_by_bars(self._goes_by_tests)

    @Slot(object)
    def _on_fired(self, event: AlertEvent) -> None:
        if event.origin is Origin.REPLAY and self._is_shown and event.kind is CROSS:
            self._fired = True
            self.alerted.emit(event)


def _asks_tests(rule: Rule) -> bool:
    return rule.enabled and (rule.metric in _OF_TESTS or rule.gates.p_below is not None)
