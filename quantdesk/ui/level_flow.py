"""Let alert levels be set on the charts: dragged, added at the crosshair, opened, and undone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QCursor, QUndoCommand
from PySide6.QtWidgets import QMenu

from quantdesk.analytics.alerts.rule import Comparison, Rule
from quantdesk.model.alerts import MOST_RULES, AlertModel
from quantdesk.ui.charts.levels import LevelLayer, metric_of, step_of, within
from quantdesk.ui.rule_words import level_text, metric_sign

if TYPE_CHECKING:
    from quantdesk.ui.charts.panel import Panel
    from quantdesk.ui.main_window import MainWindow

#: The panels whose values rules can watch.
WATCHABLE = ("price", "spread", "z", "correlation")
#: A rule that is added on a chart is armed again this share of the panel's height nearer.
_REARM_SHARE = 0.04


class LevelFlow(QObject):
    """Own the layer of alert levels over the charts; every change of a rule goes through the undo stack."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.layer = LevelLayer(self)
        self.layer.moved.connect(self._on_moved)
        self.layer.opened.connect(self._on_opened)
        self._panels = {name: window.charts.panel(name) for name in WATCHABLE}
        for name, panel in self._panels.items():
            panel.layers.append(self.layer)
            panel.axis_asked.connect(self._axis_opener(name))
        window.registry["alerts.here"].triggered.connect(self.add_here)
        window.alerts.rules_changed.connect(self._show)
        self._show()

    @Slot()
    def add_here(self) -> None:
        """Add a rule at the crosshair's value; without a crosshair at the newest z."""
        charts = self._window.charts
        at, name = charts.pointer_at(), self._panels["z"].state.cursor_panel
        if at is not None and name in self._panels:
            self.add(name, self._panels[name].value_at(at.y()))
            return
        panel = self._panels["z"]
        self.add("z", panel.row_value(panel.state.row))

    def add(self, name: str, value: float) -> None:
        """Add a rule that fires once a panel's metric has come from where it is now to a value."""
        panel = self._panels[name]
        metric = metric_of(name, panel.state)
        if metric is None or not math.isfinite(value) or panel.empty_text():
            words = self.tr("There is no value to watch here yet.")
            self._window.toast(self.tr("No alert was added"), words, "warning")
            return
        step = step_of(panel)
        level = round(round(within(metric, value) / step) * step, max(0, -math.floor(math.log10(step))))
        rises = level >= _newest(panel)
        nearer = max(step, _REARM_SHARE * abs(panel.value_at(0) - panel.value_at(panel.plot.height())))
        comparison = Comparison.AT_LEAST if rises else Comparison.AT_MOST
        rearm = level - nearer if rises else level + nearer
        rule = Rule(uuid4().hex[:12], metric_sign(metric), metric, comparison, level, rearm)
        self.put(None, replace(rule, name=level_text(rule)), self.tr("new alert"))

    def put(self, before: Rule | None, after: Rule, words: str) -> None:
        """Change a rule, or add one, so that it can be undone; say so where it cannot be done."""
        if before is None and len(self._window.alerts.rules) >= MOST_RULES:
            most = self.tr("At most {0} alert rules can be watched: delete one first.").format(MOST_RULES)
            self._window.toast(self.tr("No alert was added"), most, "warning")
            return
        self._window.layouts.undo.push(_RuleChange(self._window.alerts, before, after, words))
        keys = self._window.registry["view.undo"].shortcut().toString()
        title = self.tr("Alert added: {0}") if before is None else self.tr("Alert changed: {0}")
        hint = self.tr("Drag its line to change it, double-click to open it; {0} undoes it.").format(keys)
        self._window.toast(title.format(level_text(after)), hint, "ok")

    def axis_menu(self, name: str, y: float) -> QMenu:
        """Return a menu for a place on a panel's axis: an alert there, and what else belongs to the axis."""
        panel = self._panels[name]
        menu = QMenu(self._window)
        menu.setAccessibleName(self.tr("Axis"))
        value = panel.value_at(y)
        action = menu.addAction(self.tr("Alert at {0}").format(panel.value_text(value)))
        action.triggered.connect(lambda: self.add(name, value))
        action.setEnabled(not panel.empty_text())
        extra = {"price": self._window.menus.scale, "spread": self._window.menus.spread}.get(name)
        if extra is not None:
            menu.addSeparator()
            menu.addActions(extra.actions())
        menu.aboutToHide.connect(menu.deleteLater)
        return menu

    def _axis_opener(self, name: str) -> Callable[[float], None]:
        return lambda y: self.axis_menu(name, y).popup(QCursor.pos())

    @Slot()
    def _show(self) -> None:
        self.layer.rules = self._window.alerts.rules
        self._window.clock.mark()

    @Slot(object, object)
    def _on_moved(self, before: Rule, after: Rule) -> None:
        if before.name == level_text(before):
            after = replace(after, name=level_text(after))  # a name that says the level goes on saying it
        self.put(before, after, self.tr("move of {0}").format(before.name))

    @Slot(object)
    def _on_opened(self, rule: Rule) -> None:
        self._window.rules.edit(rule, lambda after: self.put(rule, after, self.tr("edit of {0}").format(rule.name)))


def _newest(panel: Panel) -> float:
    """Return the newest value that a panel has; a bar that still forms may have none."""
    rows = range(len(panel.state.line) - 1, -1, -1)
    return next((value for row in rows if math.isfinite(value := panel.row_value(row))), 0.0)


class _RuleChange(QUndoCommand):
    """Put one rule in the place of another; the others stay as they are meanwhile."""

    def __init__(self, alerts: AlertModel, before: Rule | None, after: Rule, words: str) -> None:
        super().__init__(words)
        self._alerts, self._before, self._after = alerts, before, after

    def redo(self) -> None:
        """Put the rule in force as it became."""
        self._swap(self._after)

    def undo(self) -> None:
        """Put it in force as it was, or take it away."""
        self._swap(self._before)

    def _swap(self, rule: Rule | None) -> None:
        rules, key = self._alerts.rules, self._after.id
        others = [each for each in rules if each.id != key]
        if rule is None:
            self._alerts.set_rules(others)
        elif len(others) < len(rules):
            self._alerts.set_rules([rule if each.id == key else each for each in rules])
        elif self._before is None and len(rules) < MOST_RULES:
            self._alerts.set_rules([*rules, rule])
        # A rule that was deleted meanwhile stays deleted; one whose place was taken stays away.
