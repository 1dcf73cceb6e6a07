"""Draw the program's icon files of every system from resources/icons/quantdesk.svg; run by hand when it changes."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import ground

SOURCE = ground.ROOT / "resources" / "icons" / "quantdesk.svg"
FOLDER = ground.ROOT / "resources" / "desktop"
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
PNG_SIZE = 512
#: Apple's names of the entries that hold a PNG, with the picture's width in pixels.
ICNS_TYPES = {
    "ic11": 32, "ic12": 64, "ic07": 128, "ic13": 256, "ic08": 256, "ic14": 512, "ic09": 512, "ic10": 1024,
}  # fmt: skip
#: Apple's grid leaves a tenth free on each side: 824 of 1024 pixels are the tile.
_ICNS_MARGIN = 100 / 1024


def png(size: int, margin: float = 0.0) -> bytes:
    """Draw the icon, ``size`` pixels wide, with a free margin (share of the width); return a PNG file."""
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    picture = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(0)
    painter = QPainter(picture)
    free = size * margin
    QSvgRenderer(str(SOURCE)).render(painter, QRectF(free, free, size - 2 * free, size - 2 * free))
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not picture.convertToFormat(QImage.Format.Format_ARGB32).save(buffer, "PNG", 0):  # type: ignore[call-overload]
        raise OSError(f"the picture of {size} pixels cannot be written")
    return bytes(data.data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """Put PNG pictures, by width, into one Windows icon file."""
    head = struct.pack("<HHH", 0, 1, len(pictures))
    table, body = b"", b""
    for size, data in sorted(pictures.items()):
        offset = len(head) + 16 * len(pictures) + len(body)
        table += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), offset)  # 256 is written as 0
        body += data
    return head + table + body


def icns(pictures: dict[str, bytes]) -> bytes:
    """Put PNG pictures, by Apple's type, into one macOS icon file."""
    body = b"".join(kind.encode() + struct.pack(">I", 8 + len(data)) + data for kind, data in pictures.items())
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def write(folder: Path = FOLDER) -> list[Path]:
    """Write the three icon files; return them."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    made = {
        "quantdesk.ico": ico({size: png(size) for size in ICO_SIZES}),
        "quantdesk.icns": icns({kind: png(size, _ICNS_MARGIN) for kind, size in ICNS_TYPES.items()}),
        f"quantdesk-{PNG_SIZE}.png": png(PNG_SIZE),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in made]


if __name__ == "__main__":
    for written in write():
        print(f"{written.relative_to(ground.ROOT)}  {written.stat().st_size} bytes")
    sys.exit(0)
