"""Dress the program in one theme: Fusion, an explicit palette and a small stylesheet."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from quantdesk.config import resource
from quantdesk.ui.theme_tokens import Tokens, tokens_of

THEMES = ("dark", "light", "system")


def mix(first: str, second: str, share: float) -> str:
    """Return the colour between two #rrggbb colours; ``share`` 0 is the first, 1 the second."""
    a, b = QColor(first), QColor(second)
    parts = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in parts)


def palette_of(tokens: Tokens) -> QPalette:
    """Build the palette of every group and role that widgets read."""
    dim = mix(tokens.text_dim, tokens.window, 0.45)
    colours = {
        QPalette.ColorRole.Window: tokens.window,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.panel,
        QPalette.ColorRole.AlternateBase: tokens.raised,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.text_dim,
        QPalette.ColorRole.Button: tokens.raised,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.BrightText: tokens.error,
        QPalette.ColorRole.ToolTipBase: tokens.raised,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: "#ffffff",
        QPalette.ColorRole.Accent: tokens.accent,
        QPalette.ColorRole.Link: tokens.accent,
        QPalette.ColorRole.LinkVisited: tokens.spread,
        QPalette.ColorRole.Light: mix(tokens.raised, tokens.text, 0.12),
        QPalette.ColorRole.Midlight: mix(tokens.raised, tokens.text, 0.06),
        QPalette.ColorRole.Mid: tokens.border,
        QPalette.ColorRole.Dark: mix(tokens.border, "#000000", 0.3),
        QPalette.ColorRole.Shadow: "#000000",
    }
    palette = QPalette()
    for role, colour in colours.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
        QPalette.ColorRole.PlaceholderText,
        QPalette.ColorRole.ToolTipText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(dim))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(tokens.border))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.HighlightedText, QColor(dim))
    return palette


def stylesheet(tokens: Tokens) -> str:
    """Fill the stylesheet's @names with the theme's colours."""
    names = {name: getattr(tokens, name) for name in tokens.__dataclass_fields__ if name != "dark"}
    names["hover"] = mix(tokens.raised, tokens.text, 0.08)
    names["checked"] = mix(tokens.window, tokens.accent, 0.22)
    names["dim_disabled"] = mix(tokens.text_dim, tokens.window, 0.45)
    names["icons"] = resource("icons/tick.svg").parent.as_posix()
    text = resource("desk.qss").read_text(encoding="utf-8")
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(f"@{name}", names[name])
    return text


class Theme(QObject):
    """Hold the chosen theme ("dark", "light" or "system") and apply it to the program.

    ``safe`` = rising and falling in blue and orange, which colour-blind people tell apart.
    """

    tokens_changed = Signal(object)  # Tokens

    def __init__(self, app: QApplication, name: str = "system", *, safe: bool = False) -> None:
        super().__init__(app)
        self._app = app
        self.name = name if name in THEMES else "system"
        self.safe = safe
        self.tokens = tokens_of(dark=True, safe=safe)
        app.setStyle("Fusion")
        self._dress()
        app.styleHints().colorSchemeChanged.connect(self._on_platform_changed)

    def choose(self, name: str) -> None:
        """Change to another theme at once."""
        if name in THEMES and name != self.name:
            self.name = name
            self._change()

    def choose_safe(self, safe: bool) -> None:
        """Change to the colour-blind-safe colours, or back."""
        if safe != self.safe:
            self.safe = safe
            self._change()

    @Slot()
    def _on_platform_changed(self) -> None:
        if self.name == "system" and self._system() != self.tokens:
            self._change()

    def _change(self) -> None:
        self._dress()
        self.tokens_changed.emit(self.tokens)

    def _system(self) -> Tokens:
        # A platform that does not say gets the dark desk, which most traders want.
        light = self._app.styleHints().colorScheme() == Qt.ColorScheme.Light
        return tokens_of(dark=not light, safe=self.safe)

    def _dress(self) -> None:
        hints = self._app.styleHints()
        if self.name == "system":
            hints.unsetColorScheme()
            self.tokens = self._system()
        else:
            self.tokens = tokens_of(dark=self.name == "dark", safe=self.safe)
            hints.setColorScheme(Qt.ColorScheme.Dark if self.tokens.dark else Qt.ColorScheme.Light)
        self._app.setPalette(palette_of(self.tokens))
        self._app.setStyleSheet(stylesheet(self.tokens))
