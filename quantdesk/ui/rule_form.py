"""Hold the fields of one alert rule and read them, with every problem in words."""

from __future__ import annotations

from math import isfinite

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.rule import DEFAULT_SOUND, Comparison, Gates, Notice, Rule
from quantdesk.analytics.alerts.text import LONGEST_TEXT, NUMBERS, WORDS
from quantdesk.config import ConfigError
from quantdesk.ui.kept_webhooks import KeptWebhook
from quantdesk.ui.rule_words import comparison_name, metric_name
from quantdesk.ui.sounds import play, sound_names
from quantdesk.ui.webhook_form import WebhookForm

_MOST_BARS = 10_000
_FIELD_WIDTH = 96


class RuleForm(QWidget):
    """Edit a rule; ``edited`` at every change of a field. An empty exit, stop, p or age is not asked for."""

    edited = Signal()

    def __init__(self, rule: Rule, parent: QWidget | None = None, kept: KeptWebhook | None = None) -> None:
        super().__init__(parent)
        self.rule_id = rule.id
        self.name, self.text = QLineEdit(self), QLineEdit(self)
        self.watched, self.comparison, self.sound_name = QComboBox(self), QComboBox(self), QComboBox(self)
        self.enter, self.rearm, self.exit, self.stop, self.dwell_seconds, self.cooldown, self.p_below, self.max_age = (
            QLineEdit(self) for _ in range(8)
        )
        self.dwell_bars = QSpinBox(self)
        self.enabled, self.complete, self.window_full, self.popup, self.sound = (QCheckBox(self) for _ in range(5))
        self.webhook = WebhookForm(rule.id, rule.notice.webhook, kept, self)
        self._fill_lists(rule)
        self._lay_out()
        self._show(rule)
        self._follow()

    def rule(self) -> Rule:
        """Return the rule that the fields describe. Raises ConfigError in words for the first that is wrong."""
        gates = Gates(
            p_below=self._number(self.p_below, self.tr("cointegration p"), optional=True),
            complete=self.complete.isChecked(),
            window_full=self.window_full.isChecked(),
            max_age_seconds=self._number(self.max_age, self.tr("age of prices"), optional=True),
        )
        sound = str(self.sound_name.currentData())
        self.webhook.check()
        ways = self.popup.isChecked(), self.sound.isChecked()
        notice = Notice(*ways, sound, self.text.text(), self.webhook.on.isChecked())
        return Rule(
            self.rule_id,
            self.name.text().strip(),
            Metric(self.watched.currentData()),
            Comparison(self.comparison.currentData()),
            enter=self._needed(self.enter, self.tr("level")),
            rearm=self._needed(self.rearm, self.tr("re-arm level")),
            exit=self._number(self.exit, self.tr("exit level"), optional=True),
            stop=self._number(self.stop, self.tr("stop level"), optional=True),
            dwell_bars=self.dwell_bars.value(),
            dwell_seconds=self._number(self.dwell_seconds, self.tr("dwell"), optional=True) or 0.0,
            cooldown_seconds=self._number(self.cooldown, self.tr("cooldown"), optional=True) or 0.0,
            enabled=self.enabled.isChecked(),
            gates=gates,
            notice=notice,
        )

    def show_faults(self) -> None:
        """Mark the fields that hold no number."""
        for box in self._numbers():
            text = box.text().strip()
            wrong = _read(text) is None if text else box in (self.enter, self.rearm)
            if bool(box.property("fault")) != wrong:
                box.setProperty("fault", wrong)
                box.style().unpolish(box)
                box.style().polish(box)

    def _numbers(self) -> tuple[QLineEdit, ...]:
        seconds = (self.dwell_seconds, self.cooldown, self.p_below, self.max_age)
        return self.enter, self.rearm, self.exit, self.stop, *seconds

    def _needed(self, box: QLineEdit, name: str) -> float:
        value = self._number(box, name, optional=False)
        if value is None:
            raise ConfigError(self.tr("the {0} is missing").format(name))
        return value

    def _number(self, box: QLineEdit, name: str, *, optional: bool) -> float | None:
        text = box.text().strip()
        if not text and optional:
            return None
        if not text:
            raise ConfigError(self.tr("the {0} is missing").format(name))
        value = _read(text)
        if value is None:
            raise ConfigError(self.tr("the {0} “{1}” is no number; write for example 1.5").format(name, text[:20]))
        return value

    def _fill_lists(self, rule: Rule) -> None:
        for metric in Metric:
            self.watched.addItem(metric_name(metric), metric.value)
        for comparison in (Comparison.BEYOND, *(one for one in Comparison if one is not Comparison.BEYOND)):
            self.comparison.addItem(comparison_name(comparison), comparison.value)
        names = sound_names()
        if rule.notice.sound_name not in names:
            names[rule.notice.sound_name] = self.tr("{0} (unknown here: a beep)").format(rule.notice.sound_name)
        for name, words in names.items():
            self.sound_name.addItem(words, name)

    def _show(self, rule: Rule) -> None:
        self.name.setText(rule.name)
        self.watched.setCurrentIndex(self.watched.findData(rule.metric.value))
        self.comparison.setCurrentIndex(self.comparison.findData(rule.comparison.value))
        gates, notice = rule.gates, rule.notice
        for box, value in (
            (self.enter, rule.enter),
            (self.rearm, rule.rearm),
            (self.exit, rule.exit),
            (self.stop, rule.stop),
            (self.dwell_seconds, rule.dwell_seconds or None),
            (self.cooldown, rule.cooldown_seconds or None),
            (self.p_below, gates.p_below),
            (self.max_age, gates.max_age_seconds),
        ):
            box.setText("" if value is None else f"{value:.12g}")
        self.dwell_bars.setValue(rule.dwell_bars)
        self.enabled.setChecked(rule.enabled)
        self.complete.setChecked(gates.complete)
        self.window_full.setChecked(gates.window_full)
        self.popup.setChecked(notice.popup)
        self.sound.setChecked(notice.sound)
        self.sound_name.setCurrentIndex(self.sound_name.findData(notice.sound_name or DEFAULT_SOUND))
        self.text.setText(notice.text)

    def _follow(self) -> None:
        for box in (self.name, self.text, *self._numbers()):
            box.textChanged.connect(self.edited)
        for choice in (self.watched, self.comparison, self.sound_name):
            choice.currentIndexChanged.connect(self.edited)
        for tick in (self.enabled, self.complete, self.window_full, self.popup, self.sound):
            tick.toggled.connect(self.edited)
        self.dwell_bars.valueChanged.connect(self.edited)
        self.webhook.edited.connect(self.edited)
        self.sound.toggled.connect(self.sound_name.setEnabled)
        self.sound_name.setEnabled(self.sound.isChecked())
        self.sound_name.activated.connect(lambda _: play(str(self.sound_name.currentData())))

    # -- layout --------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        left, right = self._form(), self._form()
        self._head(left, self.tr("Condition"))
        self._row(left, self.tr("&Name"), self.name)
        self._row(left, self.tr("&Metric"), self.watched)
        self._row(left, self.tr("Al&ert when the"), self.comparison)
        self._row(left, self.tr("&Level"), self.enter, "", self.tr("in the unit of the metric"))
        self._row(left, self.tr("A&rmed again at"), self.rearm, "", self.tr("nearer than the level"))
        self._row(
            left, self.tr("Reverted at (e&xit)"), self.exit, self.tr("mean"), self.tr("empty: mean, or re-arm level")
        )
        self._row(left, self.tr("Stopped a&t"), self.stop, self.tr("none"), self.tr("beyond the level"))
        self._row(left, self.tr("Bars in a row"), self.dwell_bars)
        self._row(left, self.tr("Dwell"), self.dwell_seconds, "0", self.tr("seconds beyond the level"))
        self._row(left, self.tr("Cooldown"), self.cooldown, "0", self.tr("seconds between two alerts"))
        self._head(right, self.tr("Only if"))
        self._tick(right, self.complete, self.tr("no trade of the bar is missing"))
        self._tick(right, self.window_full, self.tr("the window is full"))
        self._row(right, self.tr("Cointegration p below"), self.p_below, self.tr("any"))
        self._row(right, self.tr("Both prices at most"), self.max_age, self.tr("any age"), self.tr("seconds old"))
        self._head(right, self.tr("How it is told"))
        self._tick(right, self.enabled, self.tr("the rule is on"))
        self._tick(right, self.popup, self.tr("pop up on the desktop (live market only)"))
        self._tick(right, self.sound, self.tr("make a sound (live market only)"))
        self._row(right, self.tr("Sound"), self.sound_name)
        self.dwell_bars.setRange(1, _MOST_BARS)
        self.dwell_bars.setFixedWidth(_FIELD_WIDTH)
        self.dwell_bars.lineEdit().setTextMargins(4, 0, 0, 0)
        self.name.setMaxLength(80)
        self.text.setMaxLength(LONGEST_TEXT)
        columns = QHBoxLayout()
        columns.setSpacing(28)
        columns.addLayout(left, 1)
        columns.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(columns)
        column.addLayout(self._text_line())
        column.addWidget(self.webhook)

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(7)
        return form

    def _head(self, form: QFormLayout, text: str) -> None:
        label = QLabel(text, self)
        label.setProperty("heading", True)
        form.addRow(label)

    def _tick(self, form: QFormLayout, box: QCheckBox, text: str) -> None:
        box.setText(text)
        box.setAccessibleName(text)
        form.addRow(box)

    def _row(self, form: QFormLayout, name: str, field: QWidget, hint: str = "", note: str = "") -> None:
        label = QLabel(name, self)
        label.setBuddy(field)
        field.setAccessibleName(name.replace("&", ""))
        if isinstance(field, QComboBox):
            field.view().setAccessibleName(name.replace("&", ""))
        if not note and not hint:
            form.addRow(label, field)
            return
        if isinstance(field, QLineEdit):
            field.setPlaceholderText(hint)
            field.setFixedWidth(_FIELD_WIDTH)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(field)
        words = QLabel(note, self)
        words.setProperty("dim", True)
        line.addWidget(words, 1)
        field.setAccessibleDescription(note)
        form.addRow(label, line)

    def _text_line(self) -> QFormLayout:
        form = self._form()
        self.fields = QToolButton(self)
        self.fields.setText(self.tr("Insert"))
        self.fields.setAccessibleName(self.tr("Insert a field into the text"))
        self.fields.setToolTip(self.tr("What the text may name; a number may carry a format, {value:+.2f}"))
        self.fields.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.fields)
        menu.setAccessibleName(self.tr("Fields of the text"))
        for name in (*WORDS, "value", "level", "p"):
            menu.addAction(self._inserting(menu, name))
        more = menu.addMenu(self.tr("Other metrics"))
        for name in NUMBERS:
            if name not in ("value", "level", "p"):
                more.addAction(self._inserting(more, name))
        self.fields.setMenu(menu)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.text, 1)
        line.addWidget(self.fields)
        label = QLabel(self.tr("Te&xt"), self)
        label.setBuddy(self.text)
        self.text.setAccessibleName(self.tr("Text of the alert"))
        form.addRow(label, line)
        return form

    def _inserting(self, menu: QMenu, name: str) -> QAction:
        action = QAction(f"{{{name}}}", menu)
        action.triggered.connect(lambda: self._insert(f"{{{name}}}"))
        return action

    def _insert(self, words: str) -> None:
        self.text.insert(words)
        self.text.setFocus()


def _read(text: str) -> float | None:
    """Return the number of a text, as people write it; None where it is none."""
    try:
        value = float(text.replace("−", "-"))
    except ValueError:
        return None
    return value if isfinite(value) else None
