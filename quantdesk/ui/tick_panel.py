"""Show what the trades of the pair tell: who leads, the correlation of ticks, Epps curve and lead-lag."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from quantdesk.model.pair import PairModel
from quantdesk.model.tick_findings import TickFindings
from quantdesk.model.tick_order import AGES_MS, MINUTES, TickSettings
from quantdesk.model.tick_statistics import TickStatistics
from quantdesk.ui import tick_words
from quantdesk.ui.charts.zone import UTC_ZONE, Zone
from quantdesk.ui.epps_chart import EppsChart
from quantdesk.ui.lead_lag_chart import LeadLagChart
from quantdesk.ui.theme_tokens import Tokens


class TickPanel(QWidget):
    """Pull the newest findings when they change; ``settings_chosen(TickSettings)`` when a control is used."""

    settings_chosen = Signal(object)

    def __init__(
        self, statistics: TickStatistics, pair: PairModel, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("tick_panel")
        self.setAccessibleName(self.tr("Tick correlation"))
        self._statistics, self._pair, self._zone = statistics, pair, UTC_ZONE
        self.window_box = self._box(self.tr("Window"), [(m, self.tr("{0} min").format(m)) for m in MINUTES])
        ages = [(ms, self.tr("{0} s").format(ms // 1_000)) for ms in AGES_MS]
        self.age_box = self._box(self.tr("Oldest price"), ages)
        self.age_box.setToolTip(self.tr("A sampled price older than this counts as none; it is never carried further"))
        self.copy_button = QPushButton(self.tr("Copy"), self)
        self.copy_button.setToolTip(self.tr("Copy every number as text"))
        self.copy_button.setAccessibleName(self.tr("Copy every number as text"))
        self.copy_button.clicked.connect(self.copy)
        self.leader, self.correlation = self._words(heading=True), self._words()
        self.notes = self._words(dim=True)
        self.empty = self._words(dim=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.epps, self.lead_lag = EppsChart(tokens, self), LeadLagChart(tokens, self)
        self._facts = QGridLayout()
        self._values: dict[str, QLabel] = {}
        self._compose()
        for box in (self.window_box, self.age_box):
            box.activated.connect(self._choose)
        statistics.changed.connect(self.refresh)
        pair.settings_changed.connect(self._show_interval)
        self._show_interval()
        self.refresh()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the charts for the theme."""
        self.epps.set_tokens(tokens)
        self.lead_lag.set_tokens(tokens)

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self._zone = zone
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the newest findings, or why there are none."""
        found, settings = self._statistics.latest, self._statistics.settings
        self.window_box.setCurrentIndex(MINUTES.index(settings.minutes))
        self.age_box.setCurrentIndex(AGES_MS.index(settings.max_age_ms))
        self.copy_button.setEnabled(found is not None)
        words = tick_words.state_text(self._statistics.state) if found is None else tick_words.reason_text(found)
        self.empty.setText(words)
        self.epps.show_curve(found.epps if found is not None and not words else None)
        self.lead_lag.show_findings(found if not words else None)
        if found is not None and not words:
            self._show(found)
        self._pages.setCurrentIndex(0 if words else 1)

    @Slot()
    def copy(self) -> None:
        """Put every number on the clipboard as text."""
        if self._statistics.latest is not None:
            QGuiApplication.clipboard().setText(tick_words.report_text(self._statistics.latest, self._zone))

    def fact(self, name: str) -> str:
        """Return a number by its name."""
        return self._values[name].text()

    def _show(self, found: TickFindings) -> None:
        self.leader.setText(tick_words.leader_text(found))
        self.correlation.setText(tick_words.correlation_text(found))
        self.notes.setText("\n".join(tick_words.notes(found)))
        for name, value in tick_words.facts(found, self._zone):
            label = self._values.get(name)
            if label is None:
                label, row = self._words(), len(self._values)
                head = self._words(dim=True)
                head.setText(name)
                self._facts.addWidget(head, row, 0)
                self._facts.addWidget(label, row, 1)
                self._values[name] = label
            label.setText(value)
            label.setAccessibleName(f"{name}: {value}")

    @Slot()
    def _show_interval(self) -> None:
        self.epps.set_interval(self._pair.settings.interval)

    @Slot()
    def _choose(self) -> None:
        chosen = TickSettings(self.window_box.currentData(), self.age_box.currentData())
        self._statistics.set_settings(chosen)
        self.settings_chosen.emit(chosen)

    def _compose(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(6)
        row = QHBoxLayout()
        row.setSpacing(5)
        for box in (self.window_box, self.age_box):
            name = self._words(dim=True)
            name.setWordWrap(False)
            name.setText(box.accessibleName())
            name.setBuddy(box)
            row.addWidget(name)
            row.addWidget(box)
        row.addStretch(1)
        row.addWidget(self.copy_button)
        column.addLayout(row)
        content = QWidget(self)
        body = QVBoxLayout(content)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(6)
        body.addWidget(self.leader)
        body.addWidget(self.correlation)
        body.addWidget(self.epps, 1)
        body.addWidget(self.lead_lag, 1)
        self._facts.setHorizontalSpacing(10)
        self._facts.setVerticalSpacing(2)
        self._facts.setColumnStretch(1, 1)
        body.addLayout(self._facts)
        body.addWidget(self.notes)
        area = QScrollArea(self)
        area.setAccessibleName(self.tr("Findings"))
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        pages = QWidget(self)
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(area)
        column.addWidget(pages, 1)

    def _box(self, name: str, choices: list[tuple[int, str]]) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.view().setAccessibleName(name)
        for value, text in choices:
            box.addItem(text, value)
        return box

    def _words(self, *, dim: bool = False, heading: bool = False) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setProperty("dim", dim)
        label.setProperty("heading", heading)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label
