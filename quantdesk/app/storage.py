"""Answer what the window asks about stores: facts, tests, another store, passwords, limits, copies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Slot

from quantdesk.app import store_work
from quantdesk.app.local_offer import LocalOffer
from quantdesk.app.tasks import Tasks
from quantdesk.config import ConfigError, Paths
from quantdesk.model.jobs import JobRunner
from quantdesk.store.address import StoreAddress, file_address
from quantdesk.store.base import Retention, Store, StoreError, StoreFacts

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.app.store_work import Taken
    from quantdesk.store.moving import CopyProgress
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.progress import Progress
    from quantdesk.ui.settings_store import SettingsStore
    from quantdesk.ui.storage_dialog import StoreChoices

T = TypeVar("T")

#: So long (s) the store in use may take to answer: it may be failing.
_PATIENCE = 15.0
_GB = 1_000_000_000


class Storage(QObject):
    """Serve the storage dialogs of one window; ``start`` looks for a server here, ``stop`` leaves nothing running."""

    def __init__(
        self, window: MainWindow, jobs: JobRunner, feeding: Feeding, settings: SettingsStore, paths: Paths
    ) -> None:
        super().__init__()
        self._window, self._jobs, self._feeding = window, jobs, feeding
        self._settings, self._paths = settings, paths
        self._flow = window.storage
        self._tasks = Tasks()
        self._local = LocalOffer(window, feeding, settings, paths)
        self._looking: asyncio.Task[None] | None = None
        self._copying: Progress | None = None
        self._connect()

    def start(self) -> None:
        """Look for a database on this machine, soon and once."""
        self._local.start()

    async def stop(self) -> None:
        """Stop what is going on and wait for its end."""
        if self._copying is not None:
            self._copying.cancel()  # the thread ends by itself; the next copy goes on where it stopped
        if self._looking is not None:
            self._looking.cancel()
        await self._local.stop()
        await self._tasks.ended()

    def choices(self) -> StoreChoices:
        """Return what there is to choose from now."""
        from quantdesk.ui.storage_dialog import StoreChoices

        chosen, folder = self._settings.settings, self._paths.data
        here = file_address(self._paths.store_file) if self._paths.store_file.exists() else None
        known = (chosen.store_address(folder), here, self._local.address if self._local.found else None)
        return StoreChoices(
            folder,
            self._paths.store_file,
            self._feeding.session.plan.store,
            tuple(one for one in known if one is not None),
            self._local.why_not(),
            chosen.retention(),
        )

    def _connect(self) -> None:
        flow = self._flow
        flow.choices = self.choices
        flow.facts_requested.connect(self._on_facts)
        flow.test_requested.connect(self._on_test)
        flow.use_requested.connect(self._on_use)
        flow.pgpass_requested.connect(self._on_pgpass)
        flow.kept_requested.connect(self._on_kept)
        flow.forget_requested.connect(self._on_forget)
        flow.limits_changed.connect(self._on_limits)
        flow.copy_requested.connect(self._on_copy)
        self._feeding.session_changed.connect(self._on_session)

    # -- the store in use ----------------------------------------------------------------------

    @Slot()
    def _on_facts(self) -> None:
        if self._looking is not None:
            self._looking.cancel()  # the newest question counts
        self._looking = self._tasks.start(self._facts())

    @Slot()
    def _on_session(self) -> None:
        if self._flow.dialog is not None:
            self._flow.dialog.ask_facts()

    async def _facts(self) -> None:
        session = self._feeding.session
        for _ in range(50):  # a session that has just begun is still opening its store
            if session.writer is not None:
                break
            await asyncio.sleep(0.1)
        try:
            if session.address.is_server and self._is_writing():
                facts = await self._ask_store(lambda store: store.facts())
            else:
                # Beside the writer, which has better things to do than to count.
                facts = await asyncio.to_thread(store_work.facts_of, session.address)
        except StoreError as error:
            self._flow.show_facts_problem(str(error))
            return
        self._flow.show_facts(facts, self._retention(facts, session.address))

    def _retention(self, facts: StoreFacts, address: StoreAddress) -> Retention:
        return facts.retention if address.is_server else self._settings.settings.retention()

    @Slot(int, float, int)
    def _on_limits(self, days: int, gigabytes: float, compress: int) -> None:
        retention = Retention(days, round(gigabytes * _GB), compress)
        if not self._feeding.session.address.is_server:
            self._settings.settings.take_retention(retention)
            self._settings.save()
        self._tasks.start(self._apply(retention))

    async def _apply(self, retention: Retention) -> None:
        session = self._feeding.session
        if not self._is_writing():
            words = self.tr("Kept for the next time that quantdesk writes here.")
            if session.address.is_server:
                words = self.tr("Not changed: nothing is being written to the database from here.")
            self._flow.show_limits(words, fault=session.address.is_server)
            return
        try:
            await self._ask_store(lambda store: store.set_retention(retention))
        except StoreError as error:
            self._flow.show_limits(self.tr("Not changed: {0}.").format(error), fault=True)
            return
        self._flow.show_limits(self.tr("These limits count from now on."))

    def _is_writing(self) -> bool:
        from quantdesk.store.writer import StoreWriter

        return isinstance(self._feeding.session.writer, StoreWriter)

    async def _ask_store(self, act: Callable[[Store], T]) -> T:
        """Let the writer's thread look or change something, behind what is queued; raise StoreError in words."""
        writer = self._feeding.session.writer
        if writer is None:
            raise StoreError(self.tr("the store is not open yet: try again in a moment"))
        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.wrap_future(writer.call(act))
        except TimeoutError:
            raise StoreError(self.tr("the store does not answer now: try again later")) from None

    # -- another store -------------------------------------------------------------------------

    @Slot(object)
    def _on_test(self, address: StoreAddress) -> None:
        self._flow.show_busy(self.tr("Trying {0}…").format(address.words))
        title = self.tr("Connection tested")
        self._run(
            "try store",
            lambda: store_work.look_at(address),
            lambda facts: self._flow.show_outcome("ok", title, self._found_words(address, facts)),
            title,
        )

    @Slot(object, str)
    def _on_use(self, address: StoreAddress, password: str) -> None:
        self._flow.show_busy(self.tr("Trying {0}…").format(address.words))
        title = self.tr("The store was not changed")
        self._run(
            "take store", lambda: store_work.take(address, password), lambda taken: self._use(address, taken), title
        )

    def _use(self, address: StoreAddress, taken: Taken) -> None:
        chosen = self._settings.settings
        chosen.take_store(None if address.path == self._paths.store_file else address)
        saved = self._settings.save()
        if address.is_server:
            self._flow.withdraw_offer()
        words = [self._found_words(address, taken.facts)]
        if self._feeding.use_store(address):
            words = [self.tr("The market is kept in {0} from now on.").format(address.words)]
        else:
            words.append(self.tr("It is used as soon as the live market is recorded again."))
        if taken.unkept:
            words.append(self.tr("The password is not kept, and the next start needs it: {0}.").format(taken.unkept))
        if not saved:
            words.append(self._settings.problem)
        level = "ok" if saved and not taken.unkept else "warning"
        title = self.tr("Another store is used")
        self._flow.show_outcome(level, title, " ".join(words), offer_pgpass=bool(taken.unkept))

    def _found_words(self, address: StoreAddress, facts: StoreFacts | None) -> str:
        from quantdesk.ui.status_flow import sentence
        from quantdesk.ui.storage_facts import kind_words

        if facts is None:
            return self.tr("There is no store at {0} yet: it is made when you use it.").format(address.words)
        if not facts.bar_mode:
            words = self.tr("It answers: {0}. There is no store in it yet: it is made when you use it.")
            return words.format(facts.kind)
        notes = "".join(f" {sentence(note)}" for note in facts.notes)
        return self.tr("It answers: {0}.{1}").format(kind_words(facts), notes)

    # -- passwords -----------------------------------------------------------------------------

    @Slot(object)
    def _on_kept(self, address: StoreAddress) -> None:
        from quantdesk.store.passwords import find_password

        def look() -> tuple[bool, str]:
            kept = find_password(address) is not None
            return kept, "" if kept else self._local.own_password(address)

        self._jobs.submit(f"keyring {address.words}", look, lambda found: self._flow.show_kept(address, *found))

    @Slot(object)
    def _on_forget(self, address: StoreAddress) -> None:
        from quantdesk.store.passwords import forget_password

        def forgotten(_: None) -> None:
            self._flow.show_kept(address, False)
            self._flow.show_outcome("ok", title, self.tr("The password is no longer in the keyring."))

        title = self.tr("Password forgotten")
        self._run("keyring", lambda: forget_password(address), forgotten, title)

    @Slot(object, str)
    def _on_pgpass(self, address: StoreAddress, password: str) -> None:
        from quantdesk.store.passwords import keep_in_pgpass

        title = self.tr("Password written")
        words = self.tr("The password is in {0}, which you alone can read; the next start finds it there.")
        self._run(
            "pgpass",
            lambda: keep_in_pgpass(address, password),
            lambda path: self._flow.show_outcome("ok", title, words.format(path)),
            title,
        )

    # -- copies --------------------------------------------------------------------------------

    @Slot(object, object)
    def _on_copy(self, source: StoreAddress, target: StoreAddress) -> None:
        title = self.tr("Nothing is copied")
        if self._copying is not None:
            self._window.toast(title, self.tr("Another copy is going on: wait for it, or cancel it."), "warning")
        elif target.path is not None and target.path == self._feeding.session.address.path:
            words = self.tr("This desk writes to that file now: use another store first (Data > Storage), then copy.")
            self._window.toast(title, words, "warning")
        else:
            self._tasks.start(self._copy(source, target))

    async def _copy(self, source: StoreAddress, target: StoreAddress) -> None:
        from quantdesk.store.files import Cancelled
        from quantdesk.ui.copy_dialog import same_store

        words = self.tr("Copying into {0}").format(target.words if target.path is None else target.path.name)
        progress = self._copying = self._window.start_progress(words)

        def show(state: CopyProgress) -> None:
            progress.advance(state.done)
            progress.describe(state.words)

        try:
            report = await asyncio.to_thread(store_work.copy, source, target, show, progress.is_cancelled)
        except Cancelled:
            told = self.tr("Start it again, and it goes on where it stopped.")
            self._window.toast(self.tr("The copy was stopped"), told, "info")
            return
        except StoreError as error:
            self._window.toast(self.tr("The copy has failed"), str(error), "error")
            return
        finally:
            self._copying = None
            progress.finish()
        in_use = same_store(self._feeding.session.address, target)
        self._flow.show_copied(target, report.lines, verified=report.verified, offer_use=report.verified and not in_use)

    # -- how it is run -------------------------------------------------------------------------

    def _run(self, key: str, act: Callable[[], T], done: Callable[[T], None], title: str) -> None:
        """Run what blocks in the pool; say in words what it refuses."""

        def failed(error: Exception) -> None:
            self._flow.show_outcome("error", title, str(error) or type(error).__name__)
            if not isinstance(error, StoreError | ConfigError | OSError):
                raise error

        self._jobs.submit(key, act, done, failed)
