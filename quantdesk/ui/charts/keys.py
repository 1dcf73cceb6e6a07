"""Move the view by keys."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt

from quantdesk.ui.charts.view import TimeView


def act_of(key: int, view: TimeView, *, control: bool) -> Callable[[], None] | None:
    """Return what a key does to the view: move by bar, page or to an end, or zoom; None where it does nothing."""
    step = view.span * 0.8 if control else 1.0
    acts: dict[int, Callable[[], None]] = {
        Qt.Key.Key_Left: lambda: view.pan(-step),
        Qt.Key.Key_Right: lambda: view.pan(step),
        Qt.Key.Key_Plus: lambda: view.zoom(1.25),
        Qt.Key.Key_Equal: lambda: view.zoom(1.25),
        Qt.Key.Key_Minus: lambda: view.zoom(0.8),
        Qt.Key.Key_Home: view.first,
        Qt.Key.Key_End: view.latest,
    }
    return acts.get(key)
