"""Follow the trades of the pair on screen: while somebody looks, jobs turn them into findings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from quantdesk.model.pair import PairModel
from quantdesk.model.recent_trades import TradePrices
from quantdesk.model.source import SeriesSource
from quantdesk.model.tick_order import TickOrder, TickSettings
from quantdesk.types import Origin

if TYPE_CHECKING:
    from quantdesk.model.tick_findings import TickFindings

TICKS = "ticks"
#: Findings are made anew at most this often; without any, every second.
PAUSE_MS = 5_000
_LOOK_MS = 1_000


class Standing(StrEnum):
    """Say why there are findings or not."""

    NO_PAIR = "no pair"
    BARS_ONLY = "bars only"
    NO_TRADES = "no trades"
    COMPUTING = "computing"
    FAILED = "failed"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class TickState:
    """Hold how things stand; ``legs`` are the symbols it is about, ``error`` what a failed job said."""

    standing: Standing
    legs: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Tell one question from another: the same trades with the same settings have the same findings."""

    epoch: int
    trades: tuple[tuple[int, int, int], ...]  # number, first time, last id of each leg


class TickStatistics(QObject):
    """Keep the newest findings of the pair's trades; ``changed`` = other findings or another state.

    It rests until ``watch`` tells that somebody needs them: a panel that can be seen, an alert rule.
    ``latest`` is None until there are some; a new pair, source or setting takes them away.
    """

    changed = Signal()

    def __init__(self, pair: PairModel, settings: TickSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pair, self._jobs = pair, pair.jobs
        self._settings = settings or TickSettings()
        self._watchers: set[str] = set()
        self._latest: TickFindings | None = None
        self._state = TickState(Standing.NO_PAIR)
        self._shown = (pair.source, pair.settings.y, pair.settings.x)
        self._epoch = 0
        self._asked: _Asked | None = None
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._on_timer)
        pair.settings_changed.connect(self._on_pair)

    @property
    def settings(self) -> TickSettings:
        """Return the window and the largest age of a price."""
        return self._settings

    @property
    def latest(self) -> TickFindings | None:
        """Return the newest findings of the pair on screen, or None."""
        return self._latest

    @property
    def state(self) -> TickState:
        """Return how things stand."""
        return self._state

    @property
    def is_watched(self) -> bool:
        """Tell whether it works."""
        return self._timer.isActive()

    def set_settings(self, settings: TickSettings) -> None:
        """Look at another window, or let prices be of another age."""
        if settings != self._settings:
            self._settings = settings
            self._start_anew()

    def watch(self, who: str, on: bool) -> None:
        """Work while anybody watches; ``who`` is told apart by name."""
        self._watchers.add(who) if on else self._watchers.discard(who)
        if bool(self._watchers) == self._timer.isActive():
            return
        if self._watchers:
            self._timer.start()
            self.refresh()
        else:
            self._timer.stop()

    @Slot()
    def refresh(self) -> None:
        """Ask for findings of the trades that are there now, unless the same were asked for already."""
        order = self._order()
        if order is None or self._jobs.busy(TICKS):
            return
        asked = _Asked(self._epoch, _marks(order.y, order.x))
        if asked == self._asked:
            return
        self._asked = asked
        self._since.start()
        if self._latest is None:
            self._tell(None, TickState(Standing.COMPUTING))
        epoch = self._epoch
        self._jobs.submit(
            TICKS, lambda: _evaluate(order), lambda f: self._on_found(epoch, f), lambda e: self._on_failed(epoch, e)
        )

    def _order(self) -> TickOrder | None:
        """Return what a job needs, or None after saying why there is nothing to do."""
        source, pair = self._pair.source, self._pair.settings
        names = (pair.y, pair.x)
        if source is None or not all(names):
            self._tell(None, TickState(Standing.NO_PAIR))
            return None
        held = {name: source.trades(name) for name in names}
        bars_only = tuple(name for name, trades in held.items() if trades is None)
        if bars_only:
            self._tell(None, TickState(Standing.BARS_ONLY, bars_only))
            return None
        legs = [trades for trades in held.values() if trades is not None]
        silent = tuple(name for name, trades in zip(names, legs, strict=True) if len(trades) == 0)
        if silent:
            self._tell(None, TickState(Standing.NO_TRADES, silent))
            return None
        return TickOrder(*names, self._settings, legs[0], legs[1], _end(source, legs))

    def _tell(self, found: TickFindings | None, state: TickState) -> None:
        if found is not self._latest or state != self._state:
            self._latest, self._state = found, state
            self.changed.emit()

    def _start_anew(self) -> None:
        self._epoch += 1
        self._asked = None
        self._tell(None, TickState(Standing.COMPUTING))
        if self.is_watched:
            self.refresh()

    @Slot()
    def _on_timer(self) -> None:
        without = self._latest is None or bool(self._latest.reason)
        if without or not self._since.isValid() or self._since.hasExpired(PAUSE_MS):
            self.refresh()

    @Slot()
    def _on_pair(self) -> None:
        shown = (self._pair.source, self._pair.settings.y, self._pair.settings.x)
        if shown != self._shown or self._is_another_file():
            self._shown = shown
            self._start_anew()

    def _is_another_file(self) -> bool:
        """Tell whether the files, whose trades never change, have given way to others of the same names."""
        source, pair = self._pair.source, self._pair.settings
        if source is None or source.origin is not Origin.FILE or self._asked is None:
            return False
        legs = [source.trades(name) for name in (pair.y, pair.x) if name]
        return self._asked.trades != _marks(*(leg for leg in legs if leg is not None))

    def _on_found(self, epoch: int, found: TickFindings) -> None:
        if epoch == self._epoch:
            self._tell(found, TickState(Standing.READY))
        elif self.is_watched:
            self.refresh()

    def _on_failed(self, epoch: int, error: Exception) -> None:
        if epoch == self._epoch:
            self._tell(None, TickState(Standing.FAILED, error=str(error)))
        elif self.is_watched:
            self.refresh()


def _evaluate(order: TickOrder) -> TickFindings:
    # The estimators are imported in the pool, when somebody asks for the first time.
    from quantdesk.model.tick_findings import evaluate

    return evaluate(order)


def _marks(*legs: TradePrices) -> tuple[tuple[int, int, int], ...]:
    """Return what tells the trades of legs from others."""
    return tuple((len(t), int(t.times[0]), int(t.ids[-1])) if len(t) else (0, 0, 0) for t in legs)


def _end(source: SeriesSource, legs: list[TradePrices]) -> int:
    """Return where the window ends (ms): at the newest trade, in files at the last time both legs trade."""
    newest = [int(leg.times[-1]) for leg in legs]
    return min(newest) if source.origin is Origin.FILE else max(newest)
