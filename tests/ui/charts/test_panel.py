from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from quantdesk.model.paint_latency import PaintLatency
from tests.ui.charts.acts import settle


class Paints(PaintLatency):
    """Count the panels that were painted."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def painted(self) -> None:
        super().painted()
        self.count += 1


def test_a_frame_paints_each_panel_once(full, qtbot):
    settle(full)
    qtbot.wait(60)
    paints = full.stack._state.latency = Paints()
    for bars in (5, -3, 2):
        paints.count = 0
        full.stack.pan(bars)
        qtbot.waitUntil(lambda: paints.count >= len(full.stack.panel_names))
        qtbot.wait(60)
        assert paints.count == len(full.stack.panel_names)


def test_the_plot_has_its_place_before_the_first_event_tells_the_size(full):
    panel = full.stack.panel("price")
    panel.resize(700, 333)
    panel.set_axis_width(90.0)
    panel.refresh()
    assert (panel.plot.width(), panel.plot.height()) == (610.0, 333.0)
    assert panel.box.geometry() == panel.plot


def test_an_error_in_a_paint_is_told_and_does_not_end_the_program(tmp_path):
    """PySide reads the arguments of an error of C code before they exist, where a paint was asked for by Python."""
    script = tmp_path / "paint.py"
    script.write_text(
        "from PySide6.QtWidgets import QApplication\n"
        "from quantdesk.model.clock import FrameClock\n"
        "from quantdesk.ui.charts.stack import ChartStack\n"
        "from quantdesk.ui.theme_tokens import DARK\n"
        "from tests.ui.charts.frames import Pair\n"
        "app = QApplication([])\n"
        "stack = ChartStack(Pair(), FrameClock(), DARK)\n"
        "stack.panel('price').legend = lambda row: [][3]\n"
        "try:\n"
        "    stack.panel('price').grab()\n"
        "except IndexError as error:\n"
        "    print('told:', error)\n"
        "print('alive')\n"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["alive"]), done.stderr
    assert "list index out of range" in done.stdout + done.stderr
