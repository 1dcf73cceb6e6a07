"""The icon files of every system parse, hold every size, and show what the SVG shows."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from tests.servers import tool

icons, identity = tool("icons"), tool("identity")
FOLDER = Path(icons.FOLDER)


def pixels(png: bytes) -> np.ndarray:
    """Return (height, width, RGBA) of a PNG."""
    picture = QImage.fromData(png, "PNG").convertToFormat(QImage.Format.Format_RGBA8888)
    assert not picture.isNull()
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return rows[:, : 4 * picture.width()].reshape(picture.height(), picture.width(), 4).copy()


def entries(data: bytes) -> dict[str, bytes]:
    """Return the entries of an .icns file by type."""
    assert data[:4] == b"icns"
    assert struct.unpack(">I", data[4:8])[0] == len(data)
    found, at = {}, 8
    while at < len(data):
        size = struct.unpack(">I", data[at + 4 : at + 8])[0]
        found[data[at : at + 4].decode("ascii")] = data[at + 8 : at + size]
        at += size
    assert at == len(data)
    return found


def shows_the_icon(found: np.ndarray, size: int, margin: float = 0.0) -> None:
    """Assert that a picture has this size and is what the SVG gives now (another Qt may smooth a little otherwise)."""
    assert found.shape == (size, size, 4)
    difference = np.abs(found.astype(int) - pixels(icons.png(size, margin)).astype(int))
    assert difference.mean() < 2, f"{size} pixels: run .ci/icons.py again, the SVG has changed"
    colours = found[..., :3][found[..., 3] == 255].astype(int)
    blue, orange = colours[:, 2] - colours[:, 0] > 80, colours[:, 0] - colours[:, 2] > 80
    assert min(blue.mean(), orange.mean()) > 0.03, f"{size} pixels: both lines are seen"


def test_the_windows_icon_holds_every_size() -> None:
    held = dict(identity.pictures(FOLDER / "quantdesk.ico"))
    assert tuple(held) == (16, 24, 32, 48, 64, 128, 256)
    for size, png in held.items():
        shows_the_icon(pixels(png), size)
    assert not QImage(str(FOLDER / "quantdesk.ico")).isNull(), "Qt's own reader takes it, too"


def test_the_macos_icon_holds_every_size_up_to_1024() -> None:
    held = entries((FOLDER / "quantdesk.icns").read_bytes())
    assert {len(pixels(png)) for png in held.values()} == {32, 64, 128, 256, 512, 1024}
    for kind, png in held.items():
        shows_the_icon(pixels(png), icons.ICNS_TYPES[kind], icons._ICNS_MARGIN)


def test_the_linux_icon_of_512_pixels_shows_it() -> None:
    shows_the_icon(pixels((FOLDER / "quantdesk-512.png").read_bytes()), 512)


@pytest.mark.parametrize("spoil", [lambda data: data[:-100], lambda data: b"\0\0\2\0" + data[4:]])
def test_a_broken_icon_is_refused_in_words(tmp_path: Path, spoil) -> None:
    broken = tmp_path / "broken.ico"
    broken.write_bytes(spoil((FOLDER / "quantdesk.ico").read_bytes()))
    with pytest.raises(ValueError, match=r"broken\.ico"):
        list(identity.pictures(broken))


def test_the_running_window_bears_the_icon(qtbot) -> None:
    from quantdesk.ui.icons import app_icon

    shown = app_icon()
    for size in (16, 32, 256):
        picture = shown.pixmap(size, size).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
        assert picture.width() == size
        assert picture.pixelColor(size // 2, size // 8 + 1).alpha() == 255
