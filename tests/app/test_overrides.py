"""An error in what overrides a method of Qt is told and ends nothing, whoever raised it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from quantdesk.app.overrides import keep_errors_whole
keep_errors_whole()

from PySide6.QtCore import QAbstractListModel, QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QListView, QWidget

class Names(QAbstractListModel):
    def rowCount(self, parent=None):
        return 1

    def data(self, index, role=0):
        return [][index.row()]

class Card(QWidget):
    def paintEvent(self, event):
        [][3]

class Watch(QObject):
    def eventFilter(self, watched, event):
        return bool(event.type() == QEvent.Type.User and list(zip([1], [], strict=True)))

app = QApplication([])
told = []
sys.excepthook = lambda kind, error, trace: told.append(kind.__name__)

def show(widget):
    try:
        widget.show()
        widget.grab()
    except Exception as error:
        told.append(type(error).__name__)

def act():
    if sys.argv[1] == "model":
        view.setModel(names)
        show(view)
    elif sys.argv[1] == "paint":
        show(card)
    else:
        card.installEventFilter(watch)
        app.sendEvent(card, QEvent(QEvent.Type.User))

view, names, card, watch = QListView(), Names(), Card(), Watch()
QTimer.singleShot(0, act)
QTimer.singleShot(200, app.quit)
try:
    app.exec()
except Exception as error:
    told.append(type(error).__name__)
print("alive", *sorted(set(told)))
"""


@pytest.mark.parametrize(
    ("what", "error"), [("model", "IndexError"), ("paint", "IndexError"), ("filter", "ValueError")]
)
def test_an_error_of_c_code_in_an_override_is_told_and_the_process_lives(what: str, error: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", SCRIPT, what],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("alive")
    assert error in answer.stdout + answer.stderr
