"""List the tests as rows of words that stand in columns where it is wide, and wrap where it is narrow."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from quantdesk.ui.evidence_rows import NONE, EvidenceRow, RowGroup

#: From this width on a row stands in columns; these are theirs, the last takes the rest.
WIDE = 760
_COLUMNS = (170, 150, 62, 200)


def words_label(parent: QWidget, *, dim: bool = False, heading: bool = False, wraps: bool = True) -> QLabel:
    """Return a label for plain words that may wrap."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    label.setProperty("dim", dim)
    label.setProperty("heading", heading)
    return label


class RowList(QWidget):
    """Show groups of rows; the widgets stay, only their words change."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._wide = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._groups: list[_GroupView] = []

    def show_groups(self, groups: Sequence[RowGroup]) -> None:
        """Show these groups."""
        while len(self._groups) < len(groups):
            view = _GroupView(self)
            self._groups.append(view)
            self._column.addWidget(view)
        for place, view in enumerate(self._groups):
            view.setVisible(place < len(groups))
            if place < len(groups):
                view.show_group(groups[place], self._wide)

    def arrange(self, width: int) -> None:
        """Stand in columns or wrap, as the width has it."""
        wide = width >= WIDE
        if wide != self._wide:
            self._wide = wide
            for view in self._groups:
                view.arrange(wide)

    @property
    def is_wide(self) -> bool:
        """Tell whether rows stand in columns."""
        return self._wide

    def row_widgets(self) -> list[RowView]:
        """Return the rows that are shown, from top to bottom."""
        return [row for view in self._groups if not view.isHidden() for row in view.rows if not row.isHidden()]


class _GroupView(QWidget):
    """Show one heading with its rows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title, self._note = words_label(self, heading=True), words_label(self, dim=True)
        self.rows: list[RowView] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 10, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._title)
        self._column.addWidget(self._note)

    def show_group(self, group: RowGroup, wide: bool) -> None:
        self._title.setText(group.title)
        self._note.setText(group.note)
        while len(self.rows) < len(group.rows):
            row = RowView(self)
            row.arrange(wide)
            self.rows.append(row)
            self._column.addWidget(row)
        for place, row in enumerate(self.rows):
            row.setVisible(place < len(group.rows))
            if place < len(group.rows):
                row.show_row(group.rows[place])

    def arrange(self, wide: bool) -> None:
        for row in self.rows:
            row.arrange(wide)


class RowView(QFrame):
    """Show one test: name, statistic, p, what it says, and how it was made."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.name, self.value = words_label(self), words_label(self)
        self.p, self.says = words_label(self, heading=True, wraps=False), words_label(self)
        self.how = words_label(self, dim=True)
        self._grid = QGridLayout(self)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(0)
        self.shown: EvidenceRow | None = None

    def show_row(self, row: EvidenceRow) -> None:
        """Show another result of the test; the same one changes nothing."""
        if row == self.shown:
            return
        self.shown = row
        self.name.setText(row.name)
        self.value.setText("" if row.value == NONE else row.value)
        self.p.setText("" if row.p == NONE else f"p {row.p}")
        self.says.setText(row.says)
        self.how.setText(row.how)
        if self.says.property("tone") != row.tone:
            self.says.setProperty("tone", row.tone)
            self.says.style().unpolish(self.says)
            self.says.style().polish(self.says)
        self.setAccessibleName(row.text)
        self.setToolTip(row.text)

    def arrange(self, wide: bool) -> None:
        """Stand in columns, or below one another."""
        grid, top = self._grid, Qt.AlignmentFlag.AlignTop
        parts = (self.name, self.value, self.p, self.says, self.how)
        for part in parts:
            grid.removeWidget(part)
            part.setMinimumWidth(0)
            part.setMaximumWidth(16_777_215)
        self.value.setWordWrap(wide)
        grid.setContentsMargins(0, 3 if wide else 5, 0, 3 if wide else 5)
        for column in range(5):
            grid.setColumnStretch(column, 0)
        if wide:
            for column, (part, width) in enumerate(zip(parts, _COLUMNS, strict=False)):
                part.setFixedWidth(width)
                grid.addWidget(part, 0, column, top)
            grid.addWidget(self.how, 0, 4, top)
            grid.setColumnStretch(4, 1)
            return
        # The middle column is shared, so that a wide statistic does not make the words below it narrow.
        grid.addWidget(self.name, 0, 0, top)
        grid.addWidget(self.value, 0, 1, 1, 2, top | Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.says, 1, 0, 1, 2, top)
        grid.addWidget(self.p, 1, 2, top | Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.how, 2, 0, 1, 3)
        grid.setColumnStretch(0, 1)
