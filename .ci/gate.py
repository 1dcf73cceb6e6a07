"""Run the whole gate: format, lint, types, import contracts, tests. The same by hand and in CI."""

from __future__ import annotations

import argparse
import os
import sys
import time

import ground
import pglite_server
import timescale_server

STEPS = {
    "format": ["-m", "ruff", "format", "--check", "."],
    "lint": ["-m", "ruff", "check", "."],
    "types": ["-m", "mypy"],
    "imports": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "tests": ["-m", "pytest", "-q", "-n", "2", "-m", "not long"],
}
BENCHMARKS = (
    "tests.benchmarks.startup",
    "tests.benchmarks.store_speed",
    "tests.benchmarks.server_speed",
    "tests.benchmarks.statistics_speed",
    "tests.benchmarks.live_speed",
    "tests.benchmarks.chart_speed",
    "tests.benchmarks.desk_load",
    "tests.benchmarks.desk_memory",
)


def main() -> int:
    """Set up, run every step and sum up; 0 only when all passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="also the tests that take minutes")
    parser.add_argument("--benchmarks", action="store_true", help="only the benchmarks that print the README's tables")
    args, rest = parser.parse_known_args()
    try:
        ground.check_python()
        ground.install_debian_packages(ground.DESK_PACKAGES + ground.GATE_PACKAGES)
        ground.install_environment("dev")
        _install_servers()
    except (ground.GroundError, timescale_server.ServerError, pglite_server.ServerError) as error:
        print(f"gate: {error}", file=sys.stderr)
        return 1
    steps = {name: list(command) for name, command in STEPS.items()}
    if args.long:
        steps["package"] = [".ci/package.py", "--compress", "1"]
        os.environ["QUANTDESK_PACKAGED"] = str(ground.ROOT / "dist")
        # One at a time: these measure real times and kill real programs.
        # No dump of the stacks while a test goes on: it reads them without Python's lock, and crashed one.
        steps["long tests"] = ["-m", "pytest", "-q", "-m", "long", "--timeout", "1800", "-o", "faulthandler_timeout=0"]
    for name in steps.keys() & {"tests", "long tests"}:
        steps[name] += rest
    if args.benchmarks:
        steps = {name: ["-m", name, *rest] for name in BENCHMARKS}
    return _run(steps)


def _install_servers() -> None:
    """Install the database servers that the tests start; elsewhere than in CI they skip what is not there."""
    for name, script in (("TimescaleDB", timescale_server), ("continuous aggregates", pglite_server)):
        if name == "TimescaleDB" and os.environ.get("QUANTDESK_TEST_DATABASE_URL"):
            continue  # this one is used
        try:
            script.install()
        except script.ServerError as error:
            if os.environ.get("QUANTDESK_SERVERS_REQUIRED"):
                raise
            print(f"gate: tests that need {name} will skip: {error}", flush=True)


def _run(steps: dict[str, list[str]]) -> int:
    results: dict[str, tuple[int, float]] = {}
    for name, command in steps.items():
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        code = ground.run([ground.python(), *command], cwd=ground.ROOT)
        if name == "tests" and code == 1:
            # Some tests measure real time beside another one: what failed runs once more, alone, and that counts.
            print("\n== what failed, once more and alone", flush=True)
            code = ground.run(
                [ground.python(), "-m", "pytest", "-q", "--last-failed", "-m", "not long"], cwd=ground.ROOT
            )
        results[name] = (code, time.monotonic() - start)
    print("\n== summary")
    for name, (code, seconds) in results.items():
        print(f"{'ok    ' if code == 0 else 'FAILED'}  {name:<28} {seconds:6.1f} s")
    return int(any(code for code, _ in results.values()))


if __name__ == "__main__":
    sys.exit(main())
