"""Lay out one page of the settings: rows of a name and what is chosen there, with a word below."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget


class PreferencesPage(QWidget):
    """Collect rows; ``name`` is what the list of pages shows."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 2, 0, 2)
        self.column.setSpacing(12)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(18)
        self.form.setVerticalSpacing(9)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.column.addLayout(self.form)

    def end(self) -> None:
        """Leave what room there is below the rows."""
        self.column.addStretch(1)

    def choice(
        self, name: str, texts: Iterable[tuple[object, str]], now: object, took: Callable[[object], None]
    ) -> QComboBox:
        """Add a box of which one entry counts; ``took`` is told the value of the chosen one."""
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.view().setAccessibleName(name)
        for value, text in texts:
            box.addItem(text, value)
        box.setCurrentIndex(max(0, box.findData(now)))
        box.activated.connect(lambda row: took(box.itemData(row)))
        label = QLabel(name, self)
        label.setBuddy(box)
        self.form.addRow(label, box)
        return box

    def tick(self, text: str, now: bool, took: Callable[[bool], None]) -> QCheckBox:
        """Add a box to tick."""
        box = QCheckBox(text, self)
        box.setAccessibleName(text.replace("&", ""))
        box.setChecked(now)
        box.clicked.connect(lambda on: took(on))  # noqa: PLW0108  # PySide picks its overload by name
        self.form.addRow("", box)
        return box

    def button(self, text: str, act: Callable[[], object]) -> QPushButton:
        """Return a button that does something; the caller places it."""
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.setAccessibleName(text.replace("&", "").removesuffix("…"))
        button.clicked.connect(lambda: act())  # noqa: PLW0108  # without the flag
        return button

    def opens(self, name: str, text: str, action: QAction) -> QPushButton:
        """Add a button that does what an action of the menus does, with the action's keys as its tip."""
        button = self.button(text, action.trigger)
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())
        self.place(button, name)
        return button

    def place(self, button: QPushButton, name: str = "") -> None:
        """Put a button beside a name, as wide as its words."""
        row = QHBoxLayout()
        row.addWidget(button)
        row.addStretch(1)
        self.form.addRow(name, row)

    def words(self, text: str, *, row: str | None = None) -> QLabel:
        """Add a dim paragraph, beside a name where ``row`` gives one."""
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if row is None:
            label.setProperty("dim", True)
            self.column.addWidget(label)
        else:
            self.form.addRow(row, label)
        return label
