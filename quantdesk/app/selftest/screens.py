"""Check that windows can open and that letters have ink."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from quantdesk.app import screen
from quantdesk.app.selftest.findings import Finding, Ground, failed, ok, warning
from quantdesk.config import ConfigError

if TYPE_CHECKING:
    from PySide6.QtGui import QFont
    from PySide6.QtWidgets import QApplication

_DIGITS = "0123456789"
#: A digit drawn this high (pixels) covers at least so many of them.
_HEIGHT, _LEAST_INK = 40, 30


def application() -> QApplication:
    """Return the process's application, made on whatever platform the environment names."""
    from PySide6.QtWidgets import QApplication

    screen.lend_fonts()
    made = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(made, QApplication)
    made.setApplicationName("quantdesk")
    return made


def check_platform(_: Ground) -> Finding:
    """Start Qt as the desk does and name the screens."""
    from PySide6.QtCore import qVersion

    try:
        screen.prepare(offscreen=False)
    except ConfigError as error:
        named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        return failed(str(error)) if named else warning(str(error))
    app = application()
    name = app.platformName()
    shown = [f"{one.size().width()} × {one.size().height()} at {one.devicePixelRatio():g}" for one in app.screens()]
    if not shown:
        return failed(f"Qt {qVersion()} on {name} knows no screen")
    words = f"{name}, Qt {qVersion()}, {'; '.join(shown)}"
    return warning(f"{words}: windows are drawn but cannot be seen") if name == "offscreen" else ok(words)


def check_fonts(_: Ground) -> Finding:
    """Draw digits, and compare them: boxes in place of letters are all alike."""
    from PySide6.QtGui import QFontDatabase, QFontInfo

    app = application()
    families = QFontDatabase.families()
    if not families:
        return failed("no font is installed: install one, e.g. DejaVu")
    font = app.font()
    font.setPixelSize(_HEIGHT)
    pictures = [drawn(letter, font) for letter in _DIGITS]
    inks = [ink_of(picture) for picture in pictures]
    words = f"{len(families)} families, text in {QFontInfo(font).family()}"
    if min(inks) < _LEAST_INK:
        return failed(f"{words}, but letters are drawn without ink")
    if len(set(pictures)) < len(_DIGITS):
        return failed(f"{words}, but digits look alike: it has none")
    return ok(words)


def drawn(text: str, font: QFont) -> bytes:
    """Return the pixels of a text, black on white, one byte (grey) each."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage, QPainter

    picture = QImage(2 * _HEIGHT, 2 * _HEIGHT, QImage.Format.Format_Grayscale8)
    picture.fill(Qt.GlobalColor.white)
    with QPainter(picture) as painter:
        painter.setFont(font)
        painter.setPen(Qt.GlobalColor.black)
        painter.drawText(picture.rect(), Qt.AlignmentFlag.AlignCenter, text)
    return bytes(picture.constBits())


def ink_of(pixels: bytes) -> int:
    """Count the pixels that are rather black than white."""
    return sum(pixel < 128 for pixel in pixels)
