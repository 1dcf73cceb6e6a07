"""Whatever nothing caught ends in one dialog, from any thread, without a second crash."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from quantdesk.ui.crash import CrashReporter
from quantdesk.ui.self_test import SelfTestFlow


@pytest.fixture
def reporter(qtbot: QtBot, tmp_path: Path) -> Iterator[CrashReporter]:
    made = CrashReporter(tmp_path)
    yield made
    made.remove()
    if made.dialog is not None:
        made.dialog.reject()


def test_one_dialog_serves_all_errors(reporter: CrashReporter, qtbot: QtBot) -> None:
    reporter.report_crash("Traceback\nValueError: first")
    qtbot.waitUntil(lambda: reporter.dialog is not None)
    shown = reporter.dialog
    assert shown is not None and "ValueError: first" in shown.summary.text()
    for number in range(50):
        reporter.report_crash(f"error {number}")
    qtbot.waitUntil(lambda: "50 more" in shown.summary.text())
    assert reporter.dialog is shown and "error 49" in shown.details.toPlainText()
    shown.reject()
    assert reporter.dialog is None


def test_threads_slots_and_tasks_are_all_heard(reporter: CrashReporter, qtbot: QtBot) -> None:
    reporter.install()

    def fail() -> None:
        raise RuntimeError("in the thread")

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    loop = asyncio.new_event_loop()
    reporter.on_loop_error(loop, {"message": "task failed", "exception": OSError("in the task")})
    loop.close()
    try:
        raise KeyError("in a slot")
    except KeyError:
        kind, error, trace = sys.exc_info()
        assert kind is not None and error is not None
        sys.excepthook(kind, error, trace)
    qtbot.waitUntil(lambda: reporter.dialog is not None and "in a slot" in reporter.dialog.details.toPlainText())
    assert reporter.dialog is not None
    text = reporter.dialog.details.toPlainText()
    assert "in thread worker" in text and "in the thread" in text and "OSError: in the task" in text


def test_the_hooks_are_put_back(reporter: CrashReporter) -> None:
    before = (sys.excepthook, threading.excepthook)
    reporter.install()
    assert sys.excepthook is not before[0]
    reporter.remove()
    assert (sys.excepthook, threading.excepthook) == before


def test_details_are_copied_with_versions(reporter: CrashReporter, qtbot: QtBot) -> None:
    reporter.report_crash("Boom: here")
    qtbot.waitUntil(lambda: reporter.dialog is not None)
    assert reporter.dialog is not None
    next(b for b in reporter.dialog.findChildren(QPushButton) if b.text() == "Copy details").click()
    copied = QGuiApplication.clipboard().text()
    assert "Boom: here" in copied and "PySide6-Essentials" in copied


def test_the_self_test_can_be_run_from_the_error_and_is_copied_with_it(qtbot: QtBot, tmp_path: Path) -> None:
    flow = SelfTestFlow()
    reporter = CrashReporter(tmp_path, selftest=flow)
    reporter.report_crash("Boom: here")
    qtbot.waitUntil(lambda: reporter.dialog is not None)
    shown = reporter.dialog
    assert shown is not None
    with qtbot.waitSignal(flow.run_requested):
        shown.selftest.button.click()
    flow.show_end("ok       store             kept", "Self-test: 1 check.")
    reporter.report_crash("Boom: there")
    qtbot.waitUntil(lambda: "Boom: there" in shown.details.toPlainText())
    next(b for b in shown.findChildren(QPushButton) if b.text() == "Copy details").click()
    copied = QGuiApplication.clipboard().text()
    assert "Boom: here\nBoom: there\n\nok       store" in copied
    assert "PySide6-Essentials" in copied
    shown.reject()
