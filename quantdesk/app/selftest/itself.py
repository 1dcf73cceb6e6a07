"""Say how this program starts itself once more."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from quantdesk.app.selftest.findings import is_packaged


def command(args: argparse.Namespace) -> list[str]:
    """Return the command line of this program with the same data folder; never a database, which may be secret."""
    words = [sys.executable] if is_packaged() else [sys.executable, "-m", "quantdesk"]
    return [*words, "--data-dir", str(args.data_dir.expanduser().absolute())] if args.data_dir else words


def environment(args: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the same database, and where the sources are found again."""
    found = dict(environ)
    if args.database:
        found["QUANTDESK_DATABASE_URL"] = args.database
    if not is_packaged():
        # Python looks for -m in the current folder, which need not be ours.
        place = str(Path(__file__).resolve().parents[3])
        found["PYTHONPATH"] = os.pathsep.join(part for part in (place, found.get("PYTHONPATH", "")) if part)
    return found
