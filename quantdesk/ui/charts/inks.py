"""Name the colours that drawings and indicators may have, apart for colour-blind eyes on dark and on light."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from quantdesk.ui.theme_tokens import Tokens

#: By name: on a dark and on a light ground, after Okabe and Ito (2008), darkened where white would swallow them.
INKS: dict[str, tuple[str, str]] = {
    "blue": ("#5aa9ff", "#0062b1"),
    "orange": ("#e69f00", "#a86400"),
    "purple": ("#d98cc0", "#93307a"),
    "sky": ("#7fd3ff", "#2a7da6"),
    "yellow": ("#f0e442", "#7d7100"),
    "green": ("#3fd0a0", "#00714f"),
    "vermilion": ("#ff7a45", "#b84300"),
    "grey": ("#a9b1c2", "#5b6679"),
}
FIRST_INK = "blue"


def ink(name: str, tokens: Tokens) -> str:
    """Return a colour of the list for a theme, the first one where the name is not known."""
    dark, light = INKS.get(name, INKS[FIRST_INK])
    return dark if tokens.dark else light


def ink_title(name: str) -> str:
    """Return a colour's name in words."""
    titles = {
        "blue": QCoreApplication.translate("inks", "Blue"),
        "orange": QCoreApplication.translate("inks", "Orange"),
        "purple": QCoreApplication.translate("inks", "Purple"),
        "sky": QCoreApplication.translate("inks", "Sky blue"),
        "yellow": QCoreApplication.translate("inks", "Yellow"),
        "green": QCoreApplication.translate("inks", "Green"),
        "vermilion": QCoreApplication.translate("inks", "Vermilion"),
        "grey": QCoreApplication.translate("inks", "Grey"),
    }
    return titles.get(name, name)
