"""Draw one line of the command palette: title with its matched letters, menus above it, keys on the right."""

from __future__ import annotations

from itertools import groupby
from math import ceil

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from quantdesk.ui.palette_entries import Found
from quantdesk.ui.theme import mix
from quantdesk.ui.theme_tokens import Tokens

FOUND = Qt.ItemDataRole.UserRole
_PAD, _GAP, _ROUND = 10.0, 12.0, 4.0
_V_CENTRE = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


class PaletteLine(QStyledItemDelegate):
    """Paint a ``Found``; what cannot be used is grey and says why instead of its keys."""

    def __init__(self, tokens: Tokens, parent: QWidget) -> None:
        super().__init__(parent)
        self.tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the height of one line; the width is the list's."""
        return QSize(0, ceil(QFontMetricsF(option.font).height()) + 12)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the line from its right end: what says the most keeps its room."""
        found: Found = index.data(FOUND)
        box = QRectF(option.rect)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        font = QFont(option.font)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(mix(self.tokens.window, self.tokens.accent, 0.22)))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), _ROUND, _ROUND)
        room = box.adjusted(_PAD, 0, -_PAD, 0)
        if found.entry.enabled:
            self._keys(painter, room, found.entry.keys, font)
        else:
            self._end(painter, room, found.entry.why, font, _faint(self.tokens))
        if found.entry.checked:
            self._end(painter, room, "✓", font, self.tokens.accent)
        self._title(painter, room, found, font)
        dim = self.tokens.text_dim if found.entry.enabled else _faint(self.tokens)
        self._end(painter, room, found.entry.above, font, dim, left=True)
        painter.restore()

    def _title(self, painter: QPainter, room: QRectF, found: Found, font: QFont) -> None:
        """Draw the title, its matched letters strong, as far as there is room."""
        strong = QFont(font)
        strong.setWeight(QFont.Weight.Bold)
        plain = QColor(self.tokens.text if found.entry.enabled else _faint(self.tokens))
        letters = ((place in found.marks, letter) for place, letter in enumerate(found.entry.title))
        for marked, run in groupby(letters, key=lambda pair: pair[0]):
            text = "".join(letter for _, letter in run)
            face = strong if marked else font
            metrics = QFontMetricsF(face)
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, room.width()))
            painter.setFont(face)
            painter.setPen(QColor(self.tokens.accent) if marked and found.entry.enabled else plain)
            painter.drawText(room, _V_CENTRE, text)
            room.setLeft(room.left() + metrics.horizontalAdvance(text))
        room.setLeft(room.left() + _GAP)

    def _keys(self, painter: QPainter, room: QRectF, keys: str, font: QFont) -> None:
        if not keys:
            return
        metrics = QFontMetricsF(font)
        wide, tall = metrics.horizontalAdvance(keys) + 12, metrics.height() + 2
        cap = QRectF(room.right() - wide, room.center().y() - tall / 2, wide, tall)
        painter.setPen(QPen(QColor(self.tokens.border), 1))
        painter.setBrush(QColor(self.tokens.panel))
        painter.drawRoundedRect(cap.adjusted(0.5, 0.5, -0.5, -0.5), _ROUND, _ROUND)
        painter.setFont(font)
        painter.setPen(QColor(self.tokens.text))
        painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, keys)
        room.setRight(cap.left() - _GAP)

    def _end(self, painter: QPainter, room: QRectF, text: str, font: QFont, colour: str, *, left: bool = False) -> None:
        """Draw words at the right end of the room, or at its left, and take what they need from it."""
        metrics = QFontMetricsF(font)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, room.width()))
        if not text:
            return
        painter.setFont(font)
        painter.setPen(QColor(colour))
        side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, text)
        if not left:
            room.setRight(room.right() - metrics.horizontalAdvance(text) - _GAP)


def _faint(tokens: Tokens) -> str:
    return mix(tokens.text_dim, tokens.window, 0.3)
