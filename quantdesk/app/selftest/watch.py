"""Run the checks in processes of their own, so that one that hangs or crashes hides no other."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from quantdesk.app.selftest.findings import Finding, Result, Row, failed, head, line_of, tail
from quantdesk.app.selftest.itself import command, environment
from quantdesk.app.selftest.plan import CHECKS, PLATFORM, Check, checks_from
from quantdesk.commands.shared import UsageError, paths_of
from quantdesk.config import ConfigError
from quantdesk.store.address import has_password

#: So long (s) a process may take to begin its first check.
_START = 60.0
_POLL = 0.03
#: So much (characters) of what a crashed process said is shown.
_LAST_WORDS = 400


def run_all(args: argparse.Namespace) -> int:
    """Run every check, write the table as it grows, return 1 where something is broken.

    It goes to stdout and to ``args.report``; a windowed program without either writes selftest.txt into the
    log folder. Raises UsageError for a password on the command line, ConfigError for a report that cannot be
    written.
    """
    if args.database and has_password(args.database):
        raise UsageError(
            "a password on the command line can be read by every user of this machine: keep it with "
            "quantdesk store password, in ~/.pgpass, or give the URL as QUANTDESK_DATABASE_URL"
        )
    rows: list[Row] = []
    with contextlib.ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, _stop))
        outputs = _outputs(args, stack)
        _tell(outputs, head())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="quantdesk-", ignore_cleanup_errors=True))
        for row in watched(args, Path(folder)):
            rows.append(row)
            _tell(outputs, line_of(row))
        _tell(outputs, f"\n{tail(rows)}")
    return 1 if any(row.finding.result is Result.FAILED for row in rows) else 0


def watched(args: argparse.Namespace, folder: Path, checks: Sequence[Check] = CHECKS) -> Iterator[Row]:
    """Yield a row for every check, whatever becomes of it; ``folder`` holds what the processes leave."""
    done, offscreen = 0, False
    while done < len(checks):
        part = Part(args, folder / f"part{done}.ndjson", checks[done], offscreen=offscreen)
        try:
            for name, found in part.outcomes({check.name: check.limit for check in checks}):
                done += 1
                # A crash on a screen that does not work would be told of everything behind it, too.
                offscreen = offscreen or (name == PLATFORM and found.result is not Result.OK)
                yield Row(name, found)
        finally:
            part.end()


class Part:
    """Follow one process that runs checks; ``end`` leaves nothing of it running."""

    def __init__(self, args: argparse.Namespace, report: Path, first: Check, *, offscreen: bool) -> None:
        self._report, self._first, self._read = report, first, 0
        self._said = report.with_suffix(".err")
        self._names = [check.name for check in checks_from(first.name)]
        words = [*command(args), "--selftest-part", first.name, "--report", str(report)]
        more = {"QT_QPA_PLATFORM": "offscreen"} if offscreen else {}
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(  # noqa: S603  # this program again
                words,
                env={**environment(args, os.environ), **more},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    def outcomes(self, limits: Mapping[str, float]) -> Iterator[tuple[str, Finding]]:
        """Yield (check, finding) as they come; where the process ends early, one failure and no more."""
        waiting, deadline = list(self._names), time.monotonic() + _START
        late = f"did not begin within {_START:.0f} s"
        while waiting:
            ended = self._process.poll() is not None  # before the look: what it wrote last is read then
            for entry in self._entries():
                if "begin" in entry:
                    limit = limits[entry["begin"]]
                    deadline, late = time.monotonic() + limit, f"did not end within {limit:.0f} s"
                else:
                    yield waiting.pop(0), Finding(Result(entry["result"]), entry["words"])
            if waiting and ended:
                yield waiting[0], failed(self._crash_words())
                return
            if waiting and time.monotonic() > deadline:
                yield waiting[0], failed(late)
                return
            time.sleep(_POLL)

    def end(self) -> None:
        """Make sure that the process is gone."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _entries(self) -> list[dict[str, str]]:
        """Return the lines that are new and whole."""
        try:
            with self._report.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def _crash_words(self) -> str:
        code = self._process.returncode
        try:
            ended = f"crashed ({signal.Signals(-code).name})" if code < 0 else f"ended with {code:#x}"
        except ValueError:
            ended = f"ended with {code}"
        said = " ".join(self._said.read_text("utf-8", "replace").split())
        return f"{ended}: {said[-_LAST_WORDS:]}" if said else ended


def _outputs(args: argparse.Namespace, stack: contextlib.ExitStack) -> list[TextIO]:
    """Open what the table is written to."""
    outputs = []
    if sys.stdout is not None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # a console may not know every letter of a path
        outputs.append(sys.stdout)
    path = args.report
    if path is None and not outputs:
        path = paths_of(args).logs / "selftest.txt"
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            outputs.append(stack.enter_context(path.open("w", encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"the report cannot be written to {path}: {error.strerror or error}") from error
    return outputs


def _tell(outputs: Sequence[TextIO], text: str) -> None:
    for output in outputs:
        output.write(text + "\n")
        output.flush()


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
