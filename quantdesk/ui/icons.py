"""Load the line icons and colour them for the theme."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from quantdesk.config import resource
from quantdesk.ui.theme_tokens import Tokens

#: Physical pixels: 1x, 1.5x and 2x of the toolbar's and the menus' sizes.
_SIZES = (16, 20, 24, 32, 40, 48)
_APP_SIZES = (16, 24, 32, 48, 64, 128, 256)


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return resource(f"icons/{name}.svg").read_text(encoding="utf-8")


def pixmap(name: str, colour: str, size: int) -> QPixmap:
    """Draw an icon of ``size`` physical pixels, its currentColor replaced by ``colour``."""
    return _draw(_lines(name, colour), size)


def _lines(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))


def _draw(renderer: QSvgRenderer, size: int) -> QPixmap:
    picture = QPixmap(QSize(size, size))
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        renderer.render(painter, QRectF(0, 0, size, size))
    return picture


def icon(name: str, tokens: Tokens) -> QIcon:
    """Build an icon: text colour, accent where checked, dim where disabled; "a/b" shows b where checked."""
    made = QIcon()
    off, _, on = name.partition("/")
    disabled = tokens.border if tokens.dark else tokens.crosshair
    colours = (
        (QIcon.Mode.Normal, QIcon.State.Off, tokens.text),
        (QIcon.Mode.Normal, QIcon.State.On, tokens.accent),
        (QIcon.Mode.Disabled, QIcon.State.Off, disabled),
        (QIcon.Mode.Disabled, QIcon.State.On, disabled),
    )
    drawn: dict[tuple[str, str], list[QPixmap]] = {}
    for mode, state, colour in colours:
        look = (off if state is QIcon.State.Off else on or off, colour)
        if look not in drawn:
            renderer = _lines(*look)
            drawn[look] = [_draw(renderer, size) for size in _SIZES]
        for picture in drawn[look]:
            made.addPixmap(picture, mode, state)
    return made


def app_icon() -> QIcon:
    """Build the program's own icon for windows, task bars and trays."""
    made = QIcon()
    for size in _APP_SIZES:
        made.addPixmap(pixmap("quantdesk", "", size))
    return made
