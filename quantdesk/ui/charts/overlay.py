"""Paint what lies over a plot: axis labels, tags, legend, crosshair and the words of an empty panel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from quantdesk.ui.charts.state import ChartState, Span, Tag, ink_on

AXIS_PAD = 8.0
TAG_HEIGHT = 19.0
#: So much higher is a tag of two lines.
SECOND_LINE = 15.0
LEGEND_LEFT, LEGEND_TOP = 10.0, 7.0


def hairline(painter: QPainter) -> float:
    """Return the logical width of the thinnest whole-pixel line that is still a point wide."""
    ratio = painter.device().devicePixelRatioF()
    return max(1, int(ratio)) / ratio


def snapped(painter: QPainter, value: float) -> float:
    """Return the value moved to a device pixel's edge."""
    ratio = painter.device().devicePixelRatioF()
    return round(value * ratio) / ratio


def paint_grid(
    painter: QPainter, state: ChartState, plot: QRectF, xs: Sequence[tuple[float, bool]], ys: Sequence[float]
) -> None:
    """Draw grid lines at x and y pixels; an x with True begins a day and is drawn stronger."""
    thin, ratio = hairline(painter), painter.device().devicePixelRatioF()
    level = [QRectF(plot.left(), round(y * ratio) / ratio, plot.width(), thin) for y in ys]
    upright: dict[bool, list[QRectF]] = {False: [], True: []}
    for x, major in xs:
        upright[major].append(QRectF(round(x * ratio) / ratio, plot.top(), thin, plot.height()))
    painter.setPen(Qt.PenStyle.NoPen)
    for lines, color in ((level + upright[False], state.tokens.grid), (upright[True], state.tokens.border)):
        painter.setBrush(QColor(color))
        painter.drawRects(lines)


def paint_value_axis(
    painter: QPainter,
    state: ChartState,
    plot: QRectF,
    width: float,
    labels: Sequence[tuple[float, str]],
    taken: Sequence[float],
) -> None:
    """Draw the value axis right of the plot: labels at y pixels, but none where a tag is ``taken``."""
    tokens = state.tokens
    painter.fillRect(QRectF(plot.right(), plot.top(), width, plot.height()), QColor(tokens.panel))
    painter.fillRect(QRectF(plot.right(), plot.top(), hairline(painter), plot.height()), QColor(tokens.border))
    painter.setPen(QColor(tokens.text_dim))
    half, below = state.metrics.height() / 2, state.metrics.capHeight() / 2
    for y, text in labels:
        # A label that would be cut by the panel's edge is left out: its neighbour says enough.
        free = all(abs(y - other) >= TAG_HEIGHT / 2 + half - 1 for other in taken)
        if free and plot.top() + half <= y <= plot.bottom() - half:
            state.letters.write(painter, plot.right() + AXIS_PAD, y + below, text)


def tag_middle(plot: QRectF, y: float, under: str = "") -> float:
    """Return where the middle of the first line of a tag for y stands: the tag is inside the panel."""
    foot = plot.bottom() - TAG_HEIGHT / 2 - (SECOND_LINE if under else 0)
    return min(max(y, plot.top() + TAG_HEIGHT / 2), foot)


def tag_places(rows: Sequence[float], tags: Sequence[Tag]) -> list[float]:
    """Return the middles of all tags' lines, where no label may stand."""
    return [*rows, *(row + SECOND_LINE for row, tag in zip(rows, tags, strict=True) if tag.under)]


def tag_rows(plot: QRectF, tags: Sequence[Tag], y_of: Callable[[float], float]) -> list[float]:
    """Return the middle of each tag's first line: the last tag stands at its value, others give way to it."""
    rows = [tag_middle(plot, y_of(tag.value), tag.under) for tag in tags]
    for place, (row, tag) in enumerate(zip(rows[:-1], tags, strict=False)):
        above = rows[-1] - TAG_HEIGHT - (SECOND_LINE if tag.under else 0)
        below = rows[-1] + TAG_HEIGHT + (SECOND_LINE if tags[-1].under else 0)
        if above < row < below:
            upper, lower = tag_middle(plot, above, tag.under), tag_middle(plot, below, tag.under)
            # At the panel's edge there is room on one side only.
            rows[place] = upper if upper == above and (row <= rows[-1] or lower != below) else lower
    return rows


def paint_tag(
    painter: QPainter, state: ChartState, plot: QRectF, width: float, y: float, text: str, color: str, under: str = ""
) -> None:
    """Draw a filled label on the value axis, kept inside the panel; ``under`` is its second line."""
    box = _tag_box(plot, width, y, under)
    _fill_tag(painter, box, QColor(color), Qt.PenStyle.NoPen)
    _write_tag(painter, state, plot, box, ink_on(color), text, under)


def paint_hollow_tag(
    painter: QPainter, state: ChartState, plot: QRectF, width: float, y: float, text: str, color: str
) -> None:
    """Draw a label of an outline only: of something that is set, not of the data."""
    box = _tag_box(plot, width, y, "")
    _fill_tag(painter, box.adjusted(0.5, 0.5, -0.5, -0.5), QColor(state.tokens.panel), QPen(QColor(color), 1))
    _write_tag(painter, state, plot, box, QColor(color), text, "")


def _tag_box(plot: QRectF, width: float, y: float, under: str) -> QRectF:
    top = tag_middle(plot, y, under) - TAG_HEIGHT / 2
    return QRectF(plot.right() + 1, round(top), width - 3, TAG_HEIGHT + (SECOND_LINE if under else 0))


def _fill_tag(painter: QPainter, box: QRectF, color: QColor, edge: QPen | Qt.PenStyle) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(edge)
    painter.setBrush(color)
    painter.drawRoundedRect(box, 2.5, 2.5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _write_tag(
    painter: QPainter, state: ChartState, plot: QRectF, box: QRectF, ink: QColor, text: str, under: str
) -> None:
    painter.setFont(state.font)
    painter.setPen(ink)
    baseline = box.top() + TAG_HEIGHT / 2 + state.metrics.capHeight() / 2
    painter.drawText(QPointF(plot.right() + AXIS_PAD, baseline), text)
    if under:
        painter.drawText(QPointF(plot.right() + AXIS_PAD, baseline + SECOND_LINE), under)


def paint_tags(
    painter: QPainter,
    state: ChartState,
    plot: QRectF,
    width: float,
    tags: Sequence[Tag],
    y_of: Callable[[float], float],
) -> None:
    """Draw the values marked on the axis, and the dotted lines that lead to them."""
    for tag, row in zip(tags, tag_rows(plot, tags, y_of), strict=True):
        y = y_of(tag.value)
        if not plot.top() <= y <= plot.bottom():
            continue
        if tag.line:
            dotted(painter, QColor(tag.color), QPointF(plot.left(), y), QPointF(plot.right(), y), (1, 2))
        if tag.hollow:
            paint_hollow_tag(painter, state, plot, width, row, tag.text, tag.color)
        else:
            paint_tag(painter, state, plot, width, row, tag.text, tag.color, tag.under)


def dotted(painter: QPainter, color: QColor, start: QPointF, end: QPointF, pattern: tuple[int, int]) -> None:
    """Draw a level or upright line of dots or dashes a whole pixel wide.

    ``pattern`` is drawn and left out, in widths of the line. As tiles: a dashed pen takes three times as long.
    """
    thin, ratio = hairline(painter), painter.device().devicePixelRatioF()
    level = start.y() == end.y()
    x, y = snapped(painter, start.x()), snapped(painter, start.y())
    far = snapped(painter, end.x() if level else end.y())
    place = QRectF(x, y, far - x, thin) if level else QRectF(x, y, thin, far - y)
    painter.drawTiledPixmap(place, _dashes(color.rgba(), round(thin * ratio), pattern, ratio, level))


@lru_cache(maxsize=64)
def _dashes(color: int, thin: int, pattern: tuple[int, int], ratio: float, level: bool) -> QPixmap:
    """Return one dash and the gap behind it, ``thin`` device pixels wide."""
    drawn, length = pattern[0] * thin, sum(pattern) * thin
    tile = QPixmap(length if level else thin, thin if level else length)
    tile.fill(Qt.GlobalColor.transparent)
    with QPainter(tile) as painter:
        painter.fillRect(0, 0, drawn if level else thin, thin if level else drawn, QColor.fromRgba(color))
    tile.setDevicePixelRatio(ratio)
    return tile


def paint_legend(painter: QPainter, state: ChartState, plot: QRectF, spans: Sequence[Span]) -> list[tuple[QRectF, str]]:
    """Draw the legend at the plot's top left; return the clickable boxes. What has no room is left out."""
    boxes: list[tuple[QRectF, str]] = []
    height = state.metrics.height() + 4
    x, baseline = plot.left() + LEGEND_LEFT, plot.top() + LEGEND_TOP + state.metrics.ascent() + 2
    placed: list[tuple[float, float, Span]] = []
    for span in spans:
        advance = (state.bold_letters if span.bold else state.letters).advance(span.text)
        x += span.gap
        if x + advance > plot.right() - 6:
            break
        placed.append((x, advance, span))
        x += advance
    while placed and placed[-1][2].head:
        placed.pop()
    if not placed:
        return boxes
    back = QColor(state.tokens.panel)
    back.setAlphaF(0.72)
    last_x, last_advance, _ = placed[-1]
    left = plot.left() + LEGEND_LEFT - 4
    painter.fillRect(QRectF(left, plot.top() + LEGEND_TOP, last_x + last_advance + 5 - left, height), back)
    for x_, advance, span in placed:
        painter.setPen(QColor(span.color))
        (state.bold_letters if span.bold else state.letters).write(painter, x_, baseline, span.text)
        if span.link:
            boxes.append((QRectF(x_ - 3, plot.top() + LEGEND_TOP, advance + 6, height), span.link))
    return boxes


def paint_empty(painter: QPainter, state: ChartState, plot: QRectF, text: str) -> None:
    """Say in the panel's centre what it waits for."""
    painter.setFont(state.font)
    flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
    room = plot.adjusted(12, 24, -12, -6)
    box = painter.boundingRect(room, flags, text).adjusted(-10, -5, 10, 5)
    painter.fillRect(box, QColor(state.tokens.panel))
    painter.setPen(QColor(state.tokens.text_dim))
    painter.drawText(room, flags, text)


def paint_note(painter: QPainter, state: ChartState, at: QPointF, text: str, color: str) -> None:
    """Write a small word beside a mark."""
    painter.setFont(state.small)
    painter.setPen(QColor(color))
    painter.drawText(at, text)


def paint_crosshair(painter: QPainter, state: ChartState, plot: QRectF, x: float | None, y: float | None) -> None:
    """Draw the dashed cross: the upright in every panel, the level one where the pointer is."""
    color = QColor(state.tokens.crosshair)
    if x is not None and plot.left() <= x <= plot.right():
        dotted(painter, color, QPointF(x, plot.top()), QPointF(x, plot.bottom()), (4, 3))
    if y is not None:
        dotted(painter, color, QPointF(plot.left(), y), QPointF(plot.right(), y), (4, 3))


def paint_badge(painter: QPainter, state: ChartState, plot: QRectF, text: str, words: str, color: str) -> QRectF:
    """Draw a filled badge at the plot's top right that covers what is under it; ``words`` follow where they fit."""
    full = f"{text} · {words}"
    room = plot.width() - 2 * LEGEND_LEFT - 16
    shown = full if state.bold_metrics.horizontalAdvance(full) <= room * 0.6 else text
    wide = state.bold_metrics.horizontalAdvance(shown) + 16
    box = QRectF(plot.right() - wide - LEGEND_LEFT, plot.top() + LEGEND_TOP - 1, wide, state.metrics.height() + 7)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(box, 4, 4)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(state.bold)
    painter.setPen(ink_on(color))
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), shown)
    return box


def paint_chip(painter: QPainter, state: ChartState, box: QRectF, text: str) -> None:
    """Draw a small round button with a word or sign."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(QColor(state.tokens.border), 1))
    painter.setBrush(QColor(state.tokens.raised))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setFont(state.font)
    painter.setPen(QColor(state.tokens.text))
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


def paint_foot(
    painter: QPainter, state: ChartState, plot: QRectF, width: float, times: Sequence[tuple[float, str]], zone: str
) -> None:
    """Draw line, times (x, words) and the zone's short name below the plot of a chart that stands alone."""
    painter.fillRect(QRectF(0, plot.bottom(), width, hairline(painter)), QColor(state.tokens.border))
    painter.setFont(state.font)
    painter.setPen(QColor(state.tokens.text_dim))
    base = plot.bottom() + 3 + state.metrics.ascent()
    for x, label in times:
        wide = state.metrics.horizontalAdvance(label)
        if x - wide / 2 >= 2 and x + wide / 2 <= plot.right() - 2:
            painter.drawText(QPointF(x - wide / 2, base), label)
    painter.drawText(QPointF(plot.right() + AXIS_PAD, base), zone)
