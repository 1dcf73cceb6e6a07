"""Bring the store to the window: its dialogs, and the offer of a database found on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention, StoreFacts
from quantdesk.ui.banner import Offer

if TYPE_CHECKING:
    from quantdesk.ui.copy_dialog import CopyDialog
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.storage_dialog import StorageDialog, StoreChoices
    from quantdesk.ui.store_fields import StoreFields

_OFFER = "server-offer"


class StorageFlow(QObject):
    """Ask the composition root by signal; show what it answers in whatever is open.

    ``test_requested(address)`` carries the password typed in the address; ``use_requested(address,
    password)`` and ``pgpass_requested`` name once more the one to keep, empty where none was typed.
    ``choices`` is asked for what there is to choose from whenever a dialog opens.
    """

    facts_requested = Signal()
    test_requested = Signal(object)
    use_requested = Signal(object, str)
    pgpass_requested = Signal(object, str)
    start_local_requested = Signal()
    cancel_requested = Signal()
    limits_changed = Signal(int, float, int)
    kept_requested = Signal(object)
    forget_requested = Signal(object)
    copy_requested = Signal(object, object)
    offer_declined = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.choices: Callable[[], StoreChoices] | None = None
        on = window.registry
        on["data.storage"].triggered.connect(lambda: self.show_storage())  # noqa: PLW0108  # the flag is no address
        on["data.copy_store"].triggered.connect(lambda: self.show_copy())  # noqa: PLW0108

    @property
    def dialog(self) -> StorageDialog | None:
        """Return the storage dialog while it is open."""
        from quantdesk.ui.storage_dialog import StorageDialog

        found = self._window.prompts.dialog("storage")
        return found if isinstance(found, StorageDialog) else None

    @property
    def copying(self) -> CopyDialog | None:
        """Return the dialog that asks what to copy while it is open."""
        from quantdesk.ui.copy_dialog import CopyDialog

        found = self._window.prompts.dialog("copy")
        return found if isinstance(found, CopyDialog) else None

    def show_storage(self, proposed: StoreAddress | None = None) -> None:
        """Open the storage dialog, or bring it to the front; ``proposed`` is filled in as the store to use."""
        from quantdesk.ui.storage_dialog import StorageDialog

        dialog = self.dialog
        if dialog is None:
            dialog = StorageDialog(self._choices(), self._window.theme.tokens, self._window)
            dialog.facts_requested.connect(self.facts_requested)
            dialog.test_requested.connect(self.test_requested)
            dialog.use_requested.connect(self.use_requested)
            dialog.pgpass_requested.connect(self.pgpass_requested)
            dialog.start_local_requested.connect(self.start_local_requested)
            dialog.cancel_requested.connect(self.cancel_requested)
            dialog.limits_changed.connect(self.limits_changed)
            self._follow(dialog.fields)
            self._window.prompts.show_dialog("storage", dialog)
            dialog.ask_facts()
        if proposed is not None:
            dialog.propose(proposed)

    def show_copy(self, source: StoreAddress | None = None, target: StoreAddress | None = None) -> None:
        """Ask what to copy where; both may be filled in."""
        from quantdesk.ui.copy_dialog import CopyDialog

        dialog = self.copying
        if dialog is None:
            dialog = CopyDialog(self._choices(), self._window)
            dialog.copy_requested.connect(self.copy_requested)
            self._follow(dialog.fields)
            self._window.prompts.show_dialog("copy", dialog)
        if target is not None:
            dialog.propose(source, target)

    def show_facts(self, facts: StoreFacts, retention: Retention | None) -> None:
        """Show the facts of the store in use, if the dialog is open; ``retention`` is what counts there."""
        if self.dialog is not None:
            self.dialog.show_facts(facts, retention)

    def show_facts_problem(self, words: str) -> None:
        """Say why there are no facts, if the dialog is open."""
        if self.dialog is not None:
            self.dialog.show_facts_problem(words)

    def show_busy(self, words: str, *, can_cancel: bool = False) -> None:
        """Say in the dialog what is going on."""
        if self.dialog is not None:
            self.dialog.store.show_busy(words, can_cancel=can_cancel)

    def show_outcome(self, level: str, title: str, words: str, *, offer_pgpass: bool = False) -> None:
        """Say how it went: in the dialog, or in a message where it was closed meanwhile."""
        if self.dialog is not None:
            self.dialog.store.show_outcome(level, words, offer_pgpass=offer_pgpass)
        else:
            self._window.toast(title, words, level)

    def show_limits(self, words: str, *, fault: bool = False) -> None:
        """Say how applying the limits went."""
        if self.dialog is not None:
            self.dialog.limits.say(words, fault=fault)

    def show_kept(self, address: StoreAddress, kept: bool, password: str = "") -> None:
        """Say whether the keyring has the password of a server, where that server is still named.

        ``password`` is filled in where none was typed: the program itself has made it.
        """
        for dialog in (self.dialog, self.copying):
            named = dialog.fields.server() if dialog is not None else None
            if dialog is not None and named is not None and named.words == address.words:
                dialog.fields.show_kept(kept)
                if password and not dialog.fields.password.text():
                    dialog.fields.password.setText(password)

    def show_copied(self, target: StoreAddress, lines: Sequence[str], *, verified: bool, offer_use: bool) -> None:
        """Tell how a copy ended."""
        from quantdesk.ui.copy_dialog import CopiedDialog

        dialog = CopiedDialog(lines, self._window.theme.tokens, self._window, verified=verified, offer_use=offer_use)
        dialog.use_clicked.connect(lambda: self.show_storage(target))
        self._window.prompts.show_dialog("copied", dialog)

    def offer_server(self, address: StoreAddress) -> None:
        """Say that a database was found on this machine and what can be done with it."""
        offers = (
            Offer(
                self.tr("Use TimescaleDB"),
                self.tr("Keep the market in the database from now on"),
                lambda: self.show_storage(address),
            ),
            Offer(
                self.tr("Copy what is here"),
                self.tr("Copy the store of this desk into the database"),
                lambda: self.show_copy(None, address),
            ),
            Offer(self.tr("Not now"), self.tr("Do not offer it again"), self._decline),
        )
        words = self.tr("A database server answers on this machine at port {0}. The market can be kept there.")
        self._window.banner.show_notice(_OFFER, "info", words.format(address.port), offers)

    def withdraw_offer(self) -> None:
        """Take the offer away."""
        self._window.banner.clear_notice(_OFFER)

    @Slot()
    def _decline(self) -> None:
        self.withdraw_offer()
        self.offer_declined.emit()

    def _follow(self, fields: StoreFields) -> None:
        fields.kept_requested.connect(self.kept_requested)
        fields.forget_requested.connect(self.forget_requested)
        named = fields.server()
        if named is not None:
            self.kept_requested.emit(named)

    def _choices(self) -> StoreChoices:
        from quantdesk.ui.storage_dialog import StoreChoices

        if self.choices is not None:
            return self.choices()
        folder = self._window.store.path.parent
        return StoreChoices(folder, folder / "quantdesk.sqlite")
