"""List every key of the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from quantdesk.ui.actions import plain
from quantdesk.ui.dialogs import DeskDialog


class ShortcutSheet(DeskDialog):
    """Show the registered actions that have a key, by group, and the keys of the charts."""

    def __init__(self, groups: Mapping[str, Sequence[QAction]], parent: QWidget | None) -> None:
        super().__init__(self.tr("Keyboard shortcuts"), parent, width=900)
        columns = QHBoxLayout()
        columns.setSpacing(30)
        native = QKeySequence.SequenceFormat.NativeText
        listed = {
            title: [(plain(a.text()), a.shortcut().toString(native)) for a in actions if not a.shortcut().isEmpty()]
            for title, actions in groups.items()
        }
        charts = [
            (self.tr("Move one bar"), "← →"),
            (self.tr("Zoom at the cursor"), self.tr("wheel")),
            (self.tr("Move the view"), self.tr("drag")),
            (self.tr("Measure"), self.tr("Shift and drag")),
            (self.tr("Scale an axis"), self.tr("drag the axis")),
            (self.tr("Scale automatically"), self.tr("double click")),
        ]
        blocks = [(title, rows) for title, rows in listed.items() if rows] + [(self.tr("Charts"), charts)]
        for share in _balanced(blocks, 3):
            columns.addLayout(self._column(share), 1)
        self.body.addLayout(columns)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.add_buttons()

    def _column(self, blocks: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(6)
        for title, rows in blocks:
            head = QLabel(title, self)
            head.setProperty("heading", True)
            column.addWidget(head)
            grid = QGridLayout()
            grid.setVerticalSpacing(4)
            for number, (text, keys) in enumerate(rows):
                cap = QLabel(keys, self)
                cap.setProperty("keycap", True)
                cap.setAccessibleName(f"{text}: {keys}")
                grid.addWidget(QLabel(text, self), number, 0)
                grid.addWidget(cap, number, 1, Qt.AlignmentFlag.AlignRight)
            grid.setColumnStretch(0, 1)
            column.addLayout(grid)
            column.addSpacing(8)
        column.addStretch(1)
        return column


def _balanced(
    blocks: Sequence[tuple[str, Sequence[tuple[str, str]]]], count: int
) -> list[list[tuple[str, Sequence[tuple[str, str]]]]]:
    """Spread the blocks over columns of about equal length."""
    columns: list[list[tuple[str, Sequence[tuple[str, str]]]]] = [[] for _ in range(count)]
    for block in sorted(blocks, key=lambda b: -len(b[1])):
        shortest = min(columns, key=lambda c: sum(len(rows) + 2 for _, rows in c))
        shortest.append(block)
    return columns
