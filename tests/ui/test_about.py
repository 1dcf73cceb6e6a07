"""Help > About names every library, and offers the self-test's report for copying."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from quantdesk.ui import about
from quantdesk.ui.about import AboutDialog
from quantdesk.ui.self_test import SelfTestFlow

ROWS = "result   check\nok       store             kept"


@pytest.fixture
def flow() -> SelfTestFlow:
    return SelfTestFlow()


@pytest.fixture
def dialog(qtbot: QtBot, flow: SelfTestFlow) -> AboutDialog:
    made = AboutDialog(None, flow)
    qtbot.addWidget(made)
    made.show()
    return made


def copied(dialog: AboutDialog) -> str:
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Copy report").click()
    return QGuiApplication.clipboard().text()


def test_about_names_every_library_and_its_licence() -> None:
    text = about.report()
    assert all(name in text and licence in text for name, licence in about.LIBRARIES)
    assert "not installed" not in text


def test_the_report_is_copied_without_a_self_test_and_with_one(dialog: AboutDialog, flow: SelfTestFlow) -> None:
    assert copied(dialog) == about.report() == dialog.details.toPlainText()
    flow.start()
    flow.show_end(ROWS, "Self-test: 1 check.")
    assert copied(dialog) == f"{about.report()}\n\n{ROWS}" == dialog.details.toPlainText()


def test_the_button_asks_for_a_run_and_then_for_its_end(qtbot: QtBot, dialog: AboutDialog, flow: SelfTestFlow) -> None:
    button, row = dialog.selftest.button, dialog.selftest
    assert button.text() == "Run self-test"
    assert row.bar.isHidden()
    with qtbot.waitSignal(flow.run_requested):
        button.click()
    assert button.text() == button.accessibleName() == "Cancel self-test"
    flow.show_progress(ROWS, "Self-test: 1 of 4 checks done", 0.25)
    assert not row.bar.isHidden()
    assert row.bar.value() == 25
    assert row.words.text() == "Self-test: 1 of 4 checks done"
    assert ROWS in dialog.details.toPlainText()
    with qtbot.waitSignal(flow.cancel_requested), qtbot.assertNotEmitted(flow.run_requested):
        button.click()
    flow.show_end("", "The self-test was cancelled.")
    assert button.text() == "Run self-test"
    assert row.bar.isHidden()
    assert row.words.text() == "The self-test was cancelled."


def test_a_dialog_that_is_opened_later_shows_what_was_found(qtbot: QtBot, flow: SelfTestFlow) -> None:
    flow.start()
    flow.show_progress(ROWS, "going on", 0.5)
    made = AboutDialog(None, flow)
    qtbot.addWidget(made)
    assert ROWS in made.details.toPlainText()
    assert made.selftest.button.text() == "Cancel self-test"


def test_a_run_outlives_the_dialog(qtbot: QtBot, flow: SelfTestFlow) -> None:
    made = AboutDialog(None, flow)
    made.show()
    flow.start()
    with qtbot.waitSignal(made.destroyed):
        made.reject()
    flow.show_progress(ROWS, "going on", 0.5)
    flow.show_end(ROWS, "over")
    assert flow.report == ROWS
