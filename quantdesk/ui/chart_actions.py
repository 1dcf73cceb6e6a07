"""Connect the actions that every window of charts has: view, layout, panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QCursor

from quantdesk.ui.action_spec import ActionSpec, translate
from quantdesk.ui.bar_answers import BarAnswers
from quantdesk.ui.chart_choices import connect_chart_choices
from quantdesk.ui.charts.panels import KIND_LINK

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow

#: The actions of the View menu that every window of charts has, besides its panels.
VIEW = frozenset({
    "view.metrics", "view.latest", "view.reset", "view.measure", "view.zoom_in", "view.zoom_out", "view.palette",
    "view.spread_candles", "view.spread_line", "view.spread_difference", "view.spread_log", "view.spread_ratio",
    "view.both_legs", "view.scale_linear", "view.scale_log", "view.scale_percent", "view.scale_indexed",
    "view.zone_utc", "view.zone_local", "view.explain", "view.fullscreen", "view.reset_layout",
})  # fmt: skip


def _panel_titles() -> dict[str, str]:
    return {
        "price": translate("actions", "&Price"),
        "spread": translate("actions", "&Spread"),
        "attribution": translate("actions", "&Attribution strip"),
        "z": translate("actions", "&z-score"),
        "correlation": translate("actions", "&Correlation"),
    }


def register_panels(window: ChartWindow) -> None:
    """Register the toggles of a window's panels."""
    titles = _panel_titles()
    for name in window.charts.panel_names:
        text = titles.get(name, name.capitalize())
        action = window.registry.add(ActionSpec(f"view.panel_{name}", text, checkable=True))
        action.triggered.connect(lambda on, n=name: _show_panel(window, n, on))


def connect_view(window: ChartWindow) -> None:
    """Connect what moves, measures and lays out the charts of a window."""
    on, charts = window.registry, window.charts
    on["view.latest"].triggered.connect(charts.go_latest)
    charts.panel("z").linked.connect(lambda link: _choose_z_kind(window) if link == KIND_LINK else None)
    on["view.reset"].triggered.connect(charts.reset_view)
    on["view.measure"].triggered.connect(charts.measure)
    on["view.zoom_in"].triggered.connect(lambda: charts.zoom(1.25))
    on["view.zoom_out"].triggered.connect(lambda: charts.zoom(0.8))
    on["view.fullscreen"].triggered.connect(window.toggle_fullscreen)
    # The bound method would be called without the flag: PySide picks its overload by name.
    on["view.metrics"].triggered.connect(lambda shown: window.metrics.setVisible(shown))  # noqa: PLW0108
    on["pair.settings"].triggered.connect(lambda: window.prompts.edit_pair(window.pair.settings))
    connect_chart_choices(window)
    BarAnswers(window)
    on["view.reset_layout"].triggered.connect(window.layouts.reset)


def connect_undo(window: ChartWindow) -> None:
    """Connect the desk's one undo stack, which every window pushes to."""
    on, undo = window.registry, window.layouts.undo
    on["view.undo"].triggered.connect(undo.undo)
    on["view.undo"].setEnabled(False)
    undo.canUndoChanged.connect(on["view.undo"].setEnabled)
    undo.undoTextChanged.connect(
        lambda words: on["view.undo"].setText(translate("actions", "&Undo {0}").format(words).rstrip())
    )
    on["view.redo"].triggered.connect(undo.redo)
    on["view.redo"].setEnabled(False)
    undo.canRedoChanged.connect(on["view.redo"].setEnabled)
    undo.redoTextChanged.connect(
        lambda words: on["view.redo"].setText(translate("actions", "Re&do {0}").format(words).rstrip())
    )


def _choose_z_kind(window: ChartWindow) -> None:
    """Drop the kinds of z down where the panel's title was clicked."""
    window.menus.z_kind.popup(QCursor.pos())


def _show_panel(window: ChartWindow, name: str, shown: bool) -> None:
    window.charts.set_panel_visible(name, shown)
    window.show_panels_checked()
    window.save_soon()
