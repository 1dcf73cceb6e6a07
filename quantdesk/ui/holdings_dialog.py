"""The Data window: what the store holds, and the ways to bring more in, to take it out and to delete it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QWidget,
)

from quantdesk.store.holdings import Holding, Holdings, Kind
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.holdings_table import HoldingsTable
from quantdesk.ui.progress import ProgressStrip
from quantdesk.ui.status_bar import size_text
from quantdesk.ui.theme_tokens import Tokens


class HoldingsDialog(DeskDialog):
    """Show the holdings; every button asks by signal. ``strip`` shows the tasks that run, here while this is open."""

    refresh_requested = Signal()
    cancel_requested = Signal()
    download_wanted = Signal()
    import_wanted = Signal()
    export_wanted = Signal(object)
    delete_wanted = Signal(object)

    def __init__(self, strip: ProgressStrip, tokens: Tokens, parent: QWidget | None) -> None:
        super().__init__(self.tr("Data held"), parent, width=760)
        self.setModal(False)
        self.resize(min(1_180, parent.width() - 40 if parent is not None else 1_180), 560)
        self.body.addWidget(strip)
        self._make_top()
        self.table = HoldingsTable(tokens, self)
        self.empty = self.words("")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.table)
        self.pages.addWidget(self.empty)
        self.pages.setMinimumHeight(240)
        self.body.addWidget(self.pages, 1)
        self._make_foot()
        self._make_acts()
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.add_buttons()
        self._connect()
        self.show_busy()
        self._offer()
        self.filter.setFocus()

    def show_holdings(self, found: Holdings) -> None:
        """Show what was found."""
        self._end_reading()
        self.table.show_rows(found.rows)
        self.total.setText(self._total(found))
        self._show_page(
            self.tr(
                "The store holds nothing yet.\n\nDownload history, import files of trades or bars, "
                "or leave the desk connected: what it records appears here."
            )
        )

    def show_problem(self, words: str) -> None:
        """Say why there is nothing to show; what is shown already stays."""
        self._end_reading()
        self.total.setText(words)
        self._show_page(self.tr("The store could not be read:\n{0}\n\nRefresh (F5) tries again.").format(words))

    def show_progress(self, done: float, words: str) -> None:
        """Say how far the reading is (0 to 1)."""
        self.bar.setRange(0, 100)
        self.bar.setValue(round(100 * done))
        self.doing.setText(self.tr("Reading {0}").format(words))

    @Slot()
    def show_busy(self) -> None:
        """Say that the store is being read."""
        self.bar.setRange(0, 0)
        self.doing.setText(self.tr("Reading the store…"))
        for part in (self.bar, self.doing, self.stop):
            part.show()
        self.refresh.setEnabled(False)
        self._show_page(self.tr("Reading the store…"))

    def ask(self) -> None:
        """Ask for what is held."""
        self.show_busy()
        self.refresh_requested.emit()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour the table for the theme."""
        self.table.held.set_tokens(tokens)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from the filter to the table by Down or Enter; Escape clears the filter before it closes."""
        in_filter = self.filter.hasFocus()
        if in_filter and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.table.setFocus()
        elif event.key() == Qt.Key.Key_Escape and self.filter.text():
            self.filter.clear()
        else:
            super().keyPressEvent(event)

    # -- composition ---------------------------------------------------------------------------

    def _make_top(self) -> None:
        self.filter = QLineEdit(self)
        self.filter.setAccessibleName(self.tr("Filter"))
        self.filter.setPlaceholderText(self.tr("Type to filter: symbol, venue, trades, 1m…"))
        self.filter.setClearButtonEnabled(True)
        self.refresh = self._button(self.tr("&Refresh"), self.tr("Read the store again (F5)"))
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.filter, 1)
        line.addWidget(self.refresh)
        self.body.addLayout(line)

    def _make_foot(self) -> None:
        self.total = QLabel(self)
        self.total.setProperty("dim", True)
        self.total.setTextFormat(Qt.TextFormat.PlainText)
        self.doing = QLabel(self)
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName(self.tr("How far the reading is"))
        self.bar.setFixedWidth(180)
        self.bar.setTextVisible(False)
        self.stop = self._button(self.tr("Cancel"), self.tr("Stop reading the store"))
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(self.total, 1)
        for part in (self.doing, self.bar, self.stop):
            line.addWidget(part)
        self.body.addLayout(line)

    def _make_acts(self) -> None:
        self.download = self._button(self.tr("&Download…"), self.tr("Download history (Insert)"))
        self.bring_in = self._button(self.tr("&Import…"), self.tr("Put files of trades or bars into the store"))
        self.export = self._button(self.tr("&Export…"), self.tr("Write the chosen trades or bars to a CSV file"))
        self.delete = self._button(self.tr("De&lete…"), self.tr("Delete of the chosen instrument (Delete)"))
        self.copy_row = self._button(self.tr("&Copy row"), self.tr("Copy the chosen row (Ctrl+C)"))
        line = QHBoxLayout()
        line.setSpacing(8)
        for button in (self.download, self.bring_in, self.export, self.delete):
            line.addWidget(button)
        line.addStretch(1)
        line.addWidget(self.copy_row)
        self.body.addLayout(line)

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._on_filter)
        self.refresh.clicked.connect(self.ask)
        self.stop.clicked.connect(self.cancel_requested)
        self.download.clicked.connect(self.download_wanted)
        self.bring_in.clicked.connect(self.import_wanted)
        self.export.clicked.connect(lambda: self._with_row(self.export_wanted))
        self.delete.clicked.connect(lambda: self._with_row(self.delete_wanted))
        self.copy_row.clicked.connect(self.table.copy)
        self.table.chosen.connect(self._offer)
        self.table.typed.connect(self._on_typed)
        self.table.delete_pressed.connect(self.delete.click)
        self.table.doubleClicked.connect(lambda _index: self.export.click())
        QShortcut(QKeySequence("F5"), self).activated.connect(self.refresh.click)
        QShortcut(QKeySequence("Insert"), self).activated.connect(self.download.click)

    # -- what is offered -----------------------------------------------------------------------

    @Slot(str)
    def _on_filter(self, text: str) -> None:
        self.table.filter(text)

    @Slot(str)
    def _on_typed(self, text: str) -> None:
        self.filter.setFocus()
        self.filter.setText(self.filter.text() + text)

    def _with_row(self, signal: object) -> None:
        held = self.table.holding()
        if held is not None:
            signal.emit(held)  # type: ignore[attr-defined]  # a bound signal

    @Slot()
    def _offer(self) -> None:
        held: Holding | None = self.table.holding()
        self.delete.setEnabled(held is not None)
        self.copy_row.setEnabled(held is not None)
        self.export.setEnabled(held is not None and held.kind is not Kind.GAPS)

    def _end_reading(self) -> None:
        for part in (self.bar, self.doing, self.stop):
            part.hide()
        self.refresh.setEnabled(True)

    def _show_page(self, words: str) -> None:
        is_empty = self.table.held.rowCount() == 0
        self.empty.setText(words)
        self.pages.setCurrentWidget(self.empty if is_empty else self.table)
        self._offer()

    def _total(self, found: Holdings) -> str:
        rows = sum(row.rows for row in found.rows)
        size = size_text(sum(row.size_bytes for row in found.rows))
        if not found.rows:
            return ""
        return self.tr("{0:,} rows, {1} · {2}").format(rows, size, found.basis)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.setAccessibleName(tip)
        button.setToolTip(tip)
        return button
