"""Bring the workspaces to the window: switch, name, copy, delete and reset them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Slot
from PySide6.QtGui import QUndoCommand

from quantdesk.model.frame import PairSettings
from quantdesk.types import Origin
from quantdesk.ui.chart_window import ChartWindow
from quantdesk.ui.status_bar import DeskMode
from quantdesk.ui.window_settings import WindowSettings
from quantdesk.ui.workspace_actions import GO
from quantdesk.ui.workspaces.corner import WorkspaceCorner
from quantdesk.ui.workspaces.links import WindowLink
from quantdesk.ui.workspaces.name_dialog import NameDialog
from quantdesk.ui.workspaces.placing import into_view
from quantdesk.ui.workspaces.store import MOST_WORKSPACES, Workspace, WorkspaceStore
from quantdesk.ui.workspaces.windows import SecondWindows

if TYPE_CHECKING:
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.workspaces.second_window import SecondWindow

#: The other windows open so long after the main one's first paint.
_AFTER_PAINT_MS = 100


class WorkspaceFlow(QObject):
    """Keep what is on screen as the active workspace, and put another one on screen."""

    def __init__(self, window: MainWindow, store: WorkspaceStore) -> None:
        super().__init__(window)
        self._window, self._store = window, store
        self.windows = SecondWindows(window)
        #: The windows of the last session, until the main one has been painted.
        self._unopened = store.active.others
        self._pending: PairSettings | None = None  # the pair to show once the market is back
        self._renamed: dict[str, str] = {}  # what the undo stack knows by an older name
        self._closed = False
        self._corners: list[tuple[ChartWindow, WorkspaceCorner]] = []
        self._add_corner(window, self.windows.main_link)
        self.windows.opened.connect(self._on_opened)
        self.windows.changed.connect(self.refresh)
        self._connect()
        window.installEventFilter(self)
        self.refresh()

    # -- what the window asks for --------------------------------------------------------------

    @property
    def name(self) -> str:
        """Return the name of the workspace on screen."""
        return self._store.active.name

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all workspaces."""
        return self._store.names

    @property
    def problem(self) -> str:
        """Return in words what kept the workspaces from being read or written."""
        return self._store.problem

    @property
    def any_visible(self) -> bool:
        """Tell whether a window beside the main one can be seen."""
        return any(window.isVisible() for window in self.windows.all)

    def shown_symbols(self) -> tuple[str, ...]:
        """Return the symbols that any window shows, the main window's first."""
        pairs = [one.pair.settings for one in (self._window, *self.windows.all)]
        return tuple(dict.fromkeys(leg for pair in pairs for leg in (pair.y, pair.x) if leg))

    def shown_beside(self) -> tuple[tuple[str, str], ...]:
        """Return symbol and interval of every leg that a window beside the main one shows."""
        pairs = [one.pair.settings for one in self.windows.all]
        return tuple(dict.fromkeys((leg, pair.interval) for pair in pairs for leg in (pair.y, pair.x) if leg))

    def save(self) -> None:
        """Write the workspaces with what is on screen now; the main window's choices are up to date."""
        if not self._closed:  # else the windows have gone: they were written before
            self._collect()
            self._store.save()

    def on_mode(self, mode: DeskMode) -> None:
        """Show the pair of the workspace once the market is back."""
        if mode.origin is Origin.LIVE and self._pending is not None:
            pair, self._pending = self._pending, None
            self._show_pair(pair)

    def close_all(self) -> None:
        """Close the windows for good; the workspace remembers them."""
        self._closed = True
        self._window.removeEventFilter(self)
        self.windows.close_all()

    @Slot()
    def open_windows(self) -> None:
        """Open the windows of the last session, one a turn of the loop: the main one stays at hand."""
        kept, self._unopened = self._unopened[:1], self._unopened[1:]
        if kept:
            self.windows.open_all(kept)
            QTimer.singleShot(0, self, self.open_windows)

    # -- workspaces ----------------------------------------------------------------------------

    def switch(self, name: str) -> None:
        """Put another workspace on screen; the one that is there is kept as it is."""
        if name != self.name and name in self._store:
            self._window.collect_choices()
            self._collect()
            self._store.activate(name)
            self._show(self._store.active)

    def create(self, name: str) -> None:
        """Start a workspace of one window in its first layout, and show it."""
        self._window.collect_choices()
        self._collect()
        self._store.put(Workspace(name, (self._first_layout(self._store.active.main),)))
        self._store.activate(name)
        self._show(self._store.active)

    def save_as(self, name: str) -> None:
        """Keep what is on screen under another name, and go on there."""
        self._window.collect_choices()
        self._collect()
        self._store.put(replace(self._store.active, name=name))
        self._store.activate(name)
        self._settle()

    def rename(self, name: str) -> None:
        """Give the workspace on screen another name."""
        before = self.name
        self._store.rename(before, name)
        self._renamed.pop(self.name, None)
        if self.name != before:
            self._renamed[before] = self.name
        self._settle()

    def delete(self) -> None:
        """Forget the workspace on screen and show its neighbour; the undo stack knows the way back."""
        if len(self.names) > 1:
            self._window.collect_choices()
            self._collect()
            words = self.tr("deletion of {0}").format(self.name)
            place = self.names.index(self.name)
            self._window.layouts.undo.push(_Deletion(self, self._store.active, place, words))

    def reset(self) -> None:
        """Return to one window in its first layout; the undo stack knows the way back."""
        self._window.collect_choices()
        self._collect()
        before = self._store.active
        main = self._first_layout(before.main)
        main.geometry, main.link_group = before.main.geometry, ""
        after = replace(before, windows=(main,))
        self._window.layouts.undo.push(_Swap(self, before, after, self.tr("reset of {0}").format(self.name)))

    def put(self, workspace: Workspace) -> None:
        """Take a workspace as it was at another time; the pair on screen stays."""
        workspace = replace(workspace, name=self._known_as(workspace.name))
        if workspace.name == self.name:
            self._window.collect_choices()
            main = workspace.main.window_part()
            main.take_pair(self._window.choices.pair())
            self._store.put(replace(workspace, windows=(main, *workspace.others)))
            self._show(self._store.active)
        elif workspace.name in self._store:
            self._store.put(workspace)
            self._window.toast(self.tr("{0} was changed").format(workspace.name), self.tr("It is not on screen now."))
            self._settle()

    def take_away(self, name: str) -> None:
        """Forget a workspace; its neighbour is shown if it was on screen."""
        name = self._known_as(name)
        if name not in self._store or len(self.names) == 1:
            return
        if name == self.name:
            place = self.names.index(name)
            self.switch(self.names[place + 1 if place + 1 < len(self.names) else place - 1])
        self._store.remove(name)
        self._settle()

    def bring_back(self, workspace: Workspace, place: int) -> None:
        """Show a workspace again that was deleted."""
        name, number = workspace.name, 2
        while self._store.refusal(name):
            name, number = f"{workspace.name[:36]} {number}", number + 1
        if self._store.is_full:
            words = self.tr("Nine are the most: delete one first.")
            self._window.toast(self.tr("{0} cannot come back").format(workspace.name), words, "warning")
            return
        self._store.put(replace(workspace, name=name), place)
        self.switch(name)

    # -- composition ---------------------------------------------------------------------------

    def _connect(self) -> None:
        on = self._window.registry
        for place, name in enumerate(GO):
            on[name].triggered.connect(lambda _=False, p=place: self.switch(self.names[p]))
        on["workspace.new_window"].triggered.connect(lambda: self.windows.open_new())  # noqa: PLW0108
        on["workspace.reopen"].triggered.connect(lambda: self.windows.reopen())  # noqa: PLW0108
        on["workspace.new"].triggered.connect(self._ask_new)
        on["workspace.save_as"].triggered.connect(self._ask_copy)
        on["workspace.rename"].triggered.connect(self._ask_name)
        on["workspace.delete"].triggered.connect(self.delete)
        on["workspace.reset"].triggered.connect(self.reset)

    def _add_corner(self, window: ChartWindow, link: WindowLink) -> None:
        menus = window.menus
        corner = WorkspaceCorner(menus.link, menus.workspace, window.theme.tokens, window)
        window.menuBar().setCornerWidget(corner)
        window.theme.tokens_changed.connect(corner.set_tokens)
        corner.show_workspace(self.name)
        corner.show_link(link.group)
        link.changed.connect(lambda: corner.show_link(link.group))
        self._corners.append((window, corner))

    @Slot(object)
    def _on_opened(self, window: SecondWindow) -> None:
        self._add_corner(window, self.windows.link_of(window))

    @Slot()
    def refresh(self) -> None:
        """Show names and what can be done now in menus, corners and titles."""
        on, names = self._window.registry, self.names
        for place, name in enumerate(GO):
            action, there = on[name], place < len(names)
            title = names[place] if there else ""
            words = title.replace("&", "&&") if there else self.tr("Workspace")
            action.setText(f"&{place + 1}  {words}")
            action.setVisible(there)
            action.setEnabled(there)
            action.setChecked(title == self.name)
        on["workspace.new"].setEnabled(not self._store.is_full)
        on["workspace.save_as"].setEnabled(not self._store.is_full)
        on["workspace.delete"].setEnabled(len(names) > 1)
        on["workspace.new_window"].setEnabled(not self.windows.is_full)
        on["workspace.reopen"].setEnabled(self.windows.can_reopen)
        held = (self._window, *self.windows.all)
        self._corners = [(window, corner) for window, corner in self._corners if window in held]
        for _, corner in self._corners:
            corner.show_workspace(self.name)

    # -- inside --------------------------------------------------------------------------------

    def _collect(self) -> None:
        """Take what is on screen into the active workspace; the main window's choices are up to date."""
        main = self._window.choices.window_part()
        self._store.put(Workspace(self.name, (main, *self._unopened, *self.windows.kept())))

    def _known_as(self, name: str) -> str:
        while name in self._renamed:
            name = self._renamed[name]
        return name

    def _show(self, workspace: Workspace) -> None:
        self._unopened = ()
        window = self._window
        window.layouts.turn += 1
        window.choices.take_window(workspace.main)
        window.restore_choices()
        into_view(window)
        self.windows.main_link.show()
        self._show_pair(workspace.main.pair())
        self.windows.replace(workspace.others)
        self._settle()

    def _settle(self) -> None:
        self.refresh()
        self._window.show_title()
        self._window.save_settings()

    def _show_pair(self, pair: PairSettings) -> None:
        """Show the workspace's pair in the main window, as soon as the market is what it shows."""
        window, source = self._window, self._window.pair.source
        if window.mode.origin is not Origin.LIVE:
            self._pending = pair
            return
        known = source.symbols() if source is not None else ()
        lacking = [leg for leg in (pair.y, pair.x) if leg and leg not in known]
        if lacking and known:
            words = self.tr("{0} is not streamed now: the main window keeps its pair.").format(" / ".join(lacking))
            window.toast(self.tr("That cannot be shown"), words, "warning")
        else:
            window.control.put(pair)

    def _first_layout(self, like: WindowSettings) -> WindowSettings:
        first, made = self._window.layouts.first, like.window_part()
        made.layout, made.layout_version = first["state"], first["version"]
        made.charts, made.metrics_shown = first["charts"], first["metrics"]
        return made

    @Slot()
    def _ask_new(self) -> None:
        words = self.tr("One window in its first layout, with the pair that is shown now.")
        self._ask(self.tr("New workspace"), words, self._free_name(), "", self.create)

    @Slot()
    def _ask_copy(self) -> None:
        words = self.tr("Windows, layouts, pairs and links as they are now, under another name.")
        self._ask(self.tr("Save workspace as"), words, self._free_name(), "", self.save_as)

    @Slot()
    def _ask_name(self) -> None:
        words = self.tr("Another name for {0}.").format(self.name)
        self._ask(self.tr("Rename workspace"), words, self.name, self.name, self.rename)

    def _ask(self, title: str, text: str, first: str, but: str, act: object) -> None:
        dialog = NameDialog(title, text, first, lambda name: self._store.refusal(name, but), self._window)
        dialog.chosen.connect(act)
        self._window.prompts.show_dialog("workspace", dialog)

    def _free_name(self) -> str:
        names = (self.tr("Workspace {0}").format(number) for number in range(2, 2 * MOST_WORKSPACES + 2))
        return next(name for name in names if not self._store.refusal(name))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Open the other windows once the main one has been painted."""
        if event.type() == QEvent.Type.Paint and watched is self._window:
            self._window.removeEventFilter(self)
            QTimer.singleShot(_AFTER_PAINT_MS, self, self.open_windows)
        return False


class _Deletion(QUndoCommand):
    """Forget a workspace, and bring it back."""

    def __init__(self, flow: WorkspaceFlow, workspace: Workspace, place: int, words: str) -> None:
        super().__init__(words)
        self._flow, self._workspace, self._place = flow, workspace, place

    def redo(self) -> None:
        """Forget it."""
        self._flow.take_away(self._workspace.name)

    def undo(self) -> None:
        """Bring it back."""
        self._flow.bring_back(self._workspace, self._place)


class _Swap(QUndoCommand):
    """Put a workspace as it was or as it became."""

    def __init__(self, flow: WorkspaceFlow, before: Workspace, after: Workspace, words: str) -> None:
        super().__init__(words)
        self._flow, self._before, self._after = flow, before, after

    def redo(self) -> None:
        """Show it as it became."""
        self._flow.put(self._after)

    def undo(self) -> None:
        """Show it as it was."""
        self._flow.put(self._before)
