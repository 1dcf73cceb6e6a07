"""Open and close the windows beside the main one, and keep what was in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from quantdesk.model.market import MarketModel
from quantdesk.ui.chart_window import ChartWindow
from quantdesk.ui.window_settings import WindowSettings
from quantdesk.ui.workspaces.links import LinkGroups, WindowLink
from quantdesk.ui.workspaces.placing import into_view
from quantdesk.ui.workspaces.store import MOST_WINDOWS

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.workspaces.second_window import SecondWindow

_STEP = 36
_MOST_CLOSED = 10


class SecondWindows(QObject):
    """Own every window but the main one; ``changed`` tells that one was opened or closed, ``shown`` of other pairs."""

    changed = Signal()
    shown = Signal()
    opened = Signal(object)  # SecondWindow, before it is shown

    def __init__(self, main: MainWindow) -> None:
        super().__init__(main)
        self._main = main
        self._open: list[SecondWindow] = []
        self._links: dict[SecondWindow, WindowLink] = {}
        self._closed: list[WindowSettings] = []
        self._hidden: list[SecondWindow] = []
        self.groups = LinkGroups()
        self.main_link = self.groups.add(main)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.screenRemoved.connect(self._on_screen_removed)

    @property
    def all(self) -> Sequence[SecondWindow]:
        """Return the open windows, oldest first."""
        return tuple(self._open)

    @property
    def is_full(self) -> bool:
        """Tell whether no more windows can be opened."""
        return len(self._open) + 1 >= MOST_WINDOWS

    @property
    def can_reopen(self) -> bool:
        """Tell whether a window was closed that can be brought back."""
        return bool(self._closed) and not self.is_full

    def link_of(self, window: SecondWindow) -> WindowLink:
        """Return the link of an open window."""
        return self._links[window]

    def kept(self) -> tuple[WindowSettings, ...]:
        """Return what is worth keeping of every window, as it is now."""
        for window in self._open:
            window.collect_choices()
        return tuple(window.choices.window_part() for window in self._open)

    @Slot()
    def open_new(self) -> SecondWindow | None:
        """Open a window that shows what the active one shows, a little aside; None where there are too many."""
        active = QApplication.activeWindow()
        like: ChartWindow = active if isinstance(active, ChartWindow) else self._main
        like.collect_choices()
        choices = like.choices.window_part()
        choices.take_pair(like.pair.settings if like.pair.source is self._main.market else like.choices.pair())
        choices.geometry, choices.layout, choices.link_group = "", "", ""
        window = self.open(choices)
        if window is not None:
            window.resize(like.size())
            window.move(like.pos() + QPoint(_STEP, _STEP))
            into_view(window)
        return window

    def open(self, choices: WindowSettings, *, in_front: bool = True) -> SecondWindow | None:
        """Open a window with these choices, which takes the keyboard if ``in_front``; None where there are too many."""
        from quantdesk.ui.workspaces.second_window import SecondWindow

        if self.is_full:
            return None
        taken = {window.number for window in self._open}
        window = SecondWindow(self._main, choices, next(n for n in range(2, MOST_WINDOWS + 2) if n not in taken))
        self._open.append(window)
        self._links[window] = self.groups.add(window)
        window.closing.connect(self._on_closing)
        window.arranged.connect(self._main.save_soon)
        window.shown_changed.connect(self.shown)
        self.opened.emit(window)
        into_view(window)
        window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not in_front)
        window.show()
        self._tell()
        return window

    @Slot()
    def reopen(self) -> SecondWindow | None:
        """Bring back the window that was closed last."""
        if not self.can_reopen:
            return None
        window = self.open(self._closed.pop())
        self._tell()
        return window

    def replace(self, kept: Sequence[WindowSettings]) -> None:
        """Close all windows and open these instead; those that the user closed before are forgotten."""
        self.close_all()
        self._closed.clear()
        self.open_all(kept)

    def open_all(self, kept: Sequence[WindowSettings]) -> None:
        """Open windows with these choices, beside those there are; the main one stays in front."""
        for choices in kept:
            self.open(choices.window_part(), in_front=False)
        if kept and self._main.isVisible() and not self._main.isMinimized():
            self._main.raise_()
            self._main.activateWindow()
        self._tell()

    def close_all(self) -> None:
        """Close all windows for good."""
        while self._open:
            self._drop(self._open[-1])
        self.changed.emit()

    def set_market(self, market: MarketModel) -> None:
        """Show another market in all of them."""
        for window in self._open:
            window.set_market(market)

    def follow_main(self, visible: bool) -> None:
        """Hide the windows while the main one is in the tray, and show those again that were hidden so."""
        if visible:
            for window in self._hidden:
                if window in self._open:
                    window.show()
            self._hidden = []
        else:
            self._hidden = [window for window in self._open if window.isVisible()]
            for window in self._hidden:
                window.hide()

    @Slot(object)
    def _on_closing(self, window: SecondWindow) -> None:
        window.collect_choices()
        self._closed = [*self._closed, window.choices.window_part()][-_MOST_CLOSED:]
        title = window.control.text
        self._drop(window)
        self._tell()
        self._main.toast(
            self.tr("Window closed"), self.tr("{0}: a click brings it back.").format(title), "info", self.reopen
        )

    def _drop(self, window: SecondWindow) -> None:
        self._open.remove(window)
        self.groups.remove(self._links.pop(window))
        window.leave()

    def _tell(self) -> None:
        self.changed.emit()
        self.shown.emit()
        self._main.save_soon()

    @Slot()
    def _on_screen_removed(self) -> None:
        QTimer.singleShot(0, self, self._bring_into_view)  # the system moves what it can first

    def _bring_into_view(self) -> None:
        for window in (self._main, *self._open):
            into_view(window)
