"""Let the user set the windows of the statistics, the hedge ratio's method and the schedule of refits."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QDateTime, Qt, QTimeZone, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDateTimeEdit, QDialogButtonBox, QFormLayout, QSpinBox, QWidget

from quantdesk.analytics.zscore import ZKind
from quantdesk.model.frame import LEAST_REFIT_EVERY, LONGEST_WINDOW, SHORTEST_WINDOW, PairSettings
from quantdesk.model.hedge_method import HedgeMethod
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.hedge_words import hedge_name, hedge_tip
from quantdesk.ui.kalman_choice import KalmanChoice
from quantdesk.ui.z_words import LOOK_AHEAD, kind_name, kind_tip


class PairSettingsDialog(DeskDialog):
    """Edit windows and schedule of a pair; ``chosen(PairSettings)`` on OK."""

    chosen = Signal(object)

    def __init__(self, settings: PairSettings, parent: QWidget | None) -> None:
        super().__init__(self.tr("Windows and refit schedule"), parent, width=420)
        self._settings = settings
        self.add_text(
            self.tr(
                "The drawn spread uses a hedge ratio fitted on the formation window and frozen there. "
                "A refit fits it anew from the next bar on and is marked on the chart. "
                "Rolling OLS and Kalman move it with every bar instead, and are never refitted."
            ),
            dim=True,
        )
        form = QFormLayout()
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(8)
        self._add_method(form)
        self.kalman = KalmanChoice(settings.kalman_delta, self)
        form.addRow(self.kalman.how.accessibleName(), self.kalman)
        form.addRow("", self.kalman.words)
        self.z_kind = self._kinds(form, settings)
        self.z_window = self._row(form, self.tr("Window of z"), settings.window)
        self.correlation = self._row(form, self.tr("Window of the correlation"), settings.correlation_window)
        self.formation = self._row(form, self.tr("Formation window"), settings.formation_bars)
        self.refit_every = self._row(form, self.tr("Refit every"), settings.refit_every)
        self.refit_every.setRange(0, 1_000_000)
        self.refit_every.setValue(settings.refit_every)
        self.refit_every.setSpecialValueText(self.tr("never"))
        self.refit_every.editingFinished.connect(self._lift)
        self._add_date(form)
        self.method.currentIndexChanged.connect(self._on_method)
        self._on_method()
        self.body.addLayout(form)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self.accepted.connect(self._choose)

    def _add_method(self, form: QFormLayout) -> None:
        self.method = QComboBox(self)
        self.method.setAccessibleName(self.tr("Hedge ratio by"))
        self.method.view().setAccessibleName(self.method.accessibleName())
        for method in HedgeMethod:
            self.method.addItem(hedge_name(method), method.value)
        self.method.setCurrentIndex(tuple(HedgeMethod).index(self._settings.hedge))
        form.addRow(self.method.accessibleName(), self.method)

    def _add_date(self, form: QFormLayout) -> None:
        """Offer to end the formation window at a date; without one it ends where the view began."""
        end = self._settings.formation_end
        self.dated = QCheckBox(self.tr("Formation ends at (UTC)"), self)
        self.dated.setAccessibleName(self.dated.text())
        self.dated.setToolTip(self.tr("Fit β on the bars of the formation window that closed by this moment"))
        self.date = QDateTimeEdit(self)
        self.date.setAccessibleName(self.tr("End of the formation window, UTC"))
        self.date.setTimeZone(QTimeZone(QTimeZone.Initialization.UTC))
        self.date.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
        self.date.setCalendarPopup(True)
        now = QDateTime.currentDateTimeUtc()
        self.date.setDateTimeRange(QDateTime.fromMSecsSinceEpoch(0, self.date.timeZone()), now)
        shown = QDateTime.fromMSecsSinceEpoch(end, self.date.timeZone()) if end else now.addSecs(-now.time().second())
        self.date.setDateTime(shown)
        self.dated.setChecked(end > 0)
        self.date.setEnabled(end > 0)
        self.dated.toggled.connect(self.date.setEnabled)
        form.addRow(self.dated, self.date)

    @Slot()
    def _on_method(self) -> None:
        """Ask no schedule of a method that moves, and let the window be as long as it needs to be."""
        method = self._method()
        self.method.setToolTip(hedge_tip(method))
        self.refit_every.setEnabled(not method.moves)
        self.kalman.set_asked(method is HedgeMethod.KALMAN)
        self.formation.setMinimum(replace(self._settings, formation_bars=LONGEST_WINDOW, hedge=method).least_formation)

    def _method(self) -> HedgeMethod:
        return HedgeMethod(self.method.currentData())

    def _delta(self) -> float:
        value = self.kalman.value()
        return self._settings.kalman_delta if value is None else value

    def _end(self) -> int:
        if not self.dated.isChecked():
            return 0
        chosen = self.date.dateTime().toMSecsSinceEpoch()
        # What the box cannot show of the old moment is no change.
        return self._settings.formation_end if chosen == self._settings.formation_end // 1_000 * 1_000 else int(chosen)

    def _row(self, form: QFormLayout, name: str, value: int) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(SHORTEST_WINDOW, LONGEST_WINDOW)
        box.setSuffix(self.tr(" bars"))
        box.setValue(value)
        box.setAccessibleName(name)
        box.lineEdit().setTextMargins(4, 0, 0, 0)
        form.addRow(name, box)
        return box

    def _kinds(self, form: QFormLayout, settings: PairSettings) -> QComboBox:
        """Offer the kinds of z; the tip of each says what it judges a bar by."""
        box = QComboBox(self)
        for kind in ZKind:
            name = kind_name(kind)
            box.addItem(f"{name} · {LOOK_AHEAD}" if kind.look_ahead else name, kind)
            box.setItemData(box.count() - 1, kind_tip(kind, settings.window), Qt.ItemDataRole.ToolTipRole)
        box.setCurrentIndex(list(ZKind).index(settings.z_kind))
        box.setAccessibleName(self.tr("Kind of z"))
        box.view().setAccessibleName(box.accessibleName())
        box.setToolTip(self.tr("What is shown; alerts judge the walk-forward z whatever is chosen here"))
        form.addRow(self.tr("Kind of z"), box)
        return box

    def accept(self) -> None:
        """Close with a choice; stay where a δ is wanted that is none: the words beside it say so."""
        if self._method() is HedgeMethod.KALMAN and self.kalman.value() is None:
            self.kalman.delta.setFocus()
            self.kalman.delta.selectAll()
            return
        super().accept()

    def _lift(self) -> None:
        if 0 < self.refit_every.value() < LEAST_REFIT_EVERY:
            self.refit_every.setValue(LEAST_REFIT_EVERY)

    def _choose(self) -> None:
        self._lift()
        self.chosen.emit(
            replace(
                self._settings,
                window=self.z_window.value(),
                z_kind=list(ZKind)[self.z_kind.currentIndex()],
                correlation_window=self.correlation.value(),
                formation_bars=self.formation.value(),
                refit_every=self.refit_every.value(),
                hedge=self._method(),
                formation_end=self._end(),
                kalman_delta=self._delta(),
            )
        )
