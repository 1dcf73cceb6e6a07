"""Let the windows of one group show the same pair, interval and moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.ui.window_settings import LINK_GROUPS
from quantdesk.ui.workspace_actions import LINKS, SHARES

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow

_SHARED = dict(zip(SHARES, ("link_pair", "link_interval", "link_crosshair"), strict=True))
_NOTICE = "link"


class WindowLink(QObject):
    """Follow one window's pair, pointer and link actions; ``changed`` tells of another group or other switches."""

    changed = Signal()

    def __init__(self, window: ChartWindow, groups: LinkGroups) -> None:
        super().__init__(window)
        self.window = window
        self._groups = groups
        self._last = self._now()
        on = window.registry
        for group, name in zip(LINK_GROUPS, LINKS, strict=True):
            on[name].triggered.connect(lambda _=False, g=group: self.choose(g))
        on["workspace.link_next"].triggered.connect(self._choose_next)
        for name, choice in _SHARED.items():
            on[name].triggered.connect(lambda shared, c=choice: self._share(c, shared))
        window.pair.settings_changed.connect(self._on_pair)
        window.charts.pointing.pointed.connect(self._on_crosshair)
        self.show()

    @property
    def group(self) -> str:
        """Return the group's letter, "" for none."""
        return self.window.choices.link_group

    def shares(self, choice: str) -> bool:
        """Tell whether the window is in a group and shares this with it."""
        return bool(self.group) and bool(getattr(self.window.choices, choice))

    @Slot()
    def show(self) -> None:
        """Tick in the menus what is chosen."""
        on, choices = self.window.registry, self.window.choices
        on[LINKS[LINK_GROUPS.index(self.group)]].setChecked(True)
        for name, choice in _SHARED.items():
            on[name].setChecked(getattr(choices, choice))
            on[name].setEnabled(bool(self.group))
        self.changed.emit()

    def choose(self, group: str) -> None:
        """Join a group, and show what it shows; "" leaves the one there was."""
        self._groups.point(self, None)
        self.window.choices.link_group = group
        self.window.banner.clear_notice(_NOTICE)
        self.window.charts.pointing.show_elsewhere(None)
        self.show()
        self.window.save_soon()
        self._groups.welcome(self)

    def follow(self, other: WindowLink) -> None:
        """Show what another window of the group shows, as far as both share it and it can be shown here."""
        wanted, source = other.window.pair.settings, self.window.pair.source
        changes: dict[str, object] = {}
        if self.shares("link_pair") and other.shares("link_pair") and wanted.y:
            changes.update(y=wanted.y, x=wanted.x)
        if self.shares("link_interval") and other.shares("link_interval"):
            changes["interval"] = wanted.interval
        symbols = source.symbols() if source is not None else ()
        lacking = [str(changes[leg]) for leg in ("y", "x") if changes.get(leg) and changes[leg] not in symbols]
        if lacking:
            words = self.tr("{0} is not here: this window keeps its own pair, though group {1} shows another.")
            self.window.banner.show_notice(_NOTICE, "info", words.format(" / ".join(lacking), self.group))
            return
        offered = source.intervals(wanted.y) if source is not None else ()
        if offered and changes.get("interval", offered[0]) not in offered:
            del changes["interval"]
            words = self.tr("There are no bars of {0} here: this window keeps its own interval.")
            self.window.banner.show_notice(_NOTICE, "info", words.format(wanted.interval))
        else:
            self.window.banner.clear_notice(_NOTICE)
        if changes:
            self.window.control.change(**changes)

    def _now(self) -> tuple[str, str, str]:
        settings = self.window.pair.settings
        return settings.y, settings.x, settings.interval

    def _share(self, choice: str, shared: bool) -> None:
        if choice == "link_crosshair":
            self._groups.point(self, None)
            self.window.charts.pointing.show_elsewhere(None)
        setattr(self.window.choices, choice, shared)
        self.changed.emit()
        self.window.save_soon()
        if shared:
            self._groups.welcome(self)

    @Slot()
    def _choose_next(self) -> None:
        self.choose(LINK_GROUPS[(LINK_GROUPS.index(self.group) + 1) % len(LINK_GROUPS)])

    @Slot()
    def _on_pair(self) -> None:
        before, self._last = self._last, self._now()
        if self._last != before:
            self._groups.show_pair_of(self)

    @Slot(object)
    def _on_crosshair(self, ms: float | None) -> None:
        self._groups.point(self, ms)


class LinkGroups:
    """Know the links of all open windows, and pass on what one of them shows."""

    def __init__(self) -> None:
        self._links: list[WindowLink] = []
        self._passing = False

    def add(self, window: ChartWindow) -> WindowLink:
        """Take a window in; it keeps the pair it has."""
        link = WindowLink(window, self)
        self._links.append(link)
        return link

    def remove(self, link: WindowLink) -> None:
        """Let a window go that is being closed."""
        self.point(link, None)
        self._links.remove(link)

    def show_pair_of(self, link: WindowLink) -> None:
        """Show the pair and interval of a window in the others of its group."""
        if self._passing:
            return  # it follows: nothing goes back
        self._passing = True
        try:
            for other in self._others(link):
                other.follow(link)
        finally:
            self._passing = False

    def welcome(self, link: WindowLink) -> None:
        """Show in a window that has joined what its group shows."""
        others = self._others(link)
        if others and not self._passing:
            self._passing = True
            try:
                link.follow(others[0])
            finally:
                self._passing = False

    def point(self, link: WindowLink, ms: float | None) -> None:
        """Show the crosshair of a window at the same time in the others; None takes it away."""
        if link.shares("link_crosshair"):
            for other in self._others(link):
                if other.shares("link_crosshair"):
                    other.window.charts.pointing.show_elsewhere(ms)

    def _others(self, link: WindowLink) -> list[WindowLink]:
        return [one for one in self._links if one is not link and one.group and one.group == link.group]
