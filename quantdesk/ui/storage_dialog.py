"""Show the store that is used, choose another one, and set how long trades are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QDialogButtonBox, QTabWidget, QWidget

from quantdesk.store.address import StoreAddress
from quantdesk.store.base import Retention, StoreFacts
from quantdesk.ui.dialogs import DeskDialog
from quantdesk.ui.limits_page import LimitsPage
from quantdesk.ui.status_flow import sentence
from quantdesk.ui.storage_facts import FactsPage
from quantdesk.ui.storage_page import StorePage
from quantdesk.ui.store_fields import StoreFields
from quantdesk.ui.theme_tokens import Tokens


@dataclass(frozen=True, slots=True)
class StoreChoices:
    """Say what there is to choose from: the store in use (None = a temporary one) and others that are known.

    ``file`` is the store in the data folder, ``folder`` keeps the spill of a server, ``no_docker`` says
    why no local database can be started here (empty = it can), ``retention`` is what counts now.
    """

    folder: Path
    file: Path
    present: StoreAddress | None = None
    known: tuple[StoreAddress, ...] = ()
    no_docker: str = ""
    retention: Retention = field(default_factory=Retention)


class StorageDialog(DeskDialog):
    """Three pages on one store; every wish leaves by signal, the answers come through the methods."""

    facts_requested = Signal()
    test_requested = Signal(object)
    use_requested = Signal(object, str)
    pgpass_requested = Signal(object, str)
    start_local_requested = Signal()
    cancel_requested = Signal()
    limits_changed = Signal(int, float, int)

    def __init__(self, choices: StoreChoices, tokens: Tokens, parent: QWidget | None) -> None:
        super().__init__(self.tr("Storage"), parent, width=640)
        self.resize(680, 520)
        self.facts = FactsPage(self)
        self.fields = StoreFields(choices.file, choices.folder, self)
        self.store = StorePage(self.fields, tokens, choices.no_docker, self)
        self.limits = LimitsPage(choices.retention, self)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for name in (self.tabs.setAccessibleName, self.tabs.tabBar().setAccessibleName):
            name(self.tr("Pages of the storage"))
        for page in (self.facts, self.store, self.limits):
            self.tabs.addTab(page, page.accessibleName())
        self.body.addWidget(self.tabs, 1)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.refresh = self.buttons.addButton(self.tr("&Refresh"), role)
        self.refresh.setAutoDefault(False)
        close = self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.setDefault(True)
        self.add_buttons()
        self._connect()
        close.setFocus()
        if choices.present is not None:
            self.fields.show_address(choices.present.with_password(None))

    def show_facts(self, facts: StoreFacts, retention: Retention | None) -> None:
        """Show the facts of the store in use and the limits that count there; None = those are not known."""
        self.refresh.setEnabled(True)
        self.facts.show_facts(facts)
        self.limits.show_compression(facts)
        if retention is not None:
            self.limits.show_retention(retention)

    def show_facts_problem(self, words: str) -> None:
        """Say why there are no facts."""
        self.refresh.setEnabled(True)
        self.facts.show_words(sentence(words), fault=True)

    def propose(self, address: StoreAddress) -> None:
        """Bring the choice of this store to the front."""
        self.fields.show_address(address)
        self.tabs.setCurrentWidget(self.store)

    @Slot()
    def ask_facts(self) -> None:
        """Ask for the facts anew."""
        self.refresh.setEnabled(False)
        self.facts.show_words(self.tr("Looking at the store…"))
        self.facts_requested.emit()

    def _connect(self) -> None:
        page = self.store
        self.refresh.clicked.connect(self.ask_facts)
        self.tabs.currentChanged.connect(lambda index: self.refresh.setVisible(index == 0))
        page.test_requested.connect(self.test_requested)
        page.use_requested.connect(self.use_requested)
        page.pgpass_requested.connect(self.pgpass_requested)
        page.start_local_requested.connect(self.start_local_requested)
        page.cancel_requested.connect(self.cancel_requested)
        self.limits.limits_changed.connect(self.limits_changed)
