"""Say what this is, in which versions, under which licences."""

from __future__ import annotations

import platform

from PySide6.QtCore import Slot, qVersion
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QLabel, QWidget

from quantdesk import __version__
from quantdesk.ui import libraries
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.icons import app_icon
from quantdesk.ui.self_test import SelfTestFlow, SelfTestRow

#: Distribution and licence of everything the program is built on.
LIBRARIES = tuple((library.distribution, library.licence) for library in libraries.LIBRARIES)


def report() -> str:
    """Return versions and platform as text to paste into a bug report."""
    from importlib.metadata import PackageNotFoundError, version  # not on the way to the first paint

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
    """Show versions, licences and what the self-test found, with buttons that run it and copy all of it."""

    def __init__(self, parent: QWidget | None, selftest: SelfTestFlow) -> None:
        super().__init__(self.tr("About quantdesk"), parent, width=820)
        self._selftest = selftest
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
        self.details = self.add_details("", self.tr("Versions, licences and self-test"), 320)
        self.selftest = SelfTestRow(selftest, self)
        copy = self.buttons.addButton(self.tr("Copy report"), QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text()))
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close).setDefault(True)
        self.add_buttons()
        selftest.changed.connect(self._show)
        self._show()

    def _text(self) -> str:
        return "\n\n".join(part for part in (self._report, self._selftest.report) if part)

    @Slot()
    def _show(self) -> None:
        if self.details.toPlainText() == self._text():
            return
        self.details.setPlainText(self._text())
        if self._selftest.report:
            self.details.moveCursor(QTextCursor.MoveOperation.End)
