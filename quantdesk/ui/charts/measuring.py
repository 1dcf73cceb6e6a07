"""Start, move and remove the ruler, by pointer and by keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import Qt

from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.ruler import MEASURABLE, Ruler
from quantdesk.ui.charts.state import ChartState


class Measuring:
    """Keep the state's ruler; every act tells whether there is something new to paint."""

    def __init__(self, state: ChartState, panels: Mapping[str, Panel]) -> None:
        self._state, self._panels = state, panels

    def toggle(self) -> bool:
        """Start at the crosshair, else at the newest bar's value; end an open ruler; remove a finished one."""
        state = self._state
        if state.ruler is not None:
            state.ruler = replace(state.ruler, open=False) if state.ruler.open else None
            return True
        names = [name for name in MEASURABLE if not self._panels[name].isHidden()]
        if state.cursor_panel in names and state.cursor_row is not None:
            panel = self._panels[state.cursor_panel]
            return self.start(panel, state.cursor_row, panel.value_at(state.cursor_y))
        row = len(state.line) - 1 if state.cursor_row is None else state.cursor_row
        for name in names:
            if math.isfinite(value := self._panels[name].row_value(row)):
                return self.start(self._panels[name], row, value)
        return False

    def start(self, panel: Panel, row: int, value: float) -> bool:
        """Begin a ruler in a panel."""
        if not len(self._state.line) or panel.name not in MEASURABLE:
            return False
        at = (int(self._state.line.at(row)), value)
        self._state.ruler = Ruler(panel.name, at, at)
        return True

    def follow(self, panel: Panel, row: int, value: float) -> bool:
        """Move the far end of an open ruler with the pointer."""
        ruler = self._state.ruler
        if ruler is None or not ruler.open or ruler.panel != panel.name:
            return False
        self._state.ruler = ruler.to(int(self._state.line.at(row)), value)
        return True

    def step(self, bars: int) -> bool:
        """Move the far end of an open ruler by bars, to the value that the panel has there."""
        ruler, line = self._state.ruler, self._state.line
        if ruler is None or not ruler.open:
            return False
        row = min(max(round(line.x_of(ruler.end[0])) + bars, 0), len(line) - 1)
        value = self._panels[ruler.panel].row_value(row)
        self._state.ruler = ruler.to(int(line.at(row)), value if math.isfinite(value) else ruler.end[1])
        if not self._state.view.left <= row <= self._state.view.right:
            self._state.view.pan(bars)
        return True

    def click(self) -> bool:
        """End an open ruler, remove a finished one."""
        return self._state.ruler is not None and self.toggle()

    def remove(self) -> bool:
        """Take the ruler away."""
        there, self._state.ruler = self._state.ruler is not None, None
        return there

    def key(self, key: int, *, control: bool) -> bool:
        """Act on Escape, and on Left and Right while a ruler is open."""
        if key == Qt.Key.Key_Escape:
            return self.remove()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 10 if control else 1
            return self.step(-step if key == Qt.Key.Key_Left else step)
        return False
