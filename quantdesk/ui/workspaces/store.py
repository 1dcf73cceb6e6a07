"""Keep the named workspaces in a file beside the settings; a broken file is set aside, nothing raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from quantdesk.ui.kept_file import KeptFile
from quantdesk.ui.settings_store import Settings, window_settings_of
from quantdesk.ui.window_settings import WindowSettings

FILE_NAME = "workspaces.json"
FIRST_NAME = "Default"
VERSION = 1
#: One key each: Ctrl+Alt+1 to 9.
MOST_WORKSPACES = 9
#: Windows of a workspace, the main one among them.
MOST_WINDOWS = 9
LONGEST_NAME = 40


def _tr(text: str) -> str:
    return QCoreApplication.translate("workspaces", text)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Hold a name and the windows that belong to it, the main window first."""

    name: str
    windows: tuple[WindowSettings, ...]

    @property
    def main(self) -> WindowSettings:
        """Return the choices of the main window."""
        return self.windows[0]

    @property
    def others(self) -> tuple[WindowSettings, ...]:
        """Return the choices of the other windows."""
        return self.windows[1:]


class WorkspaceStore:
    """Load and save the workspaces; the active one's main window is what the settings hold while it is open.

    Without a file, or with one that cannot be read, the settings' own window becomes the first workspace.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._file = KeptFile(folder / FILE_NAME, "workspaces", "the settings' own layout and pair")
        first = Workspace(FIRST_NAME, (settings.window_part(),))
        self._all: list[Workspace] = [first]
        self._active = first.name
        read = self._file.read()
        if read is not None and self._take(read):
            settings.take_window(self.active.main)

    @property
    def problem(self) -> str:
        """Return in words what kept the file from being read or written."""
        return self._file.problem

    @property
    def path(self) -> Path:
        """Return where the workspaces are."""
        return self._file.path

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names in the order of the menu."""
        return tuple(one.name for one in self._all)

    @property
    def active(self) -> Workspace:
        """Return the workspace that is on screen."""
        return self[self._active]

    def __getitem__(self, name: str) -> Workspace:
        return next(one for one in self._all if one.name == name)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def refusal(self, name: str, but: str = "") -> str:
        """Return in words why a workspace cannot have this name; nothing where it can. ``but`` may keep its own."""
        if not name.strip():
            return _tr("Type a name.")
        if len(name.strip()) > LONGEST_NAME:
            return _tr("The name is longer than {0} characters.").format(LONGEST_NAME)
        if any(name.strip().casefold() == other.casefold() for other in self.names if other != but):
            return _tr("There is a workspace named {0} already.").format(name.strip())
        return ""

    @property
    def is_full(self) -> bool:
        """Tell whether there are as many as there can be."""
        return len(self._all) >= MOST_WORKSPACES

    def activate(self, name: str) -> None:
        """Take another workspace for the one on screen. Raises KeyError for an unknown name."""
        if name not in self:
            raise KeyError(name)
        self._active = name

    def put(self, workspace: Workspace, place: int | None = None) -> None:
        """Keep a workspace, in place of the one of its name or at a new place (the end by default)."""
        for index, one in enumerate(self._all):
            if one.name == workspace.name:
                self._all[index] = workspace
                return
        self._all.insert(len(self._all) if place is None else place, workspace)

    def remove(self, name: str) -> None:
        """Forget a workspace that is neither the active one nor the last. Raises ValueError otherwise."""
        if name == self._active or len(self._all) == 1:
            raise ValueError(f"the workspace {name} is in use")
        self._all = [one for one in self._all if one.name != name]

    def rename(self, old: str, new: str) -> None:
        """Give a workspace another name. Raises ValueError in words where it cannot have it."""
        words = self.refusal(new, but=old)
        if words:
            raise ValueError(words)
        name = new.strip()
        self._all = [replace(one, name=name) if one.name == old else one for one in self._all]
        if self._active == old:
            self._active = name

    def save(self) -> bool:
        """Write the workspaces if they changed; False and ``problem`` in words if the disk refuses."""
        kept = [{"name": one.name, "windows": [asdict(w) for w in one.windows]} for one in self._all]
        return self._file.write({"version": VERSION, "active": self._active, "workspaces": kept})

    def _take(self, read: Mapping[str, Any]) -> bool:
        listed = read.get("workspaces")
        if read.get("version") != VERSION or not isinstance(listed, list):
            self._file.set_aside("it is not of this version")
            return False
        good: list[Workspace] = []
        for entry in listed:
            one = _workspace_of(entry)
            if one is not None and len(good) < MOST_WORKSPACES and not _is_taken(one.name, good):
                good.append(one)
        if not good:
            self._file.set_aside("it holds no workspace")
            return False
        if len(good) < len(listed):
            self._file.copy_aside(f"{len(listed) - len(good)} of {len(listed)} workspaces cannot be read.", "part")
        self._all = good
        active = read.get("active")
        self._active = active if isinstance(active, str) and active in self else good[0].name
        return True


def _is_taken(name: str, others: Sequence[Workspace]) -> bool:
    return any(name.casefold() == other.name.casefold() for other in others)


def _workspace_of(entry: object) -> Workspace | None:
    """Return what an entry of the file says, None where it says nothing that could be shown."""
    if not isinstance(entry, dict):
        return None
    name, windows = entry.get("name"), entry.get("windows")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not isinstance(windows, list):
        return None
    read = tuple(window_settings_of(one) for one in windows[:MOST_WINDOWS] if isinstance(one, dict))
    return Workspace(name.strip(), read) if read else None
