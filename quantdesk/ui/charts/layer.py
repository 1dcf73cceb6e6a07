"""Say what may lie over a panel's data and be taken hold of: drawings, levels on the axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from quantdesk.ui.charts.state import Tag

if TYPE_CHECKING:
    from quantdesk.ui.charts.panel import Panel


class Grip(Protocol):
    """Be dragged by the pointer, once it was pressed on something of a layer."""

    @property
    def shape(self) -> Qt.CursorShape:
        """Return the pointer's shape over it."""

    def drag(self, panel: Panel, at: QPointF) -> None:
        """Follow the pointer."""

    def drop(self, panel: Panel, at: QPointF) -> None:
        """Take the place where the button was let go as the new one."""

    def click(self, panel: Panel, at: QPointF) -> None:
        """Answer a press that did not move."""

    def cancel(self, panel: Panel) -> None:
        """Return to where it was: Escape, or the window lost the pointer."""


@runtime_checkable
class Opener(Grip, Protocol):
    """Answer a double click, too: a grip with something to open."""

    def open(self, panel: Panel) -> None:
        """Show what stands behind it."""


class Layer(Protocol):
    """Draw over a panel's data, mark values on its axis and offer grips."""

    def paint(self, painter: QPainter, panel: Panel) -> None:
        """Draw; the painter is clipped to nothing, the plot is ``panel.plot``."""

    def tags(self, panel: Panel) -> Sequence[Tag]:
        """Return the values marked on the axis."""

    def grip_at(self, panel: Panel, at: QPointF) -> Grip | None:
        """Return what lies under the pointer, on the plot or on the axis; None = nothing of this layer."""
