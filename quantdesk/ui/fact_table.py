"""Show rows of words in a table that touches only what has changed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget


class FactTable(QTableWidget):
    """List read-only rows; ``numbers`` are the columns set to the right. Ctrl+C copies what is selected."""

    _OWN = frozenset((Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown))

    def __init__(
        self, name: str, heads: Sequence[str], parent: QWidget | None = None, *, numbers: Sequence[int] = ()
    ) -> None:
        super().__init__(0, len(heads), parent)
        self._numbers = frozenset(numbers)
        self._rows: list[tuple[str, ...]] = []
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(heads))
        head = self.horizontalHeader()
        head.setAccessibleName(self.tr("Columns of {0}").format(name))
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        for column in self._numbers:
            title = self.horizontalHeaderItem(column)
            if title is not None:
                title.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows that are shown."""
        return list(self._rows)

    def show_rows(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Show these rows; unchanged cells keep their place and selection."""
        if list(rows) == self._rows:
            return
        longer = len(rows) > len(self._rows)
        self._rows = list(rows)
        self.setRowCount(len(rows))
        for place, row in enumerate(rows):
            for column, text in enumerate(row):
                self._put(place, column, text)
        if longer:
            self.resizeColumnsToContents()

    def _put(self, row: int, column: int, text: str) -> None:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            side = Qt.AlignmentFlag.AlignRight if column in self._numbers else Qt.AlignmentFlag.AlignLeft
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
            item.setToolTip(text)

    def event(self, event: QEvent) -> bool:
        """Claim End and Home while the table has the focus."""
        claims = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if claims and isinstance(event, QKeyEvent) and event.key() in self._OWN:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy on Ctrl+C."""
        if event.matches(QKeySequence.StandardKey.Copy):
            chosen = sorted({index.row() for index in self.selectionModel().selectedRows()})
            lines = ["\t".join(self._rows[row]) for row in chosen]
            QGuiApplication.clipboard().setText("\n".join(lines))
        else:
            super().keyPressEvent(event)
