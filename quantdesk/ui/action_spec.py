"""Describe one action of the desk: words, key and icon."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Describe an action: its id is "group.name"; ``one_of`` names an exclusive set."""

    id: str
    text: str
    keys: str = ""
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    one_of: str = ""

    @property
    def group(self) -> str:
        """Return the group that the shortcut sheet lists it under."""
        return self.id.partition(".")[0]


#: The words of menus and tips, found by lupdate under the context "actions".
translate = QCoreApplication.translate
