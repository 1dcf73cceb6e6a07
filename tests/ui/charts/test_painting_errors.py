"""What goes wrong in a paint is told, and costs neither the next paint nor the process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from quantdesk.ui.charts.axis import TimeAxis
from tests.ui.charts.acts import settle

#: A paint that raises, a window that is given another picture, and the error let go: each several times.
SCRIPT = """
import gc, sys
from PySide6.QtWidgets import QApplication
from quantdesk.model.clock import FrameClock
from quantdesk.ui.charts.axis import TimeAxis
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.theme_tokens import DARK
from tests.ui.charts.frames import Pair, build

app = QApplication([])
pair = Pair()
stack = ChartStack(pair, FrameClock(), DARK)
stack.resize(1200, 800)
stack.show()
pair.show(build(300))
whole, told = TimeAxis.draw, []
sys.excepthook = lambda kind, error, trace: told.append(error)

def draw(axis, painter):
    [][3]  # of C code: PySide on Python 3.11 takes such an error for whole unless a with or an except made it so

for nth in range(8):
    stack._refresh()
    app.processEvents()
    TimeAxis.draw = draw
    stack._axis.update()
    app.processEvents()
    TimeAxis.draw = whole
    stack.resize(1100 - 60 * nth, 700 - 30 * nth)
    stack._refresh()
    app.processEvents()
    told.clear()
    gc.collect()
print("alive")
"""


def test_an_error_in_a_paint_leaves_no_painter_at_work(full, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(axis: TimeAxis, painter: object) -> None:
        raise ValueError("no such zone")

    axis, picture = full.stack._axis, QImage(400, 40, QImage.Format.Format_RGB32)
    with monkeypatch.context() as broken, pytest.raises(ValueError, match="no such zone") as told:
        broken.setattr(TimeAxis, "draw", draw)  # a tick that comes later paints as ever
        axis.render(picture)
    assert told.traceback
    assert not picture.paintingActive(), "the error that is kept must not keep the painter at work"


def test_errors_in_paints_of_a_window_that_is_resized_do_not_end_the_process() -> None:
    answer = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", SCRIPT],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
        env=os.environ | {"MALLOC_PERTURB_": "165"},
        check=False,
    )
    assert (answer.returncode, answer.stdout.strip()) == (0, "alive"), answer.stderr
    assert "active painter" not in answer.stderr


@pytest.mark.parametrize("ratio", [False, True])
def test_a_paint_that_comes_before_the_new_bars_are_loaded_draws_the_old_ones(full, ratio: bool) -> None:
    panel, frame = full.stack.panel("spread"), full.pair.frame
    full.stack._state.ratio = ratio
    full.pair.frame = replace(frame, refits=(*frame.refits, replace(frame.refits[0], time=int(frame.times[-20]))))
    assert full.stack.visible_range() is not None  # takes the frame; the clock's tick loads it
    panel.grab()
    assert len(panel.refits.rows) == len(frame.refits)
    settle(full)
    panel.grab()
    assert len(panel.refits.rows) == (0 if ratio else len(frame.refits) + 1)
