"""Let the user choose the indicators over the candles, each with its window and colour."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QWidget,
)

from quantdesk.analytics.indicators import (
    LEAST_DEVIATIONS,
    LONGEST,
    MOST_DEVIATIONS,
    SHORTEST,
    Indicator,
    IndicatorKind,
)
from quantdesk.model.indicators import MOST_INDICATORS
from quantdesk.ui.charts.indicator_words import ShownIndicator, kind_title, new_one
from quantdesk.ui.charts.inks import INKS, ink_title
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.drawing_menu import swatch
from quantdesk.ui.theme_tokens import Tokens


class IndicatorRow:
    """Hold the controls of one indicator."""

    def __init__(self, one: ShownIndicator, tokens: Tokens, parent: QWidget) -> None:
        self.kind = one.indicator.kind
        name, tr = kind_title(self.kind), parent.tr
        self.shown = QCheckBox(name, parent)
        self.shown.setChecked(one.shown)
        self.shown.setAccessibleName(tr("Show {0}").format(name))
        self.shown.ensurePolished()
        self.shown.setMinimumWidth(self.shown.sizeHint().width() + 8)
        self.bars = QSpinBox(parent)
        self.bars.setRange(SHORTEST, LONGEST)
        self.bars.setSuffix(tr(" bars"))
        self.bars.setValue(one.indicator.bars)
        self.bars.setAccessibleName(tr("Window of {0}").format(name))
        self.deviations = QDoubleSpinBox(parent)
        self.deviations.setRange(LEAST_DEVIATIONS, MOST_DEVIATIONS)
        self.deviations.setDecimals(1)
        self.deviations.setSingleStep(0.5)
        self.deviations.setSuffix(" σ")
        self.deviations.setValue(one.indicator.deviations)
        self.deviations.setAccessibleName(tr("Width of {0}").format(name))
        for box in (self.bars, self.deviations):
            box.lineEdit().setTextMargins(4, 0, 0, 0)
        self.colour = QComboBox(parent)
        self.colour.setAccessibleName(tr("Colour of {0}").format(name))
        self.colour.view().setAccessibleName(self.colour.accessibleName())
        for each in INKS:
            self.colour.addItem(swatch(each, tokens), ink_title(each), each)
        self.colour.setCurrentIndex(list(INKS).index(one.ink))
        self.remove = QPushButton(tr("Remove"), parent)
        self.remove.setAccessibleName(tr("Remove {0}").format(name))
        self.remove.setAutoDefault(False)
        self.no_window = QLabel(tr("since 00:00"), parent)
        self.no_window.setProperty("dim", True)

    def widgets(self) -> tuple[QWidget | None, ...]:
        """Return what stands in each column, None for nothing."""
        band = self.kind is IndicatorKind.BOLLINGER
        window = self.bars if self.kind.counts_bars else self.no_window
        return self.shown, window, self.deviations if band else None, self.colour, self.remove

    def discard(self) -> None:
        """Take the controls away."""
        for part in (self.shown, self.bars, self.deviations, self.colour, self.remove, self.no_window):
            part.hide()
            part.deleteLater()

    def value(self) -> ShownIndicator:
        """Return what is chosen."""
        indicator = Indicator(self.kind, self.bars.value(), self.deviations.value())
        return ShownIndicator(indicator, self.colour.currentData(), self.shown.isChecked())


class IndicatorDialog(DeskDialog):
    """Edit the list of indicators; ``indicators_chosen(tuple)`` on OK."""

    indicators_chosen = Signal(object)

    def __init__(self, shown: Sequence[ShownIndicator], tokens: Tokens, parent: QWidget | None) -> None:
        super().__init__(self.tr("Indicators"), parent, width=700)
        self._tokens = tokens
        self.rows: list[IndicatorRow] = []
        self.add_text(
            self.tr(
                "They are drawn over the candles of every symbol and interval. A window counts bars that are there; "
                "where a bar is missing a line has a gap. The forming bar shows what each would be if it closed now."
            ),
            dim=True,
        )
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self.body.addLayout(self._grid)
        self.empty = self.add_text(self.tr("No indicator is chosen: press Add."))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.add_button = QPushButton(self.tr("&Add"), self)
        self.add_button.setAccessibleName(self.tr("Add an indicator"))
        self.add_button.setAutoDefault(False)
        self.body.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        menu = QMenu(self.tr("Add an indicator"), self.add_button)
        menu.setAccessibleName(menu.title())
        for kind in IndicatorKind:
            menu.addAction(kind_title(kind)).triggered.connect(partial(self.add, kind))
        self.add_button.setMenu(menu)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self.accepted.connect(self._choose)
        for one in shown:
            self._append(one)
        self._lay_out()

    def add(self, kind: IndicatorKind, _checked: bool = False) -> None:
        """Put another indicator of a kind at the end, with its usual settings."""
        if len(self.rows) < MOST_INDICATORS:
            self._append(new_one(kind, [row.value() for row in self.rows]))
            self._lay_out()
            (self.rows[-1].bars if kind.counts_bars else self.rows[-1].colour).setFocus()

    def _append(self, one: ShownIndicator) -> None:
        row = IndicatorRow(one, self._tokens, self)
        row.remove.clicked.connect(partial(self._remove, row))
        self.rows.append(row)

    def _remove(self, row: IndicatorRow, _checked: bool = False) -> None:
        self.rows.remove(row)
        row.discard()
        self._lay_out()
        self.add_button.setFocus()

    def _lay_out(self) -> None:
        for place, row in enumerate(self.rows):
            for column, part in enumerate(row.widgets()):
                if part is not None:
                    self._grid.addWidget(part, place, column)
            for part in (row.bars, row.deviations, row.no_window):
                part.setVisible(part in row.widgets())
        self._tab_order()
        self.empty.setVisible(not self.rows)
        self.add_button.setEnabled(len(self.rows) < MOST_INDICATORS)
        self.adjustSize()

    def _tab_order(self) -> None:
        parts = [part for row in self.rows for part in row.widgets() if part is not None]
        for first, second in pairwise([*parts, self.add_button]):
            QWidget.setTabOrder(first, second)

    @Slot()
    def _choose(self) -> None:
        self.indicators_chosen.emit(tuple(row.value() for row in self.rows))
