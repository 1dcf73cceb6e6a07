"""Place drawings on a panel's pixels: lines under any scale, hits, moves, the magnet."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF

from quantdesk.ui.charts.drawings import Anchor, Drawing, Kind

if TYPE_CHECKING:
    from quantdesk.ui.charts.panel import Panel

#: So near (pixels) the pointer takes hold of a line or of an end.
REACH, END_REACH = 5.0, 8.0
#: So near (pixels) the magnet draws to a price of the bar.
MAGNET = 14.0
#: The handle of a level stays this far inside the plot.
_INSIDE = 14.0
#: What a part of a drawing is that is no end.
WHOLE = -1


def distance(at: QPointF, start: QPointF, end: QPointF) -> float:
    """Return how far a point is from a stretch between two points, in pixels."""
    along, off = end - start, at - start
    length = along.x() ** 2 + along.y() ** 2
    share = min(max((off.x() * along.x() + off.y() * along.y()) / length, 0.0), 1.0) if length else 0.0
    return math.hypot(off.x() - share * along.x(), off.y() - share * along.y())


def clipped(start: QPointF, end: QPointF, room: QRectF) -> tuple[QPointF, QPointF] | None:
    """Return what of a stretch lies in a rectangle, None if nothing does (Liang and Barsky 1984)."""
    first, last, along = 0.0, 1.0, end - start
    for step, before, after in (
        (along.x(), start.x() - room.left(), room.right() - start.x()),
        (along.y(), start.y() - room.top(), room.bottom() - start.y()),
    ):
        if step == 0:
            if before < 0 or after < 0:
                return None
            continue
        enter, leave = sorted((-before / step, after / step))
        first, last = max(first, enter), min(last, leave)
    return (start + along * first, start + along * last) if first <= last else None


def levelled(start: QPointF, at: QPointF) -> QPointF:
    """Return the point nearest to ``at`` whose direction from ``start`` is a multiple of 45° on the screen."""
    off = at - start
    turn = round(math.atan2(off.y(), off.x()) / (math.pi / 4)) * math.pi / 4
    way = off.x() * math.cos(turn) + off.y() * math.sin(turn)
    return start + QPointF(way * math.cos(turn), way * math.sin(turn))


def point_of(panel: Panel, anchor: Anchor) -> QPointF:
    """Return the pixel of an anchor; outside the plot, too."""
    return QPointF(panel.x_of(panel.state.line.x_of(anchor.ms)), panel.y_of(anchor.value))


def stretch_of(panel: Panel, drawing: Drawing) -> tuple[QPointF, QPointF]:
    """Return both ends of a drawing in pixels: straight in the plot's own coordinates, whatever its scale."""
    if drawing.kind is Kind.LEVEL:
        y = panel.y_of(drawing.anchors[0].value)
        return QPointF(panel.plot.left(), y), QPointF(panel.plot.right(), y)
    return point_of(panel, drawing.anchors[0]), point_of(panel, drawing.anchors[1])


def handles_of(panel: Panel, drawing: Drawing) -> list[QPointF]:
    """Return where a chosen drawing has its handles; that of a level stays in sight."""
    points = [point_of(panel, anchor) for anchor in drawing.anchors]
    if drawing.kind is Kind.LEVEL:
        left, right = panel.plot.left() + _INSIDE, max(panel.plot.left() + _INSIDE, panel.plot.right() - _INSIDE)
        points = [QPointF(min(max(points[0].x(), left), right), points[0].y())]
    return points


def part_at(panel: Panel, drawing: Drawing, at: QPointF) -> int | None:
    """Return which end of a drawing lies under a point, ``WHOLE`` for the line itself, None for neither."""
    start, end = stretch_of(panel, drawing)
    if drawing.kind is Kind.TREND:
        near = [math.hypot(at.x() - p.x(), at.y() - p.y()) for p in (start, end)]
        if min(near) <= END_REACH:
            return near.index(min(near))
    return WHOLE if distance(at, start, end) <= REACH else None


def drawing_at(panel: Panel, drawings: Iterable[Drawing], at: QPointF) -> tuple[Drawing, int] | None:
    """Return the topmost drawing under a point, and which part of it."""
    if not panel.plot.contains(at):
        return None
    for drawing in reversed(tuple(drawings)):
        part = part_at(panel, drawing, at)
        if part is not None:
            return drawing, part
    return None


def anchor_at(panel: Panel, at: QPointF, *, magnet: bool = False) -> Anchor:
    """Return the bar and value under a point; a ``magnet`` draws to the nearest value of the bar."""
    row, y = round(panel.row_at(at.x())), at.y()
    value = panel.value_at(y)
    if magnet:
        near = [(abs(panel.y_of(v) - y), v) for v in panel.row_values(row) if math.isfinite(v)]
        off, drawn = min(near, default=(math.inf, value))
        value = drawn if off <= MAGNET else value
    return Anchor(max(0, int(panel.state.line.at(row))), panel.rounded(value))


def moved(panel: Panel, drawing: Drawing, rows: int, places: float) -> Drawing:
    """Return a drawing moved by bars and by a distance in plot coordinates: its shape on the screen stays."""
    line = panel.state.line

    def shifted(anchor: Anchor) -> Anchor:
        ms = round(line.time_of(line.x_of(anchor.ms) + rows)) if rows else anchor.ms
        value = panel.rounded(panel.from_plot(panel.to_plot(anchor.value) + places)) if places else anchor.value
        return Anchor(max(0, ms), value)

    return drawing.at(*(shifted(anchor) for anchor in drawing.anchors))
