"""Bring the drawing tools to the window: actions, menus, undo, and the file that keeps what was drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer, Slot
from PySide6.QtGui import QContextMenuEvent

from quantdesk.ui.charts.drawing_geometry import drawing_at
from quantdesk.ui.charts.drawings import Drawing, Kind
from quantdesk.ui.charts.ticks import decimals_for
from quantdesk.ui.kept_drawings import DrawingStore

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow
    from quantdesk.ui.charts.panel import Panel

_SAVED_AFTER_MS = 800
_MOST_DECIMALS = 10


class DrawFlow(QObject):
    """Connect the charts' tools to the Draw menu, and keep the drawings shortly after each change.

    ``shared`` is the main window's flow: it keeps what is drawn in any window.
    """

    def __init__(self, window: ChartWindow, shared: DrawFlow | None = None) -> None:
        super().__init__(window)
        self._window = window
        self.tools = tools = window.charts.drawing
        self.store: DrawingStore = DrawingStore(window.store.path.parent) if shared is None else shared.store
        self._saver = QTimer(self, singleShot=True, interval=_SAVED_AFTER_MS)
        self._saver.timeout.connect(self.save)
        if shared is None:
            tools.book.load(self.store.load())
            tools.book.undo = window.layouts.undo
            tools.book.changed.connect(self._saver.start)
        else:
            tools.share(shared.tools.book)
        tools.turned.connect(self.refresh)
        tools.edit_wanted.connect(self.edit)
        window.pair.changed.connect(self.refresh)
        self._connect_actions()
        for panel in tools.panels.values():
            panel.viewport().installEventFilter(self)
        self._blame()
        self.refresh()

    def _connect_actions(self) -> None:
        on, tools, settings = self._window.registry, self.tools, self._window.store.settings
        for name, kind in (("draw.horizontal", Kind.LEVEL), ("draw.trend", Kind.TREND)):
            on[name].triggered.connect(lambda wanted, k=kind: self._take(k if wanted else None))
        on["draw.magnet"].setChecked(settings.magnet)
        tools.magnet = settings.magnet
        on["draw.magnet"].triggered.connect(self._set_magnet)
        on["draw.next"].triggered.connect(self._choose_next)
        on["draw.edit"].triggered.connect(self.edit)
        on["draw.delete"].triggered.connect(tools.delete)
        on["draw.delete_all"].triggered.connect(tools.delete_all)

    def _take(self, kind: Kind | None) -> None:
        self.tools.take(kind)
        self._window.charts.setFocus()

    @Slot()
    def _choose_next(self) -> None:
        self.tools.choose_next()
        self._window.charts.setFocus()

    @Slot(bool)
    def _set_magnet(self, on: bool) -> None:
        self.tools.magnet = on
        self._window.store.settings.magnet = on
        self._window.save_settings()

    @Slot()
    def refresh(self) -> None:
        """Tick the tool at hand and offer what can be done now."""
        on, tools = self._window.registry, self.tools
        on["draw.horizontal"].setChecked(tools.tool is Kind.LEVEL)
        on["draw.trend"].setChecked(tools.tool is Kind.TREND)
        there, chosen = tools.count() > 0, tools.chosen is not None
        for name, can in (("next", there), ("delete_all", there), ("edit", chosen), ("delete", chosen)):
            on[f"draw.{name}"].setEnabled(can)

    @Slot()
    def save(self) -> None:
        """Write the drawings, now; say it if the disk refuses."""
        self._saver.stop()
        if not self.store.save(self.tools.book.everything()):
            self._blame()

    def _blame(self) -> None:
        if self.store.problem:
            self._window.banner.show_notice("drawings", "warning", self.store.problem)

    @Slot()
    def edit(self) -> None:
        """Ask where the chosen drawing shall stand and how it shall look."""
        from quantdesk.ui.drawing_dialog import DrawingDialog

        if self.tools.chosen is None:
            return
        panel, drawing = self.tools.chosen
        decimals, step = _steps(panel, drawing)
        dialog = DrawingDialog(drawing, decimals, step, self._window.theme.tokens, self._window)
        dialog.drawing_chosen.connect(self._keep)
        self._window.prompts.show_dialog("drawing", dialog)

    @Slot(object)
    def _keep(self, drawing: Drawing) -> None:
        self.tools.look = drawing.look
        self.tools.settle(drawing)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Drop a menu down where a drawing is clicked with the other button."""
        if event.type() == QEvent.Type.ContextMenu and isinstance(event, QContextMenuEvent):
            for panel in self.tools.panels.values():
                if panel.viewport() is watched and self._ask(panel, event):
                    return True
        return super().eventFilter(watched, event)

    def _ask(self, panel: Panel, event: QContextMenuEvent) -> bool:
        found = drawing_at(panel, self.tools.shown(panel.name), QPointF(event.pos()))
        if found is None:
            return False
        from quantdesk.ui.drawing_menu import drawing_menu

        self.tools.choose(found[0])
        actions = [self._window.registry[f"draw.{name}"] for name in ("edit", "delete", "delete_all")]
        menu = drawing_menu(self.tools, found[0], actions, self._window.theme.tokens, self._window)
        menu.popup(event.globalPos())
        return True


def _steps(panel: Panel, drawing: Drawing) -> tuple[int, float]:
    """Return with how many decimals a drawing's values are edited, and by which step."""
    if panel.tick():
        return max(0, round(-math.log10(panel.tick()))), panel.tick()
    pixel = (panel.high - panel.low) / panel.plot.height()
    step = 10.0 ** math.floor(math.log10(pixel)) if pixel > 0 else 0.01
    return min(_MOST_DECIMALS, decimals_for(step) + 1), step
