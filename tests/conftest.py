"""Keep every test off the user's data, off the network's proxies and clean of what it leaves running."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_API"] = "pyside6"
#: What tells the tests, not the program, where servers and the packaged program are.
_KEPT = {"QUANTDESK_TEST_DATABASE_URL", "QUANTDESK_SERVERS", "QUANTDESK_SERVERS_REQUIRED", "QUANTDESK_PACKAGED"}
for _name in [n for n in os.environ if n.startswith("QUANTDESK_") or n.lower().endswith("_proxy")]:
    if _name not in _KEPT:
        del os.environ[_name]
_home = tempfile.TemporaryDirectory(prefix="quantdesk-tests-")
for _name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
    _folder = Path(_home.name, _name.lower())
    _folder.mkdir(mode=0o700)
    os.environ[_name] = str(_folder)

import hypothesis
import pytest

from quantdesk.app.overrides import keep_errors_whole

keep_errors_whole()  # as the desk does, before the first class that is derived from Qt's

pytest_plugins = ["tests.servers"]

hypothesis.settings.register_profile(
    "gate",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    max_examples=60,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("gate")


def pytest_collection_finish() -> None:
    """Let what is loaded by now be looked through no more: a collection between tests then costs little."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _cycles_are_collected_between_tests() -> Iterator[None]:
    """Collect as the desk does, never in the middle of a paint or on another thread."""
    gc.disable()
    yield
    due = [now > most for now, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    gc.collect(2 if due[1] and due[2] else int(due[1]))


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Fail a test that leaves a thread of ours running."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and not t.daemon]
    for thread in left:
        thread.join(5)
    still = [t.name for t in left if t.is_alive() and not isinstance(t, threading._DummyThread)]
    assert not still, f"threads left running: {still}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded data beside the checkout, or skip."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("shared data folder is absent")
    return folder
