"""Run some checks in this process and write each one's outcome down before the next begins."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from quantdesk.app.selftest.findings import Ground, failed
from quantdesk.app.selftest.plan import Check, checks_from
from quantdesk.commands.shared import UsageError, paths_of
from quantdesk.config import ConfigError
from quantdesk.store.base import StoreError

if TYPE_CHECKING:
    from quantdesk.app.selftest.findings import Finding


def run_part(args: argparse.Namespace) -> int:
    """Run the checks from ``args.selftest_part`` to the end of its part; ``args.report`` takes their outcomes.

    Raises UsageError for a check that there is not.
    """
    try:
        checks = checks_from(args.selftest_part)
    except ValueError:
        raise UsageError(f"there is no check {args.selftest_part!r}") from None
    if args.report is None:
        raise UsageError("--selftest-part goes with --report")
    os.environ.setdefault("QT_API", "pyside6")
    _leave_with_parent()
    with args.report.open("a", encoding="utf-8") as out:
        for number, check in enumerate(checks):
            _write(out, begin=check.name)
            scratch = args.report.parent / f"{args.report.stem}-{number}"
            scratch.mkdir()
            found = judged(check, Ground(args, paths_of(args), scratch))
            _write(out, check=check.name, result=found.result, words=found.words)
    # Not through the interpreter's end: a library that crashes there has passed its check, and the thread
    # that waits for the parent would hold up the end on Windows.
    os._exit(0)


def judged(check: Check, ground: Ground) -> Finding:
    """Run a check; an error is a failure in words."""
    try:
        return check.act(ground)
    except (ConfigError, StoreError) as error:
        return failed(str(error))
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        return failed(f"{error.strerror or error}{place}")
    except Exception as error:  # noqa: BLE001  # whatever is broken is what this is to tell
        words = " ".join(str(error).split())[:300]
        return failed(f"{type(error).__name__}: {words}" if words else type(error).__name__)


def _write(out: TextIO, **entry: str) -> None:
    out.write(json.dumps(entry) + "\n")
    out.flush()


def _leave_with_parent() -> None:
    """End this process when the one that started it is gone: its end of our input closes then."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 1):
                pass
            os._exit(1)

    if sys.stdin is not None:
        threading.Thread(target=wait, name="parent", daemon=True).start()
