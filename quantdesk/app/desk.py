"""Compose the desk: models, window and the session that feeds them; run it until it is closed."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from quantdesk.app.alert_keeping import AlertKeeping
from quantdesk.app.application import Application
from quantdesk.app.connecting import Connections
from quantdesk.app.feeding import Feeding
from quantdesk.app.files import Exporter, FileOpener
from quantdesk.app.holdings import HoldingsDesk
from quantdesk.app.loop import Loop
from quantdesk.app.memory import Collector
from quantdesk.app.picture import take_picture
from quantdesk.app.replaying import Replaying
from quantdesk.app.selftest.beside import SelfTest
from quantdesk.app.session import SessionPlan
from quantdesk.app.storage import Storage
from quantdesk.app.stored_trades import StoredTrades
from quantdesk.app.webhooks import Webhooks
from quantdesk.commands.shared import store_address
from quantdesk.config import Endpoints, Paths
from quantdesk.model.alerts import AlertModel
from quantdesk.model.clock import FrameClock
from quantdesk.model.files import FilesModel
from quantdesk.model.jobs import JobRunner
from quantdesk.model.pair import PairModel
from quantdesk.store.address import file_address
from quantdesk.types import Origin
from quantdesk.ui.crash import CrashReporter
from quantdesk.ui.main_window import MainWindow
from quantdesk.ui.notify import DesktopPopups
from quantdesk.ui.settings_store import SettingsStore
from quantdesk.ui.single_instance import SingleInstance
from quantdesk.ui.theme import Theme

if TYPE_CHECKING:
    from quantdesk.ui.workspaces.second_window import SecondWindow

log = logging.getLogger(__name__)

#: The heavy libraries are imported in the pool this long after the first paint, not by the first statistic.
_WARM_UP_MS = 400
#: What must not be imported before the first paint.
_HEAVY = {
    "statsmodels", "scipy", "pandas", "sqlalchemy", "psycopg2", "aiohttp", "websockets", "keyring", "desktop_notifier",
}  # fmt: skip


class Desk:
    """Own every part of the running program; ``run`` returns its exit code."""

    def __init__(
        self, app: QApplication, args: argparse.Namespace, paths: Paths, endpoints: Endpoints, alone: SingleInstance
    ) -> None:
        self._app, self._args, self._paths = app, args, paths
        self.settings = SettingsStore(paths.config)
        chosen = self.settings.settings
        if args.theme:
            chosen.theme = args.theme
        self.theme = Theme(app, chosen.theme, safe=chosen.safe_colours)
        self.connections = Connections(self.settings, endpoints)
        self.clock, self.jobs = FrameClock(), JobRunner()
        self.files = FilesModel()
        self.pair = PairModel(self.jobs)
        self.alerts = AlertModel(chosen.rules(), muted=chosen.muted)
        self.feeding = Feeding(self._plan(self.connections.endpoints), self.pair, self.files)
        self.window = MainWindow(
            self.pair, self.feeding.market, self.alerts, self.clock, self.theme, self.settings, paths.logs
        )
        self.feeding.attach(self.window, chosen)
        self.opener = FileOpener(self.window, self.jobs, self.files, self.pair, self.feeding)
        self.exporter = Exporter(self.window, self.jobs, self.pair)
        self.storage = Storage(self.window, self.jobs, self.feeding, self.settings, paths)
        self.connections.attach(self.window, self.feeding)
        self.holdings = HoldingsDesk(self.window, self.feeding)
        self.keeping = AlertKeeping(self.alerts, self.feeding, self.window, paths.data / "alerts.left")
        self.webhooks = Webhooks(self.window, self.settings, self.jobs)
        self.replaying = Replaying(self.window, self.feeding, self.pair, self.files, self.alerts)
        self.stored_trades = StoredTrades(self.window.spread.bars, self.feeding, self.jobs)
        self.selftest = SelfTest(self.window.selftest, args)
        self.crashes = CrashReporter(paths.logs, lambda: self.window, self.window.selftest)
        self._popups = DesktopPopups(self.window.show_last_alert)
        self._tasks: set[asyncio.Task[object]] = set()
        self._quit = asyncio.Event()
        self._memory = Collector()
        self._connect(alone)

    def run(self, files: Sequence[Path]) -> int:
        """Show the window with the last stored bars, then feed it until it is closed."""
        self.crashes.install()
        try:
            if not files:
                self.feeding.show_stored()
            if self._args.screenshot is None:
                self.window.show()
                self.clock.flush()
                self._trace_first_paint()
            with asyncio.Runner(loop_factory=lambda: Loop(self._app)) as runner:
                return runner.run(self._main(files))
        finally:
            self.crashes.remove()
            self._leave()

    async def _main(self, files: Sequence[Path]) -> int:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self.crashes.on_loop_error)
        self._listen_to_signals(loop)
        QTimer.singleShot(_WARM_UP_MS, self._warm_up)
        self.webhooks.start()
        try:
            if files:
                self.opener.quiet = self._args.screenshot is not None
                self.opener.open(files, self._args.skip_bad_rows)
            # A picture of files needs no market; everything else streams at once.
            if not (files and self._args.screenshot is not None):
                await self.connections.unlock()
                self.feeding.start()
                self.keeping.start()
            if self._args.screenshot is None:
                self.storage.start()
                await self._quit.wait()
            else:
                await take_picture(
                    self.window,
                    self.pair,
                    self.jobs,
                    self.opener,
                    self.feeding,
                    self._args.screenshot.expanduser(),
                    self._args.after,
                )
        finally:
            await self._close()
        return 0

    async def _close(self) -> None:
        """Save, stop the feed, drain the store and wait for the jobs, in this order."""
        self.window.close_for_good()
        self.selftest.stop()
        await self.storage.stop()
        await self.holdings.stop()
        await self.connections.stop()
        await self.webhooks.stop()
        await self.replaying.stop()
        await self.keeping.stop()
        await self.feeding.stop()
        self.keeping.leave()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.jobs.close)

    def _plan(self, endpoints: Endpoints) -> SessionPlan:
        args, chosen = self._args, self.settings.settings
        own = None if args.data_dir is None else file_address(self._paths.store_file)
        own = store_address(args) if args.database else own
        if args.replay is not None:
            return SessionPlan(Origin.REPLAY, (), endpoints, own, args.replay.absolute(), args.speed)
        if args.simulate:
            return SessionPlan(Origin.SIMULATED, ("BTCUSDT", "ETHUSDT"), endpoints, own)
        symbols, limits = tuple(chosen.symbols), chosen.store_limits
        return SessionPlan(Origin.LIVE, symbols, endpoints, store_address(args), limits=limits)

    def _connect(self, alone: SingleInstance) -> None:
        window = self.window
        alone.files_received.connect(self._on_second_start)
        if isinstance(self._app, Application):
            self._app.files_opened.connect(self._on_second_start)
        window.quit_requested.connect(self._quit.set)
        window.workspaces.windows.opened.connect(self._on_window_opened)
        window.preferences.popup_requested.connect(lambda: self._spawn(self._try_popup()))
        window.notify_requested.connect(lambda title, text: self._spawn(self._popups.send(title, text)))
        self.pair.changed.connect(self._on_pair_changed)
        self.pair.changed.connect(self.clock.mark)
        self._app.commitDataRequest.connect(lambda _: window.save_settings())

    def _on_window_opened(self, second: SecondWindow) -> None:
        """Let the store answer a window beside the main one, in its own lane and for as long as it lives."""
        StoredTrades(second.spread.bars, self.feeding, second.lane, second)

    def _on_pair_changed(self) -> None:
        if self.pair.frame is not None:
            self.alerts.judge(self.pair.frame, self.window.rules.look())

    async def _try_popup(self) -> None:
        """Send a popup the way an alert takes, and say which way that was."""
        window = self.window
        title, text = window.tr("A test popup"), window.tr("Alerts of the live market reach you like this.")
        if window.tray.popup(title, text):
            window.toast(title, window.tr("It went to the system tray."), "ok")
        elif await self._popups.send(title, text):
            window.toast(title, window.tr("It went to the desktop's notifications."), "ok")
        else:
            window.toast(window.tr("Nobody shows popups here"), self._popups.problem, "warning")

    def _on_second_start(self, files: list[Path]) -> None:
        self.window.bring_to_front()
        if files:
            self.opener.open(files, False)

    def _spawn(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _listen_to_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        if sys.platform == "win32":
            signal.signal(signal.SIGINT, lambda *_: self._quit.set())
            waker = QTimer(self.window)  # Python sees a signal only when its code runs
            waker.start(200)
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._quit.set)

    def _warm_up(self) -> None:
        def import_heavy() -> None:
            import statsmodels.tsa.stattools  # noqa: F401  # 1.5 s, beside the screen

        self.jobs.submit("warm up", import_heavy, lambda _: self._memory.start(), lambda _: self._memory.start())

    def _trace_first_paint(self) -> None:
        """Print how long the first paint took and what it showed, for the benchmark that asks for it."""
        asked = os.environ.get("QUANTDESK_TRACE_STARTUP")
        if not asked:
            return
        handle, deadline = self.window.windowHandle(), time.monotonic() + 10
        while handle is not None and not handle.isExposed() and time.monotonic() < deadline:
            self._app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        self.window.repaint()
        took = (time.time() - float(asked)) * 1e3
        frame, seen = self.pair.frame, self.window.charts.visible_range()
        report = {
            "ms": round(took),
            "cpu_ms": round(time.process_time() * 1e3),
            "bars": 0 if frame is None else len(frame.times),
            "visible": seen,
            "menus": len(self.window.menuBar().actions()),
            "heavy": sorted({name.partition(".")[0] for name in sys.modules} & _HEAVY),
        }
        sys.stderr.write(f"first paint {json.dumps(report)}\n")
        sys.stderr.flush()

    def _leave(self) -> None:
        self._memory.stop()
        # A plot alive at the interpreter's end crashes it: the window goes first, while Qt still runs.
        self.clock.stop()
        self.window.deleteLater()
        self._app.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
        self._app.processEvents()
