"""Fill many rectangles of whole device pixels at once, opaque or blended."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
import shiboken6
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter

FloatArray = npt.NDArray[np.float64]
PixelArray = npt.NDArray[np.uint32]


class Rects:
    """Hold n rectangles as Qt reads them, so that one call fills them all.

    Whole numbers take Qt's short way: the same rectangles as QRectF cost two and a half times as much.
    """

    def __init__(self) -> None:
        self._memory = np.empty((0, 4), np.int32)
        self._size = 0

    def put(self, x: FloatArray, y: FloatArray, width: FloatArray | float, height: FloatArray | float) -> None:
        """Take n rectangles (n), whole device pixels, in the place of those before."""
        self._size = len(x)
        if self._size > len(self._memory):
            self._memory = np.empty((self._size, 4), np.int32)
        memory = self._memory[: self._size]
        # A QRect holds the last pixels inside it, not the first ones outside.
        memory[:, 0], memory[:, 1], memory[:, 2], memory[:, 3] = x, y, x + width - 1, y + height - 1

    def paint(self, painter: QPainter, brush: QColor | QBrush) -> None:
        """Fill them; the painter's unit is a device pixel."""
        if self._size:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(brush)
            first = shiboken6.wrapInstance(self._memory.ctypes.data, QRect)
            painter.drawRects(cast(QRect, first), self._size)


def premultiplied(color: QColor) -> int:
    """Return a colour as a pixel of Format_ARGB32_Premultiplied."""
    alpha = color.alpha()
    red, green, blue = (round(part * alpha / 255) for part in (color.red(), color.green(), color.blue()))
    return alpha << 24 | red << 16 | green << 8 | blue


class Columns:
    """Hold translucent columns as one small image.

    Qt blends a translucent rectangle span by span, and hands each one higher than 95 pixels to its
    thread pool: 1,500 such columns took 67 ms. As an image they take a tenth of a millisecond.
    """

    def __init__(self) -> None:
        self._memory: PixelArray = np.empty(0, np.uint32)
        self._image: QImage | None = None
        self._at = QPoint()

    def put(
        self,
        clip: QRect,
        sides: tuple[FloatArray, FloatArray],
        ends: tuple[FloatArray, FloatArray],
        color: PixelArray | int,
    ) -> None:
        """Take n columns in the place of those before; where two meet, the later one shows alone.

        ``sides`` are the left and right, ``ends`` the top and foot edges (n), whole device pixels, cut
        to ``clip``; ``color`` is premultiplied, one or a column (n).
        """
        self._image = None
        left, right = (_whole(edge, clip.left(), clip.left() + clip.width()) for edge in sides)
        top, foot = (_whole(edge, clip.top(), clip.top() + clip.height()) for edge in ends)
        there = (right > left) & (foot > top)
        if not there.any():
            return
        if not there.all():
            left, right, top, foot = left[there], right[there], top[there], foot[there]
            color = color if isinstance(color, int) else color[there]
        x, y = int(left.min()), int(top.min())
        wide, tall = int(right.max()) - x, int(foot.max()) - y
        counts = right - left
        place = np.repeat(left - x - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
        first, end, ink = np.full(wide, tall, np.int16), np.zeros(wide, np.int16), np.zeros(wide, np.uint32)
        first[place], end[place] = np.repeat(top - y, counts), np.repeat(foot - y, counts)
        ink[place] = color if isinstance(color, int) else np.repeat(color, counts)
        rows = np.arange(tall, dtype=np.int16)[:, None]
        covered = rows >= first
        if foot.min() < y + tall:
            covered &= rows < end
        if wide * tall > len(self._memory):
            self._memory = np.empty(wide * tall, np.uint32)
        pixels = self._memory[: wide * tall].reshape(tall, wide)
        np.multiply(covered, ink, out=pixels)
        self._image = pg.functions.ndarray_to_qimage(pixels, QImage.Format.Format_ARGB32_Premultiplied)
        self._at = QPoint(x, y)

    def paint(self, painter: QPainter) -> None:
        """Blend them over what is there; the painter's unit is a device pixel."""
        if self._image is not None:
            painter.drawImage(self._at, self._image)


def _whole(edges: FloatArray, least: int, most: int) -> npt.NDArray[np.int64]:
    return np.clip(edges, least, most).astype(np.int64)
