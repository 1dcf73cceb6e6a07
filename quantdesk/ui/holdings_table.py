"""Show what the store holds as a table: sorted, filtered by typing, copied row by row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from quantdesk.store.holdings import Holding, Kind
from quantdesk.ui.status_bar import size_text
from quantdesk.ui.theme_tokens import Tokens

_Index = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole
_NONE = "–"
SYMBOL, VENUE, WHAT, ROWS, FIRST, LAST, COVERAGE, SIZE, NOTE = range(9)
_NUMBERS = (ROWS, COVERAGE, SIZE)


def _tr(text: str) -> str:
    return QCoreApplication.translate("holdings", text)


def what_text(holding: Holding) -> str:
    """Return what a row is about, in the user's language."""
    names = {
        Kind.TRADES: _tr("trades"),
        Kind.BARS: _tr("bars"),
        Kind.SOURCE_BARS: _tr("source bars"),
        Kind.GAPS: _tr("gaps"),
    }
    return f"{names[holding.kind]} {holding.interval}".strip()


def moment_text(ms: int | None) -> str:
    """Return a time (ms) as UTC date and time."""
    return _NONE if ms is None else f"{datetime.fromtimestamp(ms / 1_000, UTC):%Y-%m-%d %H:%M:%S}"


def coverage_text(coverage: float | None) -> str:
    """Return a part as per cent; what lacks anything never rounds up to 100."""
    if coverage is None:
        return _NONE
    return "100 %" if coverage >= 1 else f"{min(coverage * 100, 99.99):.2f} %"


def cells(holding: Holding) -> tuple[str, ...]:
    """Return a row's words."""
    return (
        holding.instrument.symbol,
        holding.instrument.venue,
        what_text(holding),
        f"{holding.rows:,}",
        moment_text(holding.first_ts),
        moment_text(holding.last_ts),
        coverage_text(holding.coverage),
        size_text(holding.size_bytes),
        holding.note,
    )


class HoldingsModel(QAbstractTableModel):
    """Hold the rows; numbers and times sort as such."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._rows: list[Holding] = []
        self._cells: list[tuple[str, ...]] = []

    def show_rows(self, rows: Sequence[Holding]) -> None:
        """Show these rows instead."""
        self.beginResetModel()
        self._rows, self._cells = list(rows), [cells(row) for row in rows]
        self.endResetModel()

    def set_tokens(self, tokens: Tokens) -> None:
        """Colour what lacks something for the theme."""
        self._tokens = tokens
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, NOTE))

    def holding(self, row: int) -> Holding:
        """Return a row."""
        return self._rows[row]

    def words(self, row: int) -> tuple[str, ...]:
        """Return a row's words."""
        return self._cells[row]

    def heads(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return (
            _tr("Symbol"), _tr("Venue"), _tr("What"), _tr("Rows"), _tr("First (UTC)"), _tr("Last (UTC)"),
            _tr("Coverage"), _tr("Size"), _tr("Remarks"),
        )  # fmt: skip

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many columns there are."""
        return 0 if parent.isValid() else NOTE + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name a column."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.heads()[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in _NUMBERS else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return text, alignment, colour, tip or what a cell is sorted by."""
        row, column = index.row(), index.column()
        holding = self._rows[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells[row][column]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole:
            lacks = holding.kind is Kind.TRADES and holding.coverage is not None and holding.coverage < 1
            if lacks and column in (COVERAGE, NOTE):
                return QColor(self._tokens.warn)
            return QColor(self._tokens.text_dim) if column in (VENUE, NOTE) else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(holding, column) or self._cells[row][column]
        return self._order(holding, column, row) if role == _SORT else None

    def _tip(self, holding: Holding, column: int) -> str:
        if column != COVERAGE or holding.coverage is None:
            return ""
        if holding.kind is Kind.TRADES:
            return _tr("Trade ids held, of those between the first and the last one that the exchange has")
        return _tr("Bars held, of the open times between the first and the last one; a bar without a trade is none")

    def _order(self, holding: Holding, column: int, row: int) -> Any:
        name = (holding.instrument.venue, holding.instrument.symbol)
        kinds = list(Kind)
        values = {
            SYMBOL: f"{name[1]} {name[0]} {kinds.index(holding.kind)} {row:06}",
            VENUE: f"{name[0]} {name[1]} {kinds.index(holding.kind)} {row:06}",
            ROWS: holding.rows,
            FIRST: holding.first_ts or 0,
            LAST: holding.last_ts or 0,
            COVERAGE: -1.0 if holding.coverage is None else holding.coverage,
            SIZE: holding.size_bytes,
        }
        return values.get(column, self._cells[row][column])


class _Filter(QSortFilterProxyModel):
    """Let rows through that hold every word typed."""

    def __init__(self, model: HoldingsModel) -> None:
        super().__init__(model)
        self._wanted: list[str] = []
        self._model = model
        self.setSourceModel(model)
        self.setSortRole(_SORT)

    def type(self, text: str) -> None:
        """Take what was typed."""
        self._wanted = text.casefold().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: _Index) -> bool:
        """Tell whether a row holds every word."""
        words = " ".join(self._model.words(row)).casefold()
        return all(word in words for word in self._wanted)


class HoldingsTable(QTableView):
    """List what is held; Ctrl+C copies the chosen row, Delete and typing are told to who listens."""

    chosen = Signal()
    typed = Signal(str)
    delete_pressed = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(_tr("What the store holds"))
        self.held = HoldingsModel(tokens, self)
        self._filter = _Filter(self.held)
        self.setModel(self._filter)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSortingEnabled(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 9)
        head = self.horizontalHeader()
        head.setAccessibleName(_tr("Columns of what the store holds"))
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setStretchLastSection(True)
        self.sortByColumn(SYMBOL, Qt.SortOrder.AscendingOrder)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())

    def show_rows(self, rows: Sequence[Holding]) -> None:
        """Show these rows; the one that was chosen stays chosen where it is still there."""
        before = self.holding()
        self.held.show_rows(rows)
        self.resizeColumnsToContents()
        for column in range(NOTE):
            self.setColumnWidth(column, self.columnWidth(column) + 14)
        same = [n for n in range(self._filter.rowCount()) if before is not None and _same(self._at(n), before)]
        self.selectRow(same[0] if same else 0)
        self.chosen.emit()

    def filter(self, text: str) -> None:
        """Show the rows that hold every word of ``text``."""
        self._filter.type(text)
        if self.holding() is None and self._filter.rowCount():
            self.selectRow(0)
        self.chosen.emit()

    def shown(self) -> list[Holding]:
        """Return the rows in the order they are shown."""
        return [self._at(n) for n in range(self._filter.rowCount())]

    def holding(self) -> Holding | None:
        """Return the chosen row."""
        index = self.currentIndex()
        return self._at(index.row()) if index.isValid() and self.selectionModel().hasSelection() else None

    def copy(self) -> None:
        """Put the chosen row on the clipboard."""
        held = self.holding()
        if held is not None:
            QGuiApplication.clipboard().setText("\t".join(cells(held)))

    def event(self, event: QEvent) -> bool:
        """Claim the keys that are the table's own."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            own = event.matches(QKeySequence.StandardKey.Copy) or event.key() == Qt.Key.Key_Delete
            if own or (event.text().isprintable() and event.text() and not event.modifiers()):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy on Ctrl+C, ask to delete on Delete, filter by typing."""
        plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif plain and event.text() and event.text().isprintable():
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)

    def _at(self, row: int) -> Holding:
        return self.held.holding(self._filter.mapToSource(self._filter.index(row, 0)).row())


def _same(one: Holding, other: Holding) -> bool:
    names = [(h.instrument.venue, h.instrument.symbol, h.kind, h.interval) for h in (one, other)]
    return names[0] == names[1]
