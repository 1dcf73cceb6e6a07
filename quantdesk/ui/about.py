"""Say what this is, in which versions, under which licences."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QLabel, QWidget

from quantdesk import __version__
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.icons import app_icon

#: Distribution and licence of everything the program is built on.
LIBRARIES = (
    ("PySide6-Essentials", "LGPL-3.0"),
    ("pyqtgraph", "MIT"),
    ("qasync", "BSD-2-Clause"),
    ("websockets", "BSD-3-Clause"),
    ("aiohttp", "Apache-2.0"),
    ("msgspec", "BSD-3-Clause"),
    ("numpy", "BSD-3-Clause"),
    ("pandas", "BSD-3-Clause"),
    ("statsmodels", "BSD-3-Clause"),
    ("SQLAlchemy", "MIT"),
    ("psycopg2-binary", "LGPL-3.0"),
    ("platformdirs", "MIT"),
    ("desktop-notifier", "MIT"),
    ("keyring", "MIT"),
)


def report() -> str:
    """Return versions and platform as text to paste into a bug report."""
    lines = [f"quantdesk {__version__}", f"Python {platform.python_version()}, Qt {qVersion()}"]
    lines += [platform.platform(), f"Qt platform {QGuiApplication.platformName()}", ""]
    for name, licence in LIBRARIES:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        lines.append(f"{name:<20} {found:<14} {licence}")
    return "\n".join(lines)


class AboutDialog(DeskDialog):
    """Show versions and licences, with a button that copies them."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(self.tr("About quantdesk"), parent, width=520)
        head = QHBoxLayout()
        head.setSpacing(14)
        mark = QLabel(self)
        mark.setPixmap(app_icon().pixmap(56, 56))
        mark.setAccessibleName(self.tr("Icon of quantdesk"))
        name = self.words(f"quantdesk {__version__}")
        font = name.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        name.setFont(font)
        name.setProperty("heading", True)
        head.addWidget(mark)
        head.addWidget(name, 1)
        self.body.addLayout(head)
        self.add_text(
            self.tr("Shows a pair of instruments live, keeps every trade, and says whether to believe the statistics.")
        )
        self.add_text(self.tr("MIT licence. It places no orders and needs no account. Built on:"), dim=True)
        self._report = report()
        self.add_details(self._report, self.tr("Versions and licences"), 230)
        copy = self.buttons.addButton(self.tr("Copy report"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._report))
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        self.add_buttons()
