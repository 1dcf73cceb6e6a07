"""Ask which span of an instrument's trades or bars to write to a file."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from quantdesk.store.holdings import Holding
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.holdings_table import what_text
from quantdesk.ui.span_fields import SpanFields


class ExportDialog(DeskDialog):
    """Choose the span; ``span_chosen(start, end)`` in ms on *Choose file*, None and None for all."""

    span_chosen = Signal(object, object)

    def __init__(self, holding: Holding, parent: QWidget | None) -> None:
        super().__init__(self.tr("Export"), parent, width=520)
        words = self.tr("{0} of {1} ({2}) as a CSV file")
        instrument = holding.instrument
        self.add_heading(words.format(what_text(holding).capitalize(), instrument.symbol, instrument.venue))
        self.span = SpanFields(holding.first_ts, holding.last_ts, self)
        self.body.addWidget(self.span)
        self.said = self.words("")
        self.said.setProperty("fault", True)
        self.body.addWidget(self.said)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(self.tr("Choose &file…"), QDialogButtonBox.ButtonRole.ActionRole)
        self.go.setDefault(True)
        self.go.clicked.connect(self._choose)
        self.add_buttons()
        self.span.changed.connect(self._look)

    def _look(self) -> None:
        start, end = self.span.span()
        wrong = start is not None and end is not None and start >= end
        self.said.setText(self.tr("The span ends before it begins.") if wrong else "")
        self.go.setEnabled(not wrong)

    def _choose(self) -> None:
        self.accept()
        self.span_chosen.emit(*self.span.span())


def suggested_name(holding: Holding) -> str:
    """Return a file name for an export."""
    words = f"{holding.instrument.symbol}-{holding.interval or 'ticks'}.csv"
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", words)
