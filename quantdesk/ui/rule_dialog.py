"""Edit one alert rule and show at once what it means and what it would have done."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QWidget

from quantdesk.analytics.alerts.rule import Rule
from quantdesk.config import ConfigError
from quantdesk.model.rule_trial import RuleTrial
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.kept_webhooks import KeptWebhook
from quantdesk.ui.rule_form import RuleForm
from quantdesk.ui.rule_words import condition_text
from quantdesk.ui.status_flow import sentence

_PAUSE_MS = 250


class RuleDialog(DeskDialog):
    """Edit a rule; ``rule_chosen(Rule)`` on OK, ``trial_wanted(Rule)`` when it has been changed.

    ``webhook_chosen(WebhookDraft)`` on OK where address or secret changed, ``test_wanted(Rule, WebhookDraft)``.
    ``example`` is asked for the alert's words as the rule would say them now, "" where nobody can tell.
    """

    rule_chosen = Signal(object)
    trial_wanted = Signal(object)
    webhook_chosen = Signal(object)
    test_wanted = Signal(object, object)

    def __init__(
        self,
        rule: Rule,
        example: Callable[[Rule], str],
        parent: QWidget | None,
        *,
        new: bool,
        kept: KeptWebhook | None = None,
    ) -> None:
        super().__init__(self.tr("New alert rule") if new else self.tr("Alert rule"), parent, width=820)
        self._example = example
        self._trial: RuleTrial | None = None
        self.form = RuleForm(rule, self, kept)
        self.body.addWidget(self.form)
        self.body.addSpacing(6)
        self.condition = self._words(self.tr("What the rule waits for"))
        self.trial = self._words(self.tr("What the rule would have done"), dim=True)
        self.example = self._words(self.tr("What the alert would say"), dim=True)
        self.problem = self._words(self.tr("What is wrong"))
        self.problem.setProperty("fault", True)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.add_buttons()
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.form.edited.connect(self._on_edited)
        self.form.webhook.test_wanted.connect(self._test)
        self.accepted.connect(self._choose)
        self._on_edited()
        self.form.name.setFocus()
        self.form.name.selectAll()

    def show_trial(self, trial: RuleTrial) -> None:
        """Show what the rule would have done, unless it was changed meanwhile."""
        if trial.rule == self._read():
            self.trial.setText(self._trial_words(trial))

    def show_no_trial(self, words: str) -> None:
        """Say why nobody can tell what the rule would have done."""
        self.trial.setText(words)

    def ask(self) -> None:
        """Ask for the trial now: the dialog has been connected."""
        self._ask()

    def _words(self, name: str, *, dim: bool = False) -> QLabel:
        label = self.words("")
        label.setProperty("dim", dim)
        label.setAccessibleName(name)
        self.body.addWidget(label)
        return label

    def _read(self) -> Rule | None:
        try:
            return self.form.rule()
        except ConfigError:
            return None

    @Slot()
    def _on_edited(self) -> None:
        self.form.show_faults()
        problem = ""
        try:
            rule = self.form.rule()
        except ConfigError as error:
            problem = sentence(str(error))
        else:
            self.condition.setText(self.tr("Waits for: {0}.").format(condition_text(rule)))
            example = self._example(rule)
            self.example.setText(self.tr("It would say now: {0}").format(example) if example else "")
            self.trial.setText(self.tr("Trying it on the loaded bars…"))
            self._pause.start()
        for label in (self.condition, self.trial, self.example):
            label.setVisible(not problem and bool(label.text()))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(not problem)

    @Slot()
    def _choose(self) -> None:
        webhook = self.form.webhook
        if webhook.on.isChecked() and webhook.is_changed:
            self.webhook_chosen.emit(webhook.draft())
        self.rule_chosen.emit(self.form.rule())

    @Slot()
    def _test(self) -> None:
        rule = self._read()
        if rule is None:
            self.form.webhook.show_result(self.problem.text(), ok=False)
        else:
            self.test_wanted.emit(rule, self.form.webhook.draft())

    @Slot()
    def _ask(self) -> None:
        rule = self._read()
        if rule is not None:
            self.trial_wanted.emit(rule)

    def _trial_words(self, trial: RuleTrial) -> str:
        if not trial.bars:
            return self.tr("No loaded bar has a value of this metric: nobody can tell yet.")
        forms = {
            0: self.tr("It would not have fired in {1} bars."),
            1: self.tr("It would have fired once in {1} bars."),
        }
        words = forms.get(trial.firings, self.tr("It would have fired {0} times in {1} bars."))
        words = words.format(f"{trial.firings:,}", f"{trial.bars:,}")
        record = trial.record
        if record.share_reverted is not None:
            words += " " + self.tr("Of the {0} that ended, {1} reverted").format(
                f"{record.firings - record.open:,}", f"{record.share_reverted:.0%}"
            )
            if record.median_bars is not None:
                words += self.tr(", the median in {0} bars").format(f"{record.median_bars:g}")
            words += "."
        if trial.without:
            words += " " + self.tr("Not asked of past bars: {0}.").format(", ".join(trial.without))
        return words
