"""Paint a panel, and keep the picture of what lies under the forming bars, so that a trade repaints those alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from quantdesk.ui.charts.items import Part

if TYPE_CHECKING:
    from quantdesk.ui.charts.panel import Panel


class Backdrop:
    """Hold background, grid and closed bars of a panel for as long as none of them looks different.

    While trades come in, that is nearly all there is to paint: the picture is copied and the forming
    bars, axis, tags, legend and crosshair are painted over it. The scene is not asked to paint: it would
    call back into Python for every part, at more cost than most parts have.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._picture: QPixmap | None = None
        self._look: tuple[object, ...] = ()
        self._serves = False

    def settle(self, *, anew: bool) -> None:
        """Say before a paint whether more has changed since the last than forming bars and what lies over the data."""
        look = self._look_now()
        self._serves = not anew and look == self._look
        self._look = look
        if not self._serves:
            self._picture = None

    def forget(self) -> None:
        """Let go of the picture; another one is made when there is something to paint again."""
        self._picture = None

    def paint(self) -> None:
        """Paint the whole panel, or the forming bars over the picture of the rest."""
        panel, ratio = self._panel, self._panel.viewport().devicePixelRatioF()
        area = QRectF(panel.rect())
        panel.scene().prepareForPaint()
        with QPainter(panel.viewport()) as painter:
            # Between whole pixels nothing could be copied; a panel of another size has not been refreshed yet.
            if self._serves and ratio == int(ratio) and self._size() == self._look[0]:
                if self._picture is None or self._picture.devicePixelRatio() != ratio:  # on another screen now
                    self._picture = self._painted(ratio)
                painter.drawPixmap(0, 0, self._picture)
                self._paint_items(painter, Part.FORMING)
            else:
                panel.drawBackground(painter, area)
                self._paint_items(painter, Part.ALL)
            panel.drawForeground(painter, area)

    def _painted(self, ratio: float) -> QPixmap:
        picture = QPixmap(self._panel.viewport().size() * int(ratio))
        picture.setDevicePixelRatio(ratio)
        with QPainter(picture) as painter:
            self._panel.drawBackground(painter, QRectF(self._panel.rect()))
            self._paint_items(painter, Part.CLOSED)
        return picture

    def _paint_items(self, painter: QPainter, part: Part) -> None:
        panel, closed = self._panel, len(self._panel.state.line.times)
        painter.save()
        painter.setClipPath(panel.box.mapToScene(panel.box.shape()))
        place = panel.box.childGroup.deviceTransform(panel.viewportTransform())
        for item in sorted(panel.items_, key=lambda item: item.zValue()):
            if item.isVisible() and (item.forms or part is not Part.FORMING):
                painter.setTransform(place)
                item.part, item.closed = part if item.forms else Part.ALL, closed
                item.paint(painter, _OPTION)
                item.part = Part.ALL
        painter.restore()

    def _size(self) -> tuple[int, int]:
        return self._panel.viewport().width(), self._panel.viewport().height()

    def _look_now(self) -> tuple[object, ...]:
        """Return what decides how everything but forming bars and foreground looks."""
        panel, state = self._panel, self._panel.state
        return (
            self._size(),
            (state.view.left, state.view.span, panel.low, panel.high, panel.plot.width(), panel.plot.height()),
            [(tick.x, tick.major) for tick in state.ticks],
            panel.labelled_values,
            (state.tokens, state.level, state.levels, state.flash_row, panel.empty_text()),
            (len(state.line.times), len(state.line)),
            [item.under() for item in panel.items_],
        )


_OPTION = QStyleOptionGraphicsItem()
