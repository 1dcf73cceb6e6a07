"""Draw, choose, move and delete lines on the charts, by pointer and by keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from quantdesk.ui.charts.drawing_book import DrawingBook
from quantdesk.ui.charts.drawing_geometry import anchor_at, moved
from quantdesk.ui.charts.drawings import DRAWABLE, Anchor, Drawing, Kind, Look, Place, place_of
from quantdesk.ui.charts.panel import Panel
from quantdesk.ui.charts.state import ChartState

_FAST = 10


class DrawingTools(QObject):
    """Own the tool at hand, the line that is being drawn and the chosen one.

    ``moved`` = there is something to paint, ``turned`` = another tool or choice, ``told`` = words for the user.
    """

    moved = Signal()
    turned = Signal()
    told = Signal(str)
    edit_wanted = Signal()

    def __init__(self, state: ChartState, panels: Mapping[str, Panel], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.panels = {name: panels[name] for name in DRAWABLE}
        self.book = DrawingBook(self)
        self.book.changed.connect(self._on_book)
        self.tool: Kind | None = None
        self.magnet = False
        self.look = Look()
        self.start: tuple[str, Anchor] | None = None  #: the panel and first end of an open trend line
        self.reach: Anchor | None = None  #: its other end while it is dragged, not under the crosshair
        self.working: Drawing | None = None  #: the chosen drawing as it is dragged
        self.bare = False  #: for a picture: no handles, no hint, nothing half drawn
        self._chosen = ""

    def share(self, book: DrawingBook) -> None:
        """Show and change the drawings of another window's book: a symbol has its lines wherever it is shown."""
        self.book.changed.disconnect(self._on_book)
        self.book = book
        book.changed.connect(self._on_book)

    # -- what is where ------------------------------------------------------------------------

    def place(self, name: str) -> Place | None:
        """Return where what a panel shows belongs."""
        return place_of(self._state.frame, self._state.leg, name, ratio=self._state.ratio)

    def shown(self, name: str) -> tuple[Drawing, ...]:
        """Return the drawings of a panel, one that is being dragged where it is now."""
        held, working = self.book.at(self.place(name)), self.working
        if working is None:
            return held
        return tuple(working if one.id == working.id else one for one in held)

    @property
    def chosen(self) -> tuple[Panel, Drawing] | None:
        """Return the chosen drawing and its panel, None if none is or it does not show."""
        for name, panel in self.panels.items():
            for drawing in self.shown(name) if self._chosen else ():
                if drawing.id == self._chosen:
                    return panel, drawing
        return None

    def count(self) -> int:
        """Return how many drawings there are of what is shown, on all panels."""
        return sum(len(self.book.at(self.place(name))) for name in self.panels)

    # -- acts ---------------------------------------------------------------------------------

    def take(self, tool: Kind | None) -> None:
        """Take a tool in hand, or put it away; what was half drawn is dropped."""
        self._hold(tool)
        if tool is not None:
            self._chosen = ""
            self._say(self._wanted())
        self._turn()

    def _hold(self, tool: Kind | None) -> None:
        self.tool, self.start, self.reach = tool, None, None
        self._state.drawing = tool is not None

    def point(self, panel: Panel, at: QPointF) -> None:
        """Put down the next point of what the tool draws."""
        self.put(panel, anchor_at(panel, at, magnet=self.magnet))

    def put(self, panel: Panel, anchor: Anchor) -> None:
        """Put down the next anchor of what the tool draws."""
        if self.tool is Kind.LEVEL:
            self._draw(panel, anchor)
        elif self.tool is Kind.TREND and (self.start is None or self.start[0] != panel.name):
            self.start = (panel.name, anchor)
            self.moved.emit()
        elif self.tool is Kind.TREND and self.start is not None and self.start[1] != anchor:
            self._draw(panel, self.start[1], anchor)

    def _draw(self, panel: Panel, *anchors: Anchor) -> None:
        place, kind = self.place(panel.name), self.tool
        self._hold(None)
        if place is None or kind is None:
            self._turn()
            return
        if not self.book.has_room(place):
            self._turn()
            self._say(self.tr("Nothing was drawn: there are too many drawings. Delete some first."))
            return
        drawing = Drawing(kind, anchors, self.look)
        self._chosen = drawing.id
        self.book.add(place, drawing, self.tr("{0} on {1}").format(self.name_of(drawing), place.subject))
        self._turn()
        self._say(self.words(panel, drawing))

    def choose(self, drawing: Drawing | None) -> None:
        """Choose a drawing, or none."""
        before, self._chosen = self._chosen, "" if drawing is None else drawing.id
        if self._chosen != before:
            self._turn()
            if self.chosen is not None:
                self._say(self.words(*self.chosen))

    @Slot()
    def choose_none(self) -> None:
        """Let go of the chosen drawing."""
        self.choose(None)

    @Slot()
    def choose_next(self) -> None:
        """Choose the next drawing of what is shown, panel by panel."""
        listed = [one for name, panel in self.panels.items() if not panel.isHidden() for one in self.shown(name)]
        if not listed:
            self._say(self.tr("Nothing is drawn here."))
            return
        held = [place for place, one in enumerate(listed) if one.id == self._chosen]
        self.choose(listed[(held[0] + 1) % len(listed) if held else 0])

    def settle(self, drawing: Drawing, words: str = "", *, nudged: bool = False) -> None:
        """Keep a changed drawing, with a way back."""
        self.working = None
        for name in self.panels:
            place = self.place(name)
            if place is not None and any(one.id == drawing.id for one in self.book.at(place)):
                self.book.replace(place, drawing, words or self.name_of(drawing), nudged=nudged)
        self.moved.emit()

    def restyle(self, look: Look) -> None:
        """Give the chosen drawing another look, and those to come."""
        self.look = look
        if self.chosen is not None:
            self.settle(replace(self.chosen[1], look=look))

    @Slot()
    def delete(self) -> None:
        """Delete the chosen drawing."""
        if self.chosen is None:
            return
        panel, drawing = self.chosen
        place, self._chosen, self.working = self.place(panel.name), "", None
        if place is not None:
            words = self.tr("deleting the {0}").format(self.name_of(drawing))
            self.book.remove(place, drawing, words)
            self._say(self.tr("Deleted. Undo brings it back."))
        self._turn()

    @Slot()
    def delete_all(self) -> None:
        """Delete all drawings of what is shown."""
        places = [place for name in self.panels if (place := self.place(name)) is not None]
        self._chosen, self.working = "", None
        self.book.clear(places, self.tr("deleting all drawings"))
        self._turn()

    # -- keys ---------------------------------------------------------------------------------

    def escape(self) -> bool:
        """Drop what is half drawn, put the tool away, or let the chosen one go; tell whether there was anything."""
        if self.start is not None or self.tool is not None:
            self.take(self.tool if self.start is not None else None)
            return True
        if self._chosen and self.chosen is not None:
            self.choose(None)
            return True
        return False

    def key(self, key: int, *, control: bool) -> bool:
        """Act on Escape and Enter, and on Delete and the arrows while a drawing is chosen."""
        if key == Qt.Key.Key_Escape:
            return self.escape()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self._enter()
        if key == Qt.Key.Key_Delete and self.chosen is not None:
            self.delete()
            return True
        ruler = self._state.ruler
        if self.chosen is None or (ruler is not None and ruler.open):
            return False
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, 1),
            Qt.Key.Key_Down: (0, -1),
        }
        if key not in tuple(steps):
            return False
        bars, values = steps[Qt.Key(key)]
        return self._nudge(*self.chosen, bars * (_FAST if control else 1), values * (_FAST if control else 1))

    def _nudge(self, panel: Panel, drawing: Drawing, bars: int, steps: int) -> bool:
        """Move by bars, and by pixels or ticks, whichever are larger; a level has no bars to move by."""
        if drawing.kind is Kind.LEVEL and bars:
            return False
        value = drawing.anchors[0].value
        pixel = panel.from_plot(panel.to_plot(value) + (panel.high - panel.low) / panel.plot.height()) - value
        places = panel.to_plot(value + steps * max(pixel, panel.tick())) - panel.to_plot(value) if steps else 0.0
        new = moved(panel, drawing, bars, places)
        self.settle(new, self.tr("moving the {0}").format(self.name_of(new)), nudged=True)
        self._say(self.words(panel, new))
        return True

    def _enter(self) -> bool:
        if self.tool is None:
            if self.chosen is None:
                return False
            self.edit_wanted.emit()
            return True
        state = self._state
        panel = self.panels.get(state.cursor_panel)
        if panel is not None and state.cursor_row is not None:
            self.point(panel, QPointF(panel.x_of(state.cursor_row), state.cursor_y))
            return True
        for panel in self.panels.values():
            if not panel.isHidden() and len(state.line) and self._draw_by_keys(panel):
                return True
        return False

    def _draw_by_keys(self, panel: Panel) -> bool:
        """Draw at the newest value, or from the first value in sight to the newest one."""
        line, last = self._state.line, len(self._state.line) - 1
        rows = range(max(0, math.ceil(self._state.view.left)), last + 1)
        with_value = [row for row in (*rows[:1], *rows[-50:]) if math.isfinite(panel.row_value(row))]
        if not with_value:
            return False
        first, newest = (Anchor(int(line.at(r)), panel.row_value(r)) for r in (with_value[0], with_value[-1]))
        self._draw(panel, *((newest,) if self.tool is Kind.LEVEL else (first, newest)))
        return True

    # -- words --------------------------------------------------------------------------------

    def name_of(self, drawing: Drawing) -> str:
        """Return what a drawing is called within a sentence."""
        return self.tr("horizontal line") if drawing.kind is Kind.LEVEL else self.tr("trend line")

    def _wanted(self) -> str:
        """Say what the tool at hand waits for."""
        if self.tool is Kind.LEVEL:
            return self.tr("Click where the horizontal line shall be · Enter: at the last value · Esc: leave")
        if self.start is not None:
            return self.tr("Click the other end of the trend line · Esc: start anew")
        return self.tr("Click both ends of the trend line, or drag · Enter: over the view · Esc: leave")

    def hint(self, panel: Panel) -> str:
        """Return what a panel says about the tool at hand or the chosen drawing, "" for nothing."""
        if self.tool is not None:
            at = self.start[0] if self.start is not None else self._state.cursor_panel
            shown = at if at in self.panels else next((n for n, p in self.panels.items() if not p.isHidden()), "")
            return self._wanted() if shown == panel.name else ""
        if self.chosen is None or self.chosen[0] is not panel:
            return ""
        return self.tr("{0} · arrows move · Enter edits · Del deletes").format(self.words(*self.chosen))

    def words(self, panel: Panel, drawing: Drawing) -> str:
        """Say in one line what a drawing is and where it stands."""
        values = [panel.value_text(anchor.value) for anchor in drawing.anchors]
        held = [one.id for one in self.shown(panel.name)]
        number = self.tr("{0} of {1}").format(held.index(drawing.id) + 1, len(held)) if drawing.id in held else ""
        if drawing.kind is Kind.LEVEL:
            found = self.tr("Horizontal line at {0}").format(values[0])
        else:
            line = self._state.line
            bars = round(line.x_of(drawing.anchors[1].ms)) - round(line.x_of(drawing.anchors[0].ms))
            found = self.tr("Trend line from {0} to {1}, {2} bars").format(*values, abs(bars))
        label = f" “{drawing.text}”" if drawing.text else ""
        return f"{found}{label} ({number})" if number else f"{found}{label}"

    def _say(self, words: str) -> None:
        self.told.emit(words)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.parent() or self, words))

    def _turn(self) -> None:
        self.turned.emit()
        self.moved.emit()

    @Slot()
    def _on_book(self) -> None:
        self.working = None
        self._turn()
