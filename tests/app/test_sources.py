"""PySide reads no source of what is imported after it: neither the time nor the memory is spent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_IMPORTED = """
import linecache
from quantdesk.app.sources import leave_unread
{act}
import pyqtgraph
print(sum(len(held[2]) for held in linecache.cache.values() if len(held) == 4))
"""

#: Runs the entry point up to the desk itself, and tells what of the program was read by then.
_RUN = """
import linecache, sys
from types import ModuleType
from quantdesk.app import run
from quantdesk.cli import desk_parser
class Desk:
    def __init__(self, *parts): pass
    def run(self, files):
        print(sum("quantdesk" in name for name in linecache.cache))
        return 0
sys.modules["quantdesk.app.desk"] = desk = ModuleType("quantdesk.app.desk")
desk.Desk = Desk
run(desk_parser().parse_args(["--data-dir", sys.argv[1]]))
"""


def printed(code: str, *arguments: str) -> int:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", code, *arguments]
    found = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    return int(found.stdout.splitlines()[-1])


@pytest.mark.parametrize(("act", "few"), [("leave_unread()", True), ("import PySide6.QtCore", False)])
def test_no_line_of_what_is_imported_is_kept(act: str, few: bool) -> None:
    assert (printed(_IMPORTED.format(act=act)) < 5_000) is few


def test_the_desk_begins_with_it(tmp_path: Path) -> None:
    assert printed(_RUN, str(tmp_path)) == 0
