"""Ask which history to download, from where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from PySide6.QtCore import QDate, Signal, Slot
from PySide6.QtWidgets import QComboBox, QDateEdit, QDialogButtonBox, QFormLayout, QLineEdit, QWidget

from quantdesk.config import ConfigError
from quantdesk.ingest.download_order import INTERVALS, TRADES, DownloadOrder, Source
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.status_flow import sentence

#: A first choice of so many days brings something to look at in a minute.
_DAYS = 3


class DownloadDialog(DeskDialog):
    """Name symbols, what, days and source; ``download_requested(DownloadOrder)`` on *Download*, which closes it."""

    download_requested = Signal(object)

    def __init__(self, symbols: Sequence[str], today: date, archive: str, parent: QWidget | None) -> None:
        super().__init__(self.tr("Download history"), parent, width=520)
        self._today, self._archive = today, archive
        self.add_text(
            self.tr(
                "Whole days by UTC. Each file is proven by its SHA-256 before anything of it is written; what is "
                "held already is skipped, so that a stopped download goes on where it stopped."
            ),
            dim=True,
        )
        self.symbols = QLineEdit(", ".join(symbols), self)
        self.what, self.source = QComboBox(self), QComboBox(self)
        self.what.addItem(self.tr("Aggregate trades, with their bars"), TRADES)
        for name in INTERVALS:
            self.what.addItem(self.tr("Bars of {0} (klines)").format(name), name)
        self.source.addItem(
            self.tr("Archive ({0})").format(archive or self.tr("none for this exchange")), Source.ARCHIVE
        )
        self.source.addItem(self.tr("REST, within the exchange's limit"), Source.REST)
        self.first, self.last = QDateEdit(self), QDateEdit(self)
        newest = today - timedelta(days=1)
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(8)
        self._row(form, self.tr("&Symbols"), self.symbols, self.tr("Symbols, separated by commas"))
        self._row(form, self.tr("&What"), self.what, self.tr("Trades or bars"))
        self._row(form, self.tr("&From"), self.first, self.tr("First day, UTC"))
        self._row(form, self.tr("&To"), self.last, self.tr("Last day, UTC, included"))
        self._row(form, self.tr("S&ource"), self.source, self.tr("Where it comes from"))
        for edit, day in ((self.first, newest - timedelta(days=_DAYS - 1)), (self.last, newest)):
            edit.setDisplayFormat("yyyy-MM-dd")
            edit.setCalendarPopup(True)
            edit.setDate(QDate(day.year, day.month, day.day))
        self.body.addLayout(form)
        self.said = self.add_text("", dim=True)
        self.said.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton(self.tr("&Download"), QDialogButtonBox.ButtonRole.ActionRole)
        self.go.setDefault(True)
        self.go.clicked.connect(self._choose)
        self.add_buttons()
        self.symbols.textChanged.connect(self._look)
        for box in (self.what, self.source):
            box.currentIndexChanged.connect(self._look)
        for edit in (self.first, self.last):
            edit.dateChanged.connect(self._look)
        self._look()

    def order(self) -> DownloadOrder:
        """Return what is chosen now."""
        names = self.symbols.text().replace(";", ",").replace(" ", ",").split(",")
        symbols = tuple(dict.fromkeys(name.strip().upper() for name in names if name.strip()))
        first, last = (date(d.year(), d.month(), d.day()) for d in (self.first.date(), self.last.date()))
        return DownloadOrder(symbols, self.what.currentData(), first, last, Source(self.source.currentData()))

    @Slot()
    def _look(self) -> None:
        """Say what would come, or why nothing can."""
        order, problem = self.order(), ""
        try:
            order.check(self._today)
            if order.source is Source.ARCHIVE and not self._archive:
                raise ConfigError("this exchange has no archive: take klines by REST")
        except ConfigError as error:
            problem = sentence(str(error))
        self.go.setEnabled(not problem)
        self.said.setProperty("fault", bool(problem))
        self.said.style().polish(self.said)
        days = len(order.days) * max(1, len(order.symbols))
        words = self.tr("{0:,} days of data.").format(days)
        if order.is_trades:
            words += self.tr(" A busy symbol has about a million trades a day: 15 MB to fetch, 60 MB in the store.")
        self.said.setText(problem or words)

    def _choose(self) -> None:
        self.accept()
        self.download_requested.emit(self.order())

    def _row(self, form: QFormLayout, text: str, field: QWidget, name: str) -> None:
        field.setAccessibleName(name)
        field.setToolTip(name)
        if isinstance(field, QComboBox):
            field.view().setAccessibleName(name)
        form.addRow(text, field)
