"""Paint one number of the pair in a box: its name, its value, and words that fit the width."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from quantdesk.ui.theme_tokens import Tokens

NONE = "—"
HEIGHT, _PAD = 62, 9


@dataclass(frozen=True, slots=True)
class Metric:
    """Hold what a box shows. ``tone`` names a colour: "", "up", "down" or "level".

    ``short`` says the same as ``detail`` in fewer words, for a narrow box.
    """

    title: str
    value: str = NONE
    detail: str = ""
    tip: str = ""
    tone: str = ""
    short: str = ""

    @property
    def words(self) -> str:
        """Return the line beneath the value; without a value, why there is none."""
        return self.tip.split("\n")[0] if self.value == NONE and not self.detail else self.detail


class MetricBox(QWidget):
    """Paint one number under its name, with a line of words beneath."""

    def __init__(self, name: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"metric_{name}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._tokens = tokens
        self.shown = Metric("")

    def set_tokens(self, tokens: Tokens) -> None:
        """Change the colours."""
        self._tokens = tokens
        self.update()

    def show_metric(self, metric: Metric) -> None:
        """Show other values; the same ones repaint nothing."""
        if metric == self.shown:
            return
        self.shown = metric
        self.setToolTip(metric.tip)
        self.setAccessibleName(f"{metric.title}: {metric.value}")
        self.setAccessibleDescription(f"{metric.detail}. {metric.tip}" if metric.detail else metric.tip)
        self.update()

    def _font(self, pixels: int, weight: QFont.Weight) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(pixels)
        font.setWeight(weight)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the box."""
        tokens, metric = self._tokens, self.shown
        tones = {"up": tokens.up, "down": tokens.down, "level": tokens.level}
        color = tones.get(metric.tone, tokens.text_dim if metric.value == NONE else tokens.text)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        loud = metric.tone == "level"
        back = QColor(tokens.level if loud else tokens.panel)
        if loud:
            back.setAlphaF(0.16)
            painter.setBrush(QColor(tokens.panel))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(frame, 5, 5)
        painter.setBrush(back)
        painter.setPen(QPen(QColor(tokens.level if loud else tokens.border), 1))
        painter.drawRoundedRect(frame, 5, 5)
        # With large fonts the lines share the height that there is.
        self._line(painter, 11, QFont.Weight.Normal, tokens.text_dim, metric.title, 6)
        if metric.value == NONE and metric.words:
            self._reason(painter, metric.words)
        else:
            self._line(painter, 17, QFont.Weight.DemiBold, color, metric.value, 20)
            self._line(painter, 11, QFont.Weight.Normal, tokens.text_dim, self.detail(), 43)
        painter.end()

    def detail(self) -> str:
        """Return the words beneath the value that this width has room for."""
        metric = self.shown
        font = self._font(11, QFont.Weight.Normal)
        fits = QFontMetricsF(font).horizontalAdvance(metric.words) <= self.width() - 2 * _PAD
        return metric.words if fits or not metric.short else metric.short

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
