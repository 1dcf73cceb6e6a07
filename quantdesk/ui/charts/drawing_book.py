"""Keep every drawing by its place; each change goes through an undo stack."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from quantdesk.ui.charts.drawings import MOST_HERE, MOST_IN_ALL, Drawing, Place

Drawings = tuple[Drawing, ...]


class DrawingBook(QObject):
    """Hold drawings by place. ``changed`` = something was drawn, changed, deleted, undone or redone."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._held: dict[Place, Drawings] = {}
        self.undo = QUndoStack(self)  #: the window puts its own here

    def at(self, place: Place | None) -> Drawings:
        """Return the drawings of a place, the oldest first."""
        return self._held.get(place, ()) if place is not None else ()

    def everything(self) -> Mapping[Place, Drawings]:
        """Return all drawings."""
        return dict(self._held)

    def load(self, held: Mapping[Place, Drawings]) -> None:
        """Take what was kept; no way back."""
        self.put(held)

    def has_room(self, place: Place) -> bool:
        """Return whether one more may be drawn there."""
        return len(self.at(place)) < MOST_HERE and sum(map(len, self._held.values())) < MOST_IN_ALL

    def add(self, place: Place, drawing: Drawing, words: str) -> None:
        """Draw; ``words`` name the act in the Undo entry."""
        self._act({place: (*self.at(place), drawing)}, words)

    def replace(self, place: Place, drawing: Drawing, words: str, *, nudged: bool = False) -> None:
        """Put a drawing in the stead of the one with its id; nudges one after another are undone together."""
        after = tuple(drawing if one.id == drawing.id else one for one in self.at(place))
        if after != self.at(place):
            self._act({place: after}, words, drawing.id if nudged else "")

    def remove(self, place: Place, drawing: Drawing, words: str) -> None:
        """Delete one drawing."""
        self._act({place: tuple(one for one in self.at(place) if one.id != drawing.id)}, words)

    def clear(self, places: list[Place], words: str) -> None:
        """Delete all drawings of some places."""
        self._act({place: () for place in places if self.at(place)}, words)

    def put(self, held: Mapping[Place, Drawings]) -> None:
        """Show other drawings at some places; what undo and redo call."""
        for place, drawings in held.items():
            if drawings:
                self._held[place] = drawings
            else:
                self._held.pop(place, None)
        self.changed.emit()

    def _act(self, after: Mapping[Place, Drawings], words: str, nudged: str = "") -> None:
        if after:
            self.undo.push(_Change(self, {place: self.at(place) for place in after}, after, words, nudged))


class _Change(QUndoCommand):
    """Swap the drawings of some places for others, both ways."""

    def __init__(
        self,
        book: DrawingBook,
        before: Mapping[Place, Drawings],
        after: Mapping[Place, Drawings],
        words: str,
        nudged: str = "",
    ) -> None:
        super().__init__(words)
        self._book, self._before, self.after, self.nudged = book, before, after, nudged

    def id(self) -> int:
        """Return the same number for all nudges: the stack then asks whether they belong together."""
        return 1 if self.nudged else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take the next nudge of the same drawing in."""
        if not isinstance(other, _Change) or other.nudged != self.nudged or set(other.after) != set(self.after):
            return False
        self.after = other.after
        return True

    def redo(self) -> None:
        """Show what was drawn."""
        self._book.put(self.after)

    def undo(self) -> None:
        """Show what was there before."""
        self._book.put(self._before)
