"""Rules are listed, switched, edited and deleted with a way back, by mouse and by keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QLabel
from pytestqt.qtbot import QtBot

from quantdesk.analytics.alerts.machine import Kind
from quantdesk.analytics.alerts.metric import Metric
from quantdesk.analytics.alerts.outcome import Ended, Outcome
from quantdesk.analytics.alerts.rule import Comparison, Gates, Notice, Rule, z_rule
from quantdesk.types import Origin
from quantdesk.ui.rule_dialog import RuleDialog
from quantdesk.ui.rules_dialog import RulesDialog

from .conftest import Desk, alert
from .test_actions import interactive

CALM = Rule(
    "calm", "Correlation breaks", Metric.CORRELATION, Comparison.AT_MOST, 0.3, 0.5, exit=0.6, stop=-0.2, dwell_bars=3,
    dwell_seconds=90, cooldown_seconds=600, enabled=False, gates=Gates(0.05, False, False, 5),
    notice=Notice(False, True, "double", "{rule}: {value:.3f} at {time}"),
)  # fmt: skip


def opened(desk: Desk, *rules: Rule) -> RulesDialog:
    if rules:
        desk.alerts.set_rules(rules)
    desk.window.show()
    desk.window.registry["alerts.rules"].trigger()
    dialog = desk.window.rules.dialog
    assert dialog is not None
    return dialog


def editing(desk: Desk) -> RuleDialog:
    dialog = desk.window.rules.editing
    assert dialog is not None
    return dialog


def names(desk: Desk) -> list[str]:
    return [rule.name for rule in desk.alerts.rules]


def ok(dialog: RuleDialog) -> bool:
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()


def test_the_list_says_condition_switch_and_record_of_each_rule(desk: Desk) -> None:
    for z, minute in ((2.5, 1), (-3.0, 9)):
        desk.alerts.log.add(alert(z, minute=minute).record)
    table = opened(desk, z_rule(), CALM).table
    cells = [[table.item(row, column).text() for column in range(table.columnCount())] for row in range(2)]
    assert cells[0][1:4] == ["|z|", "|z| ≥ 2.0, armed again below 1.5", "2"] and cells[0][7].endswith("12:09")
    assert cells[1][1] == "Correlation breaks" and cells[1][3:] == ["0", "–", "–", "–", "–"]
    for part in ("corr. ≤ 0.3", "for 3 bars", "for 90 s", "p < 0.05", "5 s old", "above 0.5", "at 0.6", "at −0.2"):
        assert part in cells[1][2], part
    assert table.item(0, 0).checkState() == Qt.CheckState.Checked
    assert table.item(1, 0).checkState() == Qt.CheckState.Unchecked


def test_space_switches_a_rule_and_the_desk_follows(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, z_rule(), replace(z_rule(3.0), id="far", name="far"))
    assert desk.window.bar.level.text() == "2 rules"
    dialog.table.choose(0)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Space)
    assert [rule.enabled for rule in desk.alerts.rules] == [False, True]
    assert desk.window.bar.level.text() == "|z| 3.0"
    assert desk.window.charts._state.levels == (-3.0, 3.0)
    assert "|z| crosses 3.0" in desk.window.table.empty.text()
    qtbot.keyClick(dialog.table, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Space)
    assert desk.window.bar.level.text() == "off" and desk.window.charts._state.levels == ()
    assert "Rules…" in desk.window.table.empty.text()


def test_a_rule_is_added_by_keys_and_kept_for_the_next_start(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk()
    dialog = opened(desk)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Insert)
    form = editing(desk)
    qtbot.keyClicks(form.form.name, "Wide ratio")
    form.form.watched.setCurrentIndex(form.form.watched.findData("beta"))
    form.form.comparison.setCurrentIndex(form.form.comparison.findData(">="))
    form.form.enter.setText("0.06")
    form.form.rearm.setText("0.055")
    qtbot.keyClick(form, Qt.Key.Key_Return)
    assert names(desk) == ["|z|", "Wide ratio"]
    rule = desk.alerts.rules[1]
    assert (rule.metric, rule.enter, rule.rearm, rule.exit) == (Metric.BETA, 0.06, 0.055, None)
    assert dialog.table.currentRow() == 1
    dialog.reject()
    desk.window.save_settings()
    assert make_desk(folder=desk.store.path.parent).alerts.rules == desk.alerts.rules


def test_editing_shows_every_field_and_gives_the_same_rule_back(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, CALM)
    dialog.table.choose(0)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    form = editing(desk)
    assert form.form.rule() == CALM
    form.form.enter.setText("0.25")
    form.accept()
    assert desk.alerts.rules == (replace(CALM, enter=0.25),)


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("enter", "", "level is missing"),
        ("enter", "1,5", "“1,5” is no number; write for example 1.5"),
        ("rearm", "2.5", "must not lie beyond the enter level"),
        ("exit", "1.8", "exit level must not lie beyond"),
        ("stop", "1", "stop level must lie beyond"),
        ("stop", "inf", "no number"),
        ("p_below", "2", "at most 1"),
        ("cooldown", "-1", "0 or more seconds"),
        ("name", " ", "name of a rule must be one line"),
        ("text", "{valu}", "names {valu}"),
        ("text", "{value:.999999f}", "not allowed"),
    ],
)
def test_what_is_wrong_is_said_in_words_and_cannot_be_kept(desk: Desk, field: str, text: str, words: str) -> None:
    dialog = opened(desk)
    dialog._edit()
    form = editing(desk)
    assert ok(form) and form.problem.isHidden()
    getattr(form.form, field).setText(text)
    assert words in form.problem.text() and not form.problem.isHidden() and not ok(form)
    assert form.condition.isHidden()
    form.reject()
    assert desk.alerts.rules == (z_rule(),)


def test_the_dialog_says_what_the_rule_would_have_done(make_desk: Callable[..., Desk], qtbot: QtBot) -> None:
    desk = make_desk(data=True)
    dialog = opened(desk)
    dialog._edit()
    form = editing(desk)
    qtbot.waitUntil(lambda: form.trial.text().startswith("It would have fired "), timeout=10_000)
    assert "times in 260 bars." in form.trial.text() and "reverted" in form.trial.text()
    assert form.example.text().startswith("It would say now: ") and "BTCUSDT / ETHUSDT  z " in form.example.text()
    form.form.enter.setText("30")
    assert "Trying" in form.trial.text()
    qtbot.waitUntil(lambda: form.trial.text() == "It would not have fired in 260 bars.", timeout=10_000)
    form.form.watched.setCurrentIndex(form.form.watched.findData("half_life"))
    qtbot.waitUntil(lambda: "fired" in form.trial.text() or "nobody can tell" in form.trial.text(), timeout=10_000)
    form.reject()


def test_a_field_is_put_into_the_text_where_the_cursor_stands(desk: Desk) -> None:
    dialog = opened(desk)
    dialog._edit()
    form = editing(desk).form
    form.text.setText("now ")
    form.fields.menu().actions()[0].trigger()
    assert form.text.text() == "now {rule}"


def test_a_deleted_rule_comes_back_in_its_place_whatever_was_done_since(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, z_rule(), CALM, replace(z_rule(4.0), id="far", name="far"))
    dialog.table.choose(1)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Delete)
    assert names(desk) == ["|z|", "far"]
    (toast,) = dialog.toasts.toasts
    assert "Correlation breaks" in toast.accessibleName() and "Undo" in toast.accessibleName()
    dialog.table.choose(0)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Space)
    qtbot.mouseClick(toast, Qt.MouseButton.LeftButton)
    assert names(desk) == ["|z|", "Correlation breaks", "far"] and not desk.alerts.rules[0].enabled


def test_ctrl_z_takes_back_change_after_change(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk, z_rule(), CALM)
    dialog.table.choose(0)
    before = [desk.alerts.rules]
    for key, modifier in ((Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier),
                          (Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier),
                          (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)):  # fmt: skip
        qtbot.keyClick(dialog.table, key, modifier)
        before.append(desk.alerts.rules)
    assert [[rule.name for rule in rules] for rules in before] == [
        ["|z|", "Correlation breaks"],
        ["|z|", "|z| 2", "Correlation breaks"],
        ["|z|", "Correlation breaks", "|z| 2"],
        ["|z|", "Correlation breaks"],
    ]
    for rules in reversed(before[:-1]):
        qtbot.keyClick(dialog.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert desk.alerts.rules == rules
    qtbot.keyClick(dialog.table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert desk.alerts.rules == before[0]


def test_the_last_rule_may_go_and_the_empty_list_says_what_to_do(desk: Desk, qtbot: QtBot) -> None:
    dialog = opened(desk)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Delete)
    assert desk.alerts.rules == () and not dialog.empty.isHidden()
    assert not dialog.commands["edit"].isEnabled() and dialog.commands["add"].isEnabled()
    qtbot.keyClick(dialog.table, Qt.Key.Key_Delete)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    assert desk.window.rules.editing is None


def test_a_new_firing_shows_in_the_open_list(desk: Desk) -> None:
    dialog = opened(desk)
    desk.alerts.log.add(alert().record)
    desk.alerts.fired.emit(alert())
    assert dialog.table.item(0, 3).text() == "1"


@pytest.mark.parametrize(
    ("notice", "pops", "beeps"),
    [(Notice(), True, 1), (Notice(popup=False), False, 1), (Notice(sound=False), True, 0),
     (Notice(sound_name="double"), True, 2), (Notice(sound_name="gong"), True, 1)],
)  # fmt: skip
def test_each_rule_is_told_as_it_says(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, notice: Notice, pops: bool, beeps: int
) -> None:
    heard: list[int] = []
    asked: list[str] = []
    monkeypatch.setattr("quantdesk.ui.sounds.QApplication.beep", lambda: heard.append(1))
    monkeypatch.setattr("quantdesk.ui.sounds._PAUSE_MS", 1)
    desk.window.notify_requested.connect(lambda title, text: asked.append(text))
    words = replace(notice, text="{rule} says {value:+.1f}")
    desk.alerts.fired.emit(alert(rule=replace(z_rule(), notice=words)))
    qtbot.wait(20)
    assert len(heard) == beeps and asked == (["|z| says +2.1"] if pops else [])
    desk.alerts.fired.emit(alert(origin=Origin.SIMULATED, popup=False, rule=replace(z_rule(), notice=words)))
    desk.alerts.set_muted(True)
    desk.alerts.fired.emit(alert(rule=replace(z_rule(), notice=words)))
    qtbot.wait(20)
    assert len(heard) == beeps and len(asked) == pops


def test_marks_follow_the_rules_that_are_on_with_entry_and_end(desk: Desk) -> None:
    dear = Rule("dear", "dear", Metric.PRICE_Y, Comparison.AT_LEAST, 1.0, 0.5)
    desk.alerts.set_rules([z_rule(), dear])
    for rule, minute, ended in ((z_rule(), 5, Ended.REVERTED), (dear, 7, Ended.STOPPED), (z_rule(), 9, Ended.OPEN)):
        event = alert(minute=minute, rule=rule)
        outcome = Outcome(ended, 3, 3 * 60_000, 0.0, 1.0)
        desk.alerts._put(replace(event, record=replace(event.record, outcome=outcome)))
    desk.alerts._put(alert(minute=11, kind=Kind.AT_START))
    marks = desk.window.flow.marks("BTCUSDT / ETHUSDT", "1m")
    start = alert(minute=0).time_ms
    assert [((m.time_ms - start) // 60_000, m.kind.name) for m in marks] == [
        (5, "ENTRY"), (7, "ENTRY"), (8, "EXIT"), (9, "ENTRY"), (10, "STOP"), (11, "AT_START"),
    ]  # fmt: skip
    assert marks[0].words == "|z|: entry at z +2.13, reverted in 3 bars"
    assert marks[2].words == "|z|: exit of z +2.13, reverted in 3 bars"
    desk.window._mark_alerts()
    assert desk.window.charts._state.marks == marks
    desk.alerts.set_rules([z_rule(enabled=False), dear])
    assert [m.kind.name for m in desk.window.flow.marks("BTCUSDT / ETHUSDT", "1m")] == ["ENTRY", "STOP"]
    assert not desk.window.flow.marks("BTCUSDT / ETHUSDT", "5m")


def test_trades_are_looked_at_only_while_a_rule_needs_them(desk: Desk) -> None:
    statistics = desk.window.pair_docks.ticks.statistics
    rule = Rule("lead", "Y leads", Metric.LEAD_LAG, Comparison.AT_LEAST, 500.0, 100.0)
    assert not statistics.is_watched
    desk.alerts.set_rules([rule])
    assert statistics.is_watched
    desk.alerts.set_rules([replace(rule, enabled=False)])
    assert not statistics.is_watched


def test_every_control_of_the_rules_dialog_has_an_accessible_name(desk: Desk) -> None:
    dialog = opened(desk)
    dialog._edit()
    for root in (dialog, editing(desk)):
        nameless = [w for w in interactive(root) if not w.accessibleName() and not isinstance(w, QLabel)]
        assert not [f"{w.metaObject().className()} in {w.parentWidget()}" for w in nameless]
    editing(desk).reject()
