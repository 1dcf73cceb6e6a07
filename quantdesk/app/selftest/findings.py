"""Hold what the checks find, and set it as a table."""

from __future__ import annotations

import argparse
import platform
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from quantdesk import __version__
from quantdesk.config import Paths

_RESULT_WIDTH, _CHECK_WIDTH, _WIDTH = 9, 18, 104


class Result(StrEnum):
    """Say how a check ended; a warning is something to know, a failure something broken."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Finding:
    """Tell what one check found."""

    result: Result
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one line of the table."""

    check: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Ground:
    """Give a check what it may use: ``scratch`` is an empty folder that is removed behind it."""

    args: argparse.Namespace
    paths: Paths
    scratch: Path


def is_packaged() -> bool:
    """Tell whether this is the packaged program, not Python running the sources."""
    return bool(getattr(sys, "frozen", False))


def ok(words: str) -> Finding:
    """Return that all is well."""
    return Finding(Result.OK, words)


def warning(words: str) -> Finding:
    """Return something that is missing but not broken."""
    return Finding(Result.WARNING, words)


def failed(words: str) -> Finding:
    """Return something that is broken."""
    return Finding(Result.FAILED, words)


def verdict(words: str, failures: Sequence[str], warnings: Sequence[str] = ()) -> Finding:
    """Return the worst of what was found; ``words`` where there is nothing to complain of."""
    if failures:
        return failed("; ".join((*failures, *warnings)))
    return warning("; ".join(warnings)) if warnings else ok(words)


def head() -> str:
    """Return what the table is about: versions, system, packaged or from source."""
    kind = "packaged program" if is_packaged() else "from source"
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"quantdesk {__version__} self-test, {kind}, {now}",
        f"Python {platform.python_version()}, {_qt_words()}, {platform.platform()}",
        "",
        _columns("result", "check", "what was found"),
    ]
    return "\n".join(lines)


def line_of(row: Row) -> str:
    """Return a row as text, its words wrapped below each other."""
    return _columns(row.finding.result, row.check, row.finding.words)


def tail(rows: Sequence[Row]) -> str:
    """Count the rows."""
    results = [row.finding.result for row in rows]
    counts = (
        _count(len(rows), "check"),
        _count(results.count(Result.WARNING), "warning"),
        _count(results.count(Result.FAILED), "failure"),
    )
    return ", ".join(counts)


def _columns(result: str, check: str, words: str) -> str:
    start = f"{result:<{_RESULT_WIDTH}}{check:<{_CHECK_WIDTH}}"
    one_line = " ".join(words.split())
    return textwrap.fill(
        one_line,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _qt_words() -> str:
    from importlib.metadata import PackageNotFoundError, version  # not on the way to the first paint

    # From the package's record: to ask Qt itself would be a check, and may fail.
    try:
        return f"PySide6 {version('PySide6-Essentials')}"
    except PackageNotFoundError:
        return "PySide6 of unknown version"
