"""Show what is known of the data: coverage, gaps, connections, latency, queues and bad frames."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedLayout,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from quantdesk.model.market import MarketModel
from quantdesk.types import FeedReport
from quantdesk.ui import feed_facts
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.coverage_strip import CoverageStrip
from quantdesk.ui.fact_table import FactTable
from quantdesk.ui.theme_tokens import Tokens

REFRESH_MS = 500
_HEIGHT = 270


class DataPanel(QWidget):
    """Look at a feed twice a second while it can be seen.

    ``report`` is asked for a fresh FeedReport, None while there is no feed; ``market`` for the model it feeds.
    """

    def __init__(self, tokens: Tokens, market: Callable[[], MarketModel], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("data_panel")
        self.setAccessibleName(self.tr("Data"))
        self.report: Callable[[], FeedReport | None] = lambda: None
        self._market, self._zone = market, UTC_ZONE
        self.strip = CoverageStrip(tokens, self)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(self.tr("Views of the data"))
        self.tabs.tabBar().setAccessibleName(self.tr("Views of the data"))
        self._make_tables()
        self.connections = self._words()
        self._facts = QGridLayout()
        self._values: dict[str, QLabel] = {}
        self.tabs.addTab(self._coverage_page(), self.tr("Coverage and gaps"))
        self.tabs.addTab(self._feed_page(), self.tr("Feed and queues"))
        self.tabs.addTab(self._stacked(self.frames, self.tr("No bad frame has come.")), self.tr("Quarantine"))
        self.empty = self._words(self.tr("There is no feed to look at: an opened file or a replay has none."))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.tabs)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the strip for the theme."""
        self.strip.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._zone = zone
        self.strip.set_zone(zone)
        self._name_zone()
        if self.isVisible():
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the present state."""
        report, market = self.report(), self._market()
        self._pages.setCurrentWidget(self.tabs if report is not None else self.empty)
        if report is None:
            return
        self.strip.show_symbols(report.symbols, report.at_ms)
        self.symbols.show_rows(feed_facts.symbol_rows(report))
        self._show(self.gaps, feed_facts.gap_rows(report, self._zone))
        self._show(self.cuts, feed_facts.cut_rows(report, self._zone))
        self._show(self.frames, feed_facts.frame_rows(report, self._zone))
        self.connections.setText(feed_facts.connection_text(report))
        for name, value in feed_facts.facts(report, market.store_status, market.latency.report()).items():
            self._show_fact(name, value)

    def sizeHint(self) -> QSize:
        """Ask for a strip and a few rows below the charts."""
        return QSize(900, _HEIGHT)

    def fact(self, name: str) -> str:
        """Return a number by its name."""
        return self._values[name].text()

    def showEvent(self, event: QShowEvent) -> None:
        """Look while there is somebody to see it."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self._timer.stop()

    @property
    def is_looking(self) -> bool:
        """Tell whether it refreshes itself."""
        return self._timer.isActive()

    def _make_tables(self) -> None:
        tr = self.tr
        counts = (tr("New trades"), tr("Duplicates"), tr("Refused"), tr("Open"))
        ended = (tr("Filled"), tr("Expired"), tr("Missing"), tr("Requests"))
        self.symbols = FactTable(tr("Symbols"), (tr("Symbol"), *counts, *ended), self, numbers=range(1, 9))
        span = (tr("From"), tr("To"), tr("Trades"), tr("Requests"), tr("Ids"))
        self.gaps = FactTable(tr("Gaps, newest first"), (tr("Symbol"), tr("State"), *span), self, numbers=(4, 5))
        cuts = (tr("Time"), tr("Route"), tr("Lasted"), tr("Reason"))
        self.cuts = FactTable(tr("Connections that ended"), cuts, self, numbers=(2,))
        frames = (tr("Time"), tr("Reason"), tr("Bytes"), tr("Frame"))
        self.frames = FactTable(tr("Bad frames, newest first"), frames, self, numbers=(2,))
        self._name_zone()

    def _name_zone(self) -> None:
        """Say in the heads whose clock the times are of."""
        since, time = self.tr("From ({0})"), self.tr("Time ({0})")
        for table, column, words in ((self.gaps, 2, since), (self.cuts, 0, time), (self.frames, 0, time)):
            head = table.horizontalHeaderItem(column)
            if head is not None:
                head.setText(words.format(self._zone.title))

    def _coverage_page(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.strip)
        row = QHBoxLayout()
        row.setSpacing(1)
        row.addWidget(self.symbols, 1)
        row.addWidget(self._stacked(self.gaps, self.tr("No gap: every trade id is accounted for.")), 1)
        column.addLayout(row, 1)
        return page

    def _feed_page(self) -> QWidget:
        page, left = QWidget(self), QWidget(self)
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        self._facts.setContentsMargins(12, 8, 12, 8)
        self._facts.setHorizontalSpacing(18)
        self._facts.setVerticalSpacing(3)
        self._facts.setColumnStretch(1, 1)
        self._facts.setColumnStretch(3, 1)
        holder = QVBoxLayout(left)
        holder.setContentsMargins(0, 0, 0, 0)
        holder.addLayout(self._facts)
        holder.addStretch(1)
        area = QScrollArea(page)
        area.setAccessibleName(self.tr("Numbers of the feed"))
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(left)
        right = QVBoxLayout()
        right.setSpacing(2)
        right.addWidget(self.connections)
        right.addWidget(self._stacked(self.cuts, self.tr("No connection has been lost.")), 1)
        row.addWidget(area, 3)
        row.addLayout(right, 2)
        return page

    def _stacked(self, table: FactTable, empty: str) -> QWidget:
        page = QWidget(self)
        stack = QStackedLayout(page)
        words = self._words(empty)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        stack.addWidget(words)
        stack.addWidget(table)
        return page

    def _show(self, table: FactTable, rows: list[tuple[str, ...]]) -> None:
        table.show_rows(rows)
        page = table.parentWidget()
        stack = page.layout() if page is not None else None
        if isinstance(stack, QStackedLayout):
            stack.setCurrentIndex(1 if rows else 0)

    def _show_fact(self, name: str, value: str) -> None:
        label = self._values.get(name)
        if label is None:
            head, label = self._words(name), self._words()
            label.setProperty("dim", False)
            row, side = divmod(len(self._values), 2)
            self._facts.addWidget(head, row, 2 * side)
            self._facts.addWidget(label, row, 2 * side + 1)
            self._values[name] = label
        if label.text() != value:
            label.setText(value)
            label.setAccessibleName(f"{name}: {value}")

    def _words(self, text: str = "") -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setProperty("dim", True)
        label.setMargin(4)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label
