"""Ask what to do with a drawing where it was clicked with the other button."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QSize
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from quantdesk.ui.charts.drawing_tools import DrawingTools
from quantdesk.ui.charts.drawings import WIDEST, Drawing, Look, Stroke
from quantdesk.ui.charts.inks import INKS, ink, ink_title
from quantdesk.ui.theme_tokens import Tokens

_SWATCH = QSize(14, 14)


def _tr(text: str) -> str:
    return QCoreApplication.translate("drawing_menu", text)


def stroke_title(stroke: Stroke) -> str:
    """Return a stroke's name in words."""
    return {Stroke.SOLID: _tr("Solid"), Stroke.DASH: _tr("Dashed"), Stroke.DOT: _tr("Dotted")}[stroke]


def swatch(name: str, tokens: Tokens) -> QIcon:
    """Return a small field of a colour."""
    picture = QPixmap(_SWATCH * 2)
    picture.setDevicePixelRatio(2)
    picture.fill(QColor(0, 0, 0, 0))
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(ink(name, tokens)))
        painter.setPen(QColor(tokens.border))
        painter.drawRoundedRect(1, 1, _SWATCH.width() - 2, _SWATCH.height() - 2, 3, 3)
    return QIcon(picture)


def drawing_menu(
    tools: DrawingTools, drawing: Drawing, actions: list[QAction], tokens: Tokens, parent: QWidget
) -> QMenu:
    """Return the menu of the chosen drawing: colour, width and stroke, then the window's own actions."""
    menu = QMenu(_tr("Drawing"), parent)
    menu.setAccessibleName(_tr("Drawing"))
    look = drawing.look
    colours = _choice(menu, _tr("&Colour"))
    for name in INKS:
        action = _entry(colours, ink_title(name), tools, replace(look, ink=name), look)
        action.setIcon(swatch(name, tokens))
    widths = _choice(menu, _tr("&Width"))
    for width in range(1, WIDEST + 1):
        words = _tr("1 pixel") if width == 1 else _tr("{0} pixels").format(width)
        _entry(widths, words, tools, replace(look, width=width), look)
    strokes = _choice(menu, _tr("&Stroke"))
    for stroke in Stroke:
        _entry(strokes, stroke_title(stroke), tools, replace(look, stroke=stroke), look)
    menu.addSeparator()
    menu.addActions(actions)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _choice(menu: QMenu, title: str) -> QMenu:
    inner = menu.addMenu(title)
    inner.setAccessibleName(title.replace("&", ""))
    return inner


def _entry(menu: QMenu, words: str, tools: DrawingTools, look: Look, now: Look) -> QAction:
    action = menu.addAction(words)
    action.setCheckable(True)
    action.setChecked(look == now)
    if look == now:  # a colour's icon hides the tick
        font = action.font()
        font.setBold(True)
        action.setFont(font)
    action.triggered.connect(lambda: tools.restyle(look))
    return action
