"""What the desktop shell says to the program arrives: files to open (macOS), the name for the task bar (Windows)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.program.desks import ROOT, environment, write_pair

#: The real desk is started; a thread plays the shell: it posts one event per file, as macOS does.
_PLAY = """
import os, signal, sys, threading, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QFileOpenEvent
from quantdesk.app.desk import Desk
from quantdesk.app.files import FileOpener
from quantdesk.cli import main

opened, started, seen = [], threading.Event(), threading.Event()
really_open, really_run = FileOpener.open, Desk.run

def spy(self, files, skip):
    really_open(self, files, skip)
    print("opened", [path.name for path in files], flush=True)
    seen.set()

def run(self, files):
    started.set()
    return really_run(self, files)

FileOpener.open, Desk.run = spy, run

def shell():
    started.wait(60)
    app = QCoreApplication.instance()
    print("named", app.applicationName(), app.desktopFileName() if hasattr(app, "desktopFileName") else "", flush=True)
    QCoreApplication.postEvent(app, QFileOpenEvent(QUrl("https://somewhere.example/prices.csv")))
    for path in sys.argv[1:]:
        QCoreApplication.postEvent(app, QFileOpenEvent(path))
    seen.wait(30)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=shell, daemon=True).start()
sys.exit(main(["--simulate", "--data-dir", os.environ["HOME"]]))
"""


def test_files_that_the_shell_hands_over_one_by_one_open_as_one_pair(tmp_path: Path) -> None:
    folder = tmp_path / "a blank"
    folder.mkdir()
    pair = [str(path) for path in write_pair(folder)]
    env = environment(tmp_path, QT_QPA_PLATFORM="offscreen")
    done = subprocess.run(
        [sys.executable, "-c", _PLAY, *pair], env=env, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    names = [Path(path).name for path in pair]
    assert done.stdout.splitlines() == ["named quantdesk quantdesk", f"opened {names}"]


def test_windows_hears_the_programs_name_before_the_first_window(tmp_path: Path) -> None:
    # The call itself needs Windows; that it comes first, with the name, is seen everywhere.
    play = """
import ctypes, sys
from types import SimpleNamespace
from PySide6.QtWidgets import QApplication
from quantdesk.app import application
def said(name):
    print(name, QApplication.instance())
    return 0
ctypes.windll = SimpleNamespace(shell32=SimpleNamespace(SetCurrentProcessExplicitAppUserModelID=said))
platform, sys.platform = sys.platform, "win32"
app = application.Application(["quantdesk"])
sys.platform = platform
"""
    env = environment(tmp_path, QT_QPA_PLATFORM="offscreen")
    done = subprocess.run(
        [sys.executable, "-c", play], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("quantdesk.desk None\n", 0), done.stderr
