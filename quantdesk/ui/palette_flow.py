"""Bring the command palette to the window and remember what was used in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from quantdesk.ui.theme_tokens import Tokens

if TYPE_CHECKING:
    from quantdesk.ui.chart_window import ChartWindow
    from quantdesk.ui.palette import CommandPalette
    from quantdesk.ui.palette_entries import Entry


class PaletteFlow(QObject):
    """Own the palette; it is made when it is first asked for."""

    def __init__(self, window: ChartWindow) -> None:
        super().__init__(window)
        self._window = window
        self.palette: CommandPalette | None = None
        window.registry["view.palette"].triggered.connect(self.open)
        window.theme.tokens_changed.connect(self._set_tokens)

    @Slot()
    def open(self) -> None:
        """Show the palette with what can be asked of the window now; close it if it is there."""
        from quantdesk.ui.palette_entries import entries_of

        palette = self._made()
        if palette.isVisible():
            palette.close_up()
            return
        palette.open(entries_of(self._window), self._window.store.settings.palette_used)

    def open_symbols(self, typed: str) -> None:
        """Show the symbols for either leg, those that have what was typed; more typed meanwhile goes on."""
        from quantdesk.ui.palette_entries import symbol_entries

        palette = self._made()
        if palette.isVisible():
            palette.typed.insert(typed)
            return
        entries = symbol_entries(self._window, palette.typed.text)
        palette.open(entries, (), typed, self.tr("Type part of a symbol; Enter shows it"))

    def _made(self) -> CommandPalette:
        from quantdesk.ui.palette import CommandPalette

        if self.palette is None:
            self.palette = CommandPalette(self._window.theme.tokens, self._window)
            self.palette.chosen.connect(self._run)
        return self.palette

    @Slot(object)
    def _run(self, entry: Entry) -> None:
        if not entry.careful:
            self._window.store.settings.remember_command(entry.id)
            self._window.save_soon()
        entry.run()

    @Slot(object)
    def _set_tokens(self, tokens: Tokens) -> None:
        if self.palette is not None:
            self.palette.set_tokens(tokens)
