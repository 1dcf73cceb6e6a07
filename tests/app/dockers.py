"""A docker program for the tests: it notes how it was called and does what the test wants of it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_PROGRAM = """#!{python}
import json, os, pathlib, signal, sys, time
here = pathlib.Path({folder!r})
signal.signal(signal.SIGTERM, lambda *_: (here.joinpath("stopped").write_text("yes"), sys.exit(143)))
calls = here / "calls.json"
known = json.loads(calls.read_text()) if calls.exists() else []
environment = pathlib.Path(sys.argv[sys.argv.index("--env-file") + 1]).read_text()
known.append({{"words": sys.argv[1:], "cwd": os.getcwd(), "file": environment, "pid": os.getpid()}})
known[-1]["proxies"] = {{name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}}
calls.write_text(json.dumps(known))
sys.stdout.write({said!r})
sys.stdout.flush()
time.sleep({seconds!r})
sys.exit({code!r})
"""


@dataclass
class Docker:
    """Stand for Docker; ``says`` sets what it does next."""

    folder: Path

    def says(self, said: str = "", code: int = 0, seconds: float = 0.0) -> None:
        path = self.folder / "docker"
        path.write_text(
            _PROGRAM.format(python=sys.executable, folder=str(self.folder), said=said, code=code, seconds=seconds)
        )
        path.chmod(0o755)

    @property
    def calls(self) -> list[dict[str, object]]:
        """Return how it was called."""
        path = self.folder / "calls.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else []

    @property
    def stopped(self) -> bool:
        """Tell whether it was asked to end."""
        return (self.folder / "stopped").exists()


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Put a docker of the test's own first on the PATH."""
    if os.name != "posix":
        pytest.skip("the stand-in is a script with a #! line")
    folder = tmp_path / "programs"
    folder.mkdir()
    made = Docker(folder)
    made.says()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return made
