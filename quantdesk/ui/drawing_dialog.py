"""Let the user say exactly where a drawing stands, how it looks and what it is called."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QDateTime, QTimeZone, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDateTimeEdit,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from quantdesk.ui.charts.drawings import LONGEST_TEXT, WIDEST, Anchor, Drawing, Kind, Look, Stroke
from quantdesk.ui.charts.inks import INKS, ink_title
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.drawing_menu import stroke_title, swatch
from quantdesk.ui.theme_tokens import Tokens

_UTC = QTimeZone(QTimeZone.Initialization.UTC)
_FARTHEST = 1e12


class DrawingDialog(DeskDialog):
    """Edit one drawing; ``drawing_chosen(Drawing)`` on OK."""

    drawing_chosen = Signal(object)

    def __init__(self, drawing: Drawing, decimals: int, step: float, tokens: Tokens, parent: QWidget | None) -> None:
        title = self.tr("Horizontal line") if drawing.kind is Kind.LEVEL else self.tr("Trend line")
        super().__init__(title, parent, width=380)
        self._drawing, self._decimals, self._step = drawing, decimals, step
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(18)
        self._form.setVerticalSpacing(8)
        self.values: list[QDoubleSpinBox] = []
        self.times: list[QDateTimeEdit] = []
        self._add_anchors()
        self.label = QLineEdit(drawing.text, self)
        self.label.setMaxLength(LONGEST_TEXT)
        self.label.setPlaceholderText(self.tr("none"))
        self._row(self.tr("Label"), self.label)
        self.colour = QComboBox(self)
        for name in INKS:
            self.colour.addItem(swatch(name, tokens), ink_title(name), name)
        self.colour.setCurrentIndex(list(INKS).index(drawing.look.ink))
        self._row(self.tr("Colour"), self.colour)
        self.line_width = QSpinBox(self)
        self.line_width.setRange(1, WIDEST)
        self.line_width.setSuffix(self.tr(" px"))
        self.line_width.setValue(drawing.look.width)
        self._row(self.tr("Width"), self.line_width)
        self.stroke = QComboBox(self)
        for stroke in Stroke:
            self.stroke.addItem(stroke_title(stroke), stroke.value)
        self.stroke.setCurrentIndex(list(Stroke).index(drawing.look.stroke))
        self._row(self.tr("Stroke"), self.stroke)
        self.body.addLayout(self._form)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self.accepted.connect(self._choose)

    def _add_anchors(self) -> None:
        names = [""] if self._drawing.kind is Kind.LEVEL else [self.tr("Start"), self.tr("End")]
        for name, anchor in zip(names, self._drawing.anchors, strict=True):
            if name:
                time = QDateTimeEdit(self)
                time.setTimeZone(_UTC)
                time.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
                time.setDateTime(QDateTime.fromMSecsSinceEpoch(anchor.ms, _UTC))
                self.times.append(time)
                self._row(self.tr("{0} at (UTC)").format(name), time)
            box = QDoubleSpinBox(self)
            box.setDecimals(self._decimals)
            box.setRange(-_FARTHEST, _FARTHEST)
            box.setSingleStep(self._step)
            box.setValue(anchor.value)
            self.values.append(box)
            self._row(self.tr("{0} value").format(name) if name else self.tr("Value"), box)

    def _row(self, name: str, field: QWidget) -> None:
        field.setAccessibleName(name)
        if isinstance(field, QComboBox):
            field.view().setAccessibleName(name)
        if isinstance(field, QSpinBox | QDoubleSpinBox):
            field.lineEdit().setTextMargins(4, 0, 0, 0)
        self._form.addRow(name, field)

    @Slot()
    def _choose(self) -> None:
        drawing = self._drawing
        anchors = []
        for place, anchor in enumerate(drawing.anchors):
            box, ms, value = self.values[place], anchor.ms, anchor.value
            if box.value() != round(anchor.value, self._decimals):
                value = box.value()
            if self.times:
                chosen = self.times[place].dateTime().toMSecsSinceEpoch()
                # What the box cannot show of the old moment is no change.
                ms = ms if chosen == ms // 1_000 * 1_000 else max(0, int(chosen))
            anchors.append(Anchor(ms, value))
        look = Look(self.colour.currentData(), self.line_width.value(), Stroke(self.stroke.currentData()))
        self.drawing_chosen.emit(replace(drawing, anchors=tuple(anchors), look=look, text=self.label.text().strip()))
