"""Ask what of an instrument is to be deleted, and say exactly what goes before it does."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QDialogButtonBox, QLineEdit, QRadioButton, QWidget

from quantdesk.store.deletion import DropCount, DropOrder, Part
from quantdesk.store.holdings import Holding, Kind
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.holdings_table import moment_text
from quantdesk.ui.span_fields import SpanFields
from quantdesk.ui.status_flow import sentence
from quantdesk.ui.theme_tokens import Tokens

#: The count is asked for once nothing was changed for so long.
_COUNT_AFTER_MS = 250
_GRAIN = 300_000


class DeleteDialog(DeskDialog):
    """Choose part and span; ``count_requested(DropOrder)`` at every change, ``delete_requested(DropOrder)`` at the end.

    Nothing can be deleted before its count is shown; all of an instrument only once its symbol was typed.
    """

    count_requested = Signal(object)
    delete_requested = Signal(object)

    def __init__(self, holding: Holding, tokens: Tokens, parent: QWidget | None) -> None:
        instrument = holding.instrument
        super().__init__(self.tr("Delete"), parent, width=560)
        self._holding = holding
        self._counted: DropOrder | None = None
        name = f"{instrument.symbol} ({instrument.venue})"
        self.add_heading(self.tr("Delete data of {0}").format(name), "warning", tokens.warn)
        self.parts = QButtonGroup(self)
        self._add_parts(holding)
        self.body.addSpacing(8)
        self.span = SpanFields(holding.first_ts, holding.last_ts, self)
        self.body.addWidget(self.span)
        self.said = self.words("")
        self.said.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.body.addWidget(self.said)
        self.typed = QLineEdit(self)
        self.typed.setPlaceholderText(self.tr("Type {0} to delete all of it").format(instrument.symbol))
        self.typed.setAccessibleName(self.typed.placeholderText())
        self.body.addWidget(self.typed)
        cancel = self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(self.tr("&Delete"), QDialogButtonBox.ButtonRole.DestructiveRole)
        self.go.setAutoDefault(False)
        self.go.clicked.connect(self._choose)
        cancel.setDefault(True)
        self.add_buttons()
        self._timer = QTimer(self, singleShot=True, interval=_COUNT_AFTER_MS)
        self._timer.timeout.connect(self._ask)
        self.parts.buttonClicked.connect(lambda _button: self._changed())
        self.span.changed.connect(self._changed)
        self.typed.textChanged.connect(lambda _text: self._offer())
        self._changed()

    def order(self) -> DropOrder:
        """Return what is chosen now; a span of everything is narrowed to what cuts no bar."""
        part = list(Part)[self.parts.checkedId()]
        interval = self._holding.interval if part is Part.SOURCE_BARS and self._one_interval else ""
        start, end = self.span.span()
        if part is Part.EVERYTHING and start is not None and end is not None:
            start, end = -(-start // _GRAIN) * _GRAIN, end // _GRAIN * _GRAIN
        return DropOrder(self._holding.instrument, part, interval, start, end)

    def show_count(self, order: DropOrder, count: DropCount) -> None:
        """Say what would go, where that is what is chosen still."""
        if order != self.order():
            return
        self._counted = order if count.rows else None
        self._say(self._words(order, count))
        self._offer()

    def show_problem(self, order: DropOrder, words: str) -> None:
        """Say why it may not be deleted."""
        if order == self.order():
            self._counted = None
            self._say(sentence(words), fault=True)
            self._offer()

    def _add_parts(self, holding: Holding) -> None:
        self._one_interval = holding.kind is Kind.SOURCE_BARS
        source = self.tr("&Source bars (klines and files)")
        if self._one_interval:
            source = self.tr("&Source bars of {0} (klines and files)").format(holding.interval)
        texts = {
            Part.TRADES: self.tr("&Trades; their bars stay"),
            Part.SOURCE_BARS: source,
            Part.EVERYTHING: self.tr("&Everything: trades, bars, source bars and the holes of the ledger"),
        }
        for place, part in enumerate(Part):
            choice = QRadioButton(texts[part], self)
            choice.setAccessibleName(texts[part].replace("&", ""))
            self.parts.addButton(choice, place)
            self.body.addWidget(choice)
        first = Part.SOURCE_BARS if self._one_interval else Part.TRADES
        self.parts.button(list(Part).index(first)).setChecked(True)

    def _words(self, order: DropOrder, count: DropCount) -> str:
        if not count.rows:
            return self.tr("Nothing of that is held: there is nothing to delete.")
        parts = [
            self.tr("{0:,} trades").format(count.trades) if count.trades else "",
            self.tr("{0:,} bars built from trades").format(count.bars) if count.bars else "",
            self.tr("{0:,} source bars").format(count.source_bars) if count.source_bars else "",
        ]
        words = self.tr("This deletes {0}, from {1} to {2} UTC. It cannot be undone.")
        told = words.format(", ".join(p for p in parts if p), moment_text(count.first_ts), moment_text(count.last_ts))
        if order.part is Part.TRADES:
            told += self.tr(" The ledger notes the ids as deleted: they are not fetched again.")
        return told

    @Slot()
    def _changed(self) -> None:
        self._counted = None
        self._say(self.tr("Counting…"))
        self.typed.setVisible(self.order().is_whole)
        self._offer()
        self._timer.start()

    @Slot()
    def _ask(self) -> None:
        self.count_requested.emit(self.order())

    def _say(self, words: str, *, fault: bool = False) -> None:
        self.said.setProperty("fault", fault)
        self.said.style().polish(self.said)
        self.said.setText(words)

    def _offer(self) -> None:
        order = self.order()
        named = not order.is_whole or self.typed.text().strip() == order.instrument.symbol
        self.go.setEnabled(self._counted == order and named)

    def _choose(self) -> None:
        order = self.order()
        if self._counted == order:
            self.accept()
            self.delete_requested.emit(order)
