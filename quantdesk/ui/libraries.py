"""List what the program is built on, with licences; no Qt is needed to read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Library:
    """Name a distribution, its licence and the modules of it that the program imports."""

    distribution: str
    licence: str
    modules: tuple[str, ...]


_QT = ("QtCore", "QtGui", "QtWidgets", "QtNetwork", "QtSvg")

LIBRARIES = (
    Library("PySide6-Essentials", "LGPL-3.0", tuple(f"PySide6.{name}" for name in _QT)),
    Library("pyqtgraph", "MIT", ("pyqtgraph",)),
    Library("qasync", "BSD-2-Clause", ("qasync",)),
    Library("websockets", "BSD-3-Clause", ("websockets.asyncio.client",)),
    Library("aiohttp", "Apache-2.0", ("aiohttp",)),
    Library("truststore", "MIT", ("truststore",)),
    Library("msgspec", "BSD-3-Clause", ("msgspec",)),
    Library("numpy", "BSD-3-Clause", ("numpy",)),
    Library("pandas", "BSD-3-Clause", ("pandas",)),
    Library("statsmodels", "BSD-3-Clause", ("statsmodels.tsa.stattools",)),
    Library("SQLAlchemy", "MIT", ("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg2")),
    Library("psycopg2-binary", "LGPL-3.0", ("psycopg2",)),
    Library("platformdirs", "MIT", ("platformdirs",)),
    Library("desktop-notifier", "MIT", ("desktop_notifier",)),
    Library("keyring", "MIT", ("keyring",)),
)
