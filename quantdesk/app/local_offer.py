"""Offer the database server that answers on this machine, and start one where the user asks for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from quantdesk.app import local_database
from quantdesk.app.tasks import Tasks
from quantdesk.config import ConfigError, Paths
from quantdesk.store.address import StoreAddress
from quantdesk.types import Origin

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.settings_store import SettingsStore

#: The desk looks once it stands and feeds: its start is a promise.
_LOOK_AFTER_MS = 2_500


class LocalOffer(QObject):
    """Look for a database on this machine once; run Docker's at the user's wish, with progress and Cancel."""

    def __init__(self, window: MainWindow, feeding: Feeding, settings: SettingsStore, paths: Paths) -> None:
        super().__init__()
        self._window, self._feeding, self._settings = window, feeding, settings
        self._flow = window.storage
        self._folder = paths.data / "database"
        self.address = local_database.local_address(paths.data)
        self.found = False
        self._tasks = Tasks()
        self._starting: asyncio.Task[None] | None = None
        self._busy = ""
        self._closing = False
        self._flow.start_local_requested.connect(self._on_start)
        self._flow.cancel_requested.connect(self._on_cancel)
        self._flow.facts_requested.connect(self._show_busy)
        self._flow.offer_declined.connect(self._on_declined)

    def start(self) -> None:
        """Look for a database on this machine, soon and once."""
        QTimer.singleShot(_LOOK_AFTER_MS, self, self._look)

    async def stop(self) -> None:
        """End what is going on."""
        self._closing = True
        if self._starting is not None:
            self._starting.cancel()
        await self._tasks.ended()

    def why_not(self) -> str:
        """Say why no database can be started here; empty where it can."""
        if local_database.docker_program() is not None:
            return ""
        return self.tr("A local database needs Docker, which is not on the PATH: install it, or name a server.")

    def own_password(self, address: StoreAddress) -> str:
        """Return the password that was made here for the local database, empty for any other; reads a file."""
        return local_database.own_password(self._folder) if address.words == self.address.words else ""

    @Slot()
    def _look(self) -> None:
        session, chosen = self._feeding.session, self._settings.settings
        offers = session.plan.origin is Origin.LIVE and not session.address.is_server
        if offers and not chosen.server_offer_declined and not self._closing:
            self._tasks.start(self._look_for_server())

    async def _look_for_server(self) -> None:
        self.found = await local_database.answers()
        if self.found and not self._feeding.session.address.is_server:
            self._flow.offer_server(self.address)

    @Slot()
    def _on_declined(self) -> None:
        self._settings.settings.server_offer_declined = True
        self._settings.save()

    @Slot()
    def _on_start(self) -> None:
        if self._starting is None:
            self._starting = self._tasks.start(self._start())

    @Slot()
    def _on_cancel(self) -> None:
        if self._starting is not None:
            self._starting.cancel()

    @Slot()
    def _show_busy(self) -> None:
        """Say it in a dialog that was opened meanwhile as well."""
        if self._busy:
            self._flow.show_busy(self._busy, can_cancel=True)

    async def _start(self) -> None:
        title = self.tr("Starting the local database")
        progress = self._window.start_progress(title)
        progress.cancelled.connect(self._on_cancel)

        def told(line: str) -> None:
            words = self.tr("{0}. The first time it is downloaded, which takes minutes.\n{1}")
            self._busy = words.format(title, line).strip()
            self._show_busy()

        told("")
        try:
            password = await local_database.start(self._folder, told)
            self._busy = ""
            await self._propose(password)
        except local_database.LocalDatabaseError as error:
            self._flow.show_outcome("error", title, str(error))
        except asyncio.CancelledError:
            if not self._closing:
                words = self.tr("Stopped. Start it again, and it goes on from there.")
                self._flow.show_outcome("info", title, words)
            raise
        finally:
            self._busy, self._starting = "", None
            progress.finish()

    async def _propose(self, password: str) -> None:
        """Keep the password of the database that runs now, and propose to use it."""
        from quantdesk.store.passwords import keep_password

        self.found, problem = True, ""
        try:
            # Not as an argument: the loop's own debug log shows those.
            await asyncio.to_thread(lambda: keep_password(self.address, password))
        except ConfigError as error:
            problem = str(error)
        # Without a keyring it stands in its field, so that the database can be used at once.
        self._flow.show_storage(self.address.with_password(password if problem else None))
        words = self.tr("The local database runs. “Use this store” keeps the market there from now on.")
        if problem:
            words += " " + self.tr("Its password is not kept: {0}.").format(problem)
        title = self.tr("The local database runs")
        self._flow.show_outcome("warning" if problem else "ok", title, words, offer_pgpass=bool(problem))
