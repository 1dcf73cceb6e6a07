"""Answer what the Data window asks: look at the store, download, import, export, count and delete."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from quantdesk.app.tasks import Tasks
from quantdesk.store.base import StoreError
from quantdesk.types import Origin

if TYPE_CHECKING:
    from quantdesk.app.feeding import Feeding
    from quantdesk.app.session import Session
    from quantdesk.ingest.download_order import DownloadOrder, DownloadProgress, DownloadReport
    from quantdesk.store.base import Reader
    from quantdesk.store.csv_out import Block
    from quantdesk.store.deletion import DropCount, DropOrder, Dropped
    from quantdesk.store.holdings import ExportOrder, Holdings
    from quantdesk.store.writer import StoreWriter
    from quantdesk.types import Instrument
    from quantdesk.ui.holdings_flow import DownloadChoices
    from quantdesk.ui.main_window import MainWindow
    from quantdesk.ui.progress import Progress

T = TypeVar("T")
_log = logging.getLogger(__name__)

#: So long (s) a day that is being stored, or a slice that is going, may take as the desk is closed: a store that is
#: away would keep it waiting for ever, and lets go of it once it is closed itself.
_LAST_SECONDS = 20.0


class HoldingsDesk(QObject):
    """Serve the Data window; ``stop`` leaves nothing running."""

    _looked = Signal(float, str)

    def __init__(self, window: MainWindow, feeding: Feeding) -> None:
        super().__init__()
        self._window, self._feeding, self._flow = window, feeding, window.holdings
        self._tasks = Tasks()
        self._running: set[Progress] = set()
        self._changing: dict[tuple[str, str], str] = {}  # venue and symbol: what is done to it, in words
        self._look: asyncio.Event | None = None
        self._flow.choices = self.choices
        self._flow.look_requested.connect(self._on_look)
        self._flow.look_cancelled.connect(self._on_look_cancelled)
        self._flow.download_requested.connect(lambda order: self._tasks.start(self._download(order)))
        self._flow.import_requested.connect(lambda paths: self._tasks.start(self._import(paths)))
        self._flow.export_requested.connect(lambda order: self._tasks.start(self._export(order)))
        self._flow.count_requested.connect(lambda order: self._tasks.start(self._count(order)))
        self._flow.delete_requested.connect(lambda order: self._tasks.start(self._delete(order)))
        self._looked.connect(self._flow.show_looking)
        feeding.session_changed.connect(self._flow.look_again)

    async def stop(self) -> None:
        """Stop what is going on and wait for its end: whole days, whole slices."""
        self._on_look_cancelled()
        for progress in tuple(self._running):
            progress.cancel()
        await self._tasks.stop(_LAST_SECONDS)

    def choices(self) -> DownloadChoices:
        """Return what a download dialog begins with."""
        from quantdesk.ui.holdings_flow import DownloadChoices

        session, chosen = self._session, self._window.pair.settings
        feed = session.feed
        now = feed.exchange_now() / 1_000 if feed is not None else datetime.now(UTC).timestamp()
        known = [symbol for symbol in (chosen.y, chosen.x) if symbol in session.symbols] or session.symbols[:2]
        return DownloadChoices(tuple(known), datetime.fromtimestamp(now, UTC).date(), session.endpoints.archive_url)

    @property
    def _session(self) -> Session:
        return self._feeding.session

    # -- looking -------------------------------------------------------------------------------

    @Slot()
    def _on_look(self) -> None:
        self._on_look_cancelled()
        self._look = asyncio.Event()
        self._tasks.start(self._find(self._look))

    @Slot()
    def _on_look_cancelled(self) -> None:
        if self._look is not None:
            self._look.set()
            self._look = None

    async def _find(self, stopped: asyncio.Event) -> None:
        from quantdesk.store.files import Cancelled
        from quantdesk.store.holdings import Holdings, read_holdings

        session = self._session
        await _opened(session)

        def look(reader: Reader) -> Holdings:
            return read_holdings(reader, self._looked.emit, stopped.is_set)

        try:
            if session.address.path is not None and not session.address.path.exists():
                found = Holdings((), "")
            else:
                found = await asyncio.to_thread(_reading, session, look)
        except Cancelled:
            if self._flow.dialog is not None and (self._look is None or self._look is stopped):
                self._flow.show_problem(self.tr("stopped"))
            return
        except StoreError as error:
            self._flow.show_problem(str(error))
            return
        if self._look is stopped:
            self._flow.show_holdings(found)

    # -- download ------------------------------------------------------------------------------

    async def _download(self, order: DownloadOrder) -> None:
        words = self.tr("Downloading {0}").format(", ".join(order.symbols))

        async def act(progress: Progress) -> DownloadReport:
            with self._alone(self._session.venue, order.symbols, self.tr("is being downloaded")):
                return await self._downloaded(order, progress)

        report = await self._long(words, act)
        if report is None:
            return
        level = "ok" if report.is_complete else "warning"
        title = self.tr("Download ended") if report.is_complete else self.tr("Download ended, not every day came")
        self._window.toast(title, "\n".join(report.lines()), level)

    async def _downloaded(self, order: DownloadOrder, progress: Progress) -> DownloadReport:
        from quantdesk.config import FeedLimits
        from quantdesk.feed.archive import ArchiveClient
        from quantdesk.feed.rest import RestClient
        from quantdesk.ingest.download import Download
        from quantdesk.ingest.download_order import Source, day_start

        session, writer = self._session, await self._writer()
        endpoints, feed = session.endpoints, session.feed
        archive = ArchiveClient(endpoints.archive_url) if order.source is Source.ARCHIVE else None
        # One pace towards the exchange: the feed's own client is asked where there is one.
        own = RestClient(endpoints, FeedLimits()) if feed is None else None
        place = session.address.path.parent if session.address.path is not None else None

        def told(state: DownloadProgress) -> None:
            progress.advance(state.done)
            progress.describe(state.line())

        def now() -> float:
            return feed.exchange_now() / 1_000 if feed is not None else datetime.now(UTC).timestamp()

        made = Download(
            order,
            writer,
            session.venue,
            archive=archive,
            rest=feed.rest if feed is not None else own,
            told=told,
            cancelled=progress.is_cancelled,
            is_recorded=lambda symbol: _is_fed(session, symbol),
            folder=place,
            now=now,
        )
        try:
            return await made.run()
        finally:
            for client in (archive, own):
                if client is not None:
                    await client.close()
            start, end = day_start(order.first), day_start(order.last) + 86_400_000
            self._feeding.learn_of_past(session, order.symbols, start, end)
            self._flow.look_again()

    # -- import and export ---------------------------------------------------------------------

    async def _import(self, paths: list[Path]) -> None:
        names = ", ".join(path.name for path in paths)

        async def act(progress: Progress) -> list[str]:
            writer = await self._writer()
            return await asyncio.to_thread(_imported, paths, writer, progress)

        lines = await self._long(self.tr("Importing {0}").format(names), act)
        self._flow.look_again()
        if lines is not None:
            self._window.toast(self.tr("Imported"), "\n".join(lines), "ok")

    async def _export(self, order: ExportOrder) -> None:
        session = self._session

        async def act(progress: Progress) -> int:
            return await asyncio.to_thread(_reading, session, lambda reader: _exported(reader, order, progress))

        rows = await self._long(self.tr("Exporting {0}").format(order.path.name), act)
        if rows is not None:
            words = self.tr("{0:,} rows in {1}").format(rows, order.path)
            self._window.toast(self.tr("Exported"), words, "ok")

    # -- delete --------------------------------------------------------------------------------

    async def _count(self, order: DropOrder) -> None:
        session = self._session
        try:
            count = await asyncio.to_thread(_reading, session, lambda reader: self._counted(session, reader, order))
        except StoreError as error:
            self._flow.show_count(order, None, str(error))
            return
        self._flow.show_count(order, count)

    def _counted(self, session: Session, reader: Reader, order: DropOrder) -> DropCount:
        from quantdesk.store.deletion import check_order, count_dropped

        last = reader.last_tick(order.instrument)
        recorded = _records(session, order.instrument)
        check_order(order, is_recorded=recorded, newest_ts=last[1] if last is not None else None)
        return count_dropped(reader, order)

    async def _delete(self, order: DropOrder) -> None:
        session, symbol = self._session, order.instrument.symbol

        async def act(progress: Progress) -> Dropped:
            with self._alone(order.instrument.venue, (symbol,), self.tr("is being deleted")):
                writer = await self._writer()
                return await asyncio.to_thread(
                    _reading, session, lambda reader: self._deleted(session, reader, writer, order, progress)
                )

        gone = await self._long(self.tr("Deleting of {0}").format(symbol), act)
        self._feeding.learn_of_dropped(session, order)  # a stop between two slices leaves some deleted, too
        self._flow.look_again()
        if gone is not None:
            self._window.toast(self.tr("Deleted of {0}").format(symbol), self._deleted_words(gone), "ok")

    def _deleted(
        self, session: Session, reader: Reader, writer: StoreWriter, order: DropOrder, progress: Progress
    ) -> Dropped:
        from quantdesk.store.deletion import Deletion, check_order

        self._counted(session, reader, order)

        def call(act: Callable[[Any], Any]) -> Any:
            # It may be recorded by now: what comes in then is not what was to go.
            check_order(order, is_recorded=_records(session, order.instrument), newest_ts=None)
            return writer.call(act).result()

        def told(done: float, words: str) -> None:
            progress.advance(done)
            progress.describe(words)

        try:
            return Deletion(reader, call, order, told, progress.is_cancelled).run()
        finally:
            if not _records(session, order.instrument):
                writer.release(order.instrument)

    def _deleted_words(self, gone: Dropped) -> str:
        words = self.tr("{0:,} trades, {1:,} bars and {2:,} source bars went.").format(
            gone.trades, gone.bars, gone.source_bars
        )
        if gone.bars_left:
            left = self.tr(" {0:,} bars stay: the database dropped their trades long ago and keeps them.")
            words += left.format(gone.bars_left)
        return words

    # -- how it is run -------------------------------------------------------------------------

    async def _writer(self) -> StoreWriter:
        """Return the writer of the store in use; raises StoreError where nothing can be written from here."""
        from quantdesk.store.writer import StoreWriter

        session = self._session
        if session.plan.origin is Origin.REPLAY:
            raise StoreError(self.tr("a replay keeps nothing: go back to the market first (File > Live)"))
        await _opened(session)
        if not isinstance(session.writer, StoreWriter):
            why = session.writer.status.text if session.writer is not None else self.tr("the store is not open yet")
            raise StoreError(self.tr("nothing can be changed in the store from here: {0}").format(why))
        return session.writer

    @contextmanager
    def _alone(self, venue: str, symbols: Sequence[str], words: str) -> Iterator[None]:
        """Let nothing else change what is held of these symbols. Raises StoreError where something does already."""
        keys = {(venue, symbol) for symbol in symbols}
        for key in sorted(keys & set(self._changing)):
            raise StoreError(
                self.tr("{0} {1}: wait for the end of that, or cancel it first").format(key[1], self._changing[key])
            )
        self._changing.update(dict.fromkeys(keys, words))
        try:
            yield
        finally:
            for key in keys:
                del self._changing[key]

    async def _long(self, words: str, act: Callable[[Progress], Any]) -> Any:
        """Run a task with progress and Cancel; say in words how it failed or was stopped, and return None then."""
        from quantdesk.commands.shared import UsageError
        from quantdesk.config import ConfigError
        from quantdesk.feed.archive import ArchiveError
        from quantdesk.feed.rest import RestError
        from quantdesk.store.files import Cancelled, FileError

        progress = self._flow.start_progress(words)
        self._running.add(progress)
        try:
            return await act(progress)
        except Cancelled as error:
            self._window.toast(self.tr("{0}: stopped").format(words), str(error), "info")
        except (StoreError, ConfigError, UsageError, FileError, ArchiveError, RestError, OSError) as error:
            _log.warning("%s: %s", words, error)
            self._window.toast(self.tr("{0}: failed").format(words), str(error), "error")
        finally:
            self._running.discard(progress)
            with suppress(RuntimeError):  # the window may be gone
                progress.finish()
        return None


async def _opened(session: Session) -> None:
    """Wait a moment for a session that is still opening its store."""
    for _ in range(50):
        if session.writer is not None:
            return
        await asyncio.sleep(0.1)


def _reading(session: Session, act: Callable[[Reader], T]) -> T:
    """Let ``act`` read the store through a reader of its own."""
    from quantdesk.store.opening import open_reader

    reader = open_reader(session.address)
    try:
        return act(reader)
    finally:
        reader.close()


def _is_fed(session: Session, symbol: str) -> bool:
    return symbol in (session.feed.legs if session.feed is not None else session.symbols)


def _records(session: Session, instrument: Instrument) -> bool:
    return instrument.venue == session.venue and _is_fed(session, instrument.symbol)


def _imported(paths: list[Path], writer: StoreWriter, progress: Progress) -> list[str]:
    from quantdesk.commands.import_ import read_parts, write_parts

    coming = read_parts(paths, progress=lambda done: progress.advance(done / 2), cancelled=progress.is_cancelled)
    return list(write_parts(coming, writer, lambda done: progress.advance(0.5 + done / 2), progress.is_cancelled))


def _exported(reader: Reader, order: ExportOrder, progress: Progress) -> int:
    from quantdesk.commands.export import bar_blocks, bar_columns, tick_blocks, tick_columns
    from quantdesk.store.csv_out import write_table
    from quantdesk.store.files import Cancelled
    from quantdesk.store.holdings import Kind

    instrument = order.instrument
    if order.kind is Kind.TRADES:
        columns, blocks = tick_columns(instrument), tick_blocks(reader, instrument, order.start, order.end)
        first, last = reader.first_tick(instrument), reader.newest_tick(instrument)
        times = (first.ts, last.ts) if first is not None and last is not None else (0, 0)
        time_column = 4
    else:
        columns = bar_columns(instrument)
        blocks = bar_blocks(reader, instrument, order.interval, order.start, order.end)
        spans = [act(instrument, order.interval) for act in (reader.trade_bar_span, reader.source_bar_span)]
        stamps = [ms for span in spans for ms in (span.first_ts, span.last_ts) if ms is not None]
        times, time_column = (min(stamps, default=0), max(stamps, default=0)), 2
    start, end = max(order.start or 0, times[0]), min(order.end or times[1], times[1])

    def watched() -> Iterator[Block]:
        for block in blocks:
            if progress.is_cancelled():
                raise Cancelled("no file was written")
            yield block
            progress.advance((int(block[time_column][-1]) - start) / max(1, end - start))

    return write_table(order.path, columns, watched())
