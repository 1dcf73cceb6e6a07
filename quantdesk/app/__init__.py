"""Wire the parts together: the only place that knows them all."""

from __future__ import annotations

import argparse
import os
import sys

from quantdesk.app import screen
from quantdesk.app.sources import leave_unread
from quantdesk.commands.shared import paths_of

#: Seconds after which a thread at work hands over to another that waits.
_SWITCH_SECONDS = 0.0005


def run(args: argparse.Namespace) -> int:
    """Run the desk with the parsed command line until it is closed; return the exit code.

    Raises ConfigError where no window can open or an address in the environment is wrong.
    """
    import gc

    from quantdesk.config import Endpoints

    # A fifth of the start-up went into looking for cycles among what is being imported; the desk
    # turns the collector on again once all of it is there.
    gc.disable()
    # Painting can give the interpreter away and ask for it back: at Python's 5 ms a job beside it
    # may keep the screen waiting longer.
    sys.setswitchinterval(_SWITCH_SECONDS)
    endpoints = Endpoints.from_environment()
    screen.prepare(offscreen=args.screenshot is not None)
    leave_unread()
    os.environ.setdefault("QT_API", "pyside6")
    from quantdesk.app.overrides import keep_errors_whole

    keep_errors_whole()  # before the first class that is derived from Qt's
    from quantdesk.app.application import Application
    from quantdesk.commands.log_file import start_log, stop_log
    from quantdesk.ui.single_instance import SingleInstance

    app = Application(sys.argv[:1])
    # Closing the window asks first and may keep the desk in the tray: only the desk itself ends the loop.
    app.setQuitOnLastWindowClosed(False)
    paths = paths_of(args)
    files = [path.expanduser().absolute() for path in args.files]
    alone = SingleInstance(paths.data)
    # A picture is drawn beside a running desk, and simulated or replayed data have a store of their own.
    shared = args.screenshot is None and not args.simulate and args.replay is None
    if shared and (alone.hand_over(files) or not (alone.listen() or not alone.hand_over(files))):
        return 0
    start_log(paths.logs)
    try:
        from quantdesk.app.desk import Desk

        return Desk(app, args, paths, endpoints, alone).run(files)
    finally:
        gc.enable()
        alone.close()
        stop_log()


def check(args: argparse.Namespace) -> int:
    """Run the self-test with the parsed command line; return 1 where something is broken."""
    from quantdesk.app import selftest

    return selftest.run(args)
