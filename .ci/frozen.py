"""Say which modules and libraries of the build machine belong into the packaged program."""

from __future__ import annotations

from pathlib import PurePosixPath

#: Build tools and consoles that hooks drag in; readline is GPL and nothing of ours reads a terminal.
EXCLUDED_MODULES = ["readline", "setuptools", "pkg_resources", "pip", "hatchling", "tkinter", "IPython", "matplotlib"]

#: Where a Linux distribution keeps its own libraries.
_HOST_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")
#: What Python's own modules are linked with and a desktop may lack or have in another version.
_WANTED = ("libpython3.", "libssl.so.", "libcrypto.so.", "libffi.so.", "libsqlite3.so.", "libbz2.so.")


def belongs(name: str, source: str) -> bool:
    """Return whether a file goes into the package.

    A library of the build machine's desktop (gtk, X11, glib, fontconfig, GL, libstdc++) does not:
    beside the user's own drivers, themes and fonts an older copy of it breaks them.
    """
    path = PurePosixPath(source)
    if not source.startswith(_HOST_FOLDERS) or "python3" in path.parent.as_posix() or ".so" not in path.name:
        return True
    return path.name.startswith(_WANTED)
