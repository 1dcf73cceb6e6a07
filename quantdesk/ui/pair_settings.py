"""Let the user set the windows of the statistics and the schedule of refits."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialogButtonBox, QFormLayout, QSpinBox, QWidget

from quantdesk.model.frame import LEAST_REFIT_EVERY, LONGEST_WINDOW, SHORTEST_WINDOW, PairSettings
from quantdesk.ui.dialogs import DeskDialog


class PairSettingsDialog(DeskDialog):
    """Edit windows and schedule of a pair; ``chosen(PairSettings)`` on OK."""

    chosen = Signal(object)

    def __init__(self, settings: PairSettings, parent: QWidget | None) -> None:
        super().__init__(self.tr("Windows and refit schedule"), parent, width=420)
        self._settings = settings
        self.add_text(
            self.tr(
                "The drawn spread uses a hedge ratio fitted on the formation window and frozen there. "
                "A refit fits it anew from the next bar on and is marked on the chart."
            ),
            dim=True,
        )
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(8)
        self.z_window = self._row(form, self.tr("Window of z"), settings.window)
        self.correlation = self._row(form, self.tr("Window of the correlation"), settings.correlation_window)
        self.formation = self._row(form, self.tr("Formation window"), settings.formation_bars)
        self.refit_every = self._row(form, self.tr("Refit every"), settings.refit_every)
        self.refit_every.setRange(0, 1_000_000)
        self.refit_every.setValue(settings.refit_every)
        self.refit_every.setSpecialValueText(self.tr("never"))
        self.refit_every.editingFinished.connect(self._lift)
        self.body.addLayout(form)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self.accepted.connect(self._choose)

    def _row(self, form: QFormLayout, name: str, value: int) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(SHORTEST_WINDOW, LONGEST_WINDOW)
        box.setSuffix(self.tr(" bars"))
        box.setValue(value)
        box.setAccessibleName(name)
        box.lineEdit().setTextMargins(4, 0, 0, 0)
        form.addRow(name, box)
        return box

    def _lift(self) -> None:
        if 0 < self.refit_every.value() < LEAST_REFIT_EVERY:
            self.refit_every.setValue(LEAST_REFIT_EVERY)

    def _choose(self) -> None:
        self._lift()
        self.chosen.emit(
            replace(
                self._settings,
                window=self.z_window.value(),
                correlation_window=self.correlation.value(),
                formation_bars=self.formation.value(),
                refit_every=self.refit_every.value(),
            )
        )
