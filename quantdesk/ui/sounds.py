"""Play the sounds that alerts may have: the desktop's own beep, once or several times."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

#: How often each sound beeps; a name that this version does not know beeps once.
BEEPS = {"default": 1, "double": 2, "triple": 3}
_PAUSE_MS = 260


def sound_names() -> dict[str, str]:
    """Return the sounds to choose from, in words."""
    return {
        "default": QCoreApplication.translate("sounds", "Beep"),
        "double": QCoreApplication.translate("sounds", "Two beeps"),
        "triple": QCoreApplication.translate("sounds", "Three beeps"),
    }


def play(name: str) -> None:
    """Play a sound without waiting for its end."""
    QApplication.beep()
    for number in range(1, BEEPS.get(name, 1)):
        QTimer.singleShot(number * _PAUSE_MS, QApplication.beep)
