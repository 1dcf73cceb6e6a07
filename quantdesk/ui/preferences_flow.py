"""Open the settings and let each choice take effect where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.ui.charts.scale import PriceScale
from quantdesk.ui.connection_page import Connecting
from quantdesk.ui.theme import THEMES

if TYPE_CHECKING:
    from quantdesk.ui.connection_page import ConnectionPage
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.preferences_dialog import PreferencesDialog
    from quantdesk.ui.preferences_page import PreferencesPage

_ASK, _TRAY, _QUIT = "ask", "tray", "quit"


class PreferencesFlow(QObject):
    """Show one dialog for every choice that outlives a session; what is done elsewhere has a button to it.

    ``test_requested`` and ``use_requested`` carry a Connecting to the composition root, which answers by
    ``show_outcome``; ``now`` is asked for the connection that counts and for why it cannot be changed here.
    """

    test_requested = Signal(object)
    use_requested = Signal(object)
    popup_requested = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.now: Callable[[], tuple[Connecting, str]] = lambda: (Connecting(), "")
        window.registry["file.settings"].triggered.connect(self.show)

    @property
    def dialog(self) -> PreferencesDialog | None:
        """Return the dialog while it is open."""
        from quantdesk.ui.preferences_dialog import PreferencesDialog

        found = self._window.prompts.dialog("preferences")
        return found if isinstance(found, PreferencesDialog) else None

    @Slot()
    def show(self) -> None:
        """Open the settings, or bring them to the front."""
        from quantdesk.ui.preferences_dialog import PreferencesDialog

        pages = (self._appearance(), self._data(), self._alerts(), self._connection(), self._keys())
        self._window.prompts.show_dialog("preferences", PreferencesDialog(pages, self._window))

    def show_busy(self, words: str) -> None:
        """Say on the connection's page what is going on."""
        page = self._page()
        if page is not None:
            page.show_busy(words)

    def show_outcome(self, level: str, title: str, words: str) -> None:
        """Say how it went: on the page, or in a message where it was closed meanwhile."""
        page = self._page()
        if page is not None:
            page.show_outcome(level, words)
        else:
            self._window.toast(title, words, level)

    def _page(self) -> ConnectionPage | None:
        from quantdesk.ui.connection_page import ConnectionPage

        return self.dialog.findChild(ConnectionPage) if self.dialog is not None else None

    # -- pages ---------------------------------------------------------------------------------

    def _appearance(self) -> PreferencesPage:
        from quantdesk.ui.preferences_page import PreferencesPage

        window, on = self._window, self._window.registry
        settings = window.store.settings
        page = PreferencesPage(self.tr("Appearance"))
        names = {"dark": self.tr("Dark"), "light": self.tr("Light"), "system": self.tr("As the system")}
        themes = [(name, names[name]) for name in THEMES]
        page.choice(self.tr("Theme"), themes, settings.theme, lambda name: on[f"view.theme_{name}"].trigger())
        colours = ((False, self.tr("Green and red")), (True, self.tr("Blue and orange, safe for colour-blind eyes")))
        page.choice(
            self.tr("Rising and falling"),
            colours,
            settings.safe_colours,
            self._choose_colours,
        )
        zones = (("utc", self.tr("UTC")), ("local", self.tr("This computer's time zone")))
        page.choice(
            self.tr("Times of day in the window"), zones, settings.time_zone, lambda n: on[f"view.zone_{n}"].trigger()
        )
        scales = [(scale.value, on[f"view.scale_{scale}"].text().replace("&", "")) for scale in PriceScale]
        page.choice(
            self.tr("Price scale"), scales, settings.price_scale, lambda name: on[f"view.scale_{name}"].trigger()
        )
        page.opens(self.tr("Panels and docks"), self.tr("&Reset layout"), on["view.reset_layout"])
        page.words(self.tr("Everything here is also in the View menu, where most of it has a key."))
        page.end()
        return page

    def _data(self) -> PreferencesPage:
        from quantdesk.ui.preferences_page import PreferencesPage

        window, on = self._window, self._window.registry
        page = PreferencesPage(self.tr("Data and database"))
        choices = window.storage.choices
        present = choices().present if choices is not None else None
        kept = present.words if present is not None else self.tr("A store that ends with this session")
        page.words(kept, row=self.tr("The market is kept in"))
        page.opens(self.tr("Store, database, limits"), self.tr("&Storage…"), on["data.storage"])
        page.opens(self.tr("Symbols, history, import, delete"), self.tr("&Data held…"), on["data.holdings"])
        page.opens(self.tr("Another store"), self.tr("&Copy…"), on["data.copy_store"])
        page.opens(self.tr("Log"), self.tr("Open &log folder"), on["help.logs"])
        page.words(str(window.store.path), row=self.tr("These settings are in"))
        page.words(self.tr("Passwords are kept in the system's keyring, never in a file of quantdesk's."))
        page.end()
        return page

    def _alerts(self) -> PreferencesPage:
        from quantdesk.ui.preferences_page import PreferencesPage

        window, on = self._window, self._window.registry
        settings = window.store.settings
        page = PreferencesPage(self.tr("Alerts and tray"))
        page.opens(self.tr("What raises an alert"), self.tr("&Rules…"), on["alerts.rules"])
        page.tick(
            self.tr("&Mute sounds and popups"),
            on["alerts.mute"].isChecked(),
            lambda _: on["alerts.mute"].trigger(),
        )
        way = (
            self.tr("The system tray")
            if window.tray.available
            else self.tr("The desktop's notifications; no tray here")
        )
        page.words(way, row=self.tr("Popups come by"))
        page.place(page.button(self.tr("&Send a test popup"), self.popup_requested.emit))
        ways = (
            (_ASK, self.tr("Ask")),
            (_TRAY, self.tr("Keep recording in the tray")),
            (_QUIT, self.tr("Quit")),
        )
        now = _ASK if settings.ask_on_close else _TRAY if settings.close_to_tray else _QUIT
        page.choice(self.tr("Closing the window"), ways, now, self._choose_closing)
        page.words(
            self.tr("Popups, sounds and webhooks are for the live market only; toasts and the table show every alert.")
        )
        page.end()
        return page

    def _connection(self) -> PreferencesPage:
        from quantdesk.ui.connection_page import ConnectionPage

        now, fixed = self.now()
        page = ConnectionPage(now, self._window.theme.tokens, fixed)
        page.test_requested.connect(self.test_requested)
        page.use_requested.connect(self.use_requested)
        return page

    def _keys(self) -> PreferencesPage:
        from quantdesk.ui.preferences_page import PreferencesPage

        on = self._window.registry
        page = PreferencesPage(self.tr("Keys"))
        page.opens(self.tr("Every action and its keys"), self.tr("&Keyboard shortcuts…"), on["help.shortcuts"])
        page.opens(self.tr("Any command by typing"), self.tr("&Command palette…"), on["view.palette"])
        page.words(self.tr("Enter on a line of the shortcuts, then new keys, changes the keys of any action."))
        page.end()
        return page

    def _choose_colours(self, safe: object) -> None:
        action = self._window.registry["view.safe_colours"]
        if safe != action.isChecked():
            action.trigger()

    def _choose_closing(self, way: object) -> None:
        settings = self._window.store.settings
        settings.ask_on_close, settings.close_to_tray = way == _ASK, way == _TRAY
        self._window.save_settings()
