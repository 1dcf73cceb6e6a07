"""Bring the states of feed and store to status bar and banner."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Slot

from quantdesk.model.market import MarketModel
from quantdesk.model.pair import PairModel
from quantdesk.types import Light, Origin
from quantdesk.ui.actions import ActionRegistry
from quantdesk.ui.banner import Banner
from quantdesk.ui.status_bar import DeskMode, DeskStatusBar

_AGES_EVERY_MS = 250


class StatusFlow(QObject):
    """Follow a market model's states; ``run`` while the window can be seen."""

    def __init__(self, pair: PairModel, actions: ActionRegistry, banner: Banner, bar: DeskStatusBar) -> None:
        super().__init__(bar)
        self._pair = pair
        self._actions = actions
        self._banner = banner
        self._bar = bar
        self._market: MarketModel | None = None
        self._mode = DeskMode()
        self._since_exchange = QElapsedTimer()
        self._exchange_ms: int | None = None
        self._ages = QTimer(self)
        self._ages.setInterval(_AGES_EVERY_MS)
        self._ages.timeout.connect(self._show_ages)

    def set_market(self, market: MarketModel) -> None:
        """Follow another market."""
        if self._market is not None:
            self._market.status_changed.disconnect(self.refresh)
        self._market = market
        market.status_changed.connect(self.refresh, Qt.ConnectionType.UniqueConnection)
        self.refresh()

    def set_mode(self, mode: DeskMode) -> None:
        """Show another mode, and offer only what makes sense in it."""
        self._mode = mode
        live = mode.origin in (Origin.LIVE, Origin.HISTORY)
        streaming = live or mode.origin is Origin.SIMULATED
        self._actions["file.live"].setEnabled(not live)
        self._actions["market.simulate"].setEnabled(mode.origin is not Origin.SIMULATED)
        self._actions["market.reconnect"].setEnabled(streaming)
        self._actions["market.add"].setEnabled(streaming)
        self._bar.show_mode(mode)
        words = self.tr("Another quantdesk writes to this store: this window shows the market but keeps nothing.")
        self._put("read-only", "info", words if mode.read_only else "")
        self.refresh()

    def run(self, running: bool) -> None:
        """Count the ages of the last trades, or rest."""
        if running:
            self._ages.start()
        else:
            self._ages.stop()

    @Slot()
    def refresh(self) -> None:
        """Show the present states."""
        if self._market is None:
            return
        feed, store = self._market.feed_status, self._market.store_status
        self._bar.show_feed(feed)
        self._bar.show_store(store)
        cut_off = feed.light is Light.RED and self._mode.origin is not Origin.FILE
        ways = [self._actions["file.open"]]
        if self._mode.origin is not Origin.SIMULATED:
            ways.insert(0, self._actions["market.simulate"])
        if cut_off and feed.text:
            self._banner.show_notice("feed", "error", sentence(feed.text), ways)
        else:
            self._banner.clear_notice("feed")
        troubled = store.light in (Light.RED, Light.AMBER) and not self._mode.read_only
        self._put("store", "error" if store.light is Light.RED else "warning", store.text if troubled else "")

    def _put(self, key: str, level: str, text: str) -> None:
        if text:
            self._banner.show_notice(key, level, sentence(text))
        else:
            self._banner.clear_notice(key)

    @Slot()
    def _show_ages(self) -> None:
        market, settings = self._market, self._pair.settings
        if market is None:
            return
        now = market.exchange_ms
        if now != self._exchange_ms:
            self._exchange_ms = now
            self._since_exchange.start()
        if now is None or self._mode.origin is Origin.FILE:
            self._bar.show_ages(settings.y, None, settings.x, None)
            return
        # The exchange's clock goes on while it is silent.
        now += int(self._since_exchange.elapsed())
        then = [market.quote(leg).last_trade_ts if leg else None for leg in (settings.y, settings.x)]
        ages = [None if ts is None else float(now - ts) for ts in then]
        self._bar.show_ages(settings.y, ages[0], settings.x, ages[1])


def sentence(text: str) -> str:
    """Write a state's short text as sentences; what comes next stands in one of its own."""
    state, comma, rest = text.strip().partition(", retrying")
    words = f"{state}. Retrying{rest}" if comma else state
    words = words[:1].upper() + words[1:]
    return words if not words or words.endswith((".", "!", "?", "…")) else f"{words}."
