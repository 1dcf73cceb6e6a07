"""Place the docks, keep their layout, put it back and undo that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

from quantdesk.ui.charts.stack import ChartStack

#: Rises when docks are added or renamed: an older layout is then passed over.
LAYOUT_VERSION = 3
#: So many of the last acts can be undone.
MOST_UNDONE = 500
_DOCK_WIDTH, _DOCK_HEIGHT = 310, 290


class Layout:
    """Own the docks of a window and the undo stack of what was done to them."""

    def __init__(self, window: QMainWindow, charts: ChartStack, metrics: QWidget) -> None:
        self._window = window
        self._charts = charts
        self._metrics = metrics
        self.undo = QUndoStack(window)
        self.undo.setUndoLimit(MOST_UNDONE)
        self.turn = 0  #: rises when another workspace is shown: an older reset is then another layout's
        self.docks: dict[str, QDockWidget] = {}
        self._default: dict[str, Any] = {}

    def add_dock(self, name: str, title: str, content: QWidget, *, below: bool = False) -> QDockWidget:
        """Put a widget into a dock on the right, or ``below`` the charts."""
        dock = QDockWidget(title, self._window)
        dock.setObjectName(f"dock_{name}")
        dock.setAccessibleName(title)
        dock.setWidget(content)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
        if below:
            self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            self._window.resizeDocks([dock], [_DOCK_HEIGHT], Qt.Orientation.Vertical)
        else:
            self._window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
            wide = min(_DOCK_WIDTH, self._window.width() // 4)
            self._window.resizeDocks([dock], [wide], Qt.Orientation.Horizontal)
        self.docks[name] = dock
        # Docks that share a place get a tab bar of Qt's, which has no name to be read out.
        dock.dockLocationChanged.connect(lambda _area: QTimer.singleShot(0, dock, self._name_tabs))
        return dock

    def share_place(self, first: str, dock: QDockWidget) -> None:
        """Put a dock behind another one, as tabs."""
        self._window.tabifyDockWidget(self.docks[first], dock)
        self._name_tabs()

    def _name_tabs(self) -> None:
        for tabs in self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            tabs.setAccessibleName(self._window.tr("Docks in this place"))

    def remember_default(self) -> None:
        """Take the layout as it stands as the one that a reset returns to."""
        self._default = self.capture()

    @property
    def first(self) -> dict[str, Any]:
        """Return the layout that a reset returns to."""
        return self._default

    def capture(self) -> dict[str, Any]:
        """Return the layout as plain values."""
        return {
            "version": LAYOUT_VERSION,
            "state": self._window.saveState(LAYOUT_VERSION).toBase64().toStdString(),
            "charts": self._charts.save_state(),
            "metrics": not self._metrics.isHidden(),
        }

    def apply(self, layout: Mapping[str, Any]) -> bool:
        """Show a captured layout; False where it belongs to another version."""
        if layout.get("version") != LAYOUT_VERSION:
            return False
        state = QByteArray.fromBase64(str(layout.get("state", "")).encode())
        restored = self._window.restoreState(state, LAYOUT_VERSION)
        charts = layout.get("charts")
        if isinstance(charts, Mapping):
            self._charts.restore_state(charts)
        self._metrics.setVisible(bool(layout.get("metrics", True)))
        return restored

    def stop(self) -> None:
        """Say nothing more: a stack signals even while the window is being destroyed."""
        self.undo.blockSignals(True)

    def reset(self) -> None:
        """Return to the first layout; the undo stack knows the way back."""
        self.undo.push(_Reset(self, self.capture(), self._default, self._window.tr("layout reset")))


class _Reset(QUndoCommand):
    """Swap one layout for another, both ways."""

    def __init__(self, layout: Layout, before: Mapping[str, Any], after: Mapping[str, Any], words: str) -> None:
        super().__init__(words)
        self._layout = layout
        self._turn = layout.turn
        self._before = before
        self._after = after

    def redo(self) -> None:
        """Show the first layout."""
        self._show(self._after)

    def undo(self) -> None:
        """Show what was there before."""
        self._show(self._before)

    def _show(self, layout: Mapping[str, Any]) -> None:
        if self._turn == self._layout.turn:
            self._layout.apply(layout)
        else:
            self.setObsolete(True)
