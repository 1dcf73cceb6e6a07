"""Paint one number of the pair in a box: its name, its value, and words that fit the width."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.ui.theme_tokens import Tokens

NONE = "—"
HEIGHT, _PAD = 62, 9


@dataclass(frozen=True, slots=True)
class Metric:
    """Hold what a box shows. ``tone`` names a colour: "", "up", "down", "level" or "ahead".

    ``short`` says the same as ``detail`` in fewer words, for a narrow box; ``note`` stands beside the
    value where there is room.
    """

    title: str
    value: str = NONE
    detail: str = ""
    tip: str = ""
    tone: str = ""
    short: str = ""
    note: str = ""

    @property
    def words(self) -> str:
        """Return the line beneath the value; without a value, why there is none."""
        return self.tip.split("\n")[0] if self.value == NONE and not self.detail else self.detail


class MetricBox(QWidget):
    """Paint one number under its name, with a line of words beneath.

    ``clicked`` by mouse, Enter or Space, once ``explain_by`` has said what it opens.
    """

    clicked = Signal()

    def __init__(self, name: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"metric_{name}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._tokens = tokens
        self._opens = ""
        self.shown = Metric("")

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._tokens = tokens
        self.update()

    def explain_by(self, words: str) -> None:
        """Make the box a button; the words say in its tip what it opens."""
        self._opens = words
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._tell()

    def show_metric(self, metric: Metric) -> None:
        """Show other values; the same ones repaint nothing."""
        if metric == self.shown:
            return
        self.shown = metric
        self._tell()
        self.update()

    def _tell(self) -> None:
        metric = self.shown
        tip = "\n".join(part for part in (metric.tip, self._opens) if part)
        self.setToolTip(tip)
        self.setAccessibleName(f"{metric.title}: {metric.value}")
        self.setAccessibleDescription(f"{metric.detail}. {tip}" if metric.detail else tip)

    def _font(self, pixels: int, weight: QFont.Weight) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(pixels)
        font.setWeight(weight)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the box."""
        tokens, metric = self._tokens, self.shown
        tones = {"up": tokens.up, "down": tokens.down, "level": tokens.level, "ahead": tokens.error}
        color = tones.get(metric.tone, tokens.text_dim if metric.value == NONE else tokens.text)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            loud = metric.tone in ("level", "ahead")
            strong = tokens.error if metric.tone == "ahead" else tokens.level
            back = QColor(strong if loud else tokens.panel)
            if loud:
                back.setAlphaF(0.16)
                painter.setBrush(QColor(tokens.panel))
                painter.setPen(Qt.PenStyle.NoPen)
                painter.drawRoundedRect(frame, 5, 5)
            painter.setBrush(back)
            painter.setPen(QPen(QColor(strong if loud else tokens.border), 1))
            painter.drawRoundedRect(frame, 5, 5)
            if self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tokens.accent), 1))
                painter.drawRoundedRect(frame, 5, 5)
            # With large fonts the lines share the height that there is.
            ahead = metric.tone == "ahead"
            weight, head = (QFont.Weight.Bold, tokens.error) if ahead else (QFont.Weight.Normal, tokens.text_dim)
            self._line(painter, 11, weight, head, metric.title, 6)
            if metric.value == NONE and metric.words:
                self._reason(painter, metric.words)
            else:
                self._line(painter, 17, QFont.Weight.DemiBold, color, metric.value, 20)
                self._beside(painter, metric)
                self._line(painter, 11, QFont.Weight.Normal, tokens.text_dim, self.detail(), 43)

    def detail(self) -> str:
        """Return the words beneath the value that this width has room for."""
        metric = self.shown
        font = self._font(11, QFont.Weight.Normal)
        fits = QFontMetricsF(font).horizontalAdvance(metric.words) <= self.width() - 2 * _PAD
        return metric.words if fits or not metric.short else metric.short

    def _beside(self, painter: QPainter, metric: Metric) -> None:
        """Write the note right of the value, on its base line, or nothing where it has no room."""
        font = self._font(11, QFont.Weight.Normal)
        value, words = QFontMetricsF(self._font(17, QFont.Weight.DemiBold)), QFontMetricsF(font)
        left = _PAD + value.horizontalAdvance(metric.value) + 7
        if not metric.note or left + words.horizontalAdvance(metric.note) > self.width() - _PAD:
            return
        painter.setFont(font)
        painter.setPen(QColor(self._tokens.text_dim))
        painter.drawText(QPointF(left, 20 + value.ascent()), metric.note)

    def _reason(self, painter: QPainter, words: str) -> None:
        """Say in up to three lines why there is no number."""
        painter.setFont(self._font(11, QFont.Weight.Normal))
        painter.setPen(QColor(self._tokens.text_dim))
        flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)
        painter.drawText(QRectF(_PAD, 21, self.width() - 2 * _PAD, HEIGHT - 23), flags, f"{NONE} {words}")

    def _line(self, painter: QPainter, pixels: int, weight: QFont.Weight, color: str, text: str, top: int) -> None:
        font = self._font(pixels, weight)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(QColor(color))
        room = self.width() - 2 * _PAD
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(_PAD, top, room, metrics.height()), int(Qt.AlignmentFlag.AlignLeft), shown)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open what explains the number."""
        if (
            self._opens
            and event.button() == Qt.MouseButton.LeftButton
            and self.rect().contains(event.position().toPoint())
        ):
            self.clicked.emit()
        else:
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open it by Enter or Space."""
        if self._opens and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)
