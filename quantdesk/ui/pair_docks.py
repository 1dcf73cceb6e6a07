"""Keep the docks that look closer at the pair: what each shows is its own file's business."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject

from quantdesk.ui.charts.zone import Zone
from quantdesk.ui.evidence_flow import EvidenceFlow
from quantdesk.ui.hedge_bench_flow import HedgeBenchFlow
from quantdesk.ui.theme_tokens import Tokens
from quantdesk.ui.tick_flow import TickFlow

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow


class PairDock(Protocol):
    """Own one dock: its content, its action in the View menu and its colours."""

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the content for the theme."""

    def set_zone(self, zone: Zone) -> None:
        """Write the content's times in another zone."""


class PairDocks(QObject):
    """Make every dock of the pair, hidden until somebody asks for it, and colour them together."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.evidence = EvidenceFlow(window)
        self.ticks = TickFlow(window)
        self.bench = HedgeBenchFlow(window)
        self._docks: Sequence[PairDock] = (self.evidence, self.ticks, self.bench)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour all of them for the theme."""
        for dock in self._docks:
            dock.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write the times of all of them in another zone."""
        for dock in self._docks:
            dock.set_zone(zone)
