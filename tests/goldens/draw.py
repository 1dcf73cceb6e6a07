"""Draw every panel of the charts, dark and light, empty, normal and dense; print the scale factor it was drawn at.

``python -m tests.goldens.draw FOLDER`` draws at 1; with QT_SCALE_FACTOR=2 in the environment at 2. With
``tests/goldens/pictures`` as the folder it makes the pictures that the tests compare with: look at them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_API"] = "pyside6"
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from quantdesk.model.clock import FrameClock
from quantdesk.model.frame import PairFrame
from quantdesk.ui.charts.stack import ChartStack
from quantdesk.ui.theme import Theme
from tests.ui.charts.frames import Pair, build

SIZE = QSize(900, 720)
THEMES = ("dark", "light")
#: How many bars there are, and how many of them are in sight (None = as the desk begins).
VIEWS: dict[str, tuple[int, int | None]] = {"empty": (0, None), "normal": (600, None), "dense": (20_000, 20_000)}


def frames() -> dict[str, PairFrame | None]:
    """Return the frame of each view."""
    return {name: build(bars) if bars else None for name, (bars, _) in VIEWS.items()}


def parts(app: QApplication, theme: str, view: str, frame: PairFrame | None) -> dict[str, QImage]:
    """Return the picture of every panel and of the time axis."""
    pair, clock = Pair(), FrameClock()
    look = Theme(app, theme)
    stack = ChartStack(pair, clock, look.tokens)  # type: ignore[arg-type]  # a stand-in that holds a frame
    stack.resize(SIZE)
    stack.show()
    app.processEvents()
    if frame is not None:
        pair.show(frame)
    seen = VIEWS[view][1]
    if seen is not None:
        stack._refresh()
        stack._state.view.zoom(stack._state.view.span / seen)
    for _ in range(2):  # the second one with the axis as wide as the first one found it to be
        stack._refresh()
        app.processEvents()
    drawn = {name: _picture(stack.panel(name)) for name in stack.panel_names}
    drawn["axis"] = _picture(stack._axis)
    stack.close()
    stack.deleteLater()
    look.deleteLater()
    app.processEvents()
    return drawn


def _picture(widget: QWidget) -> QImage:
    return widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def draw(folder: Path, told: Callable[[str], None]) -> None:
    """Write the pictures of this process's scale factor."""
    app = QApplication(sys.argv[:1])
    scale = round(app.primaryScreen().devicePixelRatio())
    found = frames()
    for theme in THEMES:
        for view, frame in found.items():
            for name, image in parts(app, theme, view, frame).items():
                path = folder / f"{name}-{view}-{theme}-{scale}x.png"
                image.setDevicePixelRatio(1)
                if not image.save(str(path)):
                    raise OSError(f"{path} cannot be written")
    told(str(scale))


if __name__ == "__main__":
    draw(Path(sys.argv[1]), print)
    sys.stdout.flush()
    os._exit(0)  # plots that are alive at the interpreter's end crash it
