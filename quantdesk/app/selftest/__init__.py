"""Check on this machine what the desk stands on, and say it in one table."""

from __future__ import annotations

import argparse


def run(args: argparse.Namespace) -> int:
    """Run the self-test, or one part of it in a process of its own; return the exit code.

    Raises UsageError for a password on the command line, ConfigError where the report cannot be written.
    """
    if args.selftest_part:
        from quantdesk.app.selftest.part import run_part

        return run_part(args)
    from quantdesk.app.selftest.watch import run_all

    return run_all(args)
