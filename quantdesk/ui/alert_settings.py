"""Let the user set when |z| raises an alert."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDialogButtonBox, QDoubleSpinBox, QFormLayout, QWidget

from quantdesk.model.alerts import AlertRule
from quantdesk.ui.dialogs import DeskDialog


class AlertSettingsDialog(DeskDialog):
    """Edit the rule; ``rule_chosen(AlertRule)`` on OK. The re-arm level never exceeds the alert level."""

    rule_chosen = Signal(object)

    def __init__(self, rule: AlertRule, parent: QWidget | None) -> None:
        super().__init__(self.tr("Alert level"), parent, width=400)
        self.add_text(
            self.tr(
                "An alert is raised when |z| crosses the level on a closed bar. "
                "It is raised again only after |z| fell below the re-arm level."
            ),
            dim=True,
        )
        self.enabled = QCheckBox(self.tr("Raise alerts"), self)
        self.enabled.setChecked(rule.enabled)
        self.level = self._box(rule.level, self.tr("Alert at |z| of"))
        self.rearm = self._box(rule.rearm, self.tr("Arm again below"))
        self.muted = QCheckBox(self.tr("Mute: no sound, no popup"), self)
        self.muted.setChecked(rule.muted)
        for box in (self.enabled, self.muted):
            box.setAccessibleName(box.text())
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(8)
        form.addRow(self.enabled)
        form.addRow(self.tr("Alert at |z| of"), self.level)
        form.addRow(self.tr("Arm again below"), self.rearm)
        form.addRow(self.muted)
        self.body.addLayout(form)
        self.level.valueChanged.connect(self._bound)
        self.enabled.toggled.connect(self._bound)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self._bound()
        self.accepted.connect(self._choose)

    def _box(self, value: float, name: str) -> QDoubleSpinBox:
        box = QDoubleSpinBox(self)
        box.setDecimals(2)
        box.setRange(0.05, 20.0)
        box.setSingleStep(0.1)
        box.setValue(value)
        box.setAccessibleName(name)
        box.lineEdit().setTextMargins(4, 0, 0, 0)
        return box

    def _bound(self) -> None:
        self.rearm.setMaximum(self.level.value())
        for part in (self.level, self.rearm, self.muted):
            part.setEnabled(self.enabled.isChecked())

    def _choose(self) -> None:
        self.rule_chosen.emit(
            AlertRule(self.level.value(), self.rearm.value(), self.enabled.isChecked(), self.muted.isChecked())
        )
