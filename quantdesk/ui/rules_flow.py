"""Bring the alert rules to the window: their dialogs, and what the desk shows of those that are on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from quantdesk.analytics.alerts.machine import Firing, Kind
from quantdesk.analytics.alerts.record import text_of
from quantdesk.analytics.alerts.rule import Comparison, Rule
from quantdesk.config import ConfigError
from quantdesk.model.alert_samples import OF_TRADES, FrameSamples, Look, kinds_of, look_of
from quantdesk.ui.rule_words import is_z

if TYPE_CHECKING:
    from quantdesk.model.rule_trial import RuleTrial
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.rule_dialog import RuleDialog
    from quantdesk.ui.rules_dialog import RulesDialog

TRIAL = "rule trial"
_LEVEL = 2.0
_WATCHER = "alert rules"


def z_levels(rules: tuple[Rule, ...]) -> tuple[float, ...]:
    """Return the levels of the z rules that are on, as values of z, ascending."""
    found: set[float] = set()
    for rule in rules:
        if rule.enabled and is_z(rule.metric):
            found |= {rule.enter, -rule.enter} if rule.comparison is Comparison.BEYOND else {rule.enter}
    return tuple(sorted(found))


def level_of(rules: tuple[Rule, ...]) -> float:
    """Return the |z| from which z counts as far out: the least of the rules that are on, else of all, else 2."""
    sized = [rule for rule in rules if is_z(rule.metric) and rule.comparison is Comparison.BEYOND]
    return min((rule.enter for rule in [r for r in sized if r.enabled] or sized), default=_LEVEL)


class RulesFlow(QObject):
    """Own the rules' dialogs and keep bell, table, charts and boxes true to the rules."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        alerts = window.alerts
        window.registry["alerts.rules"].triggered.connect(self.show_rules)
        window.registry["alerts.mute"].toggled.connect(alerts.set_muted)
        alerts.rules_changed.connect(self.show)
        alerts.muted_changed.connect(self.show)
        for signal in (alerts.fired, alerts.followed, alerts.restored):
            signal.connect(self._on_alerts)

    @property
    def dialog(self) -> RulesDialog | None:
        """Return the list of rules while it is open."""
        from quantdesk.ui.rules_dialog import RulesDialog

        found = self._window.prompts.dialog("rules")
        return found if isinstance(found, RulesDialog) else None

    @property
    def editing(self) -> RuleDialog | None:
        """Return the dialog of one rule while it is open."""
        from quantdesk.ui.rule_dialog import RuleDialog

        found = self._window.prompts.dialog("rule")
        return found if isinstance(found, RuleDialog) else None

    def look(self) -> Look:
        """Return what is known now beside the bars on screen."""
        return look_of(self._window.pair, self._window.pair_docks.ticks.statistics.latest)

    @Slot()
    def show(self) -> None:
        """Show the rules that are on, and whether they may be heard."""
        window, rules, muted = self._window, self._window.alerts.rules, self._window.alerts.muted
        window.registry["alerts.mute"].setChecked(muted)
        window.bar.show_rules(rules)
        window.table.show_rules(rules)
        window.status.show_muted(muted)
        window.charts.alert_level(level_of(rules), z_levels(rules))
        window.metrics.alert_level(level_of(rules))
        window.flow.marks_changed.emit()
        window.keeper.save_soon()
        # Trades are looked at only while somebody needs it.
        wanted = any(rule.enabled and rule.metric in OF_TRADES for rule in rules)
        window.pair_docks.ticks.statistics.watch(_WATCHER, wanted)
        window.pair.watch_kinds(kinds_of(rules))
        if self.dialog is not None:
            self.dialog.refresh()

    @Slot()
    def show_rules(self) -> None:
        """Open the list of rules, or bring it to the front."""
        from quantdesk.ui.rule_table import RuleRow
        from quantdesk.ui.rules_dialog import RulesDialog

        alerts = self._window.alerts

        def rows() -> list[RuleRow]:
            return [
                RuleRow(rule, alerts.record_of(rule), alerts.last_fired(rule), alerts.held(rule.id))
                for rule in alerts.rules
            ]

        dialog = RulesDialog(rows, self._window.theme.tokens, self._window)
        dialog.rules_chosen.connect(alerts.set_rules)
        dialog.edit_wanted.connect(self._edit)
        dialog.copied.connect(self._window.webhooks.copy_requested)
        self._window.theme.tokens_changed.connect(dialog.set_tokens)
        self._window.prompts.show_dialog("rules", dialog)

    @Slot(object, bool)
    def _edit(self, rule: Rule, new: bool) -> None:
        listed = self.dialog
        self._open(rule, listed.take if listed is not None else None, new=new)

    def edit(self, rule: Rule, chosen: Callable[[Rule], None]) -> None:
        """Open the dialog of one rule of those in force; ``chosen`` takes what became of it."""
        self._open(rule, chosen, new=False)

    def _open(self, rule: Rule, chosen: Callable[[Rule], None] | None, *, new: bool) -> None:
        from quantdesk.ui.rule_dialog import RuleDialog

        hooks = self._window.webhooks
        dialog = RuleDialog(rule, self._example, self.dialog or self._window, new=new, kept=hooks.kept(rule.id))
        dialog.webhook_chosen.connect(hooks.keep_requested)
        dialog.test_wanted.connect(hooks.test_requested)
        if chosen is not None:
            dialog.rule_chosen.connect(chosen)
        dialog.trial_wanted.connect(self._try)
        self._window.prompts.show_dialog("rule", dialog)
        dialog.ask()

    @Slot(object)
    def _try(self, rule: Rule) -> None:
        from quantdesk.model.rule_trial import try_rule

        pair = self._window.pair
        frame, look = pair.frame, self.look()
        if frame is None or not len(frame):
            self._say(self.tr("No bars are loaded: nobody can tell what it would have done."))
            return
        pair.jobs.submit(TRIAL, lambda: try_rule(rule, frame, look), self._on_tried, lambda e: self._say(str(e)))

    def _on_tried(self, trial: RuleTrial) -> None:
        if self.editing is not None:
            self.editing.show_trial(trial)

    def _say(self, words: str) -> None:
        if self.editing is not None:
            self.editing.show_no_trial(words)

    def _example(self, rule: Rule) -> str:
        """Return what an alert of a rule would say at the newest bar that has a value."""
        frame = self._window.pair.frame
        if frame is None or not len(frame):
            return ""
        samples = FrameSamples(frame, self.look())
        rows = samples.usable(rule).nonzero()[0]
        if not len(rows):
            return ""
        sample = samples.snapshot(rule.metric, int(rows[-1]))
        value = sample.value(rule.metric)
        try:
            return text_of(
                Firing(rule, sample, Kind.CROSS, value, rule.side_of(value)), samples.context(rule.metric, frame.origin)
            )
        except (ConfigError, ValueError):
            return ""

    @Slot()
    def _on_alerts(self) -> None:
        if self.dialog is not None:
            self.dialog.refresh()
