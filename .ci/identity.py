"""Hold what the packaged program says of itself to each system: names, icons, version, the files beside it."""

from __future__ import annotations

import argparse
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import ground

NAME = "quantdesk"
BUNDLE_ID = "org.quantdesk.desk"
DESCRIPTION = "Live pair trading desk"
DESKTOP = ground.ROOT / "resources" / "desktop"
LICENCE = ground.ROOT / "LICENSE"
#: Bytes that begin a PNG file.
PNG = b"\x89PNG\r\n\x1a\n"


def version() -> str:
    """Return the version, from quantdesk/__init__.py, the one place that says it."""
    text = (ground.ROOT / "quantdesk" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("quantdesk/__init__.py holds no __version__")
    return found[1]


def copyright_line() -> str:
    """Return the copyright line of LICENSE."""
    lines = LICENCE.read_text(encoding="utf-8").splitlines()
    return next(line.strip() for line in lines if line.startswith("Copyright"))


def icon_for(platform: str = sys.platform) -> Path | None:
    """Return the icon that goes into a system's program file; None where programs hold none (Linux)."""
    name = {"win32": "quantdesk.ico", "darwin": "quantdesk.icns"}.get(platform)
    return None if name is None else DESKTOP / name


def windows_version_file(folder: Path) -> Path:
    """Write the version resource for PyInstaller's EXE(version=…) into ``folder``; return the file."""
    numbers = [int(part) for part in re.findall(r"\d+", version())[:4]]
    four = tuple(numbers + [0] * (4 - len(numbers)))
    strings = {
        "CompanyName": "quantdesk contributors",
        "FileDescription": DESCRIPTION,  # the task manager and "open with" show this
        "FileVersion": version(),
        "InternalName": NAME,
        "LegalCopyright": copyright_line(),
        "OriginalFilename": f"{NAME}.exe",
        "ProductName": NAME,
        "ProductVersion": version(),
    }
    rows = ",\n        ".join(f"StringStruct({key!r}, {value!r})" for key, value in strings.items())
    text = f"""VSVersionInfo(
    ffi=FixedFileInfo(filevers={four}, prodvers={four}, mask=0x3F, flags=0x0, OS=0x40004, fileType=0x1, subtype=0x0),
    kids=[
        StringFileInfo([StringTable('080904B0', [
        {rows},
        ])]),
        VarFileInfo([VarStruct('Translation', [0x0809, 1200])]),
    ],
)
"""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "version.txt"
    target.write_text(text, encoding="utf-8")
    return target


def info_plist() -> dict[str, object]:
    """Return what macOS reads of the bundle, for PyInstaller's BUNDLE(info_plist=…)."""
    tables = {
        "CFBundleTypeName": "Prices or trades",
        "CFBundleTypeRole": "Viewer",
        # Offered under "Open With"; never taken from the program that opens tables by default.
        "LSHandlerRank": "Alternate",
        "LSItemContentTypes": ["public.comma-separated-values-text", "public.tab-separated-values-text"],
    }
    return {
        "CFBundleName": NAME,
        "CFBundleDisplayName": NAME,
        "CFBundleIdentifier": BUNDLE_ID,
        "CFBundleShortVersionString": version(),
        "CFBundleVersion": version(),
        "CFBundleDocumentTypes": [tables],
        "LSApplicationCategoryType": "public.app-category.finance",
        # Our program has a command line, too, and PyInstaller takes such a bundle for one without windows.
        "LSBackgroundOnly": False,
        "LSMinimumSystemVersion": "14.0",  # what the wheels of numpy and scipy ask for; Qt's would run on 13
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": copyright_line(),
        "NSPrincipalClass": "NSApplication",
        # The system may change with it between light and dark.
        "NSRequiresAquaSystemAppearance": False,
    }


def pictures(icon: Path) -> Iterator[tuple[int, bytes]]:
    """Yield width and PNG file of each picture in a Windows icon; ValueError for another kind of file."""
    data = icon.read_bytes()
    reserved, kind, count = struct.unpack_from("<HHH", data)
    if (reserved, kind) != (0, 1):
        raise ValueError(f"{icon.name} is not an icon")
    for number in range(count):
        width, _, _, _, _, _, size, offset = struct.unpack_from("<BBBBHHII", data, 6 + 16 * number)
        picture = data[offset : offset + size]
        if len(picture) != size or not picture.startswith(PNG):
            raise ValueError(f"picture {number} of {icon.name} is not a whole PNG")
        yield width or 256, picture


def write_linux_extras(folder: Path) -> None:
    """Put beside the packaged program what install.sh hands to the desktop: entry, icons, manual, scripts.

    The tree below ``folder``/share is laid out as it will be below the prefix.
    """
    share = folder / "share"
    shutil.rmtree(share, ignore_errors=True)
    texts = {
        "applications/quantdesk.desktop": "quantdesk.desktop",
        f"metainfo/{BUNDLE_ID}.metainfo.xml": f"{BUNDLE_ID}.metainfo.xml",
        "icons/hicolor/512x512/apps/quantdesk.png": "quantdesk-512.png",
        "icons/hicolor/scalable/apps/quantdesk.svg": "../icons/quantdesk.svg",
    }
    for place, source in texts.items():
        _copy(DESKTOP / source, share / place)
    for width, picture in pictures(DESKTOP / "quantdesk.ico"):
        target = share / f"icons/hicolor/{width}x{width}/apps/quantdesk.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture)
    page = (DESKTOP / "quantdesk.1").read_text(encoding="utf-8")
    manual = share / "man/man1/quantdesk.1"
    manual.parent.mkdir(parents=True, exist_ok=True)
    manual.write_text(page.replace('"quantdesk"', f'"quantdesk {version()}"', 1), encoding="utf-8")
    for script in ("install.sh", "uninstall.sh"):
        _copy(DESKTOP / script, folder / script)
        (folder / script).chmod(0o755)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def main() -> int:
    """Print the version; 1 where a tag names another one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check-tag", metavar="TAG", help="fail unless the tag is v and the version")
    tag = parser.parse_args().check_tag
    if tag is not None and tag != f"v{version()}":
        print(f"identity: the tag is {tag}, but quantdesk/__init__.py says {version()}", file=sys.stderr)
        return 1
    print(version())
    return 0


if __name__ == "__main__":
    sys.exit(main())
